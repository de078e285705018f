import { afterAll, beforeAll, expect, test } from "vitest";
import { type Kernel, startInProcessKernel } from "../../src/jupyter/index.js";

/** Names of earlier cells as shorthand properties: there the name of the property stays, and its value is the variable. */

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startInProcessKernel();
});
afterAll(() => kernel?.shutdown());

async function run(code: string): Promise<string> {
  const execution = kernel.execute(code);
  const shown: string[] = [];
  for await (const { content } of execution) {
    shown.push(String((content["data"] as Record<string, unknown> | undefined)?.["text/plain"] ?? content["evalue"]));
  }
  return shown.join("\n");
}

test("a name of an earlier cell, declared or imported, may stand as a shorthand property", async () => {
  await run('const pages = 3; let first = 1; import { basename } from "node:path";');
  expect(await run("({ pages, first })")).toBe("{ pages: 3, first: 1 }");
  expect(await run("[{ f: 1 }].map(() => ({ deep: { pages } }))[0].deep.pages")).toBe("3");
  expect(await run("typeof ({ basename }).basename")).toBe("'function'");
});

test("a name of the cell's own, which hides the earlier one, is its own", async () => {
  await run("const pages2 = 3;");
  expect(await run("[7].map((pages2) => ({ pages2 }))[0]")).toBe("{ pages2: 7 }");
});

test("assigning to earlier names by a pattern, with and without a default, reaches them", async () => {
  await run("let a = 0; let b = 0;");
  await run("({ a, b = 9 } = { a: 5 } as { a: number; b?: number });");
  expect(await run("[a, b]")).toBe("[ 5, 9 ]");
});
