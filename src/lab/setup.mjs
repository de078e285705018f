// Makes a fresh clone ready to run, without any dependency of its own: installs the locked packages when the lock file
// has changed, generates the typed facts from data/, and compiles src/ to dist/. With nothing to do it takes about a second.
// Run by `npm start` (`--users`: without the packages that only developers need) and `npm test` before anything else; `--build` skips the
// check of installed packages.
import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { takeLock } from "./lock.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
const leash = join(root, "src", "lab", "leash.mjs");
const buildOnly = process.argv.includes("--build");
/** Without the packages that only developers need: what the laboratory itself runs with. */
const forUsers = process.argv.includes("--users");

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

/** What went wrong with the packages, by the words of npm and of the system. */
const causes = [
  [
    /ENOSPC|EDQUOT|no space left on device/i,
    `The disk ran full while the packages were being installed. Free about 1 GB in ${root} and in npm's cache, then run the command again.`,
  ],
  [
    /EACCES|EPERM|EROFS|read-only file system/,
    `The folder ${root} (or npm's cache) cannot be written to. Make it writable for this user, then run the command again.`,
  ],
  [
    /EINTEGRITY/,
    "A downloaded package does not have the checksum recorded in package-lock.json, so it was not installed. Run `npm cache verify`, then the command again; if it stays so, the package mirror in use alters packages.",
  ],
  [
    /EUSAGE|can only install packages when your package.json and package-lock.json/,
    "package-lock.json does not fit package.json. After an edit of package.json run `npm install` once.",
  ],
  [
    /ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|ENETUNREACH|ERR_SOCKET_TIMEOUT|UNABLE_TO_|SELF_SIGNED|CERT_|E40[134]|E50[0-9]|network/,
    "The npm registry could not be reached. Check the network connection (behind a proxy: HTTPS_PROXY, or npm's registry setting for a mirror), then run the command again.",
  ],
];

/** The sentence for a failed installation. */
function explain(output) {
  const [, sentence] = causes.find(([pattern]) => pattern.test(output)) ?? [];
  return `${sentence ?? "Installing the packages failed; npm's messages are above. Run the command again."} Nothing half-installed was left behind.`;
}

let running;
let interrupted = false;

