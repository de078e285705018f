import { existsSync, mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/*
 * What the parts of one `npm test` share: a folder of that run, gone with it (test/run.mjs). Whoever runs a file alone shares nothing.
 */
const folder = process.env["IOMMU_LAB_TEST_SHARED"];

/**
 * The folder of the points that this run has computed, or "off": for tests that execute cells to look at what they show. The drift check has
 * computed most of them anew and compared them with what is stored. Tests of the store, and of computing itself, take none.
 */
export const pointsOfRun: string = folder === undefined ? "off" : join(folder, "points");

/**
 * A folder that a part makes for all later ones. It appears whole, under its name, when it is kept.
 * @example
 *     const { path, keep } = making("reference");
 *     await write(path);
 *     afterAll(keep);
 */
export function making(name: string): { path: string; keep: () => void } {
  const top = mkdtempSync(join(folder ?? tmpdir(), `${name}-`));
  const path = join(top, name);
  return {
    path,
    keep: () => {
      if (folder !== undefined && existsSync(path) && !existsSync(join(folder, name)))
        renameSync(path, join(folder, name));
      rmSync(top, { recursive: true, force: true });
    },
  };
}

/** A folder that a part of this run has made and kept; undefined where none has, so that whoever needs it makes it. */
export function made(name: string): string | undefined {
  const path = folder === undefined ? undefined : join(folder, name);
  return path !== undefined && existsSync(path) ? path : undefined;
}
