"""Interrupt, restart and stdin as jupyter_client does them, in both of its interrupt modes."""

import json
import os
import sys
import time

from jupyter_client.manager import start_new_kernel

SHAPES = {
    "endless loop": "while (true) {}",
    "pending await": "await new Promise(() => {})",
    "loop after an await": "await Promise.resolve(); while (true) {}",
    "loop in a timer": "await new Promise((r) => { setTimeout(() => { while (true) {} }, 5) })",
}


def value(kc, code, **options):
    reply = kc.execute_interactive(code, timeout=60, output_hook=lambda m: outputs.append(m), **options)
    return reply["content"]


for mode in ("signal", "message"):
    km, kc = start_new_kernel(kernel_name=f"iommu-lab-{mode}")
    try:
        assert km.kernel_spec.interrupt_mode == mode
        outputs = []
        assert value(kc, "let kept = 1")["status"] == "ok"
        for name, code in SHAPES.items():
            request = kc.execute(f"kept++; {code}")
            time.sleep(0.5)
            started = time.monotonic()
            km.interrupt_kernel()
            while True:
                reply = kc.get_shell_msg(timeout=10)
                if reply["parent_header"].get("msg_id") == request:
                    break
            assert reply["content"]["ename"] == "KeyboardInterrupt", (mode, name, reply["content"])
            print("interrupted", mode, name, f"{time.monotonic() - started:.3f} s")
        outputs = []
        assert value(kc, "kept")["status"] == "ok"
        shown = [m["content"]["data"]["text/plain"] for m in outputs if m["msg_type"] == "execute_result"]
        assert shown == ["5"], shown
        outputs = []
        answer = value(
            kc,
            'await lab.prompt("name?")',
            allow_stdin=True,
            stdin_hook=lambda m: kc.input("Ada " + m["content"]["prompt"]),
        )
        assert answer["status"] == "ok", answer
        shown = [m["content"]["data"]["text/plain"] for m in outputs if m["msg_type"] == "execute_result"]
        assert shown == ["'Ada name?'"], shown
        km.restart_kernel(now=False)
        kc.wait_for_ready(timeout=30)
        assert "TS2304" in value(kc, "kept")["evalue"]
        print("passed", mode)
    finally:
        kc.stop_channels()
        km.shutdown_kernel(now=False)