/** Runs a tool to its end, showing what it prints; resolves with its exit code and the end of its output. */
function run(command, args, cwd = root) {
  return new Promise((resolve) => {
    // A group of its own, so that an interrupt reaches it through us, with all that it started; on a leash, so that it ends with us
    // even where we are killed: an npm that went on writing would get in the way of the next set-up.
    running = spawn(process.execPath, [leash, command, ...args], {
      cwd,
      stdio: ["pipe", "pipe", "pipe"],
      detached: true,
    });
    let output = "";
    for (const stream of [running.stdout, running.stderr]) {
      stream.on("data", (chunk) => {
        process.stderr.write(chunk);
        output = (output + chunk).slice(-65536);
      });
    }
    running.on("error", (error) => resolve({ code: -1, output: error.message, missing: false }));
    running.on("close", (code) => resolve({ code, output, missing: code === 127 && /ENOENT/.test(output) }));
  });
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

let release = () => {};
try {
  release = takeLock(join(root, ".setup-lock"), {
    onWait: () => say("Another set-up is running in this folder; waiting for it …"),
  });
} catch (error) {
  if (error.code === "ELOCKED") {
    fail(`Another set-up has held ${root}/.setup-lock for ten minutes. Stop it, or delete that folder, and try again.`);
  }
  fail(`Cannot write to ${root}: ${error.message}. Free some space or check the folder's permissions.`);
}

// Packages are installed beside the old ones and take their place when they are complete.
const staging = join(root, ".setup-packages.tmp");
process.on("exit", () => {
  rmSync(staging, { recursive: true, force: true });
  release();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, () => {
    if (interrupted) return;
    interrupted = true;
    if (running?.pid && running.exitCode === null) {
      // npm may be ended at any moment: it writes to the staging folder only.
      try {
        process.kill(-running.pid, "SIGKILL");
      } catch {
        // It has just ended by itself.
      }
    }
    say("\nThe set-up was interrupted. Nothing half-installed was left behind; run the command again to go on.");
    // Give the killed tool's last writes time to end before its folder is removed.
    setTimeout(() => process.exit(130), 200);
  });
}

/**
 * Leaves out what a package carries for other systems: zeromq brings its compiled library for nine of them, 25 of its 34 MB. All that may
 * run on this system and processor stays, for every version of Node.js and of the C library.
 */
function leaveOutOtherSystems(packages) {
  const build = join(packages, "zeromq", "build");
  const folders = (path) =>
    existsSync(path) ? readdirSync(path, { withFileTypes: true }).filter((e) => e.isDirectory()) : [];
  for (const { name: system } of folders(build)) {
    if (system !== process.platform) rmSync(join(build, system), { recursive: true });
  }
  for (const { name: processor } of folders(join(build, process.platform))) {
    if (processor !== process.arch) rmSync(join(build, process.platform, processor), { recursive: true });
  }
}

/** Installs the locked packages into the staging folder, then exchanges node_modules. */
async function installPackages(wanted) {
  say("Installing the packages (about a minute on the first run) …");
  try {
    rmSync(staging, { recursive: true, force: true });
    mkdirSync(staging);
    for (const name of ["package.json", "package-lock.json", ".npmrc"]) {
      if (existsSync(join(root, name))) copyFileSync(join(root, name), join(staging, name));
    }
  } catch (error) {
    fail(explain(error.message));
  }
  const npm = process.env.npm_execpath;
  const [command, args] = npm ? [process.execPath, [npm]] : ["npm", []];
  // npm start passes its own folder on to every npm below it.
  for (const name of Object.keys(process.env)) {
    if (/^npm_config_(local_)?prefix$/i.test(name)) delete process.env[name];
  }
  const { code, output, missing } = await run(
    command,
    [...args, "ci", "--no-fund", "--no-audit", "--loglevel=error", ...(forUsers ? ["--omit=dev"] : [])],
    staging,
  );
  if (interrupted) return await new Promise(() => {});
  if (missing) {
    fail(
      "npm was not found. It comes with Node.js (on Debian and Ubuntu: apt install npm); install it, then run the command again.",
    );
  }
  if (code !== 0) fail(explain(output));
  try {
    leaveOutOtherSystems(join(staging, "node_modules"));
    writeFileSync(join(staging, "node_modules", ".iommu-lab-lock"), wanted);
    const packages = join(root, "node_modules");
    if (existsSync(packages)) renameSync(packages, join(staging, "former"));
    renameSync(join(staging, "node_modules"), packages);
  } catch (error) {
    if (existsSync(join(staging, "former")) && !existsSync(join(root, "node_modules"))) {
      renameSync(join(staging, "former"), join(root, "node_modules"));
    }
    fail(explain(error.message));
  }
}

/** Whether somebody's own `npm ci` (with or without the developers' packages) has installed all that is needed, in the locked versions. */
function installedByHand() {
  const read = (...path) => {
    try {
      return JSON.parse(readFileSync(join(root, ...path), "utf8")).packages;
    } catch {
      return undefined;
    }
  };
  const [locked, there] = [read("package-lock.json"), read("node_modules", ".package-lock.json")];
  if (locked === undefined || there === undefined) return false;
  return Object.entries(locked).every(
    ([path, { version, dev, optional }]) =>
      path === "" || optional || (dev && forUsers) || there[path]?.version === version,
  );
}

/** Runs one of the project's own steps; what it prints names the place at fault. */
async function step(args, what, onFailure = () => {}) {
  const { code } = await run(process.execPath, args);
  if (interrupted) {
    onFailure();
    return await new Promise(() => {});
  }
  if (code !== 0) {
    onFailure();
    fail(what);
  }
}

if (!buildOnly || !existsSync(join(root, "node_modules"))) {
  const wanted = createHash("sha256")
    .update(readFileSync(join(root, "package-lock.json")))
    .digest("hex");
  const stamp = join(root, "node_modules", ".iommu-lab-lock");
  const installed = existsSync(stamp) ? readFileSync(stamp, "utf8") : "";
  const stamps = forUsers ? [wanted, `${wanted} users`] : [wanted];
  if (!stamps.includes(installed) && !installedByHand()) await installPackages(forUsers ? stamps[1] : wanted);
}

/** The rooms whose data is turned into a typed module, and the folders of data/ it is made from. */
const generators = [
  ["facts", ["published", "hardware", "workload", "observations", "designs", "judging", "ensembles", "predictions"]],
  ["recordings", ["traces"]],
];
for (const [room, folders] of generators) {
  const generated = join(root, "src", room, "generated.ts");
  const generator = join(root, "src", room, "generate.mjs");
  const inputs = Math.max(
    ...folders.map((folder) => newestMtime(join(root, "data", folder))),
    statSync(generator).mtimeMs,
  );
  if (!existsSync(generated) || statSync(generated).mtimeMs < inputs)
    await step(
      [generator],
      `Generating src/${room}/generated.ts from data/ failed; the message above names the file and field.`,
    );
}

/** Removes compiled files whose source is gone, so that nothing can still import them. */
function removeOrphans() {
  const dist = join(root, "dist");
  if (!existsSync(dist)) return;
  for (const entry of readdirSync(dist, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile() || !/\.(js|js\.map|d\.ts)$/.test(entry.name)) continue;
    const folder = entry.parentPath ?? entry.path;
    const source = join(root, "src", folder.slice(dist.length), entry.name.replace(/\.(js|js\.map|d\.ts)$/, ".ts"));
    if (!existsSync(source)) rmSync(join(folder, entry.name), { force: true });
  }
}

const built = join(root, "dist", ".tsbuildinfo");
const sources = Math.max(
  newestMtime(join(root, "src")),
  statSync(join(root, "tsconfig.json")).mtimeMs,
  statSync(join(root, "package-lock.json")).mtimeMs,
);
if (!existsSync(built) || statSync(built).mtimeMs < sources) {
  removeOrphans();
  await step(
    [join(root, "node_modules", "typescript", "bin", "tsc"), "-p", join(root, "tsconfig.json")],
    "Compiling src/ failed; the messages above name file and line.",
    // Compiled with errors, or not to its end: the next set-up compiles again.
    () => rmSync(built, { force: true }),
  );
  writeFileSync(built, readFileSync(built));
}

/** The snapshot that kernels start from: without it they start all the same, later. */
const snapshot = join(root, "dist", "cells", "host", "snapshot-main.js");
if (!buildOnly && existsSync(snapshot)) {
  await step([snapshot, root], "Building the kernels' start-up snapshot failed; the message above says why.");
}
