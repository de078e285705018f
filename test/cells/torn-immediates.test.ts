import { execFile } from "node:child_process";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { expect, it } from "vitest";
import { packageRoot } from "../../src/cells/index.js";

/**
 * A program whose main thread is terminated two hundred times, also in the midst of Node's own queue of immediates. What it does is begun by
 * messages: of all that Node knows, only they survive every termination.
 */
const program = (guards: string) => `
import { Worker } from "node:worker_threads";
import { guardImmediates } from ${JSON.stringify(guards)};
const mend = guardImmediates();
let mended = 0, turns = 0, failed = "";
process.on("uncaughtException", (error) => { if (mend(error)) mended++; else failed = String(error); });
const busy = () => { for (const begun = performance.now(); performance.now() - begun < 0.2; ); };
const terminator = new Worker(\`
  const { parentPort } = require("node:worker_threads");
  const { Session } = require("node:inspector");
  const session = new Session();
  session.connectToMainThread();
  setInterval(() => {}, 1e6);
  const sleep = () => new Promise((resolve) => setTimeout(resolve, 2));
  parentPort.once("message", async () => {
    for (let i = 0; i < 200; i++) {
      parentPort.postMessage("more");
      await sleep();
      await new Promise((done) => session.post("Runtime.terminateExecution", done));
    }
    parentPort.postMessage("one more");
    for (let i = 0; i < 50; i++) {
      await new Promise((resolve) => setTimeout(resolve, 100));
      parentPort.postMessage(i === 49 ? "end" : "ended?");
    }
  });
\`, { eval: true, execArgv: [] });
terminator.on("message", (message) => {
  if (message === "more") for (let i = 0; i < 5; i++) setImmediate(busy);
  if (message === "one more") setImmediate(() => turns++);
  if (message !== "end" && (message !== "ended?" || turns === 0)) return;
  console.log(JSON.stringify({ mended, failed, turns }));
  process.reallyExit(0);
});
setTimeout(() => terminator.postMessage("begin"), 100);
`;

it("immediates go on after terminations in the midst of Node's queue of them", async () => {
  const guards = pathToFileURL(join(packageRoot, "dist/cells/host/guards.js")).href;
  const flags = ["--no-force-async-hooks-checks", "--input-type=module", "--eval", program(guards)];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, flags, { timeout: 30_000 });
  if (stdout === "") throw new Error(`nothing was printed; ${stderr}`);
  const { mended, ...rest } = JSON.parse(stdout) as { mended: number; failed: string; turns: number };
  expect(rest).toEqual({ failed: "", turns: 1 });
  expect(mended).toBeGreaterThan(0);
});
