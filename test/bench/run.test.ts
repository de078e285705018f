import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const bench = (...args: string[]) => spawnSync(process.execPath, ["test/bench/run.mjs", ...args], { encoding: "utf8" });

test("npm run bench knows every bench: script, and says what each measures", () => {
  const { scripts } = JSON.parse(readFileSync("package.json", "utf8"));
  expect(scripts.bench).toBe("node test/bench/run.mjs");
  const { status, stdout } = bench("--help");
  expect(status).toBe(0);
  const names = Object.keys(scripts).flatMap((name) => /^bench:(\w+)$/.exec(name)?.[1] ?? []);
  expect(names.length).toBeGreaterThan(5);
  for (const name of names) expect(stdout).toMatch(new RegExp(`^  ${name} +\\S+ \\S+`, "m"));
});

test("an unknown benchmark is refused before anything runs, with the names there are", () => {
  const { status, stdout, stderr } = bench("dma", "nothing");
  expect(status).toBe(2);
  expect(stdout).toBe("");
  expect(stderr).toContain('there is no benchmark "nothing"; there is iova, dma,');
});
