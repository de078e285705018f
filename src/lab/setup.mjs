// Makes a fresh clone ready to run, without any dependency of its own: installs the locked packages when the lock file
// has changed, generates the typed facts from data/, and compiles src/ to dist/. With nothing to do it takes about a second.
// Run by `npm start` and `npm test` before anything else; `--build` skips the check of installed packages.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const lockFolder = join(root, ".setup-lock");
const buildOnly = process.argv.includes("--build");

const say = (text) => process.stderr.write(`${text}\n`);
const fail = (text) => {
  say(text);
  process.exit(1);
};

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  fail(
    `iommu-lab needs Node.js 20.19 or newer; this is ${process.version}. Install a newer one and run the command again.`,
  );
}

/** Waits for another set-up in the same folder; takes over a lock whose owner is gone. */
function takeLock() {
  const deadline = Date.now() + 10 * 60_000;
  for (let told = false; ; ) {
    try {
      mkdirSync(lockFolder);
      writeFileSync(join(lockFolder, "pid"), String(process.pid));
      return;
    } catch (error) {
      if (error.code !== "EEXIST")
        fail(`Cannot write to ${root}: ${error.message}. Free some space or check the folder's permissions.`);
    }
    if (!ownerAlive()) {
      rmSync(lockFolder, { recursive: true, force: true });
      continue;
    }
    if (Date.now() > deadline)
      fail(`Another set-up has held ${lockFolder} for ten minutes. Stop it, or delete that folder, and try again.`);
    if (!told) say("Another set-up is running in this folder; waiting for it …");
    told = true;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
  }
}

function ownerAlive() {
  try {
    const pid = Number(readFileSync(join(lockFolder, "pid"), "utf8"));
    process.kill(pid, 0);
    return true;
  } catch (error) {
    if (error.code === "EPERM") return true;
    // A lock without a pid yet is being taken this very moment; give its owner two seconds.
    if (error.code === "ENOENT") {
      try {
        return Date.now() - statSync(lockFolder).mtimeMs < 2000;
      } catch {
        return false;
      }
    }
    return false;
  }
}

function run(command, args, what) {
  const { status, error } = spawnSync(command, args, { cwd: root, stdio: ["ignore", 2, 2], shell: false });
  if (error) fail(`${what} could not start: ${error.message}`);
  if (status !== 0) fail(what);
}

/** When anything below a folder was last changed; 0 for a folder that is not there. */
function newestMtime(folder) {
  if (!existsSync(folder)) return 0;
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue;
    newest = Math.max(newest, statSync(join(entry.parentPath ?? entry.path, entry.name)).mtimeMs);
  }
  return newest;
}

takeLock();
process.on("exit", () => rmSync(lockFolder, { recursive: true, force: true }));
for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => process.exit(130));

if (!buildOnly) {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".iommu-lab-lock");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  if (installed !== wanted) {
    say("Installing the packages (about a minute on the first run) …");
    const npm = process.env.npm_execpath;
    const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
    run(
      command,
      [...args, "ci", "--no-fund", "--no-audit", "--loglevel=error"],
      "Installing the packages failed. Check that the package registry can be reached and that the disk is not full, then run the command again.",
    );
    writeFileSync(stamp, wanted);
  }
}

/** The rooms whose data is turned into a typed module, and the folders of data/ it is made from. */
const generators = [
  ["facts", ["published", "hardware", "observations"]],
  ["workload", ["traces"]],
];
for (const [room, folders] of generators) {
  const generated = join(root, "src", room, "generated.ts");
  const generator = join(root, "src", room, "generate.mjs");
  const inputs = Math.max(
    ...folders.map((folder) => newestMtime(join(root, "data", folder))),
    statSync(generator).mtimeMs,
  );
  if (!existsSync(generated) || statSync(generated).mtimeMs < inputs)
    run(
      process.execPath,
      [generator],
      `Generating src/${room}/generated.ts from data/ failed; the message above names the file and field.`,
    );
}

const built = join(root, "dist", ".tsbuildinfo");
const sources = Math.max(
  newestMtime(join(root, "src")),
  statSync(join(root, "tsconfig.json")).mtimeMs,
  statSync(join(root, "package-lock.json")).mtimeMs,
);
if (!existsSync(built) || statSync(built).mtimeMs < sources) {
  run(
    process.execPath,
    [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", join(root, "tsconfig.json")],
    "Compiling src/ failed; the messages above name file and line.",
  );
  writeFileSync(built, readFileSync(built));
}
