import { Worker } from "node:worker_threads";
import fc from "fast-check";
import { mean, sampleVariance } from "simple-statistics";
import { describe, expect, test } from "vitest";
import {
  batchMeans,
  Clock,
  confidenceInterval,
  EventTrace,
  FoldedStacks,
  Histogram,
  LockStatistics,
  lockTable,
  lockTableText,
  mser5,
  replicate,
  Streams,
  Tally,
  TimeWeighted,
} from "../../src/engine/index.js";

test("a tally has the mean, variance and extremes of its values", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: -1e6, max: 1e6 }), { minLength: 2, maxLength: 200 }), (values) => {
      const tally = new Tally();
      for (const value of values) tally.record(value);
      expect(tally.n).toBe(values.length);
      expect(tally.mean).toBeCloseTo(mean(values), 6);
      expect(tally.variance / (sampleVariance(values) || 1)).toBeCloseTo(sampleVariance(values) === 0 ? 0 : 1, 9);
      expect([tally.min, tally.max]).toEqual([Math.min(...values), Math.max(...values)]);
    }),
  );
  expect(new Tally().mean).toBeNaN();
});

test("a time-weighted average counts each value for as long as it lasted, from the end of the warm-up", () => {
  const queue = new TimeWeighted();
  queue.set(10, 4);
  queue.add(30, -2);
  expect(queue.mean(40)).toBe((0 * 10 + 4 * 20 + 2 * 10) / 40);
  expect(queue.max).toBe(4);
  queue.reset(40);
  expect(queue.mean(50)).toBe(2);
  expect(queue.max).toBe(2);
});

describe("a histogram", () => {
  test("gives percentiles to its digits, in memory that does not grow", () => {
    const histogram = new Histogram(1e9, 3);
    const values = Array.from({ length: 5000 }, (_, i) => (i * i) % 1_000_003);
    for (const value of values) histogram.record(value);
    values.sort((a, b) => a - b);
    for (const percent of [1, 50, 99, 99.9]) {
      const exact = values[Math.ceil((percent / 100) * values.length) - 1];
      expect(Math.abs(histogram.percentile(percent) / exact - 1)).toBeLessThan(0.001);
    }
    expect(Math.abs(histogram.mean / mean(values) - 1)).toBeLessThan(0.001);
    const bars = histogram.bars();
    expect(bars.reduce((sum, bar) => sum + bar.count, 0)).toBe(5000);
    expect(bars.every((bar, i) => bar.from <= bar.to && (i === 0 || bars[i - 1].to < bar.from))).toBe(true);
  });

  test("keeps what lies above its range, and says how many; two add up", () => {
    const one = new Histogram(1000);
    one.record(5000);
    one.record(10);
    const other = new Histogram(1000);
    other.record(20);
    one.merge(other);
    expect([one.n, one.over]).toEqual([3, 1]);
    expect(one.percentile(50)).toBe(20);
    one.reset();
    expect(one.mean).toBeNaN();
    expect(() => one.record(-1)).toThrow("-1");
    expect(() => one.record(0.5)).toThrow("0.5");
  });
});

test("the engine gives the same bytes in a worker that has no Buffer, as a browser's has none", async () => {
  const code = `
    const { parentPort, workerData } = require("node:worker_threads");
    for (const name of ["Buffer", "setImmediate", "global"]) delete globalThis[name];
    import(workerData).then((engine) => {
      const random = new engine.Streams(9).stream("worker");
      const histogram = new engine.Histogram(1e6);
      for (let i = 0; i < 1000; i++) histogram.record(random.poisson(5000));
      parentPort.postMessage([typeof Buffer, histogram.percentile(90), random.lognormal(0, 1)]);
    });`;
  const door = new URL("../../dist/engine/index.js", import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: door });
  const answer = await new Promise((resolve, reject) => worker.once("message", resolve).once("error", reject));
  await worker.terminate();
  const random = new Streams(9).stream("worker");
  const histogram = new Histogram(1e6);
  for (let i = 0; i < 1000; i++) histogram.record(random.poisson(5000));
  expect(answer).toEqual(["undefined", histogram.percentile(90), random.lognormal(0, 1)]);
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

  test("by batch means cover the mean of a correlated series after its warm-up", () => {
    const random = new Streams(6).stream("series");
    let covered = 0;
    for (let run = 0; run < 200; run++) {
      let x = 40;
      const series = Float64Array.from({ length: 4000 }, () => 10 + (x = 0.8 * x + random.normal(0, 1)));
      const { low, high, lag1, warmUp } = batchMeans(series, { level: 0.9 });
      expect(warmUp).toBeLessThan(2200);
      expect(Math.abs(lag1)).toBeLessThan(0.9);
      if (low <= 10 && 10 <= high) covered++;
    }
    // 180 expected, standard deviation 4.2; batches of 200 are still slightly correlated.
    expect(covered).toBeGreaterThan(160);
    expect(covered).toBeLessThan(196);
  });
});

