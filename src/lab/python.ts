import { spawnSync } from "node:child_process";
import { LabError } from "./failures.js";

/** A Python interpreter that JupyterLab can run on. */
export interface Python {
  /** Absolute path of the interpreter. */
  path: string;
  /** "3.12.4" */
  version: string;
  /** Whether its standard library can make a virtual environment with pip in it (Debian splits that part off). */
  canMakeVenv: boolean;
}

const oldestMinor = 10;

/** Newest first after plain python3, which is what its owner means by "Python". */
const names = ["python3", "python3.13", "python3.12", "python3.11", "python3.10", "python3.14", "python3.15", "python"];

const probe = `
import sys, json, importlib.util as u
print(json.dumps({"path": sys.executable, "version": list(sys.version_info[:3]),
  "venv": all(u.find_spec(m) is not None for m in ("venv", "ensurepip"))}))
`;

interface Probed {
  path: string;
  version: [number, number, number];
  venv: boolean;
}

/** Asks an interpreter what it is; undefined when it does not run, or is not a Python 3. */
function ask(command: string, env: NodeJS.ProcessEnv): Probed | undefined {
  const { status, stdout } = spawnSync(command, ["-c", probe], { env, encoding: "utf8", timeout: 20_000 });
  if (status !== 0) return undefined;
  try {
    const found = JSON.parse(stdout) as Probed;
    return found.path && Array.isArray(found.version) ? found : undefined;
  } catch {
    return undefined;
  }
}

const recentEnough = ({ version: [major, minor] }: Probed) => major === 3 && minor >= oldestMinor;

/**
 * Finds a Python of at least 3.10: the one that $PYTHON names, or the first of python3, python3.13 … on the PATH.
 * @throws LabError that says what was found instead, and what to do
 */
export function findPython(env: NodeJS.ProcessEnv = process.env): Python {
  const chosen = env["PYTHON"];
  const tooOld: string[] = [];
  for (const command of chosen ? [chosen] : names) {
    const found = ask(command, env);
    if (found === undefined) continue;
    const version = found.version.join(".");
    if (recentEnough(found)) return { path: found.path, version, canMakeVenv: found.venv };
    const text = `${version} at ${found.path}`;
    if (!tooOld.includes(text)) tooOld.push(text);
  }
  const wish = `JupyterLab needs Python 3.${oldestMinor} or newer`;
  if (chosen) {
    throw new LabError(
      tooOld.length > 0
        ? `${wish}, and $PYTHON names ${tooOld[0]}. Point $PYTHON to a newer one, or unset it to use the one on the PATH.`
        : `${wish}, and $PYTHON names ${chosen}, which does not run as a Python. Point it to an interpreter, or unset it to use the one on the PATH.`,
    );
  }
  throw new LabError(
    `${wish}, and ${tooOld.length > 0 ? `only ${tooOld.join(" and ")} was found` : "there is none on the PATH"}. Install one (macOS: brew install python; Debian or Ubuntu: apt install python3 python3-venv; others: python.org), or set $PYTHON to the path of one, then run the command again.`,
  );
}

/** The sentence for a Python whose parts for virtual environments are missing. */
export function noVenvModule({ path, version }: Python): LabError {
  const minor = version.split(".").slice(0, 2).join(".");
  return new LabError(
    `The Python at ${path} (${version}) has no venv module, so it cannot hold JupyterLab in the project's folder. Install it (Debian or Ubuntu: apt install python${minor}-venv), set $PYTHON to another Python, or install uv; then run the command again.`,
  );
}
