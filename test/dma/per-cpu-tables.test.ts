import { describe, expect, it } from "vitest";
import { variants } from "../../src/dma/index.js";
import { flushing } from "../../src/experiments/index.js";
import { basisOf } from "../../src/facts/index.js";
import type { Invalidation } from "../../src/iommu/index.js";
import { published } from "../support/facts.js";
import { domain } from "./domain.js";

const tick = 2_900_000;
const perCpu = variants.filter(({ policy }) => policy === "deferred-per-cpu").map(({ name }) => name);

describe("a flush table a CPU (v4.9)", () => {
  it.each(perCpu)("%s: a CPU's timer flushes its own table alone, a tick after its 10 ms", (name) => {
    const d = domain(name);
    d.map(0, 100, 1);
    d.map(1, 200, 1);
    d.unmap(0, d.mapped[0], 1);
    d.simulation.run({ until: d.simulation.now + 4 * tick });
    d.unmap(1, d.mapped[1], 1);
    const second = d.simulation.now;
    expect(d.api.deferred).toBe(2);
    d.simulation.run({ until: 10.9 * tick });
    expect(d.api.deferred).toBe(2);
    d.simulation.run({ until: 12.5 * tick });
    expect([d.api.counts.timerFlushes, d.api.deferred]).toEqual([1, 1]);
    d.simulation.run({ until: second + 12.5 * tick });
    expect([d.api.counts.timerFlushes, d.api.deferred]).toEqual([2, 0]);
  });

  it.each(perCpu)("%s: what is queued while a timer's flush is at work elsewhere has a timer, too", (name) => {
    const d = domain(name, { cores: 3 });
    const pfns: number[][] = [0, 1, 2].map((core) =>
      Array.from({ length: 6 }, (_, i) => {
        d.map(core, 1000 * core + 10 * i, 1);
        return d.mapped[core];
      }),
    );
    for (const core of [1, 2]) for (const pfn of pfns[core].slice(0, 4)) d.unmap(core, pfn, 1);
    // Until the timers' flushes are under way, and an unmap on a third core in the middle of them.
    while (d.api.counts.timerFlushes === 0) d.simulation.run({ maxEvents: 1 });
    for (let events = 0; events < 10; events++) d.simulation.run({ maxEvents: 1 });
    expect(d.api.deferred).toBeGreaterThan(0);
    const late = d.processes.begin("late", () => d.api.unmap(0, pfns[0][5], 1));
    d.simulation.run({ until: d.simulation.now + 30 * tick });
    expect([late.ended, d.api.deferred]).toEqual([true, 0]);
  });
});

describe("a device that caches translations", () => {
  it("strict-ish gives a page back only after the device has forgotten it", () => {
    const d = domain("strict-ish", { ats: true });
    const told: string[] = [];
    d.api.hardware = {
      invalidated: (what: Invalidation) => told.push(what.kind === "device" ? `device ${what.pfn}` : what.kind),
    };
    d.api.references!.released = (frame) => told.push(`page ${frame}`);
    const pfns = new Map<number, number>();
    for (let i = 0; i < 9; i++) {
      d.map(0, 1000 + i, 1);
      pfns.set(1000 + i, d.mapped[0]);
      d.unmap(0, d.mapped[0], 1);
    }
    expect(told.filter((one) => one.startsWith("page"))).toHaveLength(8);
    for (const [frame, pfn] of [...pfns].slice(0, 8))
      expect(told.lastIndexOf(`device ${pfn}`, told.indexOf(`page ${frame}`)), `page ${frame}`).toBeGreaterThan(
        told.indexOf("global"),
      );
  });

  it("leaves nothing behind under any way of mapping that flushes what it frees, however much it caches", () => {
    const names = [
      "magazines-strict",
      "flush-domain",
      "flush-ranges",
      "v5.15-lazy",
      "v6.18-strict",
      "v6.18-lazy",
      "pools-16-lazy",
    ];
    const settings = {
      variants: names,
      ats: [true],
      gbps: [10],
      cores: [1],
      replications: 1,
      deviceTlbEntries: 65_536,
    };
    const basis = basisOf(published);
    for (const point of flushing.points(flushing.parse(settings), basis)) {
      const [row] = flushing.simulate(point, basis);
      expect([row["variant"], row["stale"]]).toEqual([row["variant"], 0]);
      // New buffers miss in the card: nothing of those before them is found there.
      expect(row["bufferMisses"], String(row["variant"])).toBeGreaterThan(0.9);
    }
  });

  it("is refused where it is not simulated", () => {
    for (const name of ["v6.18-amd-lazy", "v6.18-smmu-strict"])
      expect(() => domain(name, { ats: true })).toThrow(new RegExp(`ats: true is not accepted for ${name}`));
  });
});
