import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { expect, test, vi } from "vitest";
// The built code: a worker thread runs that, too.
import { ConfigError, type Experiment, lineTransfer, lockScaling, type Row } from "../../dist/experiments/index.js";
import { computePoints, pointHash, runOnWorkers, sweep } from "../../dist/sweep/index.js";
// @ts-expect-error the toy is plain JavaScript, as a worker loads it
import { toy as untyped } from "./toy-experiment.mjs";

const toy = untyped as Experiment<never>;
const from = new URL("./toy-experiment.mjs", import.meta.url).href;
const values = Array.from({ length: 12 }, (_, i) => i);
const config = (input: object) => input as never;

test("workers give the rows of a plain run, in the points' order, whichever is done first", async () => {
  const jobs = 3;
  const done: string[] = [];
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-gate-"));
  try {
    // The first point ends only when all others have left their marks, however busy the machine is.
    const gate = { folder, marks: values.length - 1 };
    const onProgress = (count: number, _: number, label: string) => count > 0 && done.push(label);
    const run = await runOnWorkers(toy, config({ values, gate }), { jobs, from, onProgress });
    expect(run.rows).toEqual((await toy.run(config({ values }))).rows);
  } finally {
    rmSync(folder, { recursive: true });
  }
  expect(done.toSorted()).toEqual(values.map((v) => `value ${v}`).toSorted());
  // A mark is left before a point is told of: each of the other workers may have one that is not told yet.
  expect(done.indexOf("value 0")).toBeGreaterThanOrEqual(values.length - jobs);
});

test("a sweep gives its runs in order, named by their hashes, and one table with the varied fields", async () => {
  const space = { "nested.factor": [2, 3], values: [[1, 2], [2]] };
  const one = await sweep(toy, space, { jobs: 1, from });
  const two = await sweep(toy, space, { jobs: 2, from });
  expect(JSON.stringify(two.table.objects())).toBe(JSON.stringify(one.table.objects()));
  expect(one.runs.map(({ run }) => run.rows.map((row) => row["product"]))).toEqual([[2, 4], [4], [3, 6], [6]]);
  expect(new Set(one.runs.map(({ hash }) => hash)).size).toBe(4);
  expect(one.table.columnNames()).toEqual(
    ["config", "nested.factor", "values", "value", "product"].filter((n) => n !== ""),
  );
});

test("equal points are computed once, known ones not at all", async () => {
  const computed: string[] = [];
  const points = toy.points(toy.parse(config({ values: [5, 6, 5] })));
  const known = new Map<string, Row[]>([[pointHash(toy, points[1]), [{ value: 6, product: "known" }]]]);
  const rows = await computePoints(toy as never, points, { known, from, onPoint: (hash) => computed.push(hash) });
  expect(computed).toEqual([pointHash(toy, points[0])]);
  expect(rows.map(([row]) => row["product"])).toEqual([10, "known", 10]);
});

test("an interruption ends a point under way, and keeps what was done", async () => {
  const interrupt = new AbortController();
  const kept: Row[][] = [];
  const running = sweep(toy, [config({ values: [900, 0], slow: 3_600_000 })], {
    jobs: 2,
    from,
    signal: interrupt.signal,
    onPoint: (_, rows) => {
      kept.push(rows);
      interrupt.abort(new Error("enough"));
    },
  });
  const timer = setTimeout(() => interrupt.abort(new Error("enough")), 6000);
  await expect(running).rejects.toThrow("enough");
  clearTimeout(timer);
  expect(kept.length).toBeLessThan(2);
});

