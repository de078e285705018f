import { expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
import { Machine, type MachineConfig, machineConfig } from "../../src/machine/index.js";
import { published } from "../support/facts.js";
import { fc } from "../support/property.js";
import { ReferenceMachine } from "./reference.js";

type Access = { kind: "read" | "write" | "atomic" | "deviceRead" | "deviceWrite" | "flush"; cpu: number; line: number };

/** Small caches, so that a short stream fills and spills all of them; every cost differs, so that a wrong path shows. */
const small = (overrides: Partial<MachineConfig> = {}): MachineConfig =>
  machineConfig(published, "sandy-bridge-ep", {
    coresPerSocket: 3,
    l1KiB: 1,
    l1Ways: 4,
    l2KiB: 2,
    l2Ways: 4,
    l3KiB: 15,
    l3Ways: 5,
    l1Cycles: 4,
    l2Cycles: 12,
    l3Cycles: 30,
    cleanSnoopCycles: 43,
    dirtySameSocketCycles: 72,
    cleanCrossSocketCycles: 280,
    dirtyCrossSocketCycles: 309,
    ...overrides,
  });

const configs = fc.constantFrom(
  small(),
  small({ ddioWays: 0 }),
  small({ ddioWays: 5, deviceSocket: 1 }),
  small({ l1KiB: 2, l1Ways: 8, l2KiB: 2, l2Ways: 8, threadsPerCore: 1 }),
  small({ l1Ways: 1, l2Ways: 2 }),
  small({ sockets: 1 }),
  small({ l3Ways: 3, l3KiB: 9, l2Ways: 1, threadsPerCore: 1 }),
);

const access: fc.Arbitrary<Access> = fc.record({
  kind: fc.constantFrom("read", "read", "read", "write", "write", "atomic", "deviceRead", "deviceWrite", "flush"),
  cpu: fc.nat(11),
  // Mostly lines that fight for the same sets, so that every cache evicts.
  line: fc.oneof(
    fc.nat(23),
    fc.nat(40).map((i) => i * 16),
    fc.nat(699),
  ),
});

const touch = (m: Machine, base: number, a: Access): number => {
  const address = base + a.line * 64 + 8;
  if (a.kind === "deviceRead" || a.kind === "deviceWrite") return m[a.kind](address);
  if (a.kind === "flush") {
    m.flush(address);
    return 0;
  }
  return m[a.kind](a.cpu % m.cpus, address);
};

test("costs and contents equal the reference model's, no read is stale, one owner a line, inclusion and sizes hold", () => {
  fc.assert(
    fc.property(configs, fc.array(access, { minLength: 1, maxLength: 400 }), (config, stream) => {
      const m = new Machine(config);
      const { base } = m.region({ name: "data", bytes: 700 * 64, home: "interleaved" });
      const reference = new ReferenceMachine(config, (line) => Math.floor(line / 64) % config.sockets);
      for (const [i, a] of stream.entries()) {
        const cost = touch(m, base, a);
        const line = base / 64 + a.line;
        const expected =
          a.kind === "deviceRead" || a.kind === "deviceWrite" || a.kind === "flush"
            ? reference[a.kind](line)
            : reference[a.kind](a.cpu % m.cpus, line);
        if (cost !== expected) expect({ i, ...a, cost }).toEqual({ i, ...a, cost: expected });
      }
      for (const line of new Set(stream.map((a) => a.line))) {
        const s = m.lineState(base + line * 64);
        const n = base / 64 + line;
        const d = reference.entry(n);
        expect(s.l1).toEqual(reference.l1.flatMap((cache, core) => (cache.find(n) ? [core] : [])));
        expect(s.l2).toEqual(reference.l2.flatMap((cache, core) => (cache.find(n) ? [core] : [])));
        expect(s.l3).toEqual(reference.l3.flatMap((_, socket) => (reference.inL3(socket, n) ? [socket] : [])));
        expect(s.valid).toEqual([...d.valid].sort((x, y) => x - y));
        expect(s.memoryIsCurrent).toBe(!d.modified && !d.l3Modified);
        const holders = s.mesi.filter((state) => state !== "I").length;
        const owners = s.mesi.filter((state) => state === "M" || state === "E").length;
        expect(owners).toBeLessThanOrEqual(1);
        if (owners === 1) expect(holders).toBe(1);
        for (const core of [...s.l1, ...s.l2]) {
          expect(s.l3).toContain(Math.floor(core / config.coresPerSocket));
          expect(s.valid).toContain(core);
        }
      }
      expect(m.count("memory-write")).toBe(reference.memoryWrites);
      for (const cache of reference.l1) expect(cache.largestSet()).toBeLessThanOrEqual(config.l1Ways);
      for (const cache of reference.l2) expect(cache.largestSet()).toBeLessThanOrEqual(config.l2Ways);
    }),
    { seed: 1, numRuns: 400 },
  );
});

test("touching a footprint equals reading its lines one by one", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.record({ cpu: fc.nat(11), lines: fc.nat(120), line: fc.nat(60) }), { maxLength: 30 }),
      (footprintLines, steps) => {
        const config = small({ footprintLines });
        const m = new Machine(config);
        const plain = new Machine(config);
        const data = { name: "data", bytes: 4096, home: 0 } as const;
        const base = m.region(data).base;
        plain.region(data);
        const rings = new Map<number, { base: number; next: number }>();
        for (const { cpu, lines, line } of steps) {
          const core = m.core(cpu);
          let ring = rings.get(core);
          if (!ring) {
            const home = Math.floor(core / 3);
            ring = { base: plain.region({ name: "ring", bytes: footprintLines * 64, home }).base, next: 0 };
            rings.set(core, ring);
          }
          let expected = 0;
          for (let i = 0; i < lines; i++) {
            expected += plain.read(cpu, ring.base + ring.next * 64);
            ring.next = (ring.next + 1) % footprintLines;
          }
          expect(m.touchFootprint(cpu, lines)).toBe(expected);
          expect(m.write(cpu, base + line * 64)).toBe(plain.write(cpu, base + line * 64));
        }
        for (const kind of ["l1", "l2", "l3", "dram-local", "write-back"] as const)
          expect(m.count(kind)).toBe(plain.count(kind));
      },
    ),
    { seed: 2, numRuns: 100 },
  );
});

test("the same holds on the full Sandy Bridge-EP for a long stream over shared and private lines", () => {
  const config = machineConfig(published, "sandy-bridge-ep");
  const m = new Machine(config);
  const lines = 30_000;
  const { base } = m.region({ name: "data", bytes: lines * 64, home: 0 });
  const reference = new ReferenceMachine(config, () => 0);
  const random = new Streams(3).stream("accesses");
  for (let i = 0; i < 80_000; i++) {
    // Half of the accesses go to 64 lines that all cores fight for, the rest to all lines.
    const line = random.chance(0.5) ? random.below(64) : random.below(lines);
    const cpu = random.below(m.cpus);
    const kind = random.chance(0.7) ? "read" : random.chance(0.7) ? "write" : "atomic";
    const cost = m[kind](cpu, base + line * 64);
    const expected = reference[kind](cpu, base / 64 + line);
    if (cost !== expected) expect({ i, kind, cpu, line, cost }).toEqual({ i, kind, cpu, line, cost: expected });
  }
  expect(m.count("cross-dirty")).toBeGreaterThan(1000);
  expect(m.count("upgrade-cross")).toBeGreaterThan(1000);
});
