import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { writeWhole } from "../files/index.js";
import { explainFailure, LabError } from "./failures.js";
import { type Outcome, runTool } from "./process.js";
import { findPython, noVenvModule, type Python } from "./python.js";
import { projectRoot } from "./root.js";

/** The project's own Python, with JupyterLab in it. */
export interface PythonEnvironment {
  /** The folder that holds everything: packages, settings, kernel specifications. */
  folder: string;
  /** The interpreter: run JupyterLab's tools as `python -m jupyterlab`, `python -m nbconvert` and so on. */
  python: string;
  /** Its version: "3.12.4". */
  version: string;
  /** The environment variables that keep Jupyter inside the folder: nothing is read from or written to the home folder. */
  env: NodeJS.ProcessEnv;
  /** Whether this call installed it; false when it was there already. */
  installed: boolean;
}

/** Options of {@link ensurePythonEnvironment}. */
export interface EnvironmentOptions {
  /** The project's folder, in which .venv is made. */
  root?: string;
  /** Hears what is being done, a line at a time. */
  report?: (line: string) => void;
  /** Pass on every line of the installer too. */
  verbose?: boolean;
  /** The environment variables to look for Python and uv in. */
  env?: NodeJS.ProcessEnv;
  /** The packages: a file as pip's --require-hashes takes it. */
  lockFile?: string;
  /** Room on the disk below which it does not even begin, in bytes. */
  neededBytes?: number;
  /** Stops the installation and removes what there is of it. */
  signal?: AbortSignal;
}

const stampName = "iommu-lab-environment.json";
/** Within .venv: what the lab's user made (settings, workspaces, logs); kept when the packages are installed anew. */
export const userFolder = "lab";

interface LockModule {
  tryLock(folder: string): (() => void) | undefined;
}

const asset = (name: string) => join(projectRoot, "src", "lab", name);

/** Jupyter's and Python's variables: everything inside the environment's folder, nothing from outside it. */
export function jupyterVariables(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const {
    PYTHONHOME: _home,
    PYTHONPATH: _path,
    PIP_TARGET: _target,
    PIP_PREFIX: _prefix,
    PIP_USER: _user,
    JUPYTER_PATH: _data,
    JUPYTER_CONFIG_PATH: _config,
    ...kept
  } = env;
  const user = join(folder, userFolder);
  return {
    ...kept,
    VIRTUAL_ENV: folder,
    PATH: `${join(folder, "bin")}:${env["PATH"] ?? ""}`,
    PYTHONNOUSERSITE: "1",
    PIP_DISABLE_PIP_VERSION_CHECK: "1",
    JUPYTER_CONFIG_DIR: join(user, "config"),
    JUPYTER_DATA_DIR: join(user, "data"),
    JUPYTER_RUNTIME_DIR: join(user, "runtime"),
    JUPYTERLAB_SETTINGS_DIR: join(user, "settings"),
    JUPYTERLAB_WORKSPACES_DIR: join(user, "workspaces"),
    JUPYTER_PLATFORM_DIRS: "0",
    JUPYTER_PREFER_ENV_PATH: "1",
    IPYTHONDIR: join(user, "ipython"),
  };
}

/**
 * Makes sure that the project has its Python environment, and returns where it is. The first call takes up to a minute; later ones
 * find the stamp of the finished installation and take some milliseconds. An environment that is unfinished, made from another lock file,
 * or moved, is made anew; while that fails, the former one stays.
 * @throws LabError with one sentence that says what to do: no Python, no venv module, registry out of reach, disk full, interrupted …
 */
export async function ensurePythonEnvironment(options: EnvironmentOptions = {}): Promise<PythonEnvironment> {
  const root = options.root ?? projectRoot;
  const folder = join(root, ".venv");
  const env = jupyterVariables(folder, options.env ?? process.env);
  const python = join(folder, "bin", "python");
  const lockFile = options.lockFile ?? asset("requirements.lock");
  const wanted = createHash("sha256").update(folder).update(readFileSync(lockFile)).digest("hex");

  const present = await readStamp(folder, wanted, python, env);
  if (present) return { folder, python, version: present, env, installed: false };

  const report = options.report ?? (() => {});
  const found = findPython(options.env ?? process.env);
  const release = await lockInstallation(root, report);
  try {
    const meanwhile = await readStamp(folder, wanted, python, env);
    if (meanwhile) return { folder, python, version: meanwhile, env, installed: false };
    await install({ ...options, root, folder, python, found, lockFile, wanted, env, report });
    return { folder, python, version: found.version, env, installed: true };
  } finally {
    release();
  }
}

