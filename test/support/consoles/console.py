"""A session in `jupyter console`, typed into a real terminal; prints what its screen has shown.

    python test/support/consoles/console.py > test/support/consoles/console.txt

Needs jupyter-console, pexpect and pyte beside the kernel's specification; by hand, since the project's environment has none of them.
"""

import re
import sys
import time

import pexpect
import pyte

COLUMNS, LINES = 100, 50


class Terminal:
    def __init__(self, command, arguments):
        self.screen = pyte.HistoryScreen(COLUMNS, LINES, history=5000, ratio=0.99)
        self.stream = pyte.ByteStream(self.screen)
        self.screen.write_process_input = lambda text: self.child.send(text)
        self.child = pexpect.spawn(command, arguments, dimensions=(LINES, COLUMNS), timeout=60)

    def look(self, seconds=0.05):
        try:
            self.stream.feed(self.child.read_nonblocking(1 << 16, seconds))
        except (pexpect.TIMEOUT, pexpect.EOF):
            pass

    def text(self):
        row = lambda line: "".join(line[x].data for x in range(COLUMNS)).rstrip()
        return [row(line) for line in self.screen.history.top] + [line.rstrip() for line in self.screen.display]

    def until(self, pattern, seconds=60):
        """Waits until what the screen shows matches; its text."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.look()
            shown = "\n".join(self.text()).rstrip()
            if re.search(pattern, shown):
                return shown
        raise SystemExit(f"{pattern} did not come:\n" + shown)

    def typed(self, text):
        for c in text:
            self.child.send(c)
            time.sleep(0.01)
        self.child.send("\r")


terminal = Terminal("jupyter", ["console", "--kernel", "iommu-lab"])
# The first keystrokes come while the compiler is still loading.
terminal.until(r"In \[1\]:$")
terminal.typed("1 + 1")
terminal.until(r"Out\[1\]: 2[\s\S]*In \[2\]:$")
for n, (code, wanted) in enumerate(
    [
        (["let count = 0; function increment(by: number) {", "return count += by", "}"], ""),
        (["increment(20); count = 40; increment(2)"], r"Out\[3\]: 42"),
        (["const wrong: string = count"], r"TS2322"),
        (["JSON.parse('{')"], r"SyntaxError"),
        (["await new Promise((done) => setTimeout(() => done('later'), 50))"], r"Out\[6\]: 'later'"),
        (["`Hello ${prompt('Your name?')}!`"], r"\nYour name\?$"),
        (["%time count"], r"console\.time"),
        (["[_, Out[3]]"], r"Out\[9\]: \[ 'Hello Ada!', 42 \]"),
    ],
    2,
):
    for i, line in enumerate(code):
        if i > 0:
            terminal.until(r"\.\.\.:$")
        terminal.typed(line)
    # A cell of several lines ends with an empty one, as in IPython.
    if len(code) > 1:
        time.sleep(0.5)
        terminal.look()
        if re.search(r"\.\.\.:$", "\n".join(terminal.text()).rstrip()):
            terminal.typed("")
    terminal.until(wanted)
    if "prompt(" in code[0]:
        terminal.typed("Ada")
    terminal.until(rf"In \[{n + 1}\]:$")
terminal.child.send("Math.sqr\t")
terminal.until(r"sqrt\s+SQRT1_2")
terminal.typed("t(1764)")
terminal.until(r"Out\[10\]: 42[\s\S]*In \[11\]:$")
terminal.child.send('import { lineFigure } from "iommu-lab/plo\t')
terminal.until(r"iommu-lab/plot")
terminal.typed('"; typeof lineFigure')
terminal.until(r"Out\[11\]: 'function'[\s\S]*In \[12\]:$")
terminal.typed("console.log('on'); while (true) count++")
terminal.until(r"\non$")
time.sleep(0.3)
terminal.child.sendintr()
terminal.until(r"KeyboardInterrupt[\s\S]*In \[13\]:$")
terminal.typed("count > 42")
terminal.until(r"Out\[13\]: true[\s\S]*In \[14\]:$")
terminal.child.send("\x04")
terminal.until(r"Do you really want to exit|\[y\]")
terminal.child.send("y\r")
terminal.child.expect(pexpect.EOF)
print("\n".join(terminal.text()).rstrip())
