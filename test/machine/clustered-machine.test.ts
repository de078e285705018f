import { describe, expect, it } from "vitest";
import {
  ClusteredMachine,
  ContendedLine,
  largePresetNames,
  MachineConfigError,
  machineConfig,
  makeMachine,
} from "../../src/machine/index.js";
import { published } from "../support/facts.js";
import { fc } from "../support/property.js";

const rome = machineConfig(published, "rome");
const milan = machineConfig(published, "milan");

/** A line of its own. */
function machineWithLine(config = rome): { machine: ClusteredMachine; line: number } {
  const machine = new ClusteredMachine(config);
  return { machine, line: machine.region({ name: "line", bytes: 64, home: 0 }).base };
}

/** What an access costs by the rules as they are said, where no cache ever overflows. */
class Naive {
  owner = -1;
  dirty = false;
  sharers = new Set<number>();
  inL3 = new Set<number>();
  constructor(private readonly c: typeof rome) {}

  private cluster(core: number): number {
    return Math.floor(core / (this.c.coresPerSocket / this.c.clustersPerSocket!));
  }

  private far(a: number, b: number): "cluster" | "socket" | "beyond" {
    if (a === b) return "cluster";
    return Math.floor(a / this.c.clustersPerSocket!) === Math.floor(b / this.c.clustersPerSocket!)
      ? "socket"
      : "beyond";
  }

  private fetch(core: number): number {
    const { c } = this;
    const here = this.cluster(core);
    if (this.owner >= 0) {
      const distance = this.far(here, this.cluster(this.owner));
      if (distance === "cluster") return c.dirtySameSocketCycles;
      return distance === "socket" ? c.otherClusterCycles! : c.dirtyCrossSocketCycles;
    }
    if (this.inL3.has(here)) return c.l3Cycles;
    if ([...this.inL3].some((other) => this.far(here, other) === "socket")) return c.otherClusterCycles!;
    if (this.inL3.size > 0) return this.dirty ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
    return core < c.coresPerSocket ? c.dramLocalCycles : c.dramRemoteCycles;
  }

  read(core: number): number {
    if (this.sharers.has(core)) return this.c.l1Cycles;
    const cost = this.fetch(core);
    const alone = this.owner < 0 && this.sharers.size === 0 && this.inL3.size === 0;
    if (this.owner >= 0) this.inL3.add(this.cluster(this.owner));
    this.owner = alone ? core : -1;
    this.sharers.add(core);
    this.inL3.add(this.cluster(core));
    return cost;
  }

  write(core: number): number {
    const { c } = this;
    let cost = c.storeHitCycles;
    if (this.owner !== core) {
      cost = this.sharers.has(core) ? c.l3Cycles : this.fetch(core);
      for (const other of this.sharers) {
        if (other === core) continue;
        const distance = this.far(this.cluster(core), this.cluster(other));
        const gone = { cluster: c.cleanSnoopCycles, socket: c.otherClusterCycles!, beyond: c.cleanCrossSocketCycles };
        cost = Math.max(cost, gone[distance]);
      }
    }
    this.owner = core;
    this.dirty = true;
    this.sharers = new Set([core]);
    this.inL3 = new Set([this.cluster(core)]);
    return cost;
  }
}

