import { describe, expect, it } from "vitest";
import { allocatorReports, type ReportRow } from "../../src/experiments/index.js";
import { published } from "../support/facts.js";

const rows = (report: string, requests = 600): Record<string, ReportRow> => {
  const config = allocatorReports.schema().parse({ reports: [report], requests });
  const all = allocatorReports.points(config).flatMap((point) => allocatorReports.simulate(point));
  return Object.fromEntries(all.map((row) => [row.role, row]));
};

describe("the public reports", () => {
  it("full below 4 GiB: every request of the 64-bit device searches all of it, until 6.6 gives that up after one", () => {
    const { fault, cure } = rows("full below 4 GiB");
    expect([fault.slow, cure.slow]).toEqual([50, expect.closeTo(0.08, 1)]);
    expect(fault.worst).toBeGreaterThan(2000);
    expect([fault.failed, cure.failed]).toEqual([0, 0]);
  });

  it("above the largest cached size: 64 pages take the tree's lock each time and search, 32 pages hardly ever", () => {
    const { fault, cure } = rows("above the largest cached size");
    expect(fault.treeLocks).toBe(1);
    expect(cure.treeLocks).toBeLessThan(0.05);
    expect(cure.hits).toBeGreaterThan(95);
    expect(fault.visits).toBeGreaterThan(20);
  });

  it("the retry of 5.11: what the first pass skipped is searched again, and no request gets more for it", () => {
    const { fault, cure } = rows("the retry of 5.11", 2000);
    expect(fault.visits).toBeGreaterThan(1.2 * cure.visits);
    expect([fault.failed, cure.failed]).toEqual([0, 0]);
  });

  it("mapped here, unmapped there: a bounded depot sends half of a burst to the tree", () => {
    const { fault, cure } = rows("mapped here, unmapped there");
    expect(fault.treeLocks).toBeGreaterThan(10 * cure.treeLocks);
    expect(cure.hits).toBeGreaterThan(95);
  });

  it("one late unmap: half of 1,000 allocations walk over everything below", () => {
    const { fault, cure } = rows("one late unmap", 1000);
    expect([fault.maps, fault.slow, fault.worst]).toEqual([1000, 50, 2000]);
    expect(cure.slow).toBe(0);
    expect(cure.hits).toBeGreaterThan(99);
  });

  it("name records that there are, give the same rows for the same seed, and refuse what is no report", () => {
    const config = allocatorReports.schema().parse({ reports: ["the retry of 5.11"], requests: 100 });
    for (const point of allocatorReports.points(config)) {
      const [row] = allocatorReports.simulate(point);
      for (const id of row.records.split(", ").filter(Boolean)) expect(published.record(id).id).toBe(id);
      expect(allocatorReports.simulate(point)).toEqual([row]);
    }
    expect(allocatorReports.schema().safeParse({ reports: ["slow"] }).success).toBe(false);
  });

  it("draw a figure of all of them", () => {
    const run = allocatorReports.run({ requests: 100, reports: ["one late unmap"] });
    return expect(Promise.resolve(run).then((done) => done.figure("visits").data.length)).resolves.toBe(2);
  });
});