test("MSER-5 deletes a transient, nothing of a steady run, and never more than half", () => {
  const random = new Streams(8).stream("noise");
  const noise = Array.from({ length: 1000 }, () => random.normal(0, 1));
  expect(mser5(noise.map((x, i) => x + (i < 200 ? 20 * (1 - i / 200) : 0)))).toBeGreaterThan(150);
  expect(mser5(noise)).toBeLessThan(150);
  expect(mser5(noise.map((x, i) => x + i))).toBeLessThanOrEqual(500);
  expect(mser5([])).toBe(0);
  // The definition, written out.
  const averages = Array.from({ length: 200 }, (_, i) => mean(noise.slice(5 * i, 5 * i + 5)));
  const criterion = Array.from({ length: 101 }, (_, d) => {
    const rest = averages.slice(d);
    const centre = mean(rest);
    return rest.reduce((sum, x) => sum + (x - centre) ** 2, 0) / rest.length ** 2;
  });
  expect(mser5(noise)).toBe(5 * criterion.indexOf(Math.min(...criterion)));
});

describe("replications", () => {
  test("are the same for the same seed, and each has streams of its own", () => {
    const model = (streams: Streams) => ({ x: streams.stream("x").uniform() });
    const once = replicate(model, { seed: 3, replications: 5 });
    expect(replicate(model, { seed: 3, replications: 5 })).toEqual(once);
    expect(new Set(once.values.x).size).toBe(5);
    expect(replicate(model, { seed: 4, replications: 5 }).values.x).not.toEqual(once.values.x);
  });

  test("go on until the interval is as narrow as asked for", () => {
    const model = (streams: Streams) => ({ x: streams.stream("x").exponential(1) });
    const { x } = replicate(model, { seed: 1, precision: 0.1 }).intervals;
    expect((x.high - x.mean) / x.mean).toBeLessThanOrEqual(0.1);
    expect(x.n).toBeGreaterThan(200);
    expect(replicate(model, { seed: 1, precision: 1e-9, maxReplications: 20 }).intervals.x.n).toBe(20);
  });
});

describe("exports", () => {
  test("a trace is the JSON that Perfetto opens: named tracks, spans in microseconds", () => {
    const trace = new EventTrace(Clock.cycles(2), "demo", 3);
    trace.span("core 0", "__alloc_iova", 2000, 500, { pages: 1 });
    trace.instant("core 1", "interrupt", 3000);
    trace.counter("queue", 3000, 4);
    trace.instant("core 1", "one too many", 4000);
    const { traceEvents, otherData } = JSON.parse(trace.toJson());
    expect(otherData).toEqual({ tick: "core cycle", ticksPerSecond: 2e9, dropped: 1 });
    const tracks = traceEvents.filter((e: { name: string }) => e.name === "thread_name");
    expect(tracks.map((e: { args: object }) => e.args)).toEqual([{ name: "core 0" }, { name: "core 1" }]);
    expect(traceEvents.find((e: { ph: string }) => e.ph === "X")).toMatchObject({
      name: "__alloc_iova",
      ts: 1,
      dur: 0.25,
      tid: tracks[0].tid,
      args: { pages: 1 },
    });
    expect(traceEvents.find((e: { ph: string }) => e.ph === "C").args).toEqual({ value: 4 });
  });

  test("folded stacks add up, sorted, one line each", () => {
    const stacks = new FoldedStacks();
    stacks.charge(["dma_map", "rb_prev"], 30);
    stacks.charge(["dma_map"], 5);
    stacks.charge(["dma_map", "rb_prev"], 10);
    stacks.charge(["odd;name"], 1);
    expect(stacks.toText()).toBe("dma_map 5\ndma_map;rb_prev 40\nodd,name 1\n");
    expect(stacks.total).toBe(46);
    expect(() => stacks.charge(["x"], -1)).toThrow("-1");
  });

  test("a lock table has lock_stat's columns in microseconds, the most contended lock first", () => {
    const quiet = new LockStatistics("quiet");
    quiet.acquired(0, 0);
    quiet.released(2000);
    const busy = new LockStatistics("&iovad->iova_rbtree_lock");
    busy.acquired(0, 0);
    busy.contended(1);
    busy.released(4000);
    busy.acquired(1, 3000);
    busy.released(1000);
    const rows = lockTable([quiet, busy], Clock.cycles(2));
    expect(rows[0]).toEqual({
      "class name": "&iovad->iova_rbtree_lock",
      "con-bounces": 1,
      contentions: 1,
      "waittime-min": 1.5,
      "waittime-max": 1.5,
      "waittime-total": 1.5,
      "waittime-avg": 1.5,
      "acq-bounces": 1,
      acquisitions: 2,
      "holdtime-min": 0.5,
      "holdtime-max": 2,
      "holdtime-total": 2.5,
      "holdtime-avg": 1.25,
    });
    expect(rows[1]).toMatchObject({ contentions: 0, "waittime-min": 0, "holdtime-avg": 1 });
    const lines = lockTableText([quiet, busy], Clock.cycles(2)).split("\n");
    expect(lines[2].trim().split(/\s{2,}/)).toEqual(["class name", ...Object.keys(rows[0]).slice(1)]);
    expect(lines[4]).toContain("&iovad->iova_rbtree_lock:");
  });
});
