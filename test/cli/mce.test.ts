import { describe, expect, test } from "vitest";
import { runCommand } from "./run.js";

const run = (...args: string[]) => runCommand("mce", "explore", ...args);

describe("iommu-lab mce explore", () => {
  test("prints what holds, what fails, and the counterexample step by step", async () => {
    const { code, out } = await run("--rule", "before", "--trace");
    expect(code).toBe(0);
    expect(out).toContain(
      "FAILS  no machine check in guest mode shuts the host down while the host has MCE on (5 steps)",
    );
    expect(out).toContain("MACHINE CHECK");
    expect(out).toContain("holds  the guest reads back what it wrote");
  });

  test("as JSON it carries the system, the counts and the traces", async () => {
    const found = JSON.parse((await run("--rule", "shadow", "--start-with", "off", "--host-changes", "--json")).out);
    expect(found.complete).toBe(true);
    expect(found.system.rule).toBe("shadow");
    expect(found.violations[0].trace.at(-1).state).toContain("THE HOST IS DEAD");
  });

  test("an unknown rule or a bound out of range is one sentence, and nothing runs", async () => {
    const { code, error, out } = await run("--rule", "after");
    expect([code, out]).toEqual([1, ""]);
    expect(error).toMatch(/^There is no rule "after" for the guest's CR4; there are before, .*\n$/);
    expect((await run("--cpus", "nine")).error).toContain("cpus is NaN; it must be a whole number from 1 to 4");
  });
});
