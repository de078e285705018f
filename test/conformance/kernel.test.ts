import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { ensurePythonEnvironment, findPython, type PythonEnvironment, writeKernelSpec } from "../../src/lab/index.js";

/**
 * Python, or why there is none. On a user's machine without it, these tests say so and are skipped; in CI that is a failure.
 */
async function environment(): Promise<PythonEnvironment | string> {
  try {
    findPython();
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    return (error as Error).message;
  }
  return ensurePythonEnvironment({ report: (line) => console.log(line) });
}

const python = await environment();
const skipped = typeof python === "string";
if (skipped) console.log(`Skipped: Jupyter's suite for kernels needs Python. ${python}`);

describe.skipIf(skipped)("the kernel, driven by Jupyter's own client", () => {
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-conformance-"));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const spec = JSON.parse(
    readFileSync(join(writeKernelSpec(join(folder, "kernels")), "kernel.json"), "utf8"),
  ) as object;
  for (const mode of ["signal", "message"]) {
    const copy = writeKernelSpec(join(folder, mode));
    spawnSync("mv", [copy, join(folder, "kernels", `iommu-lab-${mode}`)]);
    writeFileSync(
      join(folder, "kernels", `iommu-lab-${mode}`, "kernel.json"),
      JSON.stringify({ ...spec, interrupt_mode: mode }),
    );
  }
  const run = (file: string) => {
    const { env, python: interpreter } = python as PythonEnvironment;
    const result = spawnSync(interpreter, [new URL(file, import.meta.url).pathname], {
      env: { ...env, JUPYTER_PATH: folder },
      encoding: "utf8",
      timeout: 300_000,
    });
    return { status: result.status, output: result.stdout + result.stderr };
  };

  it("passes jupyter_kernel_test in full; the one thing skipped is the pager", () => {
    const { status, output } = run("./conformance.py");
    expect(status, output).toBe(0);
    expect(output).toMatch(/^Ran 13 tests in /m);
    expect(output.match(/^.*\.\.\. skipped.*$/gm)).toEqual([
      expect.stringMatching(/^test_pager .*skipped 'No code page something'$/),
    ]);
    expect(output).toMatch(/^OK \(skipped=1\)$/m);
  });

  it("interrupts, asks and restarts in both interrupt modes", () => {
    const { status, output } = run("./interrupt.py");
    expect(status, output).toBe(0);
    expect(output).toMatch(/^passed signal$/m);
    expect(output).toMatch(/^passed message$/m);
  });
});
