import { expect, test } from "vitest";
import { ConfigError, type Ranges } from "../../src/experiments/index.js";
import { effectsFigure, latinHypercube, morrisDesign, morrisEffects } from "../../src/study/index.js";

const ranges: Ranges = {
  a: { low: 0, high: 1 },
  b: { low: 10, high: 20 },
  c: { low: -1, high: 1 },
  d: { low: 0, high: 3, whole: true },
};
type Values = Record<"a" | "b" | "c" | "d", number>;
const analyse = (f: (values: Values) => number, seed = 7) => {
  const design = morrisDesign(ranges, 12, seed);
  return morrisEffects(
    design,
    design.map(({ points }) => points.map((values) => f(values as Values))),
  );
};

test("a straight line gives its slopes times the ranges, exactly, and no spread", () => {
  const effects = analyse(({ a, b, c }) => 2 * a - 0.5 * b + 3 * c);
  expect(effects.map(({ parameter }) => parameter)).toEqual(["c", "b", "a", "d"]);
  const means = Object.fromEntries(effects.map(({ parameter, mean }) => [parameter, mean]));
  expect(means["c"]).toBeCloseTo(6, 9);
  expect(means["b"]).toBeCloseTo(-5, 9);
  expect(means["a"]).toBeCloseTo(2, 9);
  expect(means["d"]).toBe(0);
  for (const { spread } of effects) expect(spread).toBeLessThan(1e-9);
});

test("parameters that act together show a spread; one that acts both ways has a size but hardly a mean", () => {
  const product = analyse(({ a, c }) => a * c);
  expect(product.find(({ parameter }) => parameter === "a")?.spread).toBeGreaterThan(0.3);
  const valley = analyse(({ c }) => c * c).find(({ parameter }) => parameter === "c");
  expect(valley?.size.mean).toBeGreaterThan(0.5);
  expect(Math.abs(valley?.mean ?? 9)).toBeLessThan(valley?.size.mean ?? 0);
});

test("every trajectory moves every parameter once, one at a time, inside its range", () => {
  for (const { points, steps } of morrisDesign(ranges, 20, 3)) {
    expect(steps.map(({ parameter }) => parameter).toSorted()).toEqual(["a", "b", "c", "d"]);
    for (const point of points)
      for (const [name, value] of Object.entries(point)) {
        expect(value).toBeGreaterThanOrEqual(ranges[name].low);
        expect(value).toBeLessThanOrEqual(ranges[name].high);
      }
    for (let i = 1; i < points.length; i++)
      expect(Object.keys(ranges).filter((name) => points[i][name] !== points[i - 1][name])).toEqual([
        steps[i - 1].parameter,
      ]);
  }
});

test("a Latin hypercube meets each slice of each range once, and is the same for the same seed", () => {
  const points = latinHypercube(ranges, 16, 5);
  const slices = points.map(({ b }) => Math.floor(((b - 10) / 10) * 16));
  expect(slices.toSorted((x, y) => x - y)).toEqual(Array.from({ length: 16 }, (_, i) => i));
  expect([0, 1, 2, 3].map((value) => points.filter(({ d }) => d === value).length)).toEqual([4, 4, 4, 4]);
  expect(latinHypercube(ranges, 16, 5)).toEqual(points);
  expect(latinHypercube(ranges, 16, 6)).not.toEqual(points);
});

test("a range that is none is refused by name; the figure shows the largest effect first", () => {
  expect(() => latinHypercube({ x: { low: 2, high: 1 } }, 3, 1)).toThrow(
    "x: a range from a lower to a higher number; got 2 to 1.",
  );
  expect(() => morrisDesign({ x: { low: 0.5, high: 3, whole: true } }, 3, 1)).toThrow(ConfigError);
  const figure = effectsFigure(
    analyse(({ a }) => a),
    "depth",
    "levels",
  );
  const { ticktext, tickvals } = figure.layout["yaxis"] as { ticktext: string[]; tickvals: number[] };
  expect(ticktext[tickvals.indexOf(Math.max(...tickvals))]).toBe("a");
  expect((figure.data[0] as { x: number[] }).x[0]).toBeCloseTo(1, 9);
});
