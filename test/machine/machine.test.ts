import { expect, test } from "vitest";
import { hostAssumptions, Machine, machineConfig, preset, presetNames } from "../../src/machine/index.js";
import { published } from "../support/facts.js";

const host = () => new Machine(machineConfig(published, "sandy-bridge-ep"));

test("a line is read from memory once, then from the own L1", () => {
  const m = host();
  const { base } = m.region({ name: "data", bytes: 4096, home: 0 });
  expect(m.read(0, base)).toBe(232);
  expect(m.read(0, base)).toBe(4);
  expect(m.read(0, base + 63)).toBe(4);
  expect(m.read(1, base + 64)).toBe(232);
});

test("remote memory costs more than local memory", () => {
  const m = host();
  const { base } = m.region({ name: "data", bytes: 4096, home: 1 });
  expect(m.read(0, base)).toBe(377);
  expect(m.read(8, base + 64)).toBe(232);
});

test("a modified line is fetched from the core that modified it; where that is decides the cost", () => {
  const m = host();
  const { base } = m.region({ name: "data", bytes: 4096, home: 0 });
  m.write(0, base);
  expect(m.write(0, base)).toBe(1);
  expect(m.read(16, base)).toBe(4); // the sibling shares the L1
  expect(m.read(1, base)).toBe(72);
  expect(m.read(2, base)).toBe(30); // the L3 is current now
  expect(m.write(0, base)).toBe(43); // two readers are asked to drop it
  expect(m.read(8, base)).toBe(309);
  expect(m.read(9, base)).toBe(30);
  expect(m.write(9, base)).toBe(309); // the other socket is asked to drop it
  expect(m.read(0, base)).toBe(309);
});

test("an exclusive clean line is written without asking anybody", () => {
  const m = host();
  const { base } = m.region({ name: "data", bytes: 4096, home: 0 });
  m.read(3, base);
  expect(m.write(3, base)).toBe(1);
});

test("every preset passes its checks, and the line transfers are the published ones", () => {
  for (const name of presetNames) expect(preset(published, name).title).not.toBe("");
  const records: [string, string][] = [
    ["sandy-bridge-ep", "H1"],
    ["westmere-ep", "H2"],
    ["broadwell-ep", "H4"],
  ];
  for (const [name, id] of records) {
    const c = machineConfig(published, name);
    const measured = (published.record(id).value as number[]).map((ns) => ns * c.gigahertz);
    const modelled = [c.l1Cycles, c.dirtySameSocketCycles, c.dirtyCrossSocketCycles].map((x) => x + c.atomicCycles);
    for (const [i, x] of modelled.entries()) expect(Math.abs(x - measured[i])).toBeLessThanOrEqual(1);
  }
  expect(hostAssumptions(published, "sandy-bridge-ep").length).toBeGreaterThan(3);
});

test("an impossible machine is refused: field, value, what is accepted", () => {
  expect(() => machineConfig(published, "sandy-bridge-ep", { l1Ways: 0 })).toThrow(
    /l1Ways: got 0, accepts a whole number of ways from 1 to 8/,
  );
  expect(() => machineConfig(published, "sandy-bridge-ep", { coresPerSocket: 24 })).toThrow(
    /coresPerSocket: got 24, accepts at most 16 with 2 sockets: the directory holds 32 cores/,
  );
  expect(() => machineConfig(published, "sandy-bridge-ep", { l1KiB: 48 })).toThrow(
    /l1KiB: got 48, accepts sizes with a power of two of sets/,
  );
  expect(() => machineConfig(published, "sandy-bridge-ep", { l3KiB: 1024 })).toThrow(
    /l3KiB: got 1024, accepts at least the 2304 KiB/,
  );
  expect(() => machineConfig(published, "sandy-bridge-ep", { deviceSocket: 1, sockets: 1 })).toThrow(
    /deviceSocket: got 1, accepts 0 to 0/,
  );
  expect(() => machineConfig(published, "vax")).toThrow('"vax"');
});

test("an address outside every region, or a CPU that does not exist, is refused", () => {
  const m = host();
  expect(() => m.read(0, 4096)).toThrow(/in no region/);
  const { base } = m.region({ name: "data", bytes: 64, home: 0 });
  expect(() => m.read(99, base)).toThrow(/CPUs 0 to 31/);
  expect(() => m.region({ name: "x", bytes: 64, home: 2 })).toThrow(/home 2/);
});
