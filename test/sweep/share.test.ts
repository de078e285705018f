import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, expect, test, vi } from "vitest";
import { defineExperiment, lineTransfer, rememberPoints } from "../../src/experiments/index.js";
import { PointStore, pointHash, sharePoints } from "../../src/sweep/index.js";

const folder = mkdtempSync(join(tmpdir(), "share-"));
afterEach(() => {
  rememberPoints(undefined);
  vi.restoreAllMocks();
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const files = (where: string) =>
  readdirSync(where, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));

test("runs that share a folder compute each point once, and give the same rows", async () => {
  const plain = await lineTransfer.run({ rounds: 10 });
  const shared = join(folder, "points");
  sharePoints(shared);
  const first = await lineTransfer.run({ rounds: 10 });
  expect(files(shared)).toHaveLength(32);
  const computing = vi.spyOn(PointStore.prototype, "put");
  const second = await lineTransfer.run({ rounds: 10 });
  expect(computing).not.toHaveBeenCalled();
  expect([first.rows, second.rows]).toEqual([plain.rows, plain.rows]);
});

test("a point of other code, a damaged file, and an experiment of the notebook's own are computed anew", async () => {
  const shared = join(folder, "other");
  const point = lineTransfer.points(lineTransfer.parse({ rounds: 10 }))[0];
  const hash = pointHash(lineTransfer, point);
  new PointStore(shared, "another program").put(hash, lineTransfer.name, point, [{ ns: -1 }]);
  sharePoints(shared);
  expect((await lineTransfer.run({ rounds: 10 })).rows.some((row) => row["ns"] === -1)).toBe(false);
  writeFileSync(new PointStore(shared).file(hash), '{"code"');
  expect((await lineTransfer.run({ rounds: 10 })).rows).toHaveLength(32 * 31);
  // The same name, but another experiment: what it is called must not decide what it gives.
  const own = defineExperiment({ ...lineTransfer, simulate: () => [{ ns: 7 }] });
  expect((await own.run({ rounds: 10 })).rows[0]).toEqual({ ns: 7 });
});
