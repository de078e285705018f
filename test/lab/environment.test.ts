import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ensurePythonEnvironment, findPython } from "../../src/lab/index.js";
import { type FakePython, fakeProgram, fakePython, scratchFolder } from "./fakes.js";

const scratch = scratchFolder();
let count = 0;

/** A project folder with a PATH of its own on which only the given stand-ins lie. */
function project(programs: Record<string, FakePython> = {}) {
  const root = join(scratch, `project-${count++}`);
  const bin = join(root, "..", `bin-${count}`);
  mkdirSync(root, { recursive: true });
  mkdirSync(bin, { recursive: true });
  for (const [name, fake] of Object.entries(programs)) fakePython(bin, name, fake);
  const lines: string[] = [];
  const lockFile = join(bin, "requirements.lock");
  writeFileSync(lockFile, "alpha==1.0 --hash=sha256:00\nbeta==2.0 --hash=sha256:00\n");
  const options = {
    root,
    lockFile,
    env: { PATH: bin },
    neededBytes: 0,
    report: (line: string) => void lines.push(line),
  };
  return { root, bin, lines, lockFile, options };
}

const failure = (options: Parameters<typeof ensurePythonEnvironment>[0]) =>
  ensurePythonEnvironment(options).then(
    () => "it succeeded",
    (error: Error) => `${error.name}: ${error.message}`,
  );

/** Everything that a failed installation could leave behind. */
const leftBehind = (root: string) => readdirSync(root);

