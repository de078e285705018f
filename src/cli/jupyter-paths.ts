import { existsSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { delimiter, join, resolve } from "node:path";
import { readSmall } from "../files/index.js";

/** Where a kernel specification can be put. */
export type InstallPlace = { kind: "user" } | { kind: "prefix"; prefix: string };

/** What of the system decides where Jupyter looks; a test gives its own. */
export interface JupyterSystem {
  env: Readonly<Record<string, string | undefined>>;
  home: string;
  platform: NodeJS.Platform;
}

/** The system this process runs on. */
export const thisSystem = (): JupyterSystem => ({ env: process.env, home: homedir(), platform: process.platform });

/**
 * The folder of Jupyter's data that belongs to the user: $JUPYTER_DATA_DIR, else ~/Library/Jupyter on macOS, else
 * $XDG_DATA_HOME/jupyter or ~/.local/share/jupyter (jupyter_core, paths.py: jupyter_data_dir).
 */
export function userDataFolder({ env, home, platform }: JupyterSystem = thisSystem()): string {
  if (env["JUPYTER_DATA_DIR"]) return env["JUPYTER_DATA_DIR"];
  if (platform === "darwin") return join(home, "Library", "Jupyter");
  return join(env["XDG_DATA_HOME"] || join(home, ".local", "share"), "jupyter");
}

/** The folder of kernels at a place. */
export function kernelsFolder(place: InstallPlace, system: JupyterSystem = thisSystem()): string {
  return place.kind === "user"
    ? join(userDataFolder(system), "kernels")
    : join(resolve(place.prefix), "share", "jupyter", "kernels");
}

/** The active Python environment: that of virtualenv, or of conda; undefined where none is active. */
export function activePrefix({ env }: JupyterSystem = thisSystem()): string | undefined {
  return env["VIRTUAL_ENV"] || env["CONDA_PREFIX"] || undefined;
}

/** The folders in which a Jupyter of this user looks for kernels, first found first served (jupyter_core: jupyter_path). */
export function kernelFolders(projectRoot: string, system: JupyterSystem = thisSystem()): string[] {
  const { env } = system;
  const named = (env["JUPYTER_PATH"] ?? "").split(delimiter).filter(Boolean);
  const prefixes = [activePrefix(system), join(projectRoot, ".venv"), "/usr/local", "/usr"].filter(
    (prefix): prefix is string => prefix !== undefined,
  );
  const folders = [
    ...named.map((folder) => join(folder, "kernels")),
    kernelsFolder({ kind: "user" }, system),
    ...prefixes.map((prefix) => kernelsFolder({ kind: "prefix", prefix }, system)),
  ];
  return [...new Set(folders)];
}

/** An installed kernel specification. */
export interface InstalledKernel {
  name: string;
  folder: string;
  /** Shown to the user; the name where the file cannot be read. */
  displayName: string;
  /** What is wrong with it, or undefined. */
  problem?: string;
  /** Whether it starts this project's kernel. */
  ours: boolean;
}

/** The kernels in a folder of kernels, by name. A specification that cannot be used is listed with what is wrong. */
export function kernelsIn(folder: string): InstalledKernel[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .sort()
    .flatMap((name) => {
      const file = join(folder, name, "kernel.json");
      if (!existsSync(file)) return [];
      const found = { name, folder: join(folder, name), displayName: name, ours: false };
      try {
        const spec = JSON.parse(readSmall(file)) as { argv?: unknown; display_name?: unknown };
        const argv = Array.isArray(spec.argv) ? spec.argv.map(String) : [];
        const ours = argv.some((word) => /[\\/]iommu-lab\.mjs$/.test(word)) || name === "iommu-lab";
        const displayName = typeof spec.display_name === "string" ? spec.display_name : name;
        const gone = argv.filter((word) => word.startsWith("/")).find((path) => !existsSync(path));
        if (argv.length === 0)
          return [{ ...found, displayName, ours, problem: `${file}: argv: expected a list of words` }];
        return [
          { ...found, displayName, ours, ...(gone === undefined ? {} : { problem: `${gone} is not there any more` }) },
        ];
      } catch (error) {
        return [
          { ...found, ours: name === "iommu-lab", problem: `${file}: expected JSON (${(error as Error).message})` },
        ];
      }
    });
}
