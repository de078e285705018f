import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript, as npm run bench runs it
import { installPackages as untyped } from "./compare.mjs";

const installPackages = untyped as (root: string, revision: string, env: NodeJS.ProcessEnv) => void;

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

test("where a revision's packages cannot be installed, npm's last words are said, or that it had none and how it ended", () => {
  const folder = mkdtempSync(join(tmpdir(), "bench-"));
  const npm = (script: string) => {
    writeFileSync(join(folder, "npm"), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    return () => installPackages(folder, "v1", { ...process.env, PATH: `${folder}:${process.env["PATH"]}` });
  };
  try {
    expect(npm("exit 0")).not.toThrow();
    expect(npm("echo the registry is away >&2; exit 7")).toThrow(
      "the packages of v1 could not be installed (npm ci: exit code 7).\nthe registry is away",
    );
    expect(npm("exit 3")).toThrow("(npm ci: exit code 3).\nnpm said nothing.");
    expect(npm("kill -KILL $$")).toThrow("(npm ci: ended by SIGKILL).");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
