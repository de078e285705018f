import { expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
import {
  Machine,
  type MachineConfig,
  machineConfig,
  pingPong,
  pointerChase,
  randomCycle,
} from "../../src/machine/index.js";
import { published } from "../support/facts.js";

const chase = (name: string, bytes: number, home = 0, overrides: Partial<MachineConfig> = {}) => {
  const machine = new Machine(machineConfig(published, name, overrides));
  return pointerChase(machine, { cpu: 0, bytes, home, streams: new Streams(1) });
};

test("a pointer chase finds the published cache latencies (records H9, H6)", () => {
  for (const [name, id, l3] of [
    ["sandy-bridge-ep", "H9", 4],
    ["westmere-ep", "H6", 4],
  ] as const) {
    const [l1, l2, shared] = published.numbers(id);
    expect(chase(name, 16 * 1024)).toBe(l1);
    expect(chase(name, 192 * 1024)).toBe(l2);
    expect(chase(name, l3 * 1024 * 1024)).toBe(shared);
  }
});

test("a pointer chase beyond the L3 finds local and remote memory (record H17), and its latency never falls on the way", () => {
  const c = machineConfig(published, "sandy-bridge-ep");
  const [local, remote] = published.numbers("H17");
  // A quarter of the L3 keeps the test short; beyond it nothing depends on its size.
  const quarter = { l3KiB: 5120 };
  expect(chase("sandy-bridge-ep", 6 << 20, 0, quarter) / c.gigahertz).toBeCloseTo(local, 0);
  expect(chase("sandy-bridge-ep", 6 << 20, 1, quarter) / c.gigahertz).toBeCloseTo(remote, 0);
  let last = 0;
  for (const kib of [8, 32, 48, 64, 256, 384, 512, 2048, 5120, 6144, 8192]) {
    const now = chase("sandy-bridge-ep", kib * 1024, 0, quarter);
    expect(now).toBeGreaterThanOrEqual(last);
    last = now;
  }
});

test("a compare-and-exchange ping-pong finds the published line transfers (records H1, H2, H4)", () => {
  for (const [name, id] of [
    ["sandy-bridge-ep", "H1"],
    ["westmere-ep", "H2"],
    ["broadwell-ep", "H4"],
  ] as const) {
    const c = machineConfig(published, name);
    const m = new Machine(c);
    const [sibling, same, cross] = published.record(id).value as number[];
    const cores = c.sockets * c.coresPerSocket;
    // Half a cycle either way: the published value is rounded to 0.1 ns, the simulated one to whole cycles.
    const near = (cpuA: number, cpuB: number, ns: number) =>
      expect(Math.abs(pingPong(m, cpuA, cpuB) / c.gigahertz - ns)).toBeLessThan(0.5 / c.gigahertz + 0.1);
    near(0, cores, sibling);
    near(0, 1, same);
    near(2, 5, same);
    near(0, c.coresPerSocket, cross);
    near(c.coresPerSocket + 1, 3, cross);
  }
});

test("a random cycle visits every line once", () => {
  for (const n of [1, 2, 7, 1000]) {
    const next = randomCycle(n, new Streams(2).stream("cycle"));
    const seen = new Set<number>();
    for (let at = 0; !seen.has(at); at = next[at]) seen.add(at);
    expect(seen.size).toBe(n);
  }
});
