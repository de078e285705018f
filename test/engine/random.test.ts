import { quantileSorted } from "simple-statistics";
import { describe, expect, test } from "vitest";
import { type RandomStream, Streams, Xoshiro128 } from "../../src/engine/index.js";
import { fc } from "../support/property.js";

describe("xoshiro128++", () => {
  // First outputs of the authors' C program (xoshiro128plusplus.c, 2019) from the state 1, 2, 3, 4.
  test("gives the authors' numbers", () => {
    const generator = new Xoshiro128([1, 2, 3, 4]);
    expect(Array.from({ length: 10 }, () => generator.next() >>> 0)).toEqual([
      641, 1573767, 3222811527, 3517856514, 836907274, 4247214768, 3867114732, 1355841295, 495546011, 621204420,
    ]);
  });

  // The step is linear over GF(2): squaring its matrix n times steps by 2^n. This derives the published jump constants again.
  test.each([
    ["jump", 64],
    ["longJump", 96],
  ] as const)("%s moves by 2^%i draws", (method, power) => {
    let matrix = Array.from({ length: 128 }, (_, bit) => stepped(1n << BigInt(bit)));
    for (let i = 0; i < power; i++) matrix = matrix.map((column) => apply(matrix, column));
    fc.assert(
      fc.property(fc.array(fc.integer(), { minLength: 4, maxLength: 4 }), (words) => {
        fc.pre(words.some((word) => word !== 0));
        const generator = new Xoshiro128(words);
        generator[method]();
        expect(toBits(generator.state)).toBe(apply(matrix, toBits(Int32Array.from(words))));
      }),
      { numRuns: 20 },
    );
  });

  test("refuses a state of zeros", () => {
    expect(() => new Xoshiro128([0, 0, 0, 0])).toThrow("zero");
  });
});

function toBits(state: Int32Array): bigint {
  return state.reduceRight((bits, word) => (bits << 32n) | BigInt(word >>> 0), 0n);
}
function stepped(bits: bigint): bigint {
  const generator = new Xoshiro128([0, 1, 2, 3].map((i) => Number((bits >> BigInt(32 * i)) & 0xffffffffn)));
  generator.next();
  return toBits(generator.state);
}
function apply(matrix: bigint[], bits: bigint): bigint {
  let result = 0n;
  for (let i = 0; i < 128; i++) if ((bits >> BigInt(i)) & 1n) result ^= matrix[i];
  return result;
}

describe("streams", () => {
  test("are the same in whichever order they are made", () => {
    const names = ["arrivals", "service", "core 3"];
    const draws = (order: string[]) => {
      const streams = new Streams(42);
      const made = new Map(order.map((name) => [name, streams.stream(name)]));
      return names.map((name) => Array.from({ length: 20 }, () => made.get(name)?.uint32()));
    };
    expect(draws(names.toReversed())).toEqual(draws(names));
  });

  test("differ by seed, scope and name", () => {
    const first = (streams: Streams, name: string) => streams.stream(name).uint32();
    const all = [1, 2].flatMap((seed) =>
      ["a", "b", "ab"].flatMap((name) => [
        first(new Streams(seed), name),
        first(new Streams(seed).within("x"), name),
        first(new Streams(seed).within("x").within("a"), name),
      ]),
    );
    expect(new Set(all).size).toBe(all.length);
  });

  test("give these bytes on every engine", () => {
    const stream = new Streams(1).stream("golden");
    const draws = [
      stream.uint32(),
      stream.uniform(),
      stream.below(1000),
      stream.exponential(100),
      stream.normal(5, 2),
      stream.lognormal(0, 1),
      stream.geometric(0.01),
      stream.poisson(3),
      stream.poisson(300),
      stream.jump().uint32(),
      stream.longJump().uint32(),
    ];
    expect(draws).toMatchInlineSnapshot(`
      [
        1219639482,
        0.2381420860285297,
        909,
        105.26748132859952,
        2.309348593711581,
        1.894438258986809,
        90,
        4,
        281,
        2072205602,
        3326351583,
      ]
    `);
  });

  test.each([-1, 0.5, Number.NaN, 2 ** 53])("refuse the seed %s", (seed) => {
    expect(() => new Streams(seed)).toThrow("seed");
  });
});

/** Largest distance between the empirical and the true distribution function, times √n: above 1.95 once in 1,000. */
function kolmogorovSmirnov(values: number[], cdf: (x: number) => number): number {
  const sorted = values.toSorted((a, b) => a - b);
  const n = sorted.length;
  const distances = sorted.map((x, i) => Math.max(Math.abs(cdf(x) - i / n), Math.abs(cdf(x) - (i + 1) / n)));
  return Math.sqrt(n) * Math.max(...distances);
}

