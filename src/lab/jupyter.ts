import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { type PythonEnvironment, userFolder } from "./environment.js";
import { LabError } from "./failures.js";
import { kernelName } from "./kernelspec.js";
import { killGroup } from "./process.js";
import { projectRoot } from "./root.js";

/** Options of {@link startJupyterLab}. */
export interface JupyterOptions {
  /** The folder that JupyterLab shows; the project's by default. */
  folder?: string;
  /** The notebook that it opens, relative to the folder, where it exists. */
  notebook?: string;
  /** The port to listen on; without it, the first free one from 8888. */
  port?: number;
  /** Open the user's browser. */
  browser?: boolean;
  /** Show JupyterLab's own messages instead of writing them to its log file. */
  verbose?: boolean;
  /** Hears what is worth telling a user. */
  report?: (line: string) => void;
  /** How long to wait for it to answer, in milliseconds. */
  patienceMs?: number;
}

/** A running JupyterLab. */
export interface RunningLab {
  /** The address to open, with its token. */
  url: string;
  /** The server's address: "http://127.0.0.1:8888/". */
  server: string;
  token: string;
  pid: number;
  /** Its log file; undefined when it prints to the terminal. */
  log: string | undefined;
  /** Ends the server and every kernel that it started; resolves when they are gone. */
  stop(): Promise<void>;
  /** Resolves with its exit code when it has ended, for whatever reason. */
  ended: Promise<number | null>;
}

const host = "127.0.0.1";

/** Whether nothing listens on a port of this machine. */
function portIsFree(port: number): Promise<boolean> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(false);
      else if (error.code === "EACCES")
        reject(new LabError(`Port ${port} is reserved for the administrator. Choose one from 1024 to 65535.`));
      else reject(error);
    });
    probe.listen(port, host, () => probe.close(() => resolve(true)));
  });
}

/**
 * The port to listen on.
 * @throws LabError when the one asked for is taken, or there is none
 */
async function choosePort(asked: number | undefined): Promise<number> {
  if (asked !== undefined) {
    if (await portIsFree(asked)) return asked;
    throw new LabError(
      `Port ${asked} is in use by another program (perhaps by a lab that is still open). Choose another with --port, or leave --port out to take a free one.`,
    );
  }
  for (let port = 8888; port < 8988; port++) if (await portIsFree(port)) return port;
  throw new LabError(
    "Every port from 8888 to 8987 is in use. Close what listens there, or choose a free one with --port.",
  );
}

/** The arguments of JupyterLab: this machine only, no news, no update checks, no installing of extensions. */
function jupyterArguments(options: Required<Pick<JupyterOptions, "folder" | "browser">>, port: number, path: string) {
  const asRoot = process.getuid?.() === 0;
  return [
    `--ServerApp.ip=${host}`,
    `--ServerApp.port=${port}`,
    "--ServerApp.port_retries=0",
    `--ServerApp.root_dir=${options.folder}`,
    `--ServerApp.open_browser=${options.browser ? "True" : "False"}`,
    `--LabApp.default_url=${path}`,
    "--LabApp.extension_manager=readonly",
    "--LabApp.news_url=None",
    "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    // The search for language servers asks npm, which writes to the home folder; completion comes from the kernel.
    "--LanguageServerManager.autodetect=False",
    `--MultiKernelManager.default_kernel_name=${kernelName}`,
    ...(asRoot ? ["--allow-root"] : []),
  ];
}

/**
 * Starts JupyterLab in an environment that {@link prepareLab} has prepared, and waits until it answers.
 * @throws LabError when the port is taken, or when it ends or stays silent instead of answering
 */
export async function startJupyterLab(
  environment: PythonEnvironment,
  options: JupyterOptions = {},
): Promise<RunningLab> {
  const folder = options.folder ?? projectRoot;
  const report = options.report ?? (() => {});
  const notebook = options.notebook ?? "notebooks/00-start-here.ipynb";
  const path = existsSync(join(folder, notebook))
    ? `/lab/tree/${notebook.split("/").map(encodeURIComponent).join("/")}`
    : "/lab";
  const port = await choosePort(options.port);
  const token = randomBytes(24).toString("hex");
  const user = join(environment.folder, userFolder);
  mkdirSync(user, { recursive: true });
  const log = options.verbose ? undefined : join(user, `jupyterlab-${port}.log`);
  if (process.getuid?.() === 0) report("Running as root, so JupyterLab is started with --allow-root.");

  const output = log === undefined ? "inherit" : openSync(log, "w", 0o600);
  // A group of its own: Ctrl-C reaches us alone, and we end it in good order. Its standard input is the pipe that it watches.
  const child = spawn(
    environment.python,
    [
      join(projectRoot, "src", "lab", "serve.py"),
      ...jupyterArguments({ folder, browser: options.browser ?? false }, port, path),
    ],
    { cwd: folder, env: { ...environment.env, JUPYTER_TOKEN: token }, detached: true, stdio: ["pipe", output, output] },
  );
  if (typeof output === "number") closeSync(output);
  const ended = new Promise<number | null>((resolve) => {
    child.once("error", () => resolve(null));
    child.once("close", (code) => resolve(code));
  });
  let gone = false;
  void ended.then(() => {
    gone = true;
  });

  const stop = async () => {
    if (gone) return;
    // SIGTERM makes the server shut its kernels down; should that hang, the whole group is killed.
    child.kill("SIGTERM");
    const timer = setTimeout(() => killGroup(child.pid, "SIGKILL"), 10_000);
    await ended;
    clearTimeout(timer);
    killGroup(child.pid, "SIGKILL");
  };

  const server = `http://${host}:${port}/`;
  const deadline = performance.now() + (options.patienceMs ?? 120_000);
  while (!(await answers(server, token))) {
    const hint = log === undefined ? "its messages above say why" : `${log} says why${lastWords(log)}`;
    if (gone) throw new LabError(`JupyterLab ended instead of starting; ${hint}`);
    if (performance.now() > deadline) {
      await stop();
      throw new LabError(`JupyterLab did not answer at ${server}; ${hint}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return { url: `${server.slice(0, -1)}${path}?token=${token}`, server, token, pid: child.pid ?? 0, log, stop, ended };
}

async function answers(server: string, token: string): Promise<boolean> {
  try {
    const response = await fetch(`${server}api/status`, {
      headers: { authorization: `token ${token}` },
      signal: AbortSignal.timeout(5000),
    });
    return response.ok;
  } catch {
    return false;
  }
}

/** The last line of a log that names an error, as the end of a sentence. */
function lastWords(log: string): string {
  try {
    const lines = readFileSync(log, "utf8").trim().split("\n");
    const last = lines.findLast((line) => /error|critical|no space/i.test(line)) ?? lines.at(-1);
    return last ? `: ${last.trim()}` : ".";
  } catch {
    return ".";
  }
}
