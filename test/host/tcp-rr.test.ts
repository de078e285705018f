import { describe, expect, it } from "vitest";
import { hostRunDefaults, simulateHost } from "../../src/host/index.js";
import { published } from "../support/facts.js";

const small = {
  ...hostRunDefaults(published),
  staticMaps: 200,
  rxRing: 64,
  stackLines: 16,
  cores: 2,
  threads: 20,
  warmup: 100,
  transactions: 400,
};

describe("TCP_RR", () => {
  it("runs on a host's cores, and on no more of them than it has", () => {
    for (const [machine, cores] of [
      ["sandy-bridge-ep", 17],
      ["westmere-ep", 13],
      ["sandy-bridge-ep", 0],
    ] as const)
      expect(() => simulateHost({ ...small, machine, cores }, published)).toThrow(
        /cores: .* the 1[26] cores of .*; got/,
      );
  });

  it("a connection's packets arrive at its thread's core, or anywhere: as many transactions, and every buffer back", () => {
    const [steered, hashed] = (["steered", "hashed"] as const).map((flows) =>
      simulateHost({ ...small, cores: 4, flows, variant: "strict" }, published),
    );
    expect(hashed.throughput).not.toBe(steered.throughput);
    expect(Math.abs(hashed.throughput / steered.throughput - 1)).toBeLessThan(0.2);
    expect(hashed.counts.strayUnmaps + hashed.counts.failedMaps).toBe(0);
  });

  it("maps as often as the profile and the maps a transaction say", () => {
    for (const [profile, expected] of [
      ["both", 2],
      ["transmit", 1],
      ["receive", 1],
    ] as const) {
      const { counts, transactions } = simulateHost({ ...small, profile }, published);
      expect(Math.abs(counts.maps / transactions - expected), profile).toBeLessThan(0.2);
      expect(Math.abs(counts.unmaps / transactions - expected), profile).toBeLessThan(0.2);
    }
    const { counts, transactions } = simulateHost({ ...small, rxMaps: 0.5, txMaps: 3 }, published);
    expect(Math.abs(counts.maps / transactions - 3.5)).toBeLessThan(0.35);
  });

  it("with one thread is bound by the peer: a transaction takes the stack's work and the way to the peer and back", () => {
    const { throughput, parts } = simulateHost(
      { ...small, variant: "off", threads: 1, interruptGapMicroseconds: 0 },
      published,
    );
    expect(Math.abs(1e6 / throughput / (16.15 + 40) - 1)).toBeLessThan(0.03);
    expect(parts.waiting).toBeGreaterThan(0.8);
  });

  it("with idle cores without an IOMMU runs at the link's published rate, and the link is no limit for what is slower", () => {
    const host = { ...hostRunDefaults(published), warmup: 500, transactions: 1000 };
    const off = simulateHost({ ...host, variant: "off", offIdle: 0.2 }, published);
    expect(off.throughput / published.number("PE1")).toBeCloseTo(1, 2);
    expect(off.parts.waiting).toBeGreaterThan(0.15);
    const [busy, idle] = [0, 0.2].map((offIdle) => simulateHost({ ...host, offIdle, variant: "deferred" }, published));
    expect(idle.parts.waiting).toBeLessThan(0.01);
    expect(idle.throughput).toBeGreaterThan(0.95 * busy.throughput);
  });

  it("work beyond what is modelled slows what maps, and not what does not", () => {
    const run = (variant: string, otherWork: number) =>
      simulateHost({ ...small, variant, otherWork }, published).throughput;
    expect(run("off", 0.1)).toBe(run("off", 0));
    expect(run("magazines-deferred", 0.1)).toBeLessThan(0.95 * run("magazines-deferred", 0));
  });

  it("keeps every buffer's account: what is live at the end is the drivers' and what is in flight", () => {
    const result = simulateHost({ ...small, variant: "strict" }, published);
    const rings = 4; // two queues, a ring each way, mapped at boot beside the buffers
    const resident = small.staticMaps + rings + 2 * small.rxRing;
    expect(result.liveMaps).toBeGreaterThanOrEqual(resident - 2 * 64);
    expect(result.liveMaps).toBeLessThanOrEqual(resident + small.threads);
  });

  it("page table and allocator agree at the end of every kind of run: each live range has its entries, and no other", () => {
    for (const variant of ["strict", "deferred", "thread-deferred", "merged-strict", "pools-4"]) {
      const { allocator, liveMaps, stale } = simulateHost({ ...small, variant }, published);
      // A range that waits for its flush has no entries any more, but is still allocated; one core may be in the middle of a map or unmap.
      const waiting = variant.includes("deferred") ? stale.maxLive : 0;
      const inFlight = small.cores;
      expect(allocator!.live - liveMaps, variant).toBeGreaterThanOrEqual(-inFlight - 60);
      expect(allocator!.live - liveMaps, variant).toBeLessThanOrEqual(waiting + inFlight);
    }
  });

  it("aged rings give what fresh ones come to after long traffic, and fresh ones do not", () => {
    // Rings of 128: a turn is 2,048 transactions.
    const host = {
      ...hostRunDefaults(published),
      variant: "merged-deferred",
      slices: 1,
      staticMaps: 2048,
      rxRing: 128,
    };
    const long = simulateHost({ ...host, agedTurns: 0, warmup: 8000, transactions: 4000 }, published).throughput;
    const aged = simulateHost(
      { ...host, agedTurns: 1, warmup: 500, transactions: 2000, seed: 2 },
      published,
    ).throughput;
    const fresh = simulateHost(
      { ...host, agedTurns: 0, warmup: 500, transactions: 2000, seed: 2 },
      published,
    ).throughput;
    expect(Math.abs(aged / long - 1)).toBeLessThan(0.03);
    expect(fresh / long - 1).toBeGreaterThan(0.06);
  });

  it("two-page buffers, shuffled completions and holes change no invariant", () => {
    for (const change of [{ twoPageShare: 0.35 }, { shuffleCompletions: true }, { holes: 0.2 }]) {
      const { counts, parts } = simulateHost({ ...small, ...change, variant: "strict" }, published);
      expect(counts.failedMaps + counts.strayUnmaps).toBe(0);
      expect(Object.values(parts).reduce((a, b) => a + b, 0)).toBeCloseTo(1, 9);
    }
  });
});
