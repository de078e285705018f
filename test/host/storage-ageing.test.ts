import { describe, expect, it } from "vitest";
import { Streams } from "../../src/engine/index.js";
import { ageStorage, hostRunDefaults, type IoLoad, type StorageAgeing, simulateIo } from "../../src/host/index.js";
import { dma32Pfn, Rcache6Allocator, rulesOf } from "../../src/iova/index.js";
import { published } from "../support/facts.js";

/** Lets a load go over an allocator of a release; the samples, and the allocator. */
function aged(release: string, change: Partial<StorageAgeing> = {}, options: { trusting?: boolean } = {}) {
  const hook = { onArm: (_bin: number) => {} };
  const load: StorageAgeing = {
    requests: 60_000,
    rate: 600_000,
    depth: 256,
    spell: 10_000,
    sizes: [1],
    cores: 24,
    completions: 8,
    limit: dma32Pfn,
    lowFirst: "until it fails",
    ring: 0,
    ...change,
  };
  const allocator = new Rcache6Allocator({
    ...rulesOf(release),
    ...options,
    cpus: load.cores,
    onArm: (bin) => hook.onArm(bin),
  });
  const at = [load.requests / 4, load.requests];
  return { allocator, ...ageStorage(allocator, load, new Streams(1).stream("ageing"), hook, at) };
}

describe("an allocator that a storage load has aged", () => {
  it("lost nothing: every range went back, and what the tree holds lies in the caches", () => {
    for (const release of ["5.15", "6.18"]) {
      const { allocator } = aged(release);
      const { live, nodes, cached } = allocator.statistics();
      expect([live, nodes], release).toEqual([0, cached]);
    }
  });

  it("has a full depot where other CPUs complete than submit, and none where the same do", () => {
    const [, there] = aged("6.18").samples;
    const [, here] = aged("6.18", { completions: "same", depth: 32 }).samples;
    expect(there.depots).toBeGreaterThan(5);
    expect(here.depots).toBe(0);
    expect(there.nodes).toBeGreaterThan(here.nodes);
  });

  it("takes the tree's lock more often for a depot with a bound than for one without", () => {
    const change = { cores: 96, requests: 200_000 };
    const [, bounded] = aged("5.15", change).samples;
    const [, open] = aged("6.18", change).samples;
    expect(bounded.treeLocks).toBeGreaterThan(3 * open.treeLocks);
    expect(open.depots).toBeGreaterThan(32);
    expect(bounded.depots).toBeLessThanOrEqual(32);
  });

  it("is the same where the allocator takes the caller's word, which is the fast way", () => {
    for (const ring of [0, 255]) {
      const slow = aged("6.18", { sizes: [1, 2, 4], ring });
      const fast = aged("6.18", { sizes: [1, 2, 4], ring }, { trusting: true });
      expect(fast.samples).toEqual(slow.samples);
      expect(fast.allocator.statistics().cached).toBe(slow.allocator.statistics().cached);
    }
  });

  it("is searched twice from 5.11 on where the caches of 96 CPUs use up the addresses below 4 GiB, and not where there are 24", () => {
    const load = {
      sizes: [1, 2, 4, 8, 16, 32, 64, 124],
      spell: 30_000,
      depth: 170,
      requests: 200_000,
      completions: 16,
      limit: 0xf_ffff_ffff_ffff,
      lowFirst: "always" as const,
    };
    const visits = (release: string, cores: number): number =>
      aged(release, { ...load, cores }, { trusting: true }).samples[1].visits;
    expect(visits("5.12", 96) / visits("5.10", 96)).toBeGreaterThan(1.2);
    expect(visits("5.12", 24)).toBe(visits("5.10", 24));
  });

  it("begins a run on the machine with what it has become, and the same run again gives the same", () => {
    const load: IoLoad = {
      workNs: 1000,
      segments: 1,
      segmentPages: 1,
      mapping: "list",
      premapped: 0,
      depth: 64,
      deviceNs: 10_000,
      completions: 2,
      permission: 2,
      aged: { requests: 30_000, rate: 600_000, spell: 3000, sizes: [1], depth: 256 },
    };
    const run = {
      ...hostRunDefaults(published),
      machine: "milan",
      variant: "v6.18-strict",
      cores: 6,
      staticMaps: 0,
      lock: "queued" as const,
      warmup: 60,
      transactions: 200,
    };
    const result = simulateIo(run, load, published);
    expect(result.depotsAtStart).toBeGreaterThan(2);
    expect(simulateIo(run, load, published)).toEqual(result);
    const { aged: _, ...fresh } = load;
    expect(simulateIo(run, fresh, published).depotsAtStart).not.toBe(result.depotsAtStart);
  });

  it("carries no more than its link does, and leaves cores idle then", () => {
    const load: IoLoad = {
      workNs: 1000,
      segments: 1,
      segmentPages: 1,
      mapping: "list",
      premapped: 0,
      depth: 32,
      deviceNs: 10_000,
      completions: "same",
      permission: 2,
      link: { gbps: 10, bytes: 4096 },
    };
    const run = {
      ...hostRunDefaults(published),
      machine: "milan",
      variant: "pass-through",
      cores: 4,
      staticMaps: 0,
      lock: "queued" as const,
      warmup: 200,
      transactions: 1000,
    };
    const { rate, parts } = simulateIo(run, load, published);
    expect((rate * 4096 * 8) / 1e9).toBeCloseTo(10, 1);
    expect(parts.waiting).toBeGreaterThan(0.8);
  });
});
