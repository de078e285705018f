// `npm run test:slurm`: a sweep of 40 points through a real Slurm, in at most ten array tasks, while a task is killed, a node's daemon dies and
// comes back, and the controller is killed in the middle, just when a task has ended, and started again. The table must be, byte for byte, that of
// one process. Then another is left with Ctrl-C, attached to, cancelled and taken up again. It takes five minutes at most: then it has failed. Without
// Slurm it says so and exits with 77. What it said last is kept in transcript.txt beside it: `npm run test:slurm -- --keep` writes that anew.
//
// A controller that is killed forgets what it had not written down: it may take a task that has ended for one that runs, or start one that runs a second
// time, which the node refuses as a duplicate and is drained for. The first is the command's to find out; the second is for whoever administers the
// nodes, which this script does as they would.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readWork, sweepStatus, Version } from "../../../dist/sweep/index.js";
import { lacking, startSlurm } from "./cluster.mjs";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const cli = join(root, "src", "cli", "iommu-lab.mjs");
const none = lacking();
if (none.length > 0) {
  console.log(
    `There is no Slurm here (${none.join(", ")} not found), so it is not tried. On Debian: apt-get install slurm-wlm munge.`,
  );
  process.exit(77);
}

const folder = mkdtempSync(join(tmpdir(), "slurm-"));
const began = performance.now();
const transcript = [];
const say = (text) => {
  const seconds = ((performance.now() - began) / 1000).toFixed(0).padStart(4);
  for (const line of text.trimEnd().split("\n")) {
    // Nothing of the machine that it ran on.
    const clean = line
      .replaceAll(folder, "FOLDER")
      .replaceAll(root.replace(/\/$/, ""), "LAB")
      .replaceAll(hostname(), "HOST")
      .replaceAll(process.execPath, "node");
    transcript.push(`${seconds} s  ${clean}`);
    console.log(transcript.at(-1));
  }
};
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const faults = [];
const check = (what, holds) => {
  say(`${holds ? "yes" : "NO "}  ${what}`);
  if (!holds) faults.push(what);
};