/**
 * Keeps other commands, and other calls in this process, from installing into the same folder at the same time.
 * @returns lets the next one in
 */
async function lockInstallation(root: string, report: (line: string) => void): Promise<() => void> {
  const { tryLock } = (await import(pathToFileURL(asset("lock.mjs")).href)) as LockModule;
  const folder = join(root, ".venv-lock.tmp");
  const deadline = performance.now() + 600_000;
  for (let tries = 0; performance.now() < deadline; tries++) {
    try {
      const release = tryLock(folder);
      if (release) return release;
    } catch (error) {
      throw explainFailure(String(error), root);
    }
    if (tries === 1) report("Another command is installing the Python packages; waiting for it …");
    await new Promise((resolve) => setTimeout(resolve, tries === 0 ? 0 : 100));
  }
  throw new LabError(
    `Another command has been installing into ${join(root, ".venv")} for ten minutes. Stop it, or delete ${folder}, then run the command again.`,
  );
}

/** The version of a finished environment that fits the lock file and whose interpreter runs; undefined otherwise. */
async function readStamp(folder: string, wanted: string, python: string, env: NodeJS.ProcessEnv) {
  let stamp: { lock?: string; version?: string };
  try {
    stamp = JSON.parse(readFileSync(join(folder, stampName), "utf8"));
  } catch {
    return undefined;
  }
  if (stamp.lock !== wanted) return undefined;
  // The interpreter it was made with can be gone: an upgrade of the system's Python removes it.
  const { ok } = await runTool(python, ["-c", "import encodings"], { cwd: folder, env });
  return ok ? stamp.version : undefined;
}

interface Installation extends EnvironmentOptions {
  root: string;
  folder: string;
  python: string;
  found: Python;
  lockFile: string;
  wanted: string;
  env: NodeJS.ProcessEnv;
  report: (line: string) => void;
}

/** Installs into a new folder .venv; puts the former one back when that fails. */
async function install(job: Installation): Promise<void> {
  const { root, folder } = job;
  // A virtual environment holds its own absolute path, so it is made in its place, with the former one set aside.
  const former = join(root, ".venv-former.tmp");
  const needed = job.neededBytes ?? 600 * 1024 * 1024;
  const { bavail, bsize } = statfsSync(root);
  if (bavail * bsize < needed) {
    throw new LabError(
      `The disk of ${root} has ${Math.round((bavail * bsize) / 1048576)} MB free, and JupyterLab needs about ${Math.round(needed / 1048576)} MB while it is being installed. Free some space, then run the command again. Nothing was installed.`,
    );
  }
  const stop = new AbortController();
  const onSignal = () => stop.abort();
  job.signal?.addEventListener("abort", onSignal, { once: true });
  if (job.signal?.aborted) stop.abort();
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of signals) process.on(name, onSignal);
  try {
    if (existsSync(folder)) {
      // An unfinished one (the machine lost power) is of no use; a finished one is, should this installation fail.
      if (existsSync(join(folder, stampName))) {
        rmSync(former, { recursive: true, force: true });
        renameSync(folder, former);
      } else rmSync(folder, { recursive: true, force: true });
    }
    await fill(job, stop.signal);
    if (existsSync(join(former, userFolder))) {
      renameSync(join(former, userFolder), join(folder, userFolder));
    }
    mkdirSync(join(folder, userFolder), { recursive: true });
    const stamp = { lock: job.wanted, version: job.found.version };
    writeWhole(join(folder, stampName), JSON.stringify(stamp));
    rmSync(former, { recursive: true, force: true });
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    if (existsSync(former)) renameSync(former, folder);
    if (stop.signal.aborted) {
      throw new LabError(
        "The installation of the Python packages was interrupted. Nothing half-installed was left behind; run the command again to start afresh.",
      );
    }
    throw error instanceof LabError ? error : explainFailure(String((error as Error)?.message ?? error), root);
  } finally {
    for (const name of signals) process.off(name, onSignal);
    job.signal?.removeEventListener("abort", onSignal);
  }
}

