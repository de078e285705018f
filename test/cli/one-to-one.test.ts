import { describe, expect, test } from "vitest";
import { runCommand } from "./run.js";

const run = (...args: string[]) => runCommand("one-to-one", "explore", ...args);

describe("iommu-lab one-to-one explore", () => {
  test("prints what holds, what fails, and the counterexample step by step", async () => {
    const { code, out } = await run("--variant", "no-grace-period", "--pairs", "1", "--trace");
    expect(code).toBe(0);
    expect(out).toContain("FAILS  no CPU uses a table page after it was freed (13 steps)");
    expect(out).toContain("A CPU USED A TABLE PAGE AFTER IT WAS FREED");
    expect(out).toContain("holds  after the last unmap has returned, nothing reaches the page");
  });

  test("the default is the right one with a live count, complete", async () => {
    const found = JSON.parse((await run("--json")).out);
    expect(found).toMatchObject({ variant: "live-count", complete: true, violations: [] });
  });

  test("an unknown variant or a bound out of range is one sentence, and nothing runs", async () => {
    const { code, error, out } = await run("--variant", "hopeful");
    expect([code, out]).toEqual([1, ""]);
    expect(error).toMatch(/^There is no variant "hopeful" of dynamic 1:1; there are never, .*\n$/);
    expect((await run("--cpus", "nine")).error).toContain("cpus is NaN; it must be a whole number from 1 to 3");
    expect((await run("--pages", "3")).error).toContain("pages is 3; it must be 1 or 2.");
  });
});
