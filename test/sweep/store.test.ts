import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, describe, expect, test, vi } from "vitest";
import { defineExperiment, lineTransfer, type RememberedPoints } from "../../src/experiments/index.js";
import { dataValues } from "../../src/facts/index.js";
import { PointStore, pointHash, pointsFolder } from "../../src/sweep/index.js";
import { published } from "../support/facts.js";

const folder = mkdtempSync(join(tmpdir(), "points-"));
afterEach(() => vi.restoreAllMocks());
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let stores = 0;
const newStore = (options = {}) => new PointStore(join(folder, `${++stores}`), { code: "0".repeat(20), ...options });
const files = (store: { folder: string }) =>
  readdirSync(store.folder, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
const input = { rounds: 10 };
const [point] = lineTransfer.points(lineTransfer.parse(input));
const fileOf = (store: PointStore) => store.file(pointHash(lineTransfer, point));

describe("points are remembered", () => {
  test("each is computed once, and gives the same rows; what was remembered is said on the way and not at the end", async () => {
    const plain = await lineTransfer.run(input);
    const store = newStore();
    const simulate = vi.spyOn(store, "put");
    const first = await lineTransfer.run(input, { remembered: store });
    expect(files(store)).toHaveLength(32);
    expect(simulate).toHaveBeenCalledTimes(32);
    const said: string[] = [];
    const second = await lineTransfer.run(input, {
      remembered: store,
      onProgress: (_, __, label) => said.push(label),
    });
    expect(simulate).toHaveBeenCalledTimes(32);
    expect([first.rows, second.rows]).toEqual([plain.rows, plain.rows]);
    expect(said.at(-2)).toContain("31 remembered");
    expect(said.at(-1)).toBe("done");
  });

  test("on worker threads too", async () => {
    // Threads load what is compiled.
    const { lineTransfer } = await import("../../dist/experiments/index.js");
    const { PointStore, runOnWorkers } = await import("../../dist/sweep/index.js");
    const store = new PointStore(join(folder, "threads"));
    const plain = await lineTransfer.run(input);
    const first = await runOnWorkers(lineTransfer, input, { jobs: 2, remembered: store });
    const computed: string[] = [];
    const onPoint = (hash: string) => computed.push(hash);
    const second = await runOnWorkers(lineTransfer, input, { jobs: 2, remembered: store, onPoint });
    expect(computed).toEqual([]);
    expect([first.rows, second.rows]).toEqual([plain.rows, plain.rows]);
    expect(readFileSync(store.file(pointHash(lineTransfer, point)), "utf8")).toContain(
      `"reads":{"hardware/${point.host}"`,
    );
  });

  test("a fresh run computes them, and keeps them", async () => {
    const store = newStore();
    await lineTransfer.run(input, { remembered: store });
    const again = new PointStore(store.folder, { code: store.code, fresh: true });
    const put = vi.spyOn(again, "put");
    await lineTransfer.run(input, { remembered: again });
    expect(put).toHaveBeenCalledTimes(32);
  });

  test("a process that offers none remembers none", async () => {
    const offered: RememberedPoints = { get: vi.fn(() => undefined), put: vi.fn() };
    const place = Symbol.for("iommu-lab.points");
    Object.assign(globalThis, { [place]: async () => offered });
    await lineTransfer.run(input);
    expect(offered.put).toHaveBeenCalledTimes(32);
    await lineTransfer.run(input, { remembered: false });
    expect(offered.put).toHaveBeenCalledTimes(32);
    Reflect.deleteProperty(globalThis, place);
    await lineTransfer.run(input);
    expect(offered.put).toHaveBeenCalledTimes(32);
  });
});

describe("a point that is kept counts only where it is what computing would give", () => {
  const rows = [{ ns: -1 }];
  const reads = [`hardware/${point.host}`];
  const kept = () => {
    const store = newStore();
    store.put(lineTransfer, point, published, rows, reads);
    expect(store.get(lineTransfer, point, published)).toEqual(rows);
    return store;
  };

  test("not of other code, of another point, or of an experiment of a notebook's own with the same name", () => {
    const store = kept();
    expect(new PointStore(store.folder, { code: "1".repeat(20) }).get(lineTransfer, point, published)).toBeUndefined();
    expect(store.get(lineTransfer, { ...point, rounds: 11 }, published)).toBeUndefined();
    const own = defineExperiment({ ...lineTransfer, simulate: () => [] });
    expect(store.get(own, point, published)).toBeUndefined();
    store.put(own, point, published, [{ ns: 5 }], []);
    expect(store.get(lineTransfer, point, published)).toEqual(rows);
  });

  test("not where a file was cut off, damaged or emptied", () => {
    for (const damage of [
      (file: string) => truncateSync(file, 30),
      (file: string) => truncateSync(file, 0),
      (file: string) => writeFileSync(file, readFileSync(file, "utf8").replace("-1", "-2")),
      (file: string) => writeFileSync(file, "null"),
    ]) {
      const store = kept();
      damage(fileOf(store));
      expect(store.get(lineTransfer, point, published)).toBeUndefined();
    }
  });

  // Whole files with a right sum, as another program might write them.
  const other = { experiment: lineTransfer.name, point, reads: {} as unknown, rows: [{ ns: 1 }] as unknown };
  test.each([
    ["reads nothing", { ...other, reads: null }],
    ["reads a list", { ...other, reads: [] }],
    ["reads numbers", { ...other, reads: { PE1: 1 } }],
    ["has a text as rows", { ...other, rows: "rows" }],
    ["has rows that are none", { ...other, rows: [{ ns: 1 }, null] }],
    ["has lists as rows", { ...other, rows: [[1]] }],
    ["is another experiment's", { ...other, experiment: "merged-nodes" }],
    ["is another point's", { ...other, point: { ...point, rounds: 11 } }],
    ["has no experiment", { ...other, experiment: undefined }],
  ])("not where a file is whole and %s", (_, content) => {
    const store = kept();
    const write = (stored: object) => {
      const body = JSON.stringify(stored).slice(0, -1);
      const sum = createHash("sha256").update(body).digest("hex").slice(0, 20);
      writeFileSync(fileOf(store), `${body},"sum":"${sum}"}\n`);
    };
    write(other);
    expect(store.get(lineTransfer, point, published)).toEqual([{ ns: 1 }]);
    write(content);
    expect(store.get(lineTransfer, point, published)).toBeUndefined();
    store.put(lineTransfer, point, published, rows, reads);
    expect(store.get(lineTransfer, point, published)).toEqual(rows);
  });

  test.skipIf(process.platform === "win32")("not where a pipe lies, which is not waited for", () => {
    const store = kept();
    rmSync(fileOf(store));
    execFileSync("mkfifo", [fileOf(store)]);
    expect(store.get(lineTransfer, point, published)).toBeUndefined();
  });

  test("with changed facts only where nothing of what was read is changed; the changed ones have a file of their own", () => {
    const store = kept();
    const values = dataValues(published);
    const pe1 = published.changed([values.find(({ id }) => id === "PE1")!.times(2)]);
    expect(store.get(lineTransfer, point, pe1)).toEqual(rows);
    const slower = published.changed([values.find(({ id }) => id === `${point.host}.l1Cycles`)!.times(2)]);
    expect(store.get(lineTransfer, point, slower)).toBeUndefined();
    store.put(lineTransfer, point, slower, [{ ns: -7 }], reads);
    expect(store.get(lineTransfer, point, slower)).toEqual([{ ns: -7 }]);
    expect(store.get(lineTransfer, point, published)).toEqual(rows);
    const slowest = published.changed([values.find(({ id }) => id === `${point.host}.l1Cycles`)!.times(3)]);
    expect(store.get(lineTransfer, point, slowest)).toBeUndefined();
    // Whoever asks who reads what hears of it.
    const read: string[] = [];
    store.get(
      lineTransfer,
      point,
      published.noting((name) => read.push(name)),
    );
    expect(read).toEqual(reads);
  });

  test("only rows that come back from JSON as they were are kept", () => {
    const store = newStore();
    store.put(lineTransfer, point, published, [{ ns: Number.NaN }], []);
    expect(store.get(lineTransfer, point, published)).toBeUndefined();
  });
});

describe("a store", () => {
  test("keeps to its size: points of other code go first, then the oldest", () => {
    const old = newStore();
    const store = new PointStore(old.folder, { code: "2".repeat(20), mostBytes: 4000 });
    const rows = [{ text: "x".repeat(400) }];
    const at = (i: number) => ({ ...point, rounds: 100 + i });
    for (let i = 0; i < 5; i++) old.put(lineTransfer, at(i), published, rows, []);
    for (let i = 0; i < 20; i++) {
      store.put(lineTransfer, at(i), published, rows, []);
      utimesSync(store.file(pointHash(lineTransfer, at(i))), i, i);
    }
    expect(old.get(lineTransfer, at(0), published)).toBeUndefined();
    expect(store.get(lineTransfer, at(0), published)).toBeUndefined();
    expect(store.get(lineTransfer, at(19), published)).toEqual(rows);
    const bytes = files(store).reduce((sum, name) => sum + readFileSync(join(store.folder, name)).length, 0);
    expect(bytes).toBeLessThan(5000);
  });

  test("forgets its points and nothing else that lies in its folder", () => {
    const store = newStore();
    store.put(lineTransfer, point, published, [{ ns: 1 }], []);
    writeFileSync(join(store.folder, "mine.txt"), "mine");
    store.forget();
    expect(store.get(lineTransfer, point, published)).toBeUndefined();
    expect(readdirSync(store.folder)).toEqual(["mine.txt"]);
  });

  test("that cannot be written is no hindrance", async () => {
    writeFileSync(join(folder, "a file"), "");
    const store = new PointStore(join(folder, "a file", "points"));
    expect((await lineTransfer.run(input, { remembered: store })).rows).toHaveLength(32 * 31);
  });

  test("of a user lies where IOMMU_LAB_POINTS says, or in the user's cache", () => {
    expect(pointsFolder({ IOMMU_LAB_POINTS: "off" })).toBeUndefined();
    expect(pointsFolder({ IOMMU_LAB_POINTS: "/shared/points" })).toBe("/shared/points");
    expect(pointsFolder({ XDG_CACHE_HOME: "/c" }, "linux", "/home/me")).toBe("/c/iommu-lab/points");
    expect(pointsFolder({ XDG_CACHE_HOME: "not/absolute" }, "linux", "/home/me")).toBe(
      "/home/me/.cache/iommu-lab/points",
    );
    expect(pointsFolder({}, "darwin", "/Users/me")).toBe("/Users/me/Library/Caches/iommu-lab/points");
  });
});
