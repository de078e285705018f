/**
 * What `npm start` opens: the project's own Python environment, JupyterLab in it, and the renderer that draws its plots.
 *
 * Everything lies in the project's folder `.venv`: Python packages (from requirements.lock, with checksums), kernel specification, settings,
 * workspaces. Nothing is written to the home folder. JupyterLab listens on this machine's loopback address only, with a token.
 * A failure is a `LabError`: a sentence that says what to do.
 *
 *     const environment = await ensurePythonEnvironment();   // seconds, or a minute the first time
 *     prepareLab(environment);                                  // kernel specification, renderer, settings
 *     const lab = await startJupyterLab(environment);        // lab.url answers
 *     await lab.stop();
 */
export { checkLab } from "./check.js";
export { type EnvironmentOptions, ensurePythonEnvironment, type PythonEnvironment } from "./environment.js";
export { LabError } from "./failures.js";
export { type JupyterOptions, type RunningLab, startJupyterLab } from "./jupyter.js";
export { type KernelSpec, kernelName, kernelSpec, writeKernelSpec } from "./kernelspec.js";
export { type PreparedLab, prepareLab } from "./prepare.js";
export { findPython, type Python } from "./python.js";
export { projectRoot } from "./root.js";