describe("a machine with clusters", () => {
  it("charges what the rules say, for any order of reads and writes", () => {
    const access = fc.record({ core: fc.integer({ min: 0, max: 127 }), writes: fc.boolean() });
    fc.assert(
      fc.property(fc.array(access, { maxLength: 60 }), (accesses) => {
        const { machine, line } = machineWithLine();
        const naive = new Naive(rome);
        for (const { core, writes } of accesses)
          expect(writes ? machine.write(core, line) : machine.read(core, line)).toBe(
            writes ? naive.write(core) : naive.read(core),
          );
      }),
      { numRuns: 60, seed: 5 },
    );
  });

  it("passes a line on as fast as was published: within a CCX, between two, across sockets (calibrations)", () => {
    const oneWay = (config: typeof rome, a: number, b: number): number => {
      const { machine, line } = machineWithLine(config);
      machine.atomic(a, line);
      machine.atomic(b, line);
      return machine.atomic(a, line) / config.gigahertz;
    };
    const [, sameCcx, otherCcx, rest] = published.numbers("MH3");
    expect(oneWay(rome, 0, 3)).toBeCloseTo(sameCcx, 0);
    expect(oneWay(rome, 0, 4)).toBeCloseTo(otherCcx, 0);
    expect(Math.abs(oneWay(rome, 0, 64) - rest)).toBeLessThan(1);
    const [, ccx, other, cross] = published.numbers("MH2");
    expect([oneWay(milan, 0, 7), oneWay(milan, 0, 8), oneWay(milan, 0, 48)].map(Math.round)).toEqual(
      [ccx, other, cross].map(Math.round),
    );
  });

  it("keeps a line in the L1, the L2 or the L3 by what its core has used since", () => {
    const { machine, line } = machineWithLine();
    const many = machine.region({ name: "many", bytes: 2 << 20, home: 0 }).base;
    const readMany = (count: number): void => {
      for (let i = 0; i < count; i++) machine.read(0, many + i * 64);
    };
    machine.read(0, line);
    readMany(100);
    expect(machine.read(0, line)).toBe(rome.l1Cycles);
    readMany(700);
    expect(machine.read(0, line)).toBe(rome.l2Cycles);
    readMany(20_000);
    expect(machine.read(0, line)).toBe(rome.l3Cycles);
    // The other work's ring pushes out no more than its own size.
    machine.touchFootprint(0, 100_000);
    expect(machine.read(0, line)).toBe(rome.l3Cycles);
    expect(new ClusteredMachine({ ...rome, footprintLines: 600 }).touchFootprint(0, 100_000)).toBeGreaterThan(0);
  });

  it("a line that was written and left its core's caches is the L3's, and the device's write takes it from all", () => {
    const { machine, line } = machineWithLine();
    machine.write(5, line);
    machine.touchFootprint(5, 100_000);
    expect(machine.read(4, line)).toBe(rome.l3Cycles);
    machine.deviceWrite(line);
    expect(machine.read(4, line)).toBe(rome.dramLocalCycles);
    machine.flush(line);
    expect(machine.read(70, line)).toBe(rome.dramRemoteCycles);
  });

  it("overlaps the lines of an ascending run where a prefetcher is set, within a page, and nothing else", () => {
    const cost = (streamedLines: number | undefined, order: readonly number[], written = true): number[] => {
      const machine = new ClusteredMachine({ ...rome, streamedLines });
      const { base } = machine.region({ name: "table", bytes: 16_384, home: 0 });
      if (written) for (let i = 0; i < 256; i++) machine.write(1, base + i * 64);
      else for (let i = 0; i < 256; i++) machine.deviceWrite(base + i * 64);
      const start = base / 64;
      return order.map((i) => machine.read(0, (start + ((64 - (start % 64)) % 64) + i) * 64));
    };
    const { dirtySameSocketCycles: whole, l2Cycles } = rome;
    expect(cost(4, [0, 1, 2, 3])).toEqual([whole, ...Array(3).fill(Math.max(l2Cycles, Math.round(whole / 4)))]);
    expect(cost(64, [0, 1, 2])).toEqual([whole, l2Cycles, l2Cycles]);
    // Two runs at a time; a page's end; downwards; what a device wrote; and none of it without a prefetcher.
    expect(cost(64, [0, 32, 1, 33])).toEqual([whole, whole, l2Cycles, l2Cycles]);
    expect(cost(64, [63, 64, 65])).toEqual([whole, whole, l2Cycles]);
    expect(cost(64, [3, 2, 1])).toEqual([whole, whole, whole]);
    expect(new Set(cost(64, [0, 1, 2], false)).size).toBe(1);
    for (const none of [undefined, 1]) expect(cost(none, [0, 1, 2])).toEqual([whole, whole, whole]);
  });

  it("has one home for a contended line: accesses from afar are served one after another", () => {
    const { machine, line } = machineWithLine();
    const contended = new ContendedLine(machine, line);
    const done = Array.from({ length: 16 }, (_, i) => contended.atomic(i * 8, 0));
    for (let i = 1; i < 16; i++) expect(done[i] - done[i - 1]).toBeGreaterThanOrEqual(rome.otherClusterCycles!);
  });

  it("refuses what is no machine, naming field and value", () => {
    const made = (change: Partial<typeof rome>) => () => new ClusteredMachine({ ...rome, ...change });
    expect(made({ coresPerSocket: 96, clustersPerSocket: 12 })).toThrow(/coresPerSocket: got 96, accepts at most 64/);
    expect(made({ clustersPerSocket: 5 })).toThrow(/clustersPerSocket: got 5, accepts a divisor of the 64 cores/);
    expect(made({ deviceSocket: 2 })).toThrow(MachineConfigError);
    const { machine } = machineWithLine();
    expect(() => machine.core(128)).toThrow(/no CPU 128.*0 to 127/);
    expect(() => machine.region({ name: "far", bytes: 64, home: 2 })).toThrow(/home 2 is not a socket/);
  });

  it.each(largePresetNames)("%s is a host of data/hardware, with clusters", (name) => {
    const machine = makeMachine(machineConfig(published, name));
    expect(machine).toBeInstanceOf(ClusteredMachine);
    expect(machine.cores).toBeGreaterThanOrEqual(48);
  });
});
