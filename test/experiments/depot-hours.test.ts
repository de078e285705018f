import { describe, expect, it } from "vitest";
import { type DepotHoursRow, depotHours } from "../../src/experiments/index.js";

const rows = (input: Parameters<typeof depotHours.parse>[0]): DepotHoursRow[] =>
  depotHours.points(depotHours.parse(input)).flatMap((point) => depotHours.simulate(point));

describe("depots over hours", () => {
  it("without a bound stop growing at a magazine a CPU or so, and keep requests off the tree; with one they never do", () => {
    const all = rows({ hours: 0.03 });
    const last = (release: string) => all.filter((row) => row.release === release).at(-1) as DepotHoursRow;
    expect([last("5.15").requests, last("6.18").requests]).toEqual([1_080_000, 1_080_000]);
    expect(last("5.15").depotsMost).toBeLessThanOrEqual(32);
    expect(last("6.18").depotsMost).toBeGreaterThan(32);
    expect(last("6.18").depotsMost).toBeLessThan(2 * 96);
    expect(last("5.15").treeLocks).toBeGreaterThan(3 * last("6.18").treeLocks);
  });

  it("each row is the time since the one before, and the same run again gives the same", () => {
    const input = { hours: 0.02, release: "6.18", mode: "strict", load: "nvme", depth: 32 } as const;
    const all = rows(input);
    expect(all.map(({ requests }) => requests)).toEqual([100_000, 215_000, 464_000, 720_000]);
    expect(all.at(-1)?.hours).toBeCloseTo(0.02, 10);
    // Completed where they were submitted, one by one, they fill no depot, and less and less comes to the tree.
    expect(all.map(({ depots }) => depots)).toEqual([0, 0, 0, 0]);
    expect(all.at(-1)?.treeLocks).toBeLessThan(0.5);
    expect(rows(input)).toEqual(all);
  });

  it("says what it accepts", () => {
    expect(() => depotHours.parse({ release: "4.9" })).toThrow(/release: accepts a release from 4\.15/);
    expect(() => depotHours.parse({ sizeKiB: 256 })).toThrow(/sizeKiB/);
    expect(() => depotHours.parse({ hours: 1000, rate: 5_000_000 })).toThrow(/up to 10\^11 requests/);
  });
});
