import { describe, expect, test } from "vitest";
import { interval, ratioOf, repeat, said } from "./repeat.mjs";

describe("a benchmark", () => {
  test("is repeated until its interval is narrow, and says where it is not", async () => {
    const width = (values: number[]) => interval(values).half / interval(values).mean;
    const even = await repeat(async () => 2, width);
    expect(even).toEqual({ values: [2, 2, 2], enough: true });
    const settling = await repeat(async (i: number) => (i < 2 ? 2 + 0.1 * i : 2), width);
    expect(settling.enough).toBe(true);
    expect(settling.values.length).toBeGreaterThan(3);
    const wild = await repeat(async (i: number) => 1 + (i % 2), width, { most: 5 });
    expect(wild).toMatchObject({ enough: false, values: [1, 2, 1, 2, 1] });
  });

  test("compares what was measured in turns by the mean of the ratios' logarithms", () => {
    const { ratio, low, high } = ratioOf([
      [1, 0.5],
      [4, 2],
      [2, 1],
    ]);
    expect([ratio, low, high]).toEqual([0.5, 0.5, 0.5].map((value) => expect.closeTo(value, 12)));
    const wide = ratioOf([
      [1, 0.5],
      [1, 2],
      [1, 1],
    ]);
    expect(wide.ratio).toBeCloseTo(1, 12);
    expect(wide.low).toBeLessThan(0.3);
    expect(ratioOf([[1, 2]]).high).toBe(Number.POSITIVE_INFINITY);
  });

  test("calls the machine busy by what it does now, not by the load of the minute before", () => {
    expect(said(0, 1.2, 2)).toMatchObject({ tooBusy: false, text: expect.stringContaining("0.0 of 2 cores busy") });
    expect(said(1.1, 0.1, 2).tooBusy).toBe(true);
  });
});
