import { describe, expect, test } from "vitest";
import { ExposureMeter, NOBODYS, OWNER_READS, SOMEBODY_ELSES } from "../../src/host/exposure.js";
import { hostRunDefaults, simulateHost } from "../../src/host/index.js";
import { published } from "../support/facts.js";

describe("whose pages can be reached after their unmap", () => {
  test("a translation is followed from its unmap's return to its flush, from hand to hand", () => {
    const meter = new ExposureMeter([0, 15, 40, 100]);
    meter.unmaps(7, 700, 1, OWNER_READS);
    meter.began(7, 1000);
    meter.turned(700, 1, NOBODYS, 1010);
    meter.turned(700, 1, SOMEBODY_ELSES, 1030);
    meter.ended(7, 1090);
    expect(meter.report(2000)).toEqual({
      pages: 1,
      owner: 10,
      nobody: 20,
      other: 60,
      reachedOther: 1,
      longestOther: 60,
      touches: [
        { delay: 0, through: 1, owner: 1, other: 0 },
        { delay: 15, through: 1, owner: 0, other: 0 },
        { delay: 40, through: 1, owner: 0, other: 1 },
        { delay: 100, through: 0, owner: 0, other: 0 },
      ],
    });
  });

  test("a page that changes hands before its unmap, or after its flush, is nobody's business", () => {
    const meter = new ExposureMeter([0]);
    meter.turned(700, 1, SOMEBODY_ELSES, 5);
    meter.unmaps(7, 700, 1, NOBODYS);
    meter.began(7, 10);
    meter.ended(7, 20);
    meter.turned(700, 1, SOMEBODY_ELSES, 30);
    expect(meter.report(40)).toMatchObject({ pages: 1, nobody: 10, other: 0, reachedOther: 0 });
  });

  const exposure = (variant: string) => {
    const run = simulateHost(
      {
        ...hostRunDefaults(published),
        variant,
        cores: 2,
        threads: 40,
        rxRing: 256,
        staticMaps: 0,
        warmup: 300,
        transactions: 600,
        pages: "free lists",
        touchedAfterMicroseconds: [0, 100],
      },
      published,
    );
    return { ...run.exposure!, pinned: run.pinned!, throughput: run.throughput };
  };

  test("strict reaches nothing; deferred both kinds; strict-ish the owner's pages only; lazy pools for longest", () => {
    const [strict, deferred, held, lazy, open] = [
      "magazines-strict",
      "magazines-deferred",
      "strict-ish",
      "pools-4-lazy",
      "pass-through",
    ].map(exposure);
    expect([strict.owner, strict.other, strict.pages]).toEqual([0, 0, 0]);
    expect(deferred.owner).toBeGreaterThan(0);
    expect(deferred.reachedOther).toBeGreaterThan(0);
    expect(held.owner).toBeGreaterThan(0);
    expect([held.other, held.reachedOther]).toEqual([0, 0]);
    expect(held.pinned.most).toBeGreaterThan(0);
    expect([deferred.pinned.most, strict.pinned.most]).toEqual([0, 0]);
    expect(lazy.other / lazy.pages).toBeGreaterThan(deferred.other / deferred.pages);
    expect(open.touches[1].through).toBeGreaterThan(open.pages * 0.9);
    expect(open.reachedOther).toBeGreaterThan(0);
  });

  test.each([
    "one-to-one-strict",
    "one-to-one-swept",
  ])("dynamic 1:1, strict, reaches nothing either (%s)", (variant) => {
    expect(exposure(variant)).toMatchObject({ owner: 0, other: 0, pages: 0 });
  });
});
