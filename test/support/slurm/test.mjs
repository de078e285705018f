// `npm run test:slurm`: a sweep of 40 points through a real Slurm, in at most ten array tasks, while a task is killed, a node's daemon dies and
// comes back, and the controller is started again in the middle. The table must be, byte for byte, that of one process. Without Slurm it says so and
// exits with 77. What it said last is kept in transcript.txt beside it: `npm run test:slurm -- --keep` writes that anew.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
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
  ];
  say(`$ iommu-lab ${args.map((arg) => (arg === file ? "forty.json" : arg)).join(" ")}`);
  const following = spawn(process.execPath, [cli, ...args], { env: { ...slurm.env, IOMMU_LAB_POINTS: "off" } });
  for (const stream of [following.stdout, following.stderr]) stream.setEncoding("utf8").on("data", say);
  const ended = new Promise((resolve) => following.once("exit", resolve));
  let over = false;
  ended.then(() => {
    over = true;
  });
  const status = () =>
    JSON.parse(
      spawnSync(process.execPath, [cli, "sweep", out, "--status", "--json"], { env, encoding: "utf8" }).stdout || "{}",
    );
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
  await slurm.kill("slurmctld");
  say(`-- killed the controller, with ${now.done} points done`);
  await pause(6000);
  slurm.start("slurmctld");
  say("-- started it again");
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
  check("it took at most five minutes", performance.now() - began < 300_000);
} catch (error) {
  say(String(error.stack ?? error));
  faults.push("it ran to its end");
} finally {
  await slurm?.stop();
  if (faults.length > 0) {
    console.log(`The folder is left as it is: ${folder}`);
  } else rmSync(folder, { recursive: true, force: true });
}
say(faults.length === 0 ? "test:slurm: passed" : `test:slurm: FAILED: ${faults.join("; ")}`);
if (process.argv.includes("--keep"))
  writeFileSync(fileURLToPath(new URL("transcript.txt", import.meta.url)), `${transcript.join("\n")}\n`);
process.exitCode = faults.length > 0 ? 1 : 0;
