// Overlapping shards of one sweep that are killed at random moments and started again, compared with one process that nobody disturbed: for the
// test (a few kills) and for `npm run soak -- shards` (fifty).
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("./killed-child.mjs", import.meta.url));
/** Four processes that share points: one has all of them, two have halves, one a third. */
const shards = ["1/1", "1/2", "2/2", "2/3"];

/** Starts a process of the sweep; `ended` resolves with what it said when it ends or is killed. */
function start(folder, ...args) {
  const running = spawn(process.execPath, [child, folder, ...args.map(String)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  let text = "";
  running.stdout.on("data", (chunk) => {
    text += chunk;
  });
  const ended = new Promise((resolve) => running.once("exit", (code, signal) => resolve({ code, signal, text })));
  return { running, ended };
}

const results = (folder) =>
  ["table.arrow", "runs.json"].map((name) => readFileSync(join(folder, name)).toString("base64"));

/**
 * Kills one of four overlapping shards `kills` times, and starts it again each time; whenever all are done, the sweep is collected, compared
 * with the undisturbed one, and a new one begun.
 * @param random gives numbers from 0 to 1: which, and when
 * @returns kills, sweeps that were finished, how many gave other bytes, and how many points were computed more than once in them
 */
export async function killedSweeps({ kills, jobs, random, onKill }) {
  const top = mkdtempSync(join(tmpdir(), "killed-"));
  try {
    const whole = join(top, "whole");
    if ((await start(whole, "1/1", 4).ended).code !== 0) throw new Error("The undisturbed sweep failed.");
    await start(whole, "collect").ended;
    const expected = results(whole);
    let [killed, finished, different, repeated] = [0, 0, 0, 0];
    while (killed < kills || finished === 0) {
      const folder = join(top, String(finished));
      const one = async (shard) => {
        for (;;) {
          const { running, ended } = start(folder, shard, jobs);
          // Some moments are before the first point, some after the last.
          const wait = 300 + random() * 2500;
          const timer = killed < kills && random() < 0.8 ? setTimeout(() => running.kill("SIGKILL"), wait) : undefined;
          const { code, signal } = await ended;
          clearTimeout(timer);
          if (signal === "SIGKILL") {
            killed++;
            onKill?.(killed, shard);
          } else if (code === 0) return;
          else throw new Error(`Shard ${shard} ended with ${code}.`);
        }
      };
      await Promise.all(shards.map(one));
      const { code, text } = await start(folder, "collect").ended;
      if (code === 0) repeated += JSON.parse(text).repeated;
      if (code !== 0 || results(folder).some((bytes, i) => bytes !== expected[i])) different++;
      finished++;
    }
    return { killed, finished, different, repeated };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}
