import { ensurePythonEnvironment, type PythonEnvironment } from "../../src/lab/index.js";

/**
 * The project's Python environment for the tests that drive Jupyter's own tools, installed when it is not there yet.
 * Where there is no Python (or no registry), such tests are skipped with the reason printed; in CI that is a failure.
 *
 *     const python = await pythonForTests();
 *     describe.skipIf(!python)("…", () => { … spawn(python!.python, ["-m", "nbconvert", …], { env: python!.env }) … });
 */
export async function pythonForTests(): Promise<PythonEnvironment | undefined> {
  try {
    return await ensurePythonEnvironment({ report: (line) => console.log(line) });
  } catch (error) {
    if (process.env["CI"] === "true") throw error;
    console.warn(`Skipped: tests that need Python. ${(error as Error).message}`);
    return undefined;
  }
}
