import { spawn, spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "sweep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cli = "src/cli/iommu-lab.mjs";
const run = (...args: string[]) => spawnSync(process.execPath, [cli, "sweep", ...args], { encoding: "utf8" });
const fileOf = (name: string, content: unknown) => {
  const file = join(folder, name);
  writeFileSync(file, typeof content === "string" ? content : JSON.stringify(content));
  return file;
};
const good = {
  experiment: "machine-locks",
  base: { cores: [1, 2] },
  space: { sectionCycles: [500, 1000], thinkCycles: { low: 1000, high: 9000, whole: true } },
  samples: 4,
};

test("a sweep that is killed at any moment goes on where it was, to the same bytes", async () => {
  const file = fileOf("good.json", good);
  const whole = join(folder, "whole");
  expect(run(file, "--out", whole).status).toBe(0);
  const killed = join(folder, "killed");
  for (const wait of [700, 1100, 1500]) {
    const child = spawn(process.execPath, [cli, "sweep", file, "--out", killed], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, wait));
    child.kill("SIGKILL");
    await ended;
  }
  const last = run(file, "--out", killed);
  expect(last.status).toBe(0);
  for (const name of ["table.arrow", "runs.json"])
    expect(readFileSync(join(killed, name)).equals(readFileSync(join(whole, name)))).toBe(true);
  // All is kept now: nothing is computed again, and a damaged point alone is.
  expect(run(file, "--out", killed).stdout).toContain("(0 computed");
  const [code] = readdirSync(join(killed, "points"));
  const [some] = readdirSync(join(killed, "points", code));
  const [point] = readdirSync(join(killed, "points", code, some));
  writeFileSync(join(killed, "points", code, some, point), "{");
  expect(run(file, "--out", killed).stdout).toContain("(1 computed");
  expect(readFileSync(join(killed, "table.arrow")).equals(readFileSync(join(whole, "table.arrow")))).toBe(true);
});

test("with a sensitivity analysis, the file names an output, and its effects are printed and kept", () => {
  const file = fileOf("sensitivity.json", {
    experiment: "merged-nodes",
    base: {
      parts: ["recovery"],
      policies: ["deferred"],
      replications: 1,
      warmup: 60,
      transactions: 120,
      assume: { cores: 8, rxRing: 64, staticMaps: 512 },
    },
    space: { "assume.stack": { low: 0.5, high: 2 }, "assume.lock": ["ticket", "queued"] },
    sensitivity: { output: "stock", trajectories: 2 },
  });
  const out = join(folder, "effects");
  const first = run(file, "--out", out);
  expect(first.status, first.stderr).toBe(0);
  expect(first.stdout).toMatch(/throughput with the tree of v4.3, of no IOMMU \(%\).*6 configurations/);
  const [, header, ...lines] = first.stdout.split("\n");
  expect(header).toMatch(/parameter +μ\* \(95 %\) +μ +σ/);
  expect(lines[0]).toMatch(/^assume\.stack +\d/);
  const kept = JSON.parse(readFileSync(join(out, "sensitivity.json"), "utf8"));
  expect(kept.effects.map(({ parameter }: { parameter: string }) => parameter)).toEqual([
    "assume.stack",
    "assume.lock",
  ]);
  expect(kept.figure.data.length).toBeGreaterThan(0);
  const again = run(file, "--out", out);
  expect(again.stdout).toContain("(0 computed");
  expect(again.stdout.split("\n").slice(0, 4)).toEqual(first.stdout.split("\n").slice(0, 4));
});

test("what is wrong is said in one sentence, before anything runs", () => {
  const said = (content: unknown) => {
    const { status, stderr } = run(fileOf("bad.json", content), "--out", join(folder, "bad"));
    expect(status).toBe(1);
    return stderr;
  };
  expect(said("{")).toContain("bad.json: this is not JSON");
  expect(said({ experiment: "nothing", space: {} })).toContain('There is no experiment "nothing"');
  expect(said({ experiment: good.experiment, space: { cores: [[1], [4000]] } })).toMatch(/cores.0: .*4000/);
  expect(said({ experiment: good.experiment, space: { seed: { low: 1, high: 9, whole: true } } })).toContain(
    "samples: how many points",
  );
  const asked = { experiment: "merged-nodes", space: { seed: { low: 1, high: 9, whole: true } } };
  expect(said({ ...asked, sensitivity: { output: "speed" } })).toContain(
    'output: merged-nodes has no "speed"; it has recovered',
  );
  expect(said({ ...asked, samples: 3, sensitivity: { output: "gain" } })).toContain("samples: not with a sensitivity");
  expect(said({ experiment: good.experiment, space: { seed: 5 } })).toContain(
    "space.seed: a list of values, or a range",
  );
  expect(run(join(folder, "none.json")).stderr).toContain("none.json: there is no such file.");
});

test("a folder is for one run at a time; a lock of a dead process is taken over", () => {
  const file = fileOf("one.json", good);
  const out = join(folder, "one");
  mkdirSync(out);
  const host = JSON.parse(
    spawnSync(process.execPath, ["-p", "JSON.stringify(os.hostname())"], { encoding: "utf8" }).stdout,
  );
  writeFileSync(join(out, ".lock"), JSON.stringify({ pid: process.pid, host }));
  const refused = run(file, "--out", out);
  expect(refused.status).toBe(1);
  expect(refused.stderr).toContain(`${out} is in use by process ${process.pid}`);
  const dead = spawnSync(process.execPath, ["-e", ""]).pid;
  writeFileSync(join(out, ".lock"), JSON.stringify({ pid: dead, host }));
  expect(run(file, "--out", out).status).toBe(0);
  expect(readdirSync(out).toSorted()).toEqual(["points", "runs.json", "table.arrow"]);
});
