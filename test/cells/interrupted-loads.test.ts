import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Kernel, startInProcessKernel } from "../../src/jupyter/index.js";
import { run } from "../jupyter/support.js";

const folder = mkdtempSync(join(tmpdir(), "iommu-lab-loads-"));
/** A module that takes a while, and says when it has begun. */
const slow = (ms: number, declare: (name: string, value: string) => string) => `
${declare("first", "1")}
console.log("on");
{ const until = Date.now() + ${ms}; while (Date.now() < until); }
${declare("last", "2")}
`;
const commonJs = (name: string, value: string) => `exports.${name} = ${value};`;
const esModule = (name: string, value: string) => `export const ${name} = ${value};`;
const typed = (name: string, value: string) => `export var ${name}: number = ${value};`;

let kernel: Kernel;
beforeAll(async () => {
  writeFileSync(join(folder, "slow.cjs"), slow(300, commonJs));
  writeFileSync(join(folder, "slow.mjs"), slow(300, esModule));
  writeFileSync(join(folder, "local.ts"), slow(300, typed));
  writeFileSync(join(folder, "endless.cjs"), `exports.first = 1; console.log("on"); while (true) {}`);
  writeFileSync(join(folder, "endless.mjs"), `export var first = 1; console.log("on"); while (true) {}`);
  writeFileSync(join(folder, "other.mjs"), "export const fine = 1;");
  kernel = await startInProcessKernel({ cwd: folder });
  await run(kernel, "let kept = 1");
});
afterAll(async () => {
  await kernel.shutdown();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs a cell and interrupts it as soon as it has printed something. */
async function interrupted(code: string): Promise<{ ename: string | undefined; ms: number }> {
  const execution = kernel.execute(code);
  let sent = 0;
  for await (const { type } of execution)
    if (type === "stream" && sent === 0) {
      sent = performance.now();
      void kernel.interrupt();
    }
  const { ename } = await execution.reply;
  return { ename, ms: performance.now() - sent };
}

it.each([
  ["a CommonJS module", 'require("./slow.cjs")'],
  ["an ES module", 'require("./slow.mjs")'],
])("%s that is interrupted while it loads is whole afterwards", async (_, load) => {
  expect((await interrupted(`${load}; let unreached = 1; while (true) {}`)).ename).toBe("KeyboardInterrupt");
  expect((await run(kernel, `const { first, last } = ${load}; [first, last, kept]`)).result).toBe("[ 1, 2, 1 ]");
});

it("so is a module written in TypeScript beside the notebook", async () => {
  expect((await interrupted('import { last as a } from "./local"; a; while (true) {}')).ename).toBe(
    "KeyboardInterrupt",
  );
  expect((await run(kernel, 'import { first, last } from "./local"; [first, last, kept]')).result).toBe("[ 1, 2, 1 ]");
});

it("a module that never ends loading is given up, and no half of it is ever seen", { timeout: 120_000 }, async () => {
  expect((await interrupted('require("./endless.cjs")')).ename).toBe("KeyboardInterrupt");
  writeFileSync(join(folder, "endless.cjs"), "exports.first = 1; exports.last = 2;");
  expect((await run(kernel, 'require("./endless.cjs")')).result).toBe("{ first: 1, last: 2 }");
  // An ES module cannot be loaded again: that is said, and what is loaded goes on working.
  expect((await interrupted('require("./endless.mjs")')).ename).toBe("KeyboardInterrupt");
  for (const module of ["endless", "other"])
    expect((await run(kernel, `require("./${module}.mjs")`)).evalue).toMatch(
      /^An interrupt has stopped the loading of .*endless\.mjs half-way\..*restart the kernel/,
    );
  expect((await run(kernel, 'require("./slow.mjs").last')).result).toBe("2");
});

it("fetch works after it has been interrupted at any point", async () => {
  const server = createServer((_, response) => response.end("here"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  try {
    for (let i = 0; i < 24; i++) {
      await interrupted(
        `console.log("on"); const ask = () => { void fetch("${url}").then((r) => r.text(), () => {}); }; for (;;) { ask(); await null; for (let i = 0; i < 1e5; i++); }`,
      );
      expect((await run(kernel, `const r = await fetch("${url}"); await r.text()`)).result).toBe("'here'");
    }
  } finally {
    server.closeAllConnections();
    server.close();
  }
});
