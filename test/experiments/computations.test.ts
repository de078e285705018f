import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { exactJson, fromExactJson } from "../../src/experiments/frame/exact-json.js";
import { computations, fitTable, recordingReport } from "../../src/experiments/index.js";
import { type Basis, basisOf, Facts } from "../../src/facts/index.js";
import { Direction, Kind, type Trace, TraceBuilder } from "../../src/recordings/index.js";
import { PointStore } from "../../src/sweep/index.js";
import { fc } from "../support/property.js";

const folder = mkdtempSync(join(tmpdir(), "computations-"));
afterAll(() => rmSync(folder, { recursive: true }));

function made(pages: number): Trace {
  const builder = new TraceBuilder();
  const device = builder.device("0000:05:00.0", "nvme", "");
  for (let i = 0; i < 300; i++) {
    const at = { cpu: i % 2, context: 0, device, iovaPfn: 1000 + (i % 50) * pages };
    const what = { pages, bytes: 4096 * pages, direction: Direction.toDevice, kind: Kind.page, paddrPfn: i };
    builder.map({ ...at, ...what, timeNs: 2 * i * 1000 });
    builder.unmap({ ...at, timeNs: (2 * i + 1) * 1000 });
  }
  const about = { name: "made", title: "", source: "", kernel: "", mode: "unknown", clock: "ns", caveats: [] } as const;
  return builder.build({ ...about, caveats: [] });
}

/** Counts what a store was asked for and what it had. */
class Counted extends PointStore {
  found = 0;
  missed = 0;

  override get(...asked: Parameters<PointStore["get"]>): ReturnType<PointStore["get"]> {
    const rows = super.get(...asked);
    if (rows) this.found++;
    else this.missed++;
    return rows;
  }
}

describe("what is remembered beside points", () => {
  it("comes back from its text as it was", () => {
    const value = fc.anything({
      values: [fc.double(), fc.string(), fc.boolean(), fc.constant(undefined), fc.constant(null)],
      withNullPrototype: false,
    });
    fc.assert(
      fc.property(value, (one) => {
        fc.pre(!/"#"|__proto__/.test(JSON.stringify(one) ?? ""));
        expect(fromExactJson(exactJson(one))).toStrictEqual(one);
      }),
      { numRuns: 500, seed: 20251127 },
    );
  });

  it("is a recording's report: found again for the same recording and options, and the same to the last bit", async () => {
    const basis = basisOf(Facts.published());
    const options = { stretches: 2, operations: 100, ways: ["deferred", "pass-through"] };
    const computed = await recordingReport(made(1), { ...options, remembered: false }, basis);
    const store = new Counted(folder, { code: "0".repeat(20) });
    for (let time = 0; time < 2; time++)
      expect(await recordingReport(made(1), { ...options, remembered: store }, basis)).toStrictEqual(computed);
    expect([store.found, store.missed]).toEqual([1, 1]);
    await recordingReport(made(2), { ...options, remembered: store }, basis);
    await recordingReport(made(1), { ...options, operations: 101, remembered: store }, basis);
    expect([store.found, store.missed]).toEqual([1, 3]);
  });

  it("is the page sizes' fits: a second basis finds them where the process offers points", () => {
    const place = Symbol.for("iommu-lab.points");
    const rows = (basis: Basis) => fitTable(basis).objects();
    const computed = rows(basisOf(Facts.published()));
    const store = new Counted(folder, { code: "1".repeat(20) });
    Object.defineProperty(globalThis, place, { value: { latest: store }, configurable: true });
    try {
      for (let time = 0; time < 2; time++) expect(rows(basisOf(Facts.published()))).toStrictEqual(computed);
    } finally {
      Reflect.deleteProperty(globalThis, place);
    }
    expect([store.found, store.missed]).toEqual([1, 1]);
    expect(new Set(computations.map(({ name }) => name)).size).toBe(computations.length);
  });
});