test("where nobody says how many threads, IOMMU_LAB_JOBS does; what is no number of threads is refused", async () => {
  vi.stubEnv("IOMMU_LAB_JOBS", "1");
  // With one thread the first point waits for ever for those behind it.
  const gate = { folder: mkdtempSync(join(tmpdir(), "iommu-lab-gate-")), marks: 1 };
  const interrupt = new AbortController();
  const running = runOnWorkers(toy, config({ values: [0, 1], gate }), { from, signal: interrupt.signal });
  const timer = setTimeout(() => interrupt.abort(new Error("enough")), 1500);
  await expect(running).rejects.toThrow("enough");
  clearTimeout(timer);
  expect(readdirSync(gate.folder)).toEqual([]);
  rmSync(gate.folder, { recursive: true });
  vi.stubEnv("IOMMU_LAB_JOBS", "none");
  await expect(runOnWorkers(toy, config({ values }), { from })).rejects.toThrow(
    'IOMMU_LAB_JOBS: a whole number of workers, 1 or more; got "none".',
  );
  vi.unstubAllEnvs();
});

test("a point that fails ends the sweep with its error; a bad configuration is refused before anything runs", async () => {
  await expect(runOnWorkers(toy, config({ failAt: 2 }), { from })).rejects.toThrow("value 2 fails");
  const started: number[] = [];
  const bad = sweep(toy, { values: [[1], [2000]] }, { from, onProgress: (done) => started.push(done) });
  await expect(bad).rejects.toThrow(ConfigError);
  await expect(bad).rejects.toThrow(/values\.0.*2000/);
  expect(started).toEqual([]);
});

test("an experiment that workers can not find runs here, and can be interrupted between points", async () => {
  expect((await sweep(toy, { "nested.factor": [4] })).runs[0].run.rows.map((row) => row["product"])).toEqual([
    4, 8, 12,
  ]);
  const interrupt = new AbortController();
  const onProgress = (done: number) => done === 1 && interrupt.abort(new Error("enough"));
  await expect(sweep(toy, { values: [values] }, { signal: interrupt.signal, onProgress })).rejects.toThrow("enough");
});

test("a module that was edited between two calls is computed as it stands", async () => {
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-edited-"));
  const file = join(folder, "edited.mjs");
  const write = (product: number) =>
    writeFileSync(
      file,
      `export const toy = { name: "toy", simulate: ({ value }) => [{ value, product: ${product} }] };\n`,
    );
  const products = async (): Promise<unknown[]> => {
    const options = { from: pathToFileURL(file).href, jobs: 1 };
    return (await runOnWorkers(toy, config({ values: [1, 2] }), options)).rows.map((row) => row["product"]);
  };
  try {
    write(7);
    expect(await products()).toEqual([7, 7]);
    write(8);
    expect(await products()).toEqual([8, 8]);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("code that is built anew under a running program is computed with from the next call on; else threads stay", () => {
  const project = fileURLToPath(new URL("../..", import.meta.url));
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-rebuilt-"));
  try {
    cpSync(join(project, "dist"), join(folder, "dist"), { recursive: true });
    for (const name of ["node_modules", "package.json"]) symlinkSync(join(project, name), join(folder, name));
    const child = fileURLToPath(new URL("./rebuilt-child.mjs", import.meta.url));
    const { stdout, stderr } = spawnSync(process.execPath, [child, join(folder, "dist")], { encoding: "utf8" });
    expect(stderr).toBe("");
    expect(stdout).toBe("1 as it was\n1 as it was\n2 edited\n2 edited\n2 edited\n");
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("threads that have computed other points give the same bytes as new ones", async () => {
  const points = lockScaling.points(lockScaling.parse({ cores: [1, 2], seed: 5 }));
  const rows = async (jobs: number) => JSON.stringify(await computePoints(lockScaling as never, points, { jobs }));
  const fresh = await rows(2);
  await computePoints(lineTransfer as never, lineTransfer.points(lineTransfer.parse({ rounds: 10 })), { jobs: 2 });
  expect([await rows(2), await rows(1)]).toEqual([fresh, fresh]);
  expect(JSON.stringify(points.map((point) => lockScaling.simulate(point)))).toBe(fresh);
});
