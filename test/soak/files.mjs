// Every command that writes, killed at random moments: afterwards each file is the old one or the new one, whole, with its mode and behind its
// symbolic link; and the same command run again gives the new ones.
import { spawn } from "node:child_process";
import {
  chmodSync,
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  watch,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Random } from "./random.mjs";

export const defaultCount = 200;
const cli = join(import.meta.dirname, "..", "..", "src", "cli", "iommu-lab.mjs");

const notebook = (source, outputs = []) =>
  `${JSON.stringify({ cells: [{ cell_type: "code", execution_count: 1, id: "one", metadata: {}, outputs, source }], metadata: { kernelspec: { display_name: "t", language: "typescript", name: "iommu-lab" } }, nbformat: 4, nbformat_minor: 5 }, null, 1)}\n`;
const recording = Array.from({ length: 400 }, (_, i) =>
  [
    `     a-1 [000] .... ${100 + i}.000100: map: IOMMU: iova=0x${(0xfff00000 - 4096 * i).toString(16).padStart(16, "0")} - 0x${(0xfff01000 - 4096 * i).toString(16).padStart(16, "0")} paddr=0x0000000001000000 size=4096`,
    `     a-1 [000] .... ${100 + i}.000200: unmap: IOMMU: iova=0x${(0xfff00000 - 4096 * i).toString(16).padStart(16, "0")} - 0x${(0xfff01000 - 4096 * i).toString(16).padStart(16, "0")} size=4096 unmapped_size=4096`,
  ].join("\n"),
).join("\n");

/**
 * The commands: `set` makes a folder as it is before, `args` is what is run in it, `files` are those that it writes. Times that differ from
 * run to run are compared by their form alone.
 */
const commands = [
  {
    name: "migrate",
    set: (at) => writeFileSync(join(at, "n.ipynb"), notebook('import { runDmaStream } from "iommu-lab/workload";')),
    args: ["migrate", "n.ipynb"],
  },
  {
    name: "execute in place",
    set: (at) => writeFileSync(join(at, "n.ipynb"), notebook("6 * 7")),
    args: ["execute", "n.ipynb", "--no-pictures"],
  },
  {
    name: "execute --out",
    set: (at) => {
      writeFileSync(join(at, "n.ipynb"), notebook("Array.from({ length: 20_000 }, (_, i) => String(i)).join(' ')"));
      writeFileSync(join(at, "out.ipynb"), notebook("old"));
    },
    args: ["execute", "n.ipynb", "--no-pictures", "--out", "out.ipynb", "--manifest", "times.json"],
  },
  {
    name: "run --out",
    set: (at) => writeFileSync(join(at, "rows.csv"), "old\n"),
    args: ["run", "machine-check", "--csv", "--jobs", "1", "--out", "rows.csv"],
  },
  {
    name: "trace convert",
    set: (at) => writeFileSync(join(at, "in.txt"), recording),
    args: ["trace", "convert", "in.txt", "--out", "out.trace.json"],
  },
  {
    name: "sweep",
    set: (at) =>
      writeFileSync(
        join(at, "s.json"),
        JSON.stringify({ experiment: "machine-check", space: { hostMce: [[0], [1]], guestMce: [[0], [1]] } }),
      ),
    args: ["sweep", "s.json", "--out", "swept", "--jobs", "1"],
  },
  {
    name: "kernel install",
    set: () => {},
    args: ["kernel", "install", "--prefix", "prefix"],
  },
  {
    name: "reproduce",
    set: (at) => {
      mkdirSync(join(at, "nb"), { recursive: true });
      writeFileSync(join(at, "nb", "01-a.ipynb"), notebook("1 + 1"));
      writeFileSync(join(at, "nb", "02-b.ipynb"), notebook("2 + 2"));
    },
    args: ["reproduce", "--notebooks", "nb", "--only", "01,02", "--jobs", "2", "--out", "results"],
  },
  {
    name: "site",
    set: () => {},
    args: ["site", "--no-api", "--out", "site"],
    heavy: true,
  },
];

/** Files that say how long something took, or who is at work: whole is enough. */
const passing = /(?:\.timing|times|manifest|\.done)\.json$|(?:^|\/)\.lock$/;
/** What a kill may leave: files beside others, under names of their own, that nothing reads. */
const leftOver = /\.tmp$/;

