import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import type { PythonEnvironment } from "./environment.js";
import { LabError } from "./failures.js";
import type { PreparedLab } from "./prepare.js";
import { runTool } from "./process.js";
import { projectRoot } from "./root.js";

/**
 * Looks whether an environment can do its work, by asking JupyterLab itself what it finds.
 * @returns what is there: pairs of a name and a value, for a person to read
 * @throws LabError naming the part that does not work
 */
export async function checkLab(environment: PythonEnvironment, parts: PreparedLab): Promise<[string, string][]> {
  const { python, env, folder } = environment;
  const ask = async (what: string, args: string[]) => {
    const { ok, output } = await runTool(python, args, { cwd: projectRoot, env });
    if (ok) return output;
    throw new LabError(
      `${what} does not work in ${folder}: ${output.trim().split("\n").at(-1)} Delete that folder and run the command again.`,
    );
  };
  const version = (await ask("JupyterLab", ["-c", "import jupyterlab; print(jupyterlab.__version__)"])).trim();
  const kernels = await ask("Finding the kernels", ["-m", "jupyter_client.kernelspecapp", "list", "--json"]);
  const found = JSON.parse(kernels.slice(kernels.indexOf("{"))) as { kernelspecs: Record<string, unknown> };
  const folderOfNotebooks = join(projectRoot, "notebooks");
  const notebooks = existsSync(folderOfNotebooks)
    ? readdirSync(folderOfNotebooks).filter((name) => name.endsWith(".ipynb"))
    : [];
  return [
    ["Node.js", process.versions.node],
    ["Python", `${environment.version} in ${folder}`],
    ["JupyterLab", version],
    ["Kernels", Object.keys(found.kernelspecs).join(", ")],
    ["Renderer", `plotly.js ${parts.plotlyVersion} in ${parts.renderer}`],
    ["Notebooks", notebooks.length === 0 ? "none" : `${notebooks.length} in notebooks/`],
  ];
}
