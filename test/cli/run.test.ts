import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { machineCheck } from "../../src/experiments/index.js";
import { runCommand } from "./run.js";

const folder = mkdtempSync(join(tmpdir(), "iommu-lab-run-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lab(...args: string[]): { status: number | null; out: string; err: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, ["src/cli/iommu-lab.mjs", ...args], {
    encoding: "utf8",
  });
  return { status, out: stdout, err: stderr };
}

describe("run", () => {
  test("gives the notebook's rows as JSON, with settings from the command line", async () => {
    const { out, status } = lab("run", "machine-check", "--set", "rule=before,svm", "--set", "hostMce=1", "--json");
    expect(status).toBe(0);
    const run = await machineCheck.run({ rule: ["before", "svm"], hostMce: [1] });
    expect(JSON.parse(out)).toMatchObject({ experiment: "machine-check", rows: run.rows });
  });

  test("takes a file, the command line's settings over it, and writes whole files only", () => {
    const file = join(folder, "config.json");
    writeFileSync(file, JSON.stringify({ rule: ["svm"], hostMce: [0] }));
    const out = join(folder, "rows.csv");
    const args = ["run", "machine-check", "--config", file, "--set", "hostMce=1", "--csv", "--jobs", "1"];
    // On a slow machine the progress is told on stderr.
    expect(lab(...args, "--out", out)).toMatchObject({ status: 0, out: "" });
    const text = readFileSync(out, "utf8");
    expect(text).toMatch(/[^\n]\n$/);
    const lines = text.trim().split("\n");
    expect(lines[0].split(",").slice(0, 2)).toEqual(["rule", "hostMce"]);
    expect(lines.slice(1).every((line) => line.startsWith("svm,1,"))).toBe(true);
    expect(lab(...args, "--out", join(out, "rows.csv")).err).toContain("cannot be written");
    expect(readdirSync(folder).sort()).toEqual(["config.json", "rows.csv"]);
  });

  test("shows a table and the claims", () => {
    const { out } = lab("run", "machine-check", "--set", "rule=before");
    expect(out).toContain("hardwareMce");
    expect(out).toMatch(/holds|depends|not answered/);
  });

  test("takes a recording's file in place of TCP_RR", async () => {
    const text = "test/recordings/fixtures/texts/S02-sg-reused-3x.txt";
    const settings = ["variants=strict", "cores=2", "replications=1", `trace=${text}`].flatMap((one) => ["--set", one]);
    const { status, out } = lab("run", "lock-contention", ...settings, "--json", "--jobs", "1");
    expect(status).toBe(0);
    const { config, rows } = JSON.parse(out);
    expect([config.trace, rows.length, rows[0].rate]).toEqual(["S02-sg-reused-3x", 1, 1]);
    expect(rows[0]["q_lock: a transaction"]).toBeGreaterThan(1);
    const wrong = await runCommand("run", "lock-contention", "--set", "trace=nowhere.txt");
    expect([wrong.code, wrong.error]).toEqual([1, expect.stringContaining("nowhere.txt: there is no such file")]);
  });

  test("help of an experiment lists its fields", async () => {
    expect((await runCommand("run", "machine-check", "--help")).out).toMatch(/Fields[\s\S]*rule {2}\(list of before/);
    expect((await runCommand("run", "--help")).code).toBe(0);
  });

  test.each([
    [["run", "nope"], 1, /"nope".*machine-check/],
    [["run"], 2, /Which experiment[\s\S]*machine-check/],
    [["run", "machine-check", "--set", "rule=nope"], 1, /rule\.0.*"nope"/],
    [["run", "machine-check", "--set", "seed=1"], 1, /no field "seed".*rule/],
    [["run", "lock-contention", "--seed", "abc"], 1, /seed: accepts a whole number from 0 .*"abc"/],
    [["run", "lock-contention", "--set", "cores=1,1"], 1, /cores: accepts each value once/],
    [["run", "machine-check", "--config", "missing.json"], 1, /missing\.json: there is no such file/],
    [["run", "machine-check", "--jobs", "0"], 1, /--jobs.*0/],
    [["run", "machine-check", "--json", "--csv"], 1, /one of/],
    [["run", "machine-check", "--nope"], 2, /--nope/],
  ])("says in a sentence what is wrong with %j", async (args, code, message) => {
    const said = await runCommand(...args);
    expect([said.code, said.out]).toEqual([code, ""]);
    expect(said.error).toMatch(message);
    expect(said.error).not.toMatch(/^ {4}at /m);
  });
});

test("experiments are listed with their questions", () => {
  const out = execFileSync(process.execPath, ["src/cli/iommu-lab.mjs", "experiments"], { encoding: "utf8" });
  expect(out).toContain(machineCheck.question);
  expect(existsSync("dist/sweep/worker.js")).toBe(true);
});
