/** Where cells run. */

import { realpathSync } from "node:fs";
import { basename, join } from "node:path";

/** The folder that cells run in: the notebook's, by its real name. */
export function cellRoot(cwd: string): string {
  return realpathSync(cwd);
}

/**
 * The notebook's file, which `__filename` and `import.meta` speak of: as JupyterLab's server tells it, else a name that stands for it.
 * @param root the notebook's folder
 */
export function notebookFile(root: string): string {
  const told = process.env["JPY_SESSION_NAME"];
  return join(root, told?.endsWith(".ipynb") ? basename(told) : "notebook.ipynb");
}
