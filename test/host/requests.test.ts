import { describe, expect, it } from "vitest";
import { Facts } from "../../src/facts/index.js";
import { hostRunDefaults, type RecordedLoad, simulateRequests } from "../../src/host/index.js";

const facts = Facts.published();

/** Pairs of a map and its unmap, a fixed time apart, on so many cores in turn; the unmap on the next core where it is asked for. */
function pairs(count: number, gapNs: number, cores: number, { away = false, warmup = 0 } = {}): RecordedLoad {
  const load = {
    cores,
    timeNs: [] as number[],
    core: [] as number[],
    pages: [] as number[],
    maps: [] as number[],
    frame: [] as number[],
    held: [],
    before: 0,
    warmup,
  };
  for (let i = 0; i < count; i++) {
    const core = i % cores;
    load.timeNs.push(2 * i * gapNs, (2 * i + 1) * gapNs);
    load.core.push(core, away ? (core + 1) % cores : core);
    load.pages.push(1, 0);
    load.maps.push(0, 2 * i);
    load.frame.push(i + 1, 0);
  }
  return load;
}

const run = (variant: string, load: RecordedLoad, rate = 1, copies = 1) =>
  simulateRequests({ ...hostRunDefaults(facts), variant }, load, { rate, copies }, facts);

describe("recorded requests on a simulated host", () => {
  it("are made when they are due, where the cores keep up", () => {
    const { offered, achieved, requests, lateMean, counts } = run("strict", pairs(200, 50_000, 2));
    expect([requests, counts.maps, counts.unmaps, lateMean]).toEqual([400, 200, 200, 0]);
    expect(offered).toBeCloseTo(20_000, -3);
    expect(achieved / offered).toBeGreaterThan(0.99);
  });

  it("cost the API's checks alone where nothing is translated", () => {
    const { cyclesPerRequest, partsPerRequest, locks } = run("off", pairs(100, 50_000, 2));
    expect(cyclesPerRequest).toBe(partsPerRequest.api);
    expect(locks).toEqual([]);
  });

  it("come late, and wait for locks, where they come faster than the API can", () => {
    const load = pairs(1000, 50_000, 8);
    const slow = run("strict", load);
    const fast = run("strict", load, 1e6);
    expect(slow.partsPerRequest.spinning).toBeLessThan(10);
    expect(fast.partsPerRequest.spinning).toBeGreaterThan(500);
    expect(fast.achieved).toBeLessThan(fast.offered / 10);
    expect(fast.lateMean).toBeGreaterThan(fast.cyclesPerRequest);
    const [tree, queue] = ["iova_rbtree_lock", "q_lock"].map((name) => fast.locks.find((row) => row.name === name)!);
    // A map and its unmap take the tree's lock three times, and strictly the queue's more than once.
    expect(tree.acquisitions / 1000).toBeCloseTo(3, 1);
    expect(queue.acquisitions).toBeGreaterThan(1000);
  });

  it("wait for a map that another core has not made yet, and unmap what it mapped", () => {
    const { counts, requests } = run("deferred", pairs(500, 50_000, 4, { away: true }), 1e9);
    expect([requests, counts.maps, counts.unmaps, counts.strayUnmaps, counts.failedMaps]).toEqual([
      1000, 500, 500, 0, 0,
    ]);
  });

  it("flush by the timer while the cores sleep", () => {
    const { counts } = run("deferred", pairs(50, 15_000_000, 1));
    expect(counts.timerFlushes).toBeGreaterThan(40);
  });

  it("do more from more cores, until a lock is held all the time", () => {
    const load = pairs(300, 1000, 4);
    const [one, two] = [run("off", load, 1e9).achieved, run("off", load, 1e9, 2).achieved];
    expect(two / one).toBeCloseTo(2, 1);
    const contended = run("strict", load, 1e9, 2).achieved / run("strict", load, 1e9).achieved;
    expect(contended).toBeLessThan(1.5);
  });

  it("begin with what is mapped, and with the operations before the start", () => {
    const load: RecordedLoad = {
      cores: 1,
      timeNs: [0, 10, 20, 30],
      core: [0, 0, 0, 0],
      pages: [2, 0, 0, 4],
      maps: [0, -1, 0, 0],
      frame: [7, 0, 0, 9],
      held: [{ pages: 8, core: 0, frame: 1 }],
      before: 2,
      warmup: 0,
    };
    const { requests, counts } = run("strict", load);
    expect([requests, counts.maps, counts.unmaps, counts.strayUnmaps]).toEqual([2, 1, 1, 0]);
  });

  it("give the same result again", () => {
    const load = pairs(300, 500, 4, { away: true, warmup: 50 });
    expect(run("magazines-deferred", load, 10)).toEqual(run("magazines-deferred", load, 10));
  });

  it("are refused on more cores than the host has", () => {
    expect(() => run("strict", pairs(10, 1000, 4), 1, 8)).toThrow("from 1 to the 16 cores");
  });
});
