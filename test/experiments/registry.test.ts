import { existsSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { experimentByName, experiments } from "../../src/experiments/index.js";

const root = fileURLToPath(new URL("../../src/experiments/", import.meta.url));
const has = (folder: string, file: string) => existsSync(`${root}${folder}/${file}`);
/** Folders that are no experiments: what experiments share, verdicts by draws, the report on a recording. */
const others = ["frame", "ignorance", "own-recording"];
const folders = readdirSync(root, { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && !others.includes(entry.name))
  .map(({ name }) => name);
const names = experiments().map(({ name }) => name);

test("every experiment is found by its name, once", () => {
  expect(new Set(names).size).toBe(names.length);
  for (const name of names) expect(experimentByName(name).name).toBe(name);
});

test.each(
  folders,
)("the folder of %s is called by the experiment's name, which can be run, and has its siblings' files", (folder) => {
  expect(names).toContain(folder);
  for (const file of ["index.ts", "config.ts", "rows.ts", "figures.ts"]) expect(has(folder, file), file).toBe(true);
});