const file = join(folder, "forty.json");
writeFileSync(
  file,
  JSON.stringify({
    experiment: "machine-locks",
    base: { cores: [8, 16] },
    space: { thinkCycles: { low: 1000, high: 9000, whole: true } },
    samples: 20,
  }),
);
let slurm;
const mostSeconds = 300;
const children = new Set();
/** Runs the command in the cluster, ended with the test whatever happens. */
const command = (words) => {
  const child = spawn(process.execPath, [cli, ...words], { env: { ...slurm.env, IOMMU_LAB_POINTS: "off" } });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
};
const late = setTimeout(() => {
  check(`it takes at most ${mostSeconds / 60} minutes`, false);
  say(slurm ? slurm.ask("squeue", "-r").stdout + slurm.ask("sinfo", "-N", "-l").stdout : "");
  for (const child of children) child.kill("SIGKILL");
}, 1000 * mostSeconds);
/** Has nodes resume that Slurm drained, as whoever administers them would. */
const administer = setInterval(() => {
  if (!slurm) return;
  for (const line of slurm.ask("sinfo", "-h", "-N", "-o", "%N|%T|%E").stdout.split("\n")) {
    const [node, state, reason] = line.split("|");
    if (state !== "drained") continue;
    slurm.ask("scontrol", "update", `NodeName=${node}`, "State=RESUME");
    say(`-- Slurm had drained node ${node} (${reason}): as its administrator, had it resume`);
  }
}, 1000);
try {
  const whole = join(folder, "whole");
  const env = { ...process.env, IOMMU_LAB_POINTS: "off" };
  const one = spawnSync(process.execPath, [cli, "sweep", file, "--out", whole], { env, encoding: "utf8" });
  say(`one process: ${one.stdout}${one.status === 0 ? "" : one.stderr}`);
  slurm = await startSlurm(mkdtempSync(join(folder, "slurm-")));
  await slurm.ready();
  say(
    `${slurm.ask("sinfo", "--version").stdout.trim()}: a controller and two nodes of one CPU, arrays of at most 10 tasks`,
  );
  const out = join(folder, "out");
  const args = [
    "sweep",
    file,
    "--out",
    out,
    "--on",
    "slurm",
    "--max-tasks",
    "20",
    "--task-minutes",
    "0.02",
    "--poll",
    "1",
    "--patience",
    "30",
  ];
  say(`$ iommu-lab ${args.map((arg) => (arg === file ? "forty.json" : arg)).join(" ")}`);
  const following = command(args);
  for (const stream of [following.stdout, following.stderr]) stream.setEncoding("utf8").on("data", say);
  const ended = new Promise((resolve) => following.once("exit", resolve));
  let over = false;
  ended.then(() => {
    over = true;
  });
  // Looked at from here: a command for each look takes the processor from the tasks.
  const version = new Version();
  const statusOf = (where, work) => {
    try {
      return sweepStatus(where, readWork(readFileSync(work, "utf8"), work), version);
    } catch {
      // Nothing was run into it yet.
      return { done: 0, processes: [] };
    }
  };
  const status = () => statusOf(out, file);
  /** Waits until so many points are done. */
  const until = async (points) => {
    for (let turn = 0; turn < 600 && !over; turn++) {
      const now = status();
      if (now.done >= points) return now;
      await pause(500);
    }
    return status();
  };
  const killed = (pid) => {
    try {
      return process.kill(pid, "SIGKILL");
    } catch (error) {
      if (error.code === "ESRCH") return false;
      throw error;
    }
  };
  const working = ({ processes = [] }) =>
    processes.find(({ state, pid }) => state === "working" && pid !== following.pid);
  let now = await until(4);
  let victim;
  for (let turn = 0; turn < 100 && !victim && !over; turn++, now = status()) {
    victim = working(now);
    // On a fast machine a task may have ended between the look and the shot: then it is another's turn.
    if (victim && !killed(victim.pid)) victim = undefined;
  }
  if (victim) {
    say(`-- killed the task of shard ${victim.shard.index}/${victim.shard.count}, with ${now.done} of 40 points done`);
  } else check("a task was there to be killed", false);
  now = await until(now.done + 3);
  await slurm.kill("two");
  say(`-- killed the daemon of node two, with ${now.done} points done`);
  await pause(4000);
  slurm.start("two");
  say("-- started it again");
  now = await until(now.done + 3);
  /** The tasks that run now, by Slurm. */
  const running = () => slurm.ask("squeue", "-h", "-r", "-t", "RUNNING", "-o", "%i").stdout.split("\n").filter(Boolean);
  // Just when a task has ended, which the controller then has not written down.
  for (let turn = 0, before = running(); turn < 100 && !over; turn++, before = [...running()]) {
    await pause(200);
    const left = running();
    if (before.some((task) => !left.includes(task))) break;
  }
  await slurm.kill("slurmctld");
  say(`-- killed the controller, with ${status().done} points done, when a task had just ended`);
  await pause(6000);
  slurm.start("slurmctld");
  say("-- started it again; by Slurm there are now");
  for (let turn = 0; turn < 20; turn++) {
    const { status: code, stdout } = slurm.ask("squeue", "-r", "-o", "%.8i %.10T %.6M %r");
    if (code === 0) {
      say(stdout);
      break;
    }
    await pause(500);
  }
  const code = await ended;
  check("the command that followed it ended well", code === 0);
  const last = status();
  check(
    `all ${last.points} points are done (${last.done}), none failed (${last.failed})`,
    last.done === 40 && last.failed === 0,
  );
  check(`no point was computed twice (${last.repeated} were)`, last.repeated === 0);
  const counts = new Set(last.processes.map(({ shard }) => shard.count));
  check(`arrays had at most 10 tasks (${[...counts].join(", ")})`, Math.max(...counts) <= 10);
  for (const name of ["table.arrow", "runs.json"])
    check(
      `${name} has the bytes of one process`,
      readdirSync(out).includes(name) && readFileSync(join(out, name)).equals(readFileSync(join(whole, name))),
    );

  // By hand: left with Ctrl-C, taken up again, given up; with a line of one's own before a task, and a command around it.
  const around = join(folder, "around.sh");
  writeFileSync(around, `#!/bin/sh\necho "$LAB_SETUP" >> ${join(folder, "around.log")}\nexec "$@"\n`, { mode: 0o755 });
  const second = join(folder, "again.json");
  writeFileSync(
    second,
    JSON.stringify({ ...JSON.parse(readFileSync(file, "utf8")), samples: 10, base: { cores: [12, 20] } }),
  );
  const onSlurm = ["--on", "slurm", "--max-tasks", "10", "--task-minutes", "0.02", "--poll", "1", "--patience", "30"];
  const own = [...onSlurm, "--setup", "export LAB_SETUP=set-up", "--prefix", around];
  /** Runs the command in the cluster and says what it says; `when` is looked at twice a second, and where it holds Ctrl-C is pressed. */
  const run = async (words, when = () => false) => {
    say(`$ iommu-lab ${words.map((word) => (word === second ? "again.json" : word)).join(" ")}`);
    const child = command(words);
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.setEncoding("utf8").on("data", (part) => {
        text += part;
        say(part);
      });
    const exit = new Promise((resolve) => child.once("exit", (code) => resolve(code)));
    let pressed = false;
    const look = setInterval(() => {
      if (pressed || !when(text)) return;
      pressed = true;
      say("-- Ctrl-C");
      child.kill("SIGINT");
    }, 500);
    const code = await exit;
    clearInterval(look);
    return { code, text };
  };
  const done = (where) => statusOf(where, second).done;
  const queue = () => slurm.ask("squeue", "-h", "-r").stdout.trim().split("\n").filter(Boolean).length;
  const left = join(folder, "left");
  const interrupted = await run(["sweep", second, "--out", left, ...own], () => done(left) >= 3);
  check(
    "Ctrl-C says how to come back, and that the job goes on",
    interrupted.text.includes("--attach follows it again"),
  );
  check(`Ctrl-C ends the command with 130 (${interrupted.code})`, interrupted.code === 130);
  const atOnce = done(left);
  for (let turn = 0; turn < 60 && done(left) <= atOnce; turn++) await pause(500);
  check("the tasks go on without it", done(left) > atOnce);
  const attached = await run(["sweep", left, "--on", "slurm", "--attach", "--poll", "1", "--patience", "30"]);
  check("--attach follows it to its end, and collects", attached.code === 0 && done(left) === 20);
  const alone = join(folder, "alone");
  spawnSync(process.execPath, [cli, "sweep", second, "--out", alone], { env });
  check(
    "its table has the bytes of one process",
    readFileSync(join(left, "table.arrow")).equals(readFileSync(join(alone, "table.arrow"))),
  );
  const wrapped = readFileSync(join(folder, "around.log"), "utf8").trim().split("\n");
  check(
    `every task ran behind --prefix, after --setup (${wrapped.length} of them)`,
    wrapped.length > 1 && wrapped.every((line) => line === "set-up"),
  );
  const given = join(folder, "given-up");
  await run(["sweep", second, "--out", given, ...onSlurm], () => done(given) >= 3);
  const cancelled = await run(["sweep", given, "--on", "slurm", "--cancel"]);
  for (let turn = 0; turn < 60 && queue() > 0; turn++) await pause(500);
  const kept = done(given);
  check(
    `--cancel empties the queue and keeps what is done (${kept} of 20)`,
    cancelled.code === 0 && queue() === 0 && kept >= 3 && kept < 20,
  );
  const resumed = await run(["sweep", given, ...onSlurm]);
  check(
    "the same command afterwards computes the rest, to the same bytes",
    resumed.code === 0 && readFileSync(join(given, "table.arrow")).equals(readFileSync(join(alone, "table.arrow"))),
  );
} catch (error) {
  say(String(error.stack ?? error));
  faults.push("it ran to its end");
} finally {
  clearTimeout(late);
  clearInterval(administer);
  for (const child of children) child.kill("SIGKILL");
  await slurm?.stop();
  if (faults.length > 0) {
    console.log(`The folder is left as it is: ${folder}`);
  } else rmSync(folder, { recursive: true, force: true });
}
if (performance.now() - began < 1000 * mostSeconds) say("yes  it took at most five minutes");
say(faults.length === 0 ? "test:slurm: passed" : `test:slurm: FAILED: ${faults.join("; ")}`);
if (process.argv.includes("--keep"))
  writeFileSync(fileURLToPath(new URL("transcript.txt", import.meta.url)), `${transcript.join("\n")}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
