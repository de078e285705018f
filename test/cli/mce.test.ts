import { spawnSync } from "node:child_process";
import { describe, expect, test } from "vitest";

const run = (...args: string[]) =>
  spawnSync(process.execPath, ["src/cli/iommu-lab.mjs", "mce", "explore", ...args], { encoding: "utf8" });

describe("iommu-lab mce explore", () => {
  test("prints what holds, what fails, and the counterexample step by step", () => {
    const { status, stdout } = run("--rule", "before", "--trace");
    expect(status).toBe(0);
    expect(stdout).toContain(
      "FAILS  no machine check in guest mode shuts the host down while the host has MCE on (5 steps)",
    );
    expect(stdout).toContain("MACHINE CHECK");
    expect(stdout).toContain("holds  the guest reads back what it wrote");
  });

  test("as JSON it carries the system, the counts and the traces", () => {
    const found = JSON.parse(run("--rule", "shadow", "--start-with", "off", "--host-changes", "--json").stdout);
    expect(found.complete).toBe(true);
    expect(found.system.rule).toBe("shadow");
    expect(found.violations[0].trace.at(-1).state).toContain("THE HOST IS DEAD");
  });

  test("an unknown rule or a bound out of range is one sentence, and nothing runs", () => {
    const { status, stderr, stdout } = run("--rule", "after");
    expect([status, stdout]).toEqual([1, ""]);
    expect(stderr).toMatch(/^There is no rule "after" for the guest's CR4; there are before, .*\n$/);
    expect(run("--cpus", "nine").stderr).toContain("cpus is NaN; it must be a whole number from 1 to 4");
  });
});