describe("finding Python", () => {
  test("takes python3 when it is recent enough, and names its path and version", () => {
    const { bin } = project({ python3: { version: [3, 10, 0] } });
    expect(findPython({ PATH: bin })).toEqual({ path: join(bin, "python3"), version: "3.10.0", canMakeVenv: true });
  });

  test("passes over an old python3 for a recent one under another name", () => {
    const { bin } = project({ python3: { version: [3, 8, 10] }, "python3.12": {} });
    expect(findPython({ PATH: bin }).path).toBe(join(bin, "python3.12"));
  });

  test("takes the one that $PYTHON names before any on the PATH", () => {
    const { bin } = project({ python3: {}, other: { version: [3, 11, 2] } });
    expect(findPython({ PATH: bin, PYTHON: join(bin, "other") }).version).toBe("3.11.2");
  });

  test("without any, says what is needed, how to get it, and leaves nothing", async () => {
    const { root, options } = project();
    expect(await failure(options)).toMatch(
      /^LabError: JupyterLab needs Python 3\.10 or newer, and there is none on the PATH\. Install one \(macOS: brew .*or set \$PYTHON to the path of one, then run the command again\.$/,
    );
    expect(leftBehind(root)).toEqual([]);
  });

  test("with an old one only, names it and its version", async () => {
    const { bin, options } = project({ python3: { version: [3, 8, 10] } });
    expect(await failure(options)).toContain(`and only 3.8.10 at ${join(bin, "python3")} was found. Install one`);
  });

  test("with a wrong $PYTHON, says so instead of taking another", async () => {
    const { bin, options } = project({ python3: {}, old: { version: [3, 9, 0] } });
    expect(await failure({ ...options, env: { PATH: bin, PYTHON: "/nowhere" } })).toContain(
      "$PYTHON names /nowhere, which does not run as a Python.",
    );
    expect(await failure({ ...options, env: { PATH: bin, PYTHON: join(bin, "old") } })).toContain(
      `$PYTHON names 3.9.0 at ${join(bin, "old")}.`,
    );
  });
});

describe("the Python environment", () => {
  test("is made once, and found at the second call", async () => {
    const { root, lines, options } = project({ python3: {} });
    const first = await ensurePythonEnvironment(options);
    expect(first).toMatchObject({ folder: join(root, ".venv"), version: "3.12.1", installed: true });
    expect(lines.join("\n")).toMatch(/Making \.venv …\n.*\n?Installing JupyterLab \(2 packages/s);
    lines.length = 0;
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: false, version: "3.12.1" });
    expect(lines).toEqual([]);
    expect(leftBehind(root)).toEqual([".venv"]);
  });

  test("keeps Jupyter's files inside it, whatever the user's variables say", async () => {
    const { root, bin, options } = project({ python3: {} });
    const env = { PATH: bin, PYTHONPATH: "/elsewhere", JUPYTER_PATH: "/elsewhere", JUPYTER_CONFIG_DIR: "/elsewhere" };
    const made = await ensurePythonEnvironment({ ...options, env });
    const jupyter = Object.entries(made.env).filter(([name]) => /^(JUPYTER|IPYTHON).*DIR$/.test(name));
    expect(jupyter.length).toBeGreaterThanOrEqual(6);
    for (const [, value] of jupyter) expect(value).toContain(join(root, ".venv"));
    expect(JSON.stringify(made.env)).not.toContain("/elsewhere");
  });

  test("is made anew when the lock file has changed, and keeps the user's settings", async () => {
    const { root, lockFile, options } = project({ python3: {} });
    await ensurePythonEnvironment(options);
    writeFileSync(join(root, ".venv", "lab", "theme"), "dark");
    writeFileSync(join(root, ".venv", "old-package"), "");
    writeFileSync(lockFile, "gamma==3.0 --hash=sha256:00\n");
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: true });
    expect(readFileSync(join(root, ".venv", "lab", "theme"), "utf8")).toBe("dark");
    expect(existsSync(join(root, ".venv", "old-package"))).toBe(false);
    expect(leftBehind(root)).toEqual([".venv"]);
  });

  test("is made anew when it was left unfinished, or its Python is gone", async () => {
    const { root, options } = project({ python3: {} });
    mkdirSync(join(root, ".venv", "bin"), { recursive: true });
    writeFileSync(join(root, ".venv", "half-installed"), "");
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: true });
    expect(existsSync(join(root, ".venv", "half-installed"))).toBe(false);
    writeFileSync(join(root, ".venv", "bin", "python"), "#!/bin/sh\nexit 1\n");
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: true });
  });

  test("is installed by one of two that start at once; the other waits and uses it", async () => {
    const { options } = project({ python3: { pip: "/bin/sleep 0.3" } });
    const both = await Promise.all([ensurePythonEnvironment(options), ensurePythonEnvironment(options)]);
    expect(both.map(({ installed }) => installed).sort()).toEqual([false, true]);
  }, 20_000);

  test("is installed with uv where there is one, and with pip where uv fails", async () => {
    const { bin, lines, options } = project({ python3: {} });
    fakeProgram(bin, "uv", 'case "$1" in --version) exit 0;; *) echo "$*" >> "$0.log"; exit 0;; esac');
    await ensurePythonEnvironment(options);
    expect(readFileSync(join(bin, "uv.log"), "utf8")).toMatch(/^pip install --python .* --require-hashes/);
    expect(lines.join()).not.toContain("with pip");

    const other = project({ python3: {} });
    fakeProgram(other.bin, "uv", 'case "$1" in --version) exit 0;; *) echo "error: dns error"; exit 2;; esac');
    await ensurePythonEnvironment(other.options);
    expect(other.lines.join("\n")).toMatch(
      /uv did not succeed; trying pip …\nInstalling JupyterLab \(2 packages, about 200 MB\) with pip/,
    );
  });

  test("reports its progress while pip works", async () => {
    const { lines, options } = project({ python3: { pip: "echo Collecting alpha; /bin/sleep 5.6" } });
    await ensurePythonEnvironment(options);
    expect(lines).toContainEqual(expect.stringMatching(/^ {2}… 5 s, 1 of 2 packages$/));
  }, 20_000);
});

