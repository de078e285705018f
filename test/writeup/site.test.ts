import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { buildSite } from "../../src/writeup/index.js";

const folder = mkdtempSync(join(tmpdir(), "site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the project's own site holds: every link, figure, equation, citation and term resolves", async () => {
  const built = await buildSite({ root: ".", out: join(folder, "own") });
  expect(built.faults).toEqual([]);
  expect(built.pages).toEqual(expect.arrayContaining(["index.html", "00-start-here.html", "06-what-we-found.html"]));
});