/** Makes the virtual environment and installs the locked packages into it, with uv where it can be had and pip otherwise. */
async function fill(job: Installation, signal: AbortSignal): Promise<void> {
  const { root, folder, found, lockFile, report } = job;
  const count = readFileSync(lockFile, "utf8")
    .split("\n")
    .filter((line) => /^[a-z0-9]/i.test(line)).length;
  const env: NodeJS.ProcessEnv = { ...job.env, UV_PYTHON_DOWNLOADS: "never", UV_NO_CONFIG: job.env["UV_NO_CONFIG"] };
  const step = async (command: string, args: string[], onLine?: (line: string) => void): Promise<Outcome> => {
    const outcome = await runTool(command, args, {
      cwd: root,
      env,
      signal,
      leashed: true,
      onLine: (line) => {
        onLine?.(line);
        if (job.verbose) report(`  ${line}`);
      },
    });
    if (signal.aborted) throw new Error("interrupted");
    return outcome;
  };
  const must = (outcome: Outcome) => {
    if (!outcome.ok) throw explainFailure(outcome.output, root);
  };

  report(`Python ${found.version} (${found.path})`);
  let uv: string | undefined = (await step("uv", ["--version"])).ok ? "uv" : undefined;
  if (!found.canMakeVenv && !uv) throw noVenvModule(found);
  report("Making .venv …");
  if (found.canMakeVenv) {
    const made = await step(found.path, ["-m", "venv", folder]);
    if (!made.ok && /ensurepip|no module named venv/i.test(made.output)) throw noVenvModule(found);
    must(made);
  } else must(await step("uv", ["venv", "--python", found.path, folder]));

  const scratch = join(folder, "scratch");
  if (!uv) {
    report("Fetching uv, which installs faster than pip …");
    const pip = [
      "-m",
      "pip",
      "install",
      "--quiet",
      "--no-cache-dir",
      "--retries",
      "1",
      "--require-hashes",
      "--no-deps",
    ];
    const args = [...pip, "--target", join(scratch, "uv"), "-r", asset("installer.lock")];
    if ((await step(job.python, args)).ok) uv = join(scratch, "uv", "bin", "uv");
  }
  const started = performance.now();
  const seconds = () => `${Math.round((performance.now() - started) / 1000)} s`;
  let seen = 0;
  const ticker = setInterval(
    () => report(`  … ${seconds()}${seen > 0 ? `, ${Math.min(seen, count)} of ${count} packages` : ""}`),
    5000,
  );
  try {
    let done = false;
    if (uv) {
      report(`Installing JupyterLab (${count} packages, about 200 MB) with uv …`);
      const args = ["pip", "install", "--python", job.python, "--require-hashes", "--compile-bytecode"];
      const outcome = await step(uv, [...args, "--cache-dir", join(scratch, "cache"), "-r", lockFile]);
      done = outcome.ok;
      // uv does not read pip's settings (a mirror, a proxy's certificate): pip may succeed where uv cannot.
      if (!done && !found.canMakeVenv) must(outcome);
      if (!done) report("uv did not succeed; trying pip …");
    }
    if (!done) {
      report(`Installing JupyterLab (${count} packages, about 200 MB) with pip, which takes about a minute …`);
      const args = ["-m", "pip", "install", "--no-cache-dir", "--retries", "2", "--require-hashes", "--no-deps"];
      must(
        await step(job.python, [...args, "-r", lockFile], (line) => {
          if (line.startsWith("Collecting ")) seen += 1;
        }),
      );
    }
  } finally {
    clearInterval(ticker);
    rmSync(scratch, { recursive: true, force: true });
  }
  report(`Installed in ${seconds()}.`);
}
