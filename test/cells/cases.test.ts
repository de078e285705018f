import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Kernel } from "../../src/jupyter/index.js";
import { type CellResult, run, startKernel } from "../jupyter/support.js";
import { type Case, cases } from "./cases.js";

/** One kernel and one folder for all: names of one case do not disturb another's, since they are declared again. */
let kernel: Kernel;
let folder: string;
beforeAll(async () => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), "cells-")));
  kernel = await startKernel({ cwd: folder });
});
afterAll(async () => {
  await kernel.shutdown();
  rmSync(folder, { recursive: true, force: true });
});

async function play({ steps }: Case): Promise<CellResult> {
  let last: CellResult | undefined;
  for (const step of steps) {
    if (typeof step === "string") last = await run(kernel, step);
    else if ("remove" in step) rmSync(join(folder, step.remove));
    else
      for (const [name, text] of Object.entries(step.write)) {
        mkdirSync(dirname(join(folder, name)), { recursive: true });
        writeFileSync(join(folder, name), text);
      }
  }
  for (const step of steps)
    if (typeof step !== "string" && "write" in step)
      for (const name of Object.keys(step.write)) rmSync(join(folder, name), { force: true });
  return last as CellResult;
}

const kinds = [...new Set(cases.map(({ kind }) => kind))];
for (const kind of kinds)
  describe(kind, () => {
    for (const each of cases.filter((c) => c.kind === kind))
      it(each.what, async () => {
        const { result, stdout, stderr, error, traceback, displayed } = each.expected;
        const got = await play(each);
        const gotError = got.status === "ok" ? "" : `${got.ename}: ${got.evalue}`;
        if (error) expect(gotError).toMatch(error);
        else if (!traceback) expect(gotError).toBe("");
        if (traceback) expect(got.traceback).toMatch(traceback);
        if (result === null) expect(got.result).toBeUndefined();
        else if (result instanceof RegExp) expect(got.result).toMatch(result);
        else if (result !== undefined) expect(got.result).toBe(result);
        if (stdout instanceof RegExp) expect(got.stdout).toMatch(stdout);
        else if (stdout !== undefined) expect(got.stdout).toBe(stdout);
        if (displayed) {
          const shown = got.messages.filter(({ type }) => type === "display_data");
          expect(shown.map(({ content }) => content["data"])).toEqual(displayed);
        }
        if (stderr) expect(got.stderr).toMatch(stderr);
      });
  });
