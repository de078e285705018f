import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

const run = (...args: string[]) =>
  spawnSync(process.execPath, ["src/cli/iommu-lab.mjs", "one-to-one", "explore", ...args], { encoding: "utf8" });

describe("iommu-lab one-to-one explore", () => {
  test("prints what holds, what fails, and the counterexample step by step", () => {
    const { status, stdout } = run("--variant", "no-grace-period", "--pairs", "1", "--trace");
    expect(status).toBe(0);
    expect(stdout).toContain("FAILS  no CPU uses a table page after it was freed (13 steps)");
    expect(stdout).toContain("A CPU USED A TABLE PAGE AFTER IT WAS FREED");
    expect(stdout).toContain("holds  after the last unmap has returned, nothing reaches the page");
  });

  test("the default is the right one with a live count, complete", () => {
    const found = JSON.parse(run("--json").stdout);
    expect(found).toMatchObject({ variant: "live-count", complete: true, violations: [] });
  });

  test("an unknown variant or a bound out of range is one sentence, and nothing runs", () => {
    const { status, stderr, stdout } = run("--variant", "hopeful");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^There is no variant "hopeful" of dynamic 1:1; there are never, .*\n$/);
    expect(run("--cpus", "nine").stderr).toContain("cpus is NaN; it must be a whole number from 1 to 3");
    expect(run("--pages", "3").stderr).toContain("pages is 3; it must be 1 or 2.");
  });
});
