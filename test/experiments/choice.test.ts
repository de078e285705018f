import { describe, expect, it } from "vitest";
import { type CapacityRow, choice, choices } from "../../src/experiments/index.js";

/** Rows of a host on which the ways carry so much. */
const rowsOf = (carried: Record<string, number>, assumption = "as assumed"): CapacityRow[] =>
  Object.entries(carried).map(([way, capacity]) => ({
    host: "any",
    way,
    cores: 16,
    assumption,
    capacity,
    unmapNs: 0,
    stalePages: 0,
    windowMean: 0,
    memory: 0,
    lock: "none",
    lockShare: 0,
  }));

describe("the table of choices", () => {
  const rows = rowsOf({
    "pass-through": 320,
    "2M pool": 318,
    lazy: 270,
    strict: 30,
    "two-step, strict": 250,
    bounce: 290,
  });
  const at = (trust: string, reuse: string, rate: number, everyWay = false) =>
    choices(rows, [rate], { everyWay }).find((cell) => cell.trust === trust && cell.reuse === reuse);

  it("leaves out what a device's trust forbids, and takes of the others the one that keeps the fewest cores busy", () => {
    expect(at("own", "none", 100)?.choose).toBe("pass-through");
    expect(at("guarded", "none", 100)?.choose).toBe("lazy");
    expect(at("hostile", "all", 100)?.choose).toBe("two-step, strict");
    expect(at("hostile", "all", 100)?.busyCores).toBeCloseTo((16 * 100) / 250, 6);
  });

  it("chooses a way that Linux has not only where it is asked to", () => {
    expect(at("hostile", "all", 100, true)?.choose).toBe("bounce");
    expect(at("hostile", "all", 100, true)?.otherwise).toBe("two-step, strict");
    expect(at("hostile", "all", 100)?.otherwise).toBe("strict");
  });

  it("prefers the safer of two that are as fast", () => {
    expect(at("own", "all", 100)?.choose).toBe("2M pool");
  });

  it("names the assumption at whose end another way would be chosen", () => {
    const slow = rowsOf({ bounce: 150 }, "copies at 2 bytes a cycle");
    const cell = choices([...rows, ...slow], [200], { everyWay: true }).find(
      ({ trust, reuse }) => trust === "hostile" && reuse === "none",
    );
    expect(cell?.changes).toBe("copies at 2 bytes a cycle: two-step, strict");
  });

  it("is computed: on 16 cores strict carries a tenth of what pass-through does, and requests of eight pages most of it", async () => {
    const run = await choice.run({ cores: 16, sweep: false, packets: 120 });
    const of = (way: string): CapacityRow => run.rows.find((row) => row.way === way) as CapacityRow;
    expect(of("strict").capacity).toBeLessThan(0.2 * of("pass-through").capacity);
    expect(of("two-step, strict").capacity).toBeGreaterThan(0.6 * of("pass-through").capacity);
    expect(of("strict").lock).toBe("cache_lock");
    expect(of("lazy").stalePages).toBeGreaterThan(100);
    expect(
      choices(run.rows, run.config.rate).every(
        ({ trust, reach }) => trust !== "hostile" || reach !== "all memory, always",
      ),
    ).toBe(true);
  });

  it("says which cores a host has where it has fewer than were asked for", () => {
    expect(() => choice.points(choice.parse({ host: "graviton2", cores: [96] }))).toThrow(/graviton2 has 64 cores; 96/);
  });
});
