import { Worker } from "node:worker_threads";
import { describe, expect, test } from "vitest";
import { confidenceInterval, Streams } from "../../src/engine/index.js";

test("the engine gives the same bytes in a worker that has no Buffer, as a browser's has none", async () => {
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    for (const name of ["Buffer", "setImmediate", "global"]) delete globalThis[name];
    import(workerData).then((engine) => {
      const random = new engine.Streams(9).stream("worker");
      const drawn = Array.from({ length: 1000 }, () => random.poisson(5000));
      parentPort.postMessage([typeof Buffer, engine.confidenceInterval(drawn), random.lognormal(0, 1)]);
    });`;
  const door = new URL("../../dist/engine/index.js", import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: door });
  const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await worker.terminate();
  const random = new Streams(9).stream("worker");
  const drawn = Array.from({ length: 1000 }, () => random.poisson(5000));
  expect(answer).toEqual(["undefined", confidenceInterval(drawn), random.lognormal(0, 1)]);
});

describe("intervals", () => {
  // t(9; 0.975) = 2.262157, t(4; 0.95) = 2.131847 (standard tables).
  test("have Student's quantile for their number of values", () => {
    const ten = confidenceInterval([1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
    expect(ten.mean).toBe(5.5);
    expect(ten.high - ten.mean).toBeCloseTo((2.262157 * Math.sqrt(82.5 / 9)) / Math.sqrt(10), 5);
    const five = confidenceInterval([0, 0, 0, 0, 5], 0.9);
    expect(five.mean - five.low).toBeCloseTo(2.131847, 5);
    expect(() => confidenceInterval([1])).toThrow("two or more");
    expect(() => confidenceInterval([1, 2], 1)).toThrow("level");
  });

  test("cover the true mean as often as they say", () => {
    const random = new Streams(5).stream("coverage");
    let covered = 0;
    for (let i = 0; i < 2000; i++) {
      const { low, high } = confidenceInterval(
        Array.from({ length: 8 }, () => random.normal(10, 3)),
        0.9,
      );
      if (low <= 10 && 10 <= high) covered++;
    }
    // 1,800 expected; four standard deviations are 54.
    expect(Math.abs(covered - 1800)).toBeLessThan(54);
  });
});
