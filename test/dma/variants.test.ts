import { describe, expect, it } from "vitest";
import { variant, variants } from "../../src/dma/index.js";
import { type HostResult, hostRunDefaults, simulateHost } from "../../src/host/index.js";
import { published } from "../support/facts.js";

const small = {
  ...hostRunDefaults(published),
  cores: 4,
  threads: 40,
  staticMaps: 500,
  rxRing: 64,
  stackLines: 64,
  warmup: 150,
  transactions: 300,
};

/** One run of each variant, for all that is asked of it. */
const results = new Map<string, HostResult>();
function resultOf(name: string): HostResult {
  const known = results.get(name) ?? simulateHost({ ...small, variant: name }, published);
  results.set(name, known);
  return known;
}

describe("the variants of the DMA API", () => {
  it.each(variants.map((v) => v.name))("%s: the parts of every core's time sum to one", (name) => {
    const result = resultOf(name);
    const sum = Object.values(result.parts).reduce((a, b) => a + b, 0);
    expect(sum).toBeCloseTo(1, 9);
    expect(result.transactions).toBeGreaterThanOrEqual(300);
    expect(result.counts.failedMaps).toBe(0);
    expect(result.counts.strayUnmaps).toBe(0);
  });

  it("strict and its wordings leave nothing stale; deferred and lazy flush do", () => {
    for (const { name, policy } of variants) {
      const { stale } = resultOf(name);
      if (policy === "strict" || policy === "none") expect([name, stale.pages, stale.maxLive]).toEqual([name, 0, 0]);
      else expect(stale.maxLive, name).toBeGreaterThan(0);
    }
  });

  it("a deferred queue never holds more than its entries, nor longer than its timer and a tick", () => {
    const { stale, gigahertz, counts } = simulateHost(
      {
        ...small,
        variant: "deferred",
        threads: 1,
        profile: "receive",
        transactions: 900,
        warmup: 20,
      },
      published,
    );
    expect(stale.maxLive).toBeLessThanOrEqual(250);
    expect(counts.timerFlushes).toBeGreaterThan(0);
    expect(stale.maxWindow / (gigahertz * 1e6)).toBeGreaterThan(9);
    expect(stale.maxWindow / (gigahertz * 1e6)).toBeLessThan(11.5);
  });

  it("names the variants there are when asked for another", () => {
    expect(() => variant("fast")).toThrow(/"fast".*deferred/);
  });

  it("the same run gives the same bytes; another seed gives others", () => {
    const a = JSON.stringify(resultOf("deferred"));
    expect(JSON.stringify(simulateHost({ ...small, variant: "deferred" }, published))).toBe(a);
    expect(JSON.stringify(simulateHost({ ...small, variant: "deferred", seed: 2 }, published))).not.toBe(a);
  });
});
