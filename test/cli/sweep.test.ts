import { spawn } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { fromArrow } from "arquero";
import { afterAll, expect, test, vi } from "vitest";
// The built code: a worker thread runs that, too.
import { main } from "../../dist/cli/index.js";

const folder = mkdtempSync(join(tmpdir(), "sweep-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const cli = "src/cli/iommu-lab.mjs";
/** The same in this process, which is quicker. */
async function here(...args: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  const said = { stdout: "", stderr: "" };
  for (const name of ["stdout", "stderr"] as const)
    vi.spyOn(process[name], "write").mockImplementation((text) => {
      said[name] += text;
      return true;
    });
  try {
    return { status: await main(["sweep", ...args]), ...said };
  } finally {
    vi.restoreAllMocks();
  }
}
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

test("a sweep that is killed at any moment goes on where it was, to the same bytes", { timeout: 180_000 }, async () => {
  const file = fileOf("good.json", good);
  const whole = join(folder, "whole");
  expect((await here(file, "--out", whole)).status).toBe(0);
  const killed = join(folder, "killed");
  for (const wait of [900, 1500]) {
    const child = spawn(process.execPath, [cli, "sweep", file, "--out", killed], { stdio: "ignore" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    await new Promise((resolve) => setTimeout(resolve, wait));
    child.kill("SIGKILL");
    await ended;
  }
  const last = await here(file, "--out", killed);
  expect(last.status).toBe(0);
  for (const name of ["table.arrow", "runs.json"])
    expect(readFileSync(join(killed, name)).equals(readFileSync(join(whole, name)))).toBe(true);
  // All is kept now: nothing is computed again, and a damaged point alone is.
  expect((await here(file, "--out", killed)).stdout).toContain("(0 computed");
  const shards = join(killed, "shards");
  const filled = readdirSync(shards).filter((name) => name.endsWith(".rows") && statSync(join(shards, name)).size > 0);
  const rows = readFileSync(join(shards, filled[0]), "utf8");
  writeFileSync(
    join(shards, filled[0]),
    rows.replace(/\d/, (digit) => `${(Number(digit) + 1) % 10}`),
  );
  expect((await here(file, "--out", killed)).stdout).toContain("(1 computed");
  expect(readFileSync(join(killed, "table.arrow")).equals(readFileSync(join(whole, "table.arrow")))).toBe(true);
});

test("shards in any order, some of them twice, collect to the bytes of one process; each row says where it comes from", {
  timeout: 180_000,
}, async () => {
  const file = fileOf("parts.json", good);
  const whole = join(folder, "whole");
  expect((await here(file, "--out", whole)).status).toBe(0);
  const out = join(folder, "parts");
  const others = [];
  for (const shard of ["2/3", "1/3", "2/3"])
    others.push(await here(file, "--out", out, "--shard", shard, "--jobs", "1"));
  expect(others.map(({ stdout }) => stdout)).toEqual([
    expect.stringMatching(/^Shard 2\/3: 5 points \(5 computed/),
    expect.stringMatching(/^Shard 1\/3: 6 points \(6 computed/),
    expect.stringMatching(/^Shard 2\/3: 5 points \(0 computed/),
  ]);
  const early = await here(file, "--out", out, "--collect");
  expect([early.status, early.stderr]).toEqual([1, expect.stringContaining(`${out}: 5 of 16 points are not there.`)]);
  // The folder stands for the file.
  expect((await here(out, "--shard", "3/3")).stdout).toContain("5 points (5 computed");
  expect((await here(out, "--collect")).stdout).toContain("(0 computed");
  for (const name of ["table.arrow", "runs.json"])
    expect(readFileSync(join(out, name)).equals(readFileSync(join(whole, name))), name).toBe(true);
  const rows = fromArrow(readFileSync(join(out, "provenance.arrow"))).objects() as Record<string, unknown>[];
  expect(rows).toHaveLength(fromArrow(readFileSync(join(out, "table.arrow"))).numRows());
  expect(new Set(rows.map(({ shard }) => shard))).toEqual(new Set(["1/3", "2/3", "3/3"]));
  expect(rows[0]).toMatchObject({ host: hostname(), node: process.version, configuration: 0 });
  expect(rows[0].seconds).toBeGreaterThan(0);
});

test("with a sensitivity analysis, the file names an output, and its effects are printed and kept", {
  timeout: 180_000,
}, async () => {
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
  const first = await here(file, "--out", out);
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
  const again = await here(file, "--out", out);
  expect(again.stdout).toContain("(0 computed");
  expect(again.stdout.split("\n").slice(0, 4)).toEqual(first.stdout.split("\n").slice(0, 4));
});

test("what is wrong is said in one sentence, before anything runs", async () => {
  const said = async (content: unknown) => {
    const { status, stderr } = await here(fileOf("bad.json", content), "--out", join(folder, "bad"));
    expect(status).toBe(1);
    return stderr;
  };
  expect(await said("{")).toContain("bad.json: this is not JSON");
  expect(await said({ experiment: "nothing", space: {} })).toContain('There is no experiment "nothing"');
  expect(await said({ experiment: good.experiment, space: { cores: [[1], [4000]] } })).toMatch(/cores.0: .*4000/);
  expect(await said({ experiment: good.experiment, space: { seed: { low: 1, high: 9, whole: true } } })).toContain(
    "samples: how many points",
  );
  const asked = { experiment: "merged-nodes", space: { seed: { low: 1, high: 9, whole: true } } };
  expect(await said({ ...asked, sensitivity: { output: "speed" } })).toContain(
    'output: merged-nodes has no "speed"; it has recovered',
  );
  expect(await said({ ...asked, samples: 3, sensitivity: { output: "gain" } })).toContain(
    "samples: not with a sensitivity",
  );
  expect(await said({ experiment: good.experiment, space: { seed: 5 } })).toContain(
    "space.seed: a list of values, or a range",
  );
  expect((await here(join(folder, "none.json"))).stderr).toContain("none.json: there is no such file.");
});

test("a folder holds one sweep; shards that are none are refused; both in a sentence", async () => {
  const file = fileOf("one.json", good);
  const out = join(folder, "one");
  mkdirSync(out);
  const said = async (...args: string[]) => (await here(file, "--out", out, ...args)).stderr;
  for (const shard of ["5/4", "0/4", "1", "1/900000", "-1/4", "1e0/4"])
    expect(await said("--shard", shard)).toContain(
      `--shard: i/N with i from 1 to N and N at most 100,000, as 3/8; got "${shard}".`,
    );
  expect(await said("--shard", "1/4", "--collect")).toContain("--collect: not with --shard");
  expect(await said("--collect")).toContain("no sweep was run into this folder");
  expect((await here(file, "--out", out, "--shard", "90000/90000")).stdout).toContain("90000/90000: 0 points");
  const other = await here(fileOf("other.json", { ...good, samples: 5 }), "--out", out);
  expect(other).toMatchObject({
    status: 1,
    stderr: expect.stringMatching(/holds another sweep \(machine-locks, .*--out/),
  });
  writeFileSync(join(out, "sweep.json"), "{");
  expect(await said()).toContain("sweep.json: not what this version writes");
});