/** Chi-square of counts against probabilities, standardised: cells with fewer than 10 expected are put together. */
function chiSquare(counts: number[], probabilities: number[]): number {
  const n = counts.reduce((a, b) => a + b);
  let statistic = 0;
  let cells = 0;
  let restCount = n;
  let restExpected = n;
  for (const [i, p] of probabilities.entries()) {
    if (n * p < 10) continue;
    statistic += (counts[i] - n * p) ** 2 / (n * p);
    restCount -= counts[i];
    restExpected -= n * p;
    cells++;
  }
  if (restExpected > 10) {
    statistic += (restCount - restExpected) ** 2 / restExpected;
    cells++;
  }
  return (statistic - (cells - 1)) / Math.sqrt(2 * (cells - 1));
}

describe("distributions", () => {
  const n = 20_000;
  const sample = (draw: (stream: RandomStream) => number) => {
    const stream = new Streams(7).stream("sample");
    return Array.from({ length: n }, () => draw(stream));
  };
  const counted = (draw: (stream: RandomStream) => number, cells: number) => {
    const counts = new Array(cells).fill(0);
    for (const value of sample(draw)) if (value < cells) counts[value]++;
    return counts;
  };
  // Abramowitz and Stegun 7.1.26: error below 1.5e-7, far below what 20,000 values can tell.
  const normalCdf = (x: number) => {
    const t = 1 / (1 + (0.3275911 * Math.abs(x)) / Math.SQRT2);
    const tail =
      0.5 *
      t *
      (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429)))) *
      Math.exp((-x * x) / 2);
    return x > 0 ? 1 - tail : tail;
  };

  test("uniform, exponential, normal and lognormal follow their distribution functions", () => {
    expect(
      kolmogorovSmirnov(
        sample((s) => s.uniform()),
        (x) => x,
      ),
    ).toBeLessThan(1.95);
    expect(
      kolmogorovSmirnov(
        sample((s) => s.exponential(40)),
        (x) => 1 - Math.exp(-x / 40),
      ),
    ).toBeLessThan(1.95);
    expect(
      kolmogorovSmirnov(
        sample((s) => s.normal(3, 2)),
        (x) => normalCdf((x - 3) / 2),
      ),
    ).toBeLessThan(1.95);
    expect(
      kolmogorovSmirnov(
        sample((s) => s.lognormal(1, 0.5)),
        (x) => normalCdf((Math.log(x) - 1) / 0.5),
      ),
    ).toBeLessThan(1.95);
    // The bound can fail: a mean that is off by 3 % is seen.
    expect(
      kolmogorovSmirnov(
        sample((s) => s.exponential(41.2)),
        (x) => 1 - Math.exp(-x / 40),
      ),
    ).toBeGreaterThan(1.2);
  });

  test("geometric and Poisson follow their probabilities", () => {
    const range = (cells: number) => Array.from({ length: cells }, (_, k) => k);
    const factorial = (k: number) => range(k).reduce((product, i) => product * (i + 1), 1);
    expect(
      Math.abs(
        chiSquare(
          counted((s) => s.geometric(0.2), 60),
          range(60).map((k) => 0.2 * 0.8 ** k),
        ),
      ),
    ).toBeLessThan(4);
    for (const mean of [0.5, 4, 9.99, 10, 45]) {
      const probabilities = range(120).map((k) => (Math.exp(-mean) * mean ** k) / factorial(k));
      expect(
        Math.abs(
          chiSquare(
            counted((s) => s.poisson(mean), 120),
            probabilities,
          ),
        ),
      ).toBeLessThan(4);
    }
  });

  test("below(n) is unbiased and in range, up to 2^32", () => {
    expect(
      Math.abs(
        chiSquare(
          counted((s) => s.below(7), 7),
          new Array(7).fill(1 / 7),
        ),
      ),
    ).toBeLessThan(4);
    const large = sample((s) => s.below(2 ** 32)).sort((a, b) => a - b);
    expect(quantileSorted(large, 0.5) / 2 ** 32).toBeCloseTo(0.5, 1);
    expect(() => sample((s) => s.below(0))).toThrow("0");
  });

  test("a large Poisson mean keeps its mean and variance", () => {
    const values = sample((s) => s.poisson(1e6));
    const mean = values.reduce((a, b) => a + b) / n;
    const variance = values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (n - 1);
    expect(Math.abs(mean - 1e6)).toBeLessThan(4 * Math.sqrt(1e6 / n));
    expect(Math.abs(variance / 1e6 - 1)).toBeLessThan(4 * Math.sqrt(2 / n));
  });

  test("bad parameters are named", () => {
    const stream = new Streams(1).stream("x");
    expect(() => stream.geometric(0)).toThrow("0");
    expect(() => stream.poisson(-1)).toThrow("mean");
  });
});
