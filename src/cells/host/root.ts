/** Where cells run. */
import { realpathSync } from "node:fs";
import { relative } from "node:path";

/**
 * The folder that cells run in: this package's root for a notebook inside the project (so that a notebook in notebooks/ and one beside it see
 * the same paths), otherwise the notebook's own folder.
 */
export function cellRoot(cwd: string, packageRoot: string): string {
  const real = realpathSync(cwd);
  const fromPackage = relative(realpathSync(packageRoot), real);
  return fromPackage.startsWith("..") ? real : packageRoot;
}
