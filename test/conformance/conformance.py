"""Jupyter's own suite for kernels, with every sample set that it has. Run by kernel.test.ts; JUPYTER_PATH says where the kernel is."""

import unittest

import jupyter_kernel_test


class IommuLab(jupyter_kernel_test.KernelTests):
    kernel_name = "iommu-lab"
    language_name = "typescript"
    file_extension = ".ts"

    code_hello_world = 'console.log("hello, world")'
    code_stderr = 'console.error("oh no")'
    completion_samples = [
        {"text": "Math.sqr", "matches": {"sqrt", "SQRT1_2", "SQRT2"}},
        {"text": "lab.promp", "matches": {"prompt"}},
        {"text": 'const word = "\N{GRINNING FACE}"; word.charCodeA', "matches": {"charCodeAt"}},
    ]
    complete_code_samples = [
        "",
        "1 + 1",
        "const f = (n: number): number => { return n }",
        "const value = await Promise.resolve(1)",
        "for await (const x of [1]) { }",
        "interface P { x: number }",
    ]
    incomplete_code_samples = ["function f() {", "const text = `abc", "Math.max(1,", "/* a comment", "const a ="]
    invalid_code_samples = ["const = 3", "let x y", "1 +* 2", "}"]
    code_generate_error = 'throw new RangeError("too far")'
    code_execute_result = [
        {"code": "6 * 7", "result": "42"},
        {"code": "6 * 7 + 1", "result": "43"},
        {"code": "'a' + 'b'", "result": "'ab'"},
        {"code": "await Promise.resolve([1, 2])", "result": "[ 1, 2 ]"},
        {"code": 'new Map([["a", 1]])', "result": "Map(1) { 'a' => 1 }"},
    ]
    code_display_data = [
        {"code": 'lab.html("<b>bold</b>")', "mime": "text/html"},
        {"code": 'lab.markdown("**bold**")', "mime": "text/markdown"},
        {"code": 'lab.display({ [Symbol.for("Jupyter.display")]: () => ({ "image/svg+xml": "<svg/>" }) })', "mime": "image/svg+xml"},
        {"code": "lab.progress(3).finish()", "mime": "text/plain"},
    ]
    code_history_pattern = "6 * 7"
    supported_history_operations = ("tail", "range", "search")
    code_inspect_sample = "Math.max"
    code_clear_output = 'lab.clear()'


class Welcome(jupyter_kernel_test.IopubWelcomeTests):
    kernel_name = "iommu-lab"
    support_iopub_welcome = True


if __name__ == "__main__":
    unittest.main(verbosity=2)
