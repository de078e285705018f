import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { buildSnapshot, findSnapshot, writeSnapshot } from "../../src/cells/host/snapshot.js";
import { CellRunner, type Outcome, packageRoot } from "../../src/cells/index.js";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "iommu-lab-snapshot-"));
  writeFileSync(join(folder, "beside.ts"), "export const value: number = 4;\n");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs cells in a new pair of processes, and gives their results or errors, and what was said to the operator. */
async function results(
  snapshot: string | undefined,
  cells: string[],
  root = packageRoot,
): Promise<{ shown: string[]; log: string[] }> {
  const log: string[] = [];
  const runner = new CellRunner(
    { packageRoot: root, root: folder, ...(snapshot === undefined ? {} : { snapshot }) },
    { output() {}, input() {}, replaced() {}, log: (line) => log.push(line) },
  );
  const shown: string[] = [];
  for (const [origin, code] of cells.entries()) {
    const outcome: Outcome = await runner.execute({ origin, name: `cell [${origin}]`, code, allowStdin: false });
    shown.push(outcome.status === "ok" ? String(outcome.result?.["text/plain"]) : outcome.evalue);
  }
  runner.close();
  return { shown, log };
}

/** A package like this one, with a room of its own whose declarations can be changed. */
function ownPackage(): { root: string; declare(text: string): void } {
  const root = join(folder, "package");
  const room = join(root, "dist", "pond");
  mkdirSync(room, { recursive: true });
  cpSync(join(packageRoot, "dist", "cells"), join(root, "dist", "cells"), { recursive: true });
  symlinkSync(join(packageRoot, "node_modules"), join(root, "node_modules"));
  for (const name of ["package.json", "package-lock.json"]) cpSync(join(packageRoot, name), join(root, name));
  writeFileSync(join(room, "index.js"), "export const depth = 5;\n");
  return { root, declare: (text) => writeFileSync(join(room, "index.d.ts"), text) };
}

/** One that is built here and now: the set-up's would hide that it cannot be built any more. */
it("a snapshot is built; from it cells are checked and run as from a cold start, in their own folder, with no names of its making", {
  timeout: 180_000,
}, async () => {
  const snapshot = join(folder, "built.blob");
  const { root, declare } = ownPackage();
  declare("export declare const depth: number;\n");
  writeSnapshot(root, snapshot);
  const deep = 'import { depth } from "iommu-lab/pond"; const text: string = depth; text';
  expect((await results(snapshot, [deep], root)).shown[0]).toContain("Type 'number' is not assignable");
  // A room that is built again is seen as it is then.
  declare("export declare const depth: string;\n");
  expect((await results(snapshot, [deep], root)).shown).toEqual(["5"]);
  const { shown, log } = await results(
    snapshot,
    [
      "1 + 1",
      'import { value } from "./beside"; const twice: string = value',
      'import { value } from "./beside"; import { basename } from "node:path"; [value, basename(process.cwd()), basename(__dirname)]',
      "place",
      "f",
      'lab.html("a"); await Promise.resolve([typeof rows])',
    ],
    root,
  );
  const name = folder.split("/").pop();
  expect(shown).toEqual([
    "2",
    "TS2322: Type 'number' is not assignable to type 'string'.",
    `[ 4, '${name}', '${name}' ]`,
    "TS2304: Cannot find name 'place'.",
    "TS2304: Cannot find name 'f'.",
    "TS2304: Cannot find name 'rows'.",
  ]);
  expect(log).toEqual([]);
});

it("where a snapshot cannot be used, cells run after a cold start", async () => {
  const broken = join(folder, "broken.blob");
  writeFileSync(broken, "not a snapshot");
  const { shown, log } = await results(broken, ["const n: number = 2; n"]);
  expect(shown).toEqual(["2"]);
  expect(log.join("\n")).toContain("language process ended");
});

it("the set-up's snapshot is for one installation, as it is", () => {
  const snapshot = buildSnapshot(packageRoot);
  expect(findSnapshot(packageRoot)).toBe(snapshot);
  expect(findSnapshot(folder)).toBeUndefined();
});
