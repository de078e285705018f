"""Measures kernels side by side, through Jupyter's own client. Arguments: JSON with "kernels" (name to language), "launches", "cells",
"interrupts", "long" (cells of the long session) and "folder" (which kernels run in).

Prints one JSON object: kernel to measure to a list of milliseconds. Kernels take turns, so that a busy machine is busy for all of them.
"""

import json
import os
import re
import subprocess
import sys
import time

from jupyter_client.manager import KernelManager

options = json.loads(sys.argv[1])
LOOP = {"typescript": "while (true) {}", "python": "while True: pass"}
COMPLETE = {"typescript": "Math.ma", "python": "math.cei"}
SETUP = {"typescript": "const before = 1", "python": "import math"}
DECLARE = {
    "typescript": "const v{0} = {0}; function f{0}(x: number) {{ return x + v{0} }}",
    "python": "v{0} = {0}\ndef f{0}(x): return x + v{0}",
}
MEASURES = ("start to ready", "start to first result", "trivial cell", "declaring cell", "completion", "interrupt")


def memory_mb(pid):
    """Resident memory of each process that a kernel consists of, by what it runs."""
    found = {}
    for entry in os.listdir("/proc"):
        try:
            with open(f"/proc/{entry}/stat") as stat, open(f"/proc/{entry}/status") as status:
                parent = int(stat.read().rsplit(")", 1)[1].split()[1])
                if int(entry) != pid and parent != pid:
                    continue
                with open(f"/proc/{entry}/cmdline") as line:
                    words = line.read()
                name = "language" if "language" in words else "executor" if "executor" in words else "kernel"
                found[name] = int(re.search(r"VmRSS:\s+(\d+)", status.read())[1]) / 1024
        except (OSError, ValueError, TypeError):
            continue
    return found


def reply_to(kc, request, timeout=60):
    deadline = time.perf_counter() + timeout
    while time.perf_counter() < deadline:
        message = kc.get_shell_msg(timeout=timeout)
        if message["parent_header"].get("msg_id") == request:
            return message
    raise TimeoutError


def timed(action):
    started = time.perf_counter()
    action()
    return (time.perf_counter() - started) * 1000


def launch(name, language, cells, interrupts, times):
    started = time.perf_counter()
    since = lambda: (time.perf_counter() - started) * 1000
    km = KernelManager(kernel_name=name)
    # A notebook's folder; the project's root has compiler options of its own.
    # What others say on their standard error (Deno, some hundred lines of "CDP response has null result") is no result.
    km.start_kernel(cwd=options["folder"], stderr=None if name.startswith("iommu") else subprocess.DEVNULL)
    kc = km.client()
    kc.start_channels()
    try:
        reply_to(kc, kc.kernel_info())
        times["start to ready"].append(since())
        assert reply_to(kc, kc.execute("1 + 1"))["content"]["status"] == "ok"
        times["start to first result"].append(since())
        reply_to(kc, kc.execute(SETUP[language]))
        for i in range(cells):
            times["trivial cell"].append(timed(lambda: reply_to(kc, kc.execute(f"1 + {i}"))))
        for i in range(cells):
            code = DECLARE[language].format(i)
            times["declaring cell"].append(timed(lambda: reply_to(kc, kc.execute(code))))
        reply_to(kc, kc.complete(COMPLETE[language]))
        for i in range(cells // 2):
            times["completion"].append(timed(lambda: reply_to(kc, kc.complete(COMPLETE[language]))))
        for i in range(interrupts):
            request = kc.execute(LOOP[language])
            time.sleep(0.25)
            try:
                times["interrupt"].append(timed(lambda: (km.interrupt_kernel(), reply_to(kc, request, 5))))
            except Exception:
                times["interrupt"].append(None)
                break
    finally:
        kc.stop_channels()
        km.shutdown_kernel(now=True)


def long_session(name, language, cells):
    """Many cells of one session: for each tenth of them, the median time of a cell and the memory of its processes."""
    km = KernelManager(kernel_name=name)
    km.start_kernel(cwd=options["folder"])
    kc = km.client()
    kc.start_channels()
    rows = []
    try:
        reply_to(kc, kc.kernel_info())
        reply_to(kc, kc.execute("1 + 1"))
        for tenth in range(10):
            times = []
            for i in range(tenth * cells // 10, (tenth + 1) * cells // 10):
                code = DECLARE[language].format(i) if i % 2 else f"1 + {i}"
                times.append(timed(lambda: reply_to(kc, kc.execute(code))))
            rows.append({"ms": sorted(times)[len(times) // 2], "mb": memory_mb(km.provisioner.pid)})
    finally:
        kc.stop_channels()
        km.shutdown_kernel(now=True)
    return rows


result = {name: {m: [] for m in MEASURES} for name in options["kernels"]}
for turn in range(options["launches"]):
    for name, language in options["kernels"].items():
        print(f"launch {turn + 1} of {options['launches']}: {name}", file=sys.stderr, flush=True)
        launch(name, language, options["cells"], options["interrupts"], result[name])
long = {}
if options["long"] > 0:
    print(f"{options['long']} cells in one session", file=sys.stderr, flush=True)
    long = long_session("iommu-lab-here", "typescript", options["long"])
print(json.dumps({"times": result, "long": long}))
