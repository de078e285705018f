import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
import { runCommand } from "./run.js";

const run = (...args: string[]) =>
  spawnSync(process.execPath, ["src/cli/iommu-lab.mjs", "claims", ...args], { encoding: "utf8" });

test("iommu-lab claims prints each sentence with its verdict, and counts them", () => {
  const { status, stdout } = run("--only", "machine-check");
  expect(status).toBe(0);
  expect(stdout).toContain("✓ holds: “Before the change, if guest CR4.MCE==0");
  expect(stdout).toContain("fact of the source: 5 (5 holds)");
  expect(stdout).toContain("5 claims: 5 holds.");
});

test("as JSON it lists every published record and how it is used", () => {
  const { claims, figures } = JSON.parse(run("--only", "machine-check", "--json").stdout);
  expect(claims[0]).toMatchObject({ experiment: "machine-check", verdict: "holds" });
  expect(figures.find(({ id }: { id: string }) => id === "PE2").use).toBe("prediction");
});

test("an unknown experiment is one sentence with the names there are", async () => {
  const { code, error } = await runCommand("claims", "--only", "nothing");
  expect(code).toBe(1);
  expect(error).toContain('There is no experiment "nothing". There is machine-latency');
});
