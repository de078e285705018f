// A sweep that is killed at random moments and started again, compared with one that nobody disturbed: for the test (a few kills) and for
// `npm run bench:kills` (fifty).
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const child = fileURLToPath(new URL("./killed-child.mjs", import.meta.url));

/** Starts the sweep of 40 points of 0.2 s into a folder; resolves with what it says when it ends or is killed. */
function start(folder, { jobs, onLine, killAfter }) {
  return new Promise((resolve) => {
    const running = spawn(process.execPath, [child, folder, String(jobs)], { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    let timer;
    running.stdout.on("data", (chunk) => {
      text += chunk;
      onLine?.(text);
      // The time runs from the moment the sweep begins, so that a busy machine does not spend it all on starting.
      if (killAfter !== undefined && timer === undefined && text.includes("begin"))
        timer = setTimeout(() => running.kill("SIGKILL"), killAfter);
    });
    running.once("exit", (code, signal) => {
      clearTimeout(timer);
      resolve({ code, signal, text });
    });
  });
}

const results = (folder) =>
  ["table.arrow", "runs.json"].map((name) => readFileSync(join(folder, name)).toString("base64"));
const pointsIn = (folder) => {
  const points = join(folder, "points");
  if (!existsSync(points)) return [];
  return readdirSync(points, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
};

/**
 * Kills a sweep `kills` times, resuming it each time; whenever one is done, it is compared and a new one begun.
 * @param random gives numbers from 0 to 1: when to kill
 * @returns how many sweeps were done, how many of them differed, how many points broke, and the most that one kill lost
 */
export async function killedSweeps({ kills, jobs, random, onKill }) {
  const top = mkdtempSync(join(tmpdir(), "killed-"));
  try {
    const undisturbed = join(top, "undisturbed");
    await start(undisturbed, { jobs });
    const expected = results(undisturbed);
    // An undisturbed run takes 40 / jobs times 0.2 s: some kills come before its first point, some after its last.
    const whole = (40 / jobs) * 200;
    let [finished, different, broken, lost, killed, number] = [0, 0, 0, 0, 0, 0];
    const close = async (folder) => {
      const last = await start(folder, { jobs });
      finished++;
      if (last.code !== 0 || results(folder).some((text, i) => text !== expected[i])) different++;
    };
    let folder = join(top, "0");
    while (killed < kills) {
      const end = await start(folder, { jobs, killAfter: random() * whole * 0.6 });
      if (end.signal === "SIGKILL") {
        killed++;
        const kept = pointsIn(folder);
        for (const name of kept) {
          try {
            JSON.parse(readFileSync(join(folder, "points", name), "utf8"));
          } catch {
            broken++;
          }
        }
        // What had been announced as done and is not there.
        const announced = new Set([...end.text.matchAll(/done (\S+)/g)].map(([, hash]) => hash));
        const missing = [...announced].filter((hash) => !kept.some((name) => name.endsWith(`${hash}.json`)));
        lost = Math.max(lost, missing.length);
        onKill?.(killed, kept.length);
      } else {
        await close(folder);
        folder = join(top, String(++number));
      }
    }
    await close(folder);
    return { killed, finished, different, broken, lost };
  } finally {
    rmSync(top, { recursive: true, force: true });
  }
}
