/** papermill's parameters in TypeScript notebooks: a small Python module in the project's environment, found by its entry point. */
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { PythonEnvironment } from "./environment.js";
import { keepFile, keepText } from "./files.js";
import { projectRoot } from "./root.js";

const module = "iommu_lab_papermill";

/**
 * Puts the translator beside the environment's packages. Works for a papermill that is installed later, too.
 * @returns the module's file; undefined where the environment has no folder of packages
 */
export function addPapermillTranslator({ folder }: Pick<PythonEnvironment, "folder">): string | undefined {
  const lib = join(folder, "lib");
  const version = existsSync(lib) ? readdirSync(lib).find((name) => /^python3/.test(name)) : undefined;
  if (version === undefined) return undefined;
  const packages = join(lib, version, "site-packages");
  if (!existsSync(packages)) return undefined;
  const file = join(packages, `${module}.py`);
  keepFile(join(projectRoot, "src", "lab", `${module}.py`), file);
  const info = join(packages, `${module}-1.0.dist-info`);
  keepText(join(info, "METADATA"), `Metadata-Version: 2.1\nName: ${module.replaceAll("_", "-")}\nVersion: 1.0\n`);
  keepText(join(info, "entry_points.txt"), `[papermill.engine]\niommu-lab = ${module}:Engine\n`);
  return file;
}
