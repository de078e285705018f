import { afterAll, beforeAll, expect, it } from "vitest";
import type { Kernel } from "../../src/kernel/index.js";
import { run, startKernel } from "./support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.shutdown());

// A sweep far too long to wait for, which says when its first points are done.
const cell = `
import { lockScaling } from "iommu-lab/experiments";
import { sweep } from "iommu-lab/sweep";
let reached = 0;
const result = await sweep(
  lockScaling,
  { cores: [[1]], seed: Array.from({ length: 20_000 }, (_, i) => i) },
  { jobs: 2, onProgress: (done) => { reached = done; if (done === 3) console.log("under way"); } },
);`;

it("a sweep in a cell ends with an interrupt: its workers stop, and what the notebook knew is kept", async () => {
  const execution = kernel.execute(cell);
  let sent = 0;
  for await (const { type, content } of execution) {
    if (type !== "stream" || !String(content["text"]).includes("under way")) continue;
    sent = performance.now();
    await kernel.interrupt();
  }
  const reply = await execution.reply;
  expect([reply.status, reply.ename]).toEqual(["error", "KeyboardInterrupt"]);
  // Far from the hours that the sweep would take.
  expect(performance.now() - sent).toBeLessThan(20_000);
  const state = await run(kernel, "[reached >= 3, reached < 20_000]");
  expect(state.result).toBe("[ true, true ]");
  // No worker computes on: the process uses no more than what the wait itself takes.
  const idle = await run(
    kernel,
    "const before = process.cpuUsage(); await new Promise((done) => setTimeout(done, 1500)); process.cpuUsage(before).user / 1.5e6 < 0.5",
  );
  expect(idle.result).toBe("true");
});
