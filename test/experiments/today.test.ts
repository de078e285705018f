import { describe, expect, it } from "vitest";
import { type TodayRow, today } from "../../src/experiments/index.js";

const rows = (input: Parameters<typeof today.parse>[0]): Record<string, TodayRow> => {
  const config = today.parse(input);
  return Object.fromEntries(
    today.points(config).flatMap((point) => today.simulate(point).map((row) => [row.policy, row])),
  );
};

describe("from 2015 to today", () => {
  it("lazy mapping of 6.18 costs 48 cores a few percent; strict of 6.18 most of it; page_pool half of that", () => {
    const of = rows({
      host: "cascade-lake-sp",
      cores: 48,
      policy: ["pass-through", "v6.18-lazy", "v6.18-strict", "v6.18-page-pool-strict"],
    });
    const share = (name: string): number => of[name].throughput / of["pass-through"].throughput;
    expect(share("v6.18-lazy")).toBeGreaterThan(0.85);
    expect(share("v6.18-strict")).toBeLessThan(0.3);
    expect(of["v6.18-strict"].lock).toBe("cache_lock");
    expect(share("v6.18-page-pool-strict") / share("v6.18-strict")).toBeGreaterThan(1.5);
    expect([of["v6.18-strict"].stalePages, of["pass-through"].memory]).toEqual([0, 0]);
    expect(of["v6.18-lazy"].stalePages).toBeGreaterThan(1000);
  });

  it("a pool a core is as fast as 6.18's lazy mode where 4 pools are not", () => {
    const of = rows({
      host: "rome",
      cores: [64],
      policy: ["pools-4-lazy", "pools-each-lazy", "v6.18-lazy"],
    });
    expect(of["pools-each-lazy"].throughput).toBeGreaterThan(0.9 * of["v6.18-lazy"].throughput);
    expect(of["pools-4-lazy"].throughput).toBeLessThan(0.8 * of["v6.18-lazy"].throughput);
  });

  it("leaves out cores that a host has not, and says so where none is left", () => {
    const config = today.parse({ host: ["graviton2", "rome"], cores: [96], policy: "off" });
    expect(today.points(config).map(({ run }) => run.machine)).toEqual(["rome"]);
    expect(() => today.points(today.parse({ host: "graviton2", cores: [96] }))).toThrow(
      /none of graviton2 has 96 cores/,
    );
    expect(() => today.parse({ host: "naples" } as never)).toThrow(/host.*accepts .*rome/s);
  });
});
