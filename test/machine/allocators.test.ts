import fc from "fast-check";
import { expect, test } from "vitest";
import { FrameAllocator, Machine, machineConfig, SlabCache } from "../../src/machine/index.js";
import { published } from "../support/facts.js";

const host = () => new Machine(machineConfig(published, "sandy-bridge-ep"));
const step = fc.record({ cpu: fc.nat(15), allocate: fc.integer({ min: 0, max: 9 }), pick: fc.nat(1_000_000) });

test("objects of a fresh slab are neighbours, on lines of their own, and the last freed is the first used", () => {
  const slab = new SlabCache(host(), { name: "iova", objectBytes: 40, capacity: 1000 });
  const [a, b, c] = [slab.allocate(0), slab.allocate(0), slab.allocate(0)];
  expect([b - a, c - b]).toEqual([64, 64]);
  expect(a % 64).toBe(0);
  slab.free(0, b);
  slab.free(0, a);
  expect([slab.allocate(0), slab.allocate(0)]).toEqual([a, b]);
});

test("CPUs allocate from slabs of their own, on their own socket's memory", () => {
  const machine = host();
  const slab = new SlabCache(machine, { name: "iova", objectBytes: 64, capacity: 1000 });
  const frames = [0, 1, 8].map((cpu) => slab.allocate(cpu) >>> 12);
  expect(new Set(frames).size).toBe(3);
  expect(machine.memory.home(slab.allocate(8) >>> 6)).toBe(1);
});

test("slab: live objects never overlap, whoever frees them, and none is lost (model: a set)", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 300 }), fc.array(step, { maxLength: 600 }), (objectBytes, steps) => {
      const slab = new SlabCache(host(), { name: "x", objectBytes, capacity: 700 });
      const live: number[] = [];
      for (const { cpu, allocate, pick } of steps) {
        if (allocate > 4 || live.length === 0) {
          const address = slab.allocate(cpu);
          expect(slab.lastCycles).toBeGreaterThan(0);
          expect(live.some((other) => Math.abs(other - address) < slab.objectBytes)).toBe(false);
          live.push(address);
        } else slab.free(cpu, live.splice(pick % live.length, 1)[0]);
        expect(slab.live).toBe(live.length);
      }
      for (const address of live) slab.free(3, address);
      expect(slab.live).toBe(0);
    }),
    { seed: 5, numRuns: 40 },
  );
});

test("slab: every object of the capacity can be had, and one too many or a foreign address is refused", () => {
  const slab = new SlabCache(host(), { name: "full", objectBytes: 64, capacity: 64 });
  const all = Array.from({ length: 64 }, () => slab.allocate(0));
  expect(new Set(all).size).toBe(64);
  expect(() => {
    for (let i = 0; i < 64 * 40; i++) slab.allocate(0);
  }).toThrow(/"full" is full/);
  expect(() => slab.free(0, 12)).toThrow(/no live object/);
  slab.free(0, all[0]);
  expect(() => slab.free(0, all[0])).toThrow(/no live object/);
  expect(() => new SlabCache(host(), { name: "big", objectBytes: 5000, capacity: 1 })).toThrow(/5000 bytes/);
});

test("frames: no frame is handed out twice, all can be had, one too many is refused (model: a set)", () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 500 }), (steps) => {
      const frames = new FrameAllocator(host(), "frames", 1200);
      const live = new Set<number>();
      for (const { cpu, allocate, pick } of steps) {
        if (allocate > 4 || live.size === 0) {
          const address = frames.allocate(cpu);
          expect(address % 4096).toBe(0);
          expect(live.has(address)).toBe(false);
          live.add(address);
        } else {
          const address = [...live][pick % live.size];
          frames.free(cpu, address);
          live.delete(address);
        }
      }
    }),
    { seed: 6, numRuns: 30 },
  );
  const few = new FrameAllocator(host(), "few", 40);
  for (let i = 0; i < 40; i++) few.allocate(0);
  expect(() => few.allocate(0)).toThrow(/"few" has no frame left of 40/);
  expect(() => few.free(0, 1)).toThrow(/no frame/);
});

test("clearing a frame writes its 64 lines", () => {
  const machine = host();
  const frames = new FrameAllocator(machine, "frames", 10);
  const address = frames.allocate(0);
  frames.zero(0, address);
  expect(frames.zero(0, address)).toBe(64);
  expect(machine.lineState(address + 4095).mesi[0]).toBe("M");
});
