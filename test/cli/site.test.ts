import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const run = (...args: string[]) =>
  spawnSync(process.execPath, ["src/cli/iommu-lab.mjs", "site", ...args], { encoding: "utf8" });

test("iommu-lab site makes the pages of the stored notebooks, and says where they are", () => {
  const out = join(folder, "site");
  const { status, stdout, stderr } = run("--out", out, "--no-api");
  expect([status, stderr.includes("does not hold")]).toEqual([0, false]);
  expect(stdout).toMatch(/^\d+ pages in .*; open .*index\.html\n$/);
  expect(existsSync(join(out, "02-lock-contention.html"))).toBe(true);
});

test("a folder with other things in it, and a port that is none, are refused in one sentence, with nothing written", () => {
  const out = join(folder, "mine");
  mkdirSync(out);
  writeFileSync(join(out, "notes.txt"), "");
  const refused = run("--out", out);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toBe(
    `${out}: expected an empty folder or an earlier site; it holds notes.txt. Name another with --out.\n`,
  );
  expect(existsSync(join(out, "api"))).toBe(false);
  expect(run("--port", "x").stderr).toBe("--port: a whole number from 0 to 65535; got x.\n");
});