describe("an installation that fails says what to do and leaves nothing behind", () => {
  test("no venv module", async () => {
    const { root, bin, options } = project({ python3: { venv: false } });
    expect(await failure(options)).toBe(
      `LabError: The Python at ${join(bin, "python3")} (3.12.1) has no venv module, so it cannot hold JupyterLab in the project's folder. Install it (Debian or Ubuntu: apt install python3.12-venv), set $PYTHON to another Python, or install uv; then run the command again.`,
    );
    expect(leftBehind(root)).toEqual([]);
  });

  test("no venv module, but uv, which brings its own", async () => {
    const { bin, options } = project({ python3: { venv: false } });
    fakeProgram(
      bin,
      "uv",
      `[ "$1" = venv ] && /bin/mkdir -p "$4/bin" && /bin/cp ${join(bin, "python3")} "$4/bin/python"; exit 0`,
    );
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: true });
  });

  test.each([
    [
      "registry out of reach (pip)",
      "WARNING: Retrying (Retry(total=1, connect=None)) after connection broken by 'NewConnectionError: Failed to establish a new connection: [Errno 111] Connection refused': /simple/anyio/\nERROR: No matching distribution found for anyio==4.16.0",
      "LabError: The Python package registry could not be reached. Check the network connection (behind a proxy: HTTPS_PROXY, or pip's index-url for a mirror), then run the command again. Nothing half-installed was left behind.",
    ],
    [
      "disk full",
      "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device",
      /^LabError: The disk ran full while the Python packages were being installed\. Free about 600 MB in .* then run the command again\. Nothing half-installed was left behind\.$/,
    ],
    [
      "a package with the wrong checksum",
      "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
      /^LabError: A downloaded Python package does not have the checksum recorded in src\/lab\/requirements\.lock, so it was not installed\./,
    ],
    [
      "a certificate that is not trusted",
      "SSLError(SSLCertVerificationError(1, '[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self signed certificate'))",
      /^LabError: The Python package registry answered with a certificate that this machine does not trust\./,
    ],
    [
      "anything else",
      "Something new went wrong.",
      "LabError: Installing the Python packages failed: Something new went wrong. Nothing half-installed was left behind; run the command again, with --verbose to see every line.",
    ],
  ])("%s", async (_, printed, sentence) => {
    const { root, bin, options } = project();
    writeFileSync(join(bin, "printed"), printed);
    fakePython(bin, "python3", { pip: `/bin/cat ${join(bin, "printed")} >&2; exit 1` });
    expect(await failure(options)).toEqual(typeof sentence === "string" ? sentence : expect.stringMatching(sentence));
    expect(leftBehind(root)).toEqual([]);
  });

  test("too little room on the disk, before anything is begun", async () => {
    const { root, options } = project({ python3: {} });
    expect(await failure({ ...options, neededBytes: 2 ** 60 })).toMatch(
      /^LabError: The disk of .* has \d+ MB free, and JupyterLab needs about \d+ MB while it is being installed\. Free some space, then run the command again\. Nothing was installed\.$/,
    );
    expect(leftBehind(root)).toEqual([]);
  });

  test("interrupted by a signal: the installer and what it started are ended, too", async () => {
    const { root, bin, options } = project({
      python3: { pip: 'echo $$ > "$0.pid"; /bin/sleep 60 & echo $! >> "$0.pid"; wait' },
    });
    const stop = new AbortController();
    const running = failure({ ...options, signal: stop.signal });
    await expect.poll(() => existsSync(join(root, ".venv", "bin", "python.pid"))).toBe(true);
    await expect
      .poll(
        () =>
          readFileSync(join(root, ".venv", "bin", "python.pid"), "utf8")
            .trim()
            .split("\n").length,
      )
      .toBe(2);
    const pids = readFileSync(join(root, ".venv", "bin", "python.pid"), "utf8")
      .trim()
      .split("\n")
      .map(Number);
    stop.abort();
    expect(await running).toBe(
      "LabError: The installation of the Python packages was interrupted. Nothing half-installed was left behind; run the command again to start afresh.",
    );
    expect(leftBehind(root)).toEqual([]);
    for (const pid of pids) await expect.poll(() => isAlive(pid)).toBe(false);
    fakePython(bin, "python3");
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: true });
  });

  test("an environment that worked before stays when its renewal fails", async () => {
    const { root, bin, lockFile, options } = project({ python3: {} });
    await ensurePythonEnvironment(options);
    const before = readFileSync(lockFile, "utf8");
    writeFileSync(lockFile, "gamma==3.0 --hash=sha256:00\n");
    fakePython(bin, "python3", { pip: "echo Connection refused; exit 1" });
    expect(await failure(options)).toContain("could not be reached");
    expect(leftBehind(root)).toEqual([".venv"]);
    writeFileSync(lockFile, before);
    expect(await ensurePythonEnvironment(options)).toMatchObject({ installed: false });
  });
});

/** Whether a process runs; a dead one that nobody has waited for does not. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch {
    return false;
  }
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return !existsSync("/proc/self");
  }
}
