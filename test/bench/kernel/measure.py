"""Measures kernels side by side, through Jupyter's own client. Arguments: JSON with "kernels" (name to language), "launches", "cells".

Prints one JSON object: kernel to measure to a list of milliseconds. Kernels take turns, so that a busy machine is busy for all of them.
"""

import json
import sys
import time

from jupyter_client.manager import KernelManager

options = json.loads(sys.argv[1])
LOOP = {"typescript": "while (true) {}", "python": "while True: pass"}
COMPLETE = {"typescript": "Math.ma", "python": "math.cei"}
SETUP = {"typescript": "const before = 1", "python": "import math"}


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
    km.start_kernel()
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


result = {
    name: {m: [] for m in ("start to ready", "start to first result", "trivial cell", "completion", "interrupt")}
    for name in options["kernels"]
}
for turn in range(options["launches"]):
    for name, language in options["kernels"].items():
        print(f"launch {turn + 1} of {options['launches']}: {name}", file=sys.stderr, flush=True)
        launch(name, language, options["cells"], options["interrupts"], result[name])
print(json.dumps(result))
