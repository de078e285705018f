/**
 * What `npm start` opens: the project's own Python environment, JupyterLab in it, and the renderer that draws its plots.
 *
 * Everything lies in the project's folder `.venv`: Python packages (from requirements.lock, with checksums), kernel specification, settings,
 * workspaces. Nothing is written to the home folder. JupyterLab listens on this machine's loopback address only, with a token.
 * A failure is a `LabError`: a sentence that says what to do.
 */
export { type EnvironmentOptions, ensurePythonEnvironment, type PythonEnvironment } from "./environment.js";
export { LabError } from "./failures.js";
export { findPython, type Python } from "./python.js";