export async function soak({ count, seed, say = () => {}, only }) {
  const random = new Random(seed);
  const top = mkdtempSync(join(tmpdir(), "soak-files-"));
  const faults = [];
  const kills = new Map();
  try {
    const chosen = commands.filter(({ name }) => only === undefined || only.includes(name));
    const prepared = [];
    for (const command of chosen) prepared.push(await undisturbed(top, command, faults));
    for (let i = 0; i < count; i++) {
      // The site takes as long as all others together.
      const drawn = random.pick(prepared);
      const subject = drawn.heavy && random.chance(0.7) ? random.pick(prepared) : drawn;
      const killed = await disturbed(top, subject, random, (message) => {
        faults.push(`kill ${i + 1} of seed ${seed}, ${subject.name}: ${message}`);
        say(faults.at(-1));
      });
      const told = kills.get(subject.name) ?? { killed: 0, inTime: 0, writing: 0 };
      told.killed++;
      if (killed.inTime) told.inTime++;
      if (killed.writing) told.writing++;
      kills.set(subject.name, told);
      if ((i + 1) % 25 === 0) say(`${i + 1} kills, ${faults.length} faults`);
    }
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
  const lines = [...kills].map(
    ([name, { killed, inTime, writing }]) =>
      `  ${name}: ${killed} kills, ${inTime} before its end, ${writing} while a file was being written`,
  );
  return { report: `${count} kills from seed ${seed}\n${lines.join("\n")}`, faults };
}

/** A folder as the command finds it: what is written there already is private, and one file lies behind a link. */
function fresh(at, command) {
  mkdirSync(at, { recursive: true });
  command.set(at);
  for (const name of readdirSync(at)) if (statSync(join(at, name)).isFile()) chmodSync(join(at, name), 0o600);
  const linked = readdirSync(at).find((name) => /^(?:n|out)\.ipynb$/.test(name));
  if (linked === undefined) return;
  mkdirSync(join(at, "real"), { recursive: true });
  renameSync(join(at, linked), join(at, "real", linked));
  symlinkSync(join("real", linked), join(at, linked));
}

async function undisturbed(top, command, faults) {
  const before = mkdtempSync(join(top, "before-"));
  fresh(before, command);
  const at = mkdtempSync(join(top, "after-"));
  cpSync(before, at, { recursive: true, verbatimSymlinks: true });
  const started = performance.now();
  const { code, stderr } = await start(at, command).ended;
  if (code !== 0) faults.push(`${command.name} fails undisturbed: ${stderr.slice(-300)}`);
  return { ...command, before, old: contents(before), done: contents(at), ms: performance.now() - started };
}

async function disturbed(top, subject, random, fault) {
  const at = mkdtempSync(join(top, "killed-"));
  cpSync(subject.before, at, { recursive: true, verbatimSymlinks: true });
  const running = start(at, subject);
  // Half of the kills come at any moment, half when something has just been written.
  let writing = false;
  const kill = () => running.child.kill("SIGKILL");
  if (random.chance(0.5)) setTimeout(kill, random.next() * subject.ms).unref();
  else {
    const wait = random.next() * 4;
    let left = 1 + random.below(6);
    const watcher = watch(at, { recursive: true }, (_, name) => {
      if (name === null || --left > 0) return;
      writing = true;
      setTimeout(kill, wait);
      watcher.close();
    });
    watcher.on("error", () => {});
    running.ended.then(() => watcher.close());
  }
  const { signal } = await running.ended;
  check(at, subject, fault);
  const again = await start(at, subject).ended;
  if (again.code !== 0) fault(`run again, it fails: ${again.stderr.slice(-300)}`);
  for (const [name, now] of contents(at)) {
    const expected = subject.done.get(name);
    if (leftOver.test(name)) continue;
    if (expected === undefined) fault(`run again, there is ${name}`);
    else if (!passing.test(name) && !now.bytes.equals(expected.bytes)) fault(`run again, ${name} is another`);
  }
  for (const name of subject.done.keys()) if (!existsSync(join(at, name))) fault(`run again, ${name} is missing`);
  rmSync(at, { recursive: true, force: true });
  return { inTime: signal === "SIGKILL", writing };
}

/** After a kill: each file old or new, whole. */
function check(at, { old, done }, fault) {
  const now = contents(at);
  for (const [name, { bytes, mode, link }] of now) {
    if (leftOver.test(name)) continue;
    const [before, after] = [old.get(name), done.get(name)];
    const isOld = before !== undefined && bytes.equals(before.bytes);
    const isNew = after !== undefined && bytes.equals(after.bytes);
    if (passing.test(name)) {
      if (name.endsWith(".json")) whole(name, bytes, fault);
    } else if (!isOld && !isNew && !/(?:^|\/)points\//.test(name))
      fault(`${name} is neither the old nor the new one (${bytes.length} bytes)`);
    else if (/points\//.test(name)) whole(name, bytes, fault);
    if (before && mode !== before.mode)
      fault(`${name} has the mode ${mode.toString(8)}, before ${before.mode.toString(8)}`);
    if (before && link !== before.link) fault(`${name} was ${before.link ? "a link" : "a file"}`);
  }
  for (const name of old.keys()) if (!now.has(name)) fault(`${name} is gone`);
}

function whole(name, bytes, fault) {
  try {
    JSON.parse(bytes.toString());
  } catch {
    fault(`${name} is half a file (${bytes.length} bytes)`);
  }
}

function contents(folder) {
  const found = new Map();
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isDirectory() || !existsSync(path)) continue;
    found.set(path.slice(folder.length + 1), {
      bytes: readFileSync(path),
      mode: statSync(path).mode & 0o777,
      link: lstatSync(path).isSymbolicLink(),
    });
  }
  return found;
}

function start(at, { args }) {
  const child = spawn(process.execPath, [cli, ...args], { cwd: at, stdio: ["ignore", "ignore", "pipe"] });
  let stderr = "";
  child.stderr.on("data", (chunk) => {
    stderr += chunk;
  });
  return {
    child,
    ended: new Promise((resolve) => child.once("close", (code, signal) => resolve({ code, signal, stderr }))),
  };
}
