"""A notebook run by nbclient in this kernel; prints each cell, its outputs as nbclient stores them, and how the run ends.

    .venv/bin/python test/support/consoles/nbclient_run.py

Needs the kernel's specification on JUPYTER_PATH or in the environment.
"""

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError

CELLS = [
    "let count = 0;\nfunction increment() { return ++count }",
    "count = 10;\nincrement()",
    "console.log('to stdout');\nconsole.error('to stderr');\n({ count })",
    "const wrong: number = 'text'",
    "import { table } from 'arquero';\ntable({ cores: [1, 2], rate: [0.5, 1] })",
    "lab.html('<b>bold</b>')",
    "const bar = lab.progress(3);\nfor (let i = 0; i < 3; i++) bar.tick();\nbar.finish();",
    "void Promise.reject(new Error('nobody waits'))",
    "setTimeout(() => console.log('later, in the same cell'), 300);",
    "prompt('name?')",
    "throw new RangeError('too far')",
    "count",
]


def text(value):
    return "".join(value) if isinstance(value, list) else str(value)


def show(cell):
    print(f"[{cell.execution_count or ' '}] " + cell.source.replace("\n", "\n    "))
    for output in cell.outputs:
        kind = output.output_type
        if kind == "stream":
            print(f"  {output.name}: {output.text.rstrip()}")
        elif kind == "error":
            print(f"  error {output.ename}: {output.evalue}")
        else:
            print(f"  {kind}: " + " · ".join(f"{mime} {text(data)!r:.110}" for mime, data in output.data.items()))
    print()


def run(cells, **options):
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    client = NotebookClient(notebook, kernel_name="iommu-lab", timeout=120, **options)
    try:
        client.execute()
        print("The run has ended well.\n")
    except CellExecutionError as error:
        print(f"The run has ended with {error.ename}: {error.evalue}\n")
    return notebook


print("== every cell, errors allowed\n")
for cell in run(CELLS, allow_errors=True).cells:
    show(cell)
print("== an error ends the run\n")
for cell in run(["const kept = 1", "void Promise.reject(new Error('nobody waits'))", "'not run'"]).cells:
    show(cell)
