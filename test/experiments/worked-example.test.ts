import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnyExperiment } from "../../src/experiments/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}/src/experiments/README.md`, "utf8");
const example = page.match(/^```ts\n(.*?)^```$/ms)![1];
const folder = `${root}/node_modules/.cache/worked-example`;

/** The example as if it stood in src/experiments (or, compiled, in dist/experiments). */
const standing = (tree: string): string =>
  example.replaceAll('from "../', `from "${root}${tree}/`).replaceAll('from "./', `from "${root}${tree}/experiments/`);

let freeOrder: AnyExperiment;
beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  const { outputText } = ts.transpileModule(standing("dist"), {
    compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
  });
  writeFileSync(`${folder}/free-order.mjs`, outputText);
  ({ freeOrder } = (await import(pathToFileURL(`${folder}/free-order.mjs`).href)) as { freeOrder: AnyExperiment });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the worked example compiles as strictly as the project does", () => {
  const file = `${folder}/free-order.ts`;
  writeFileSync(file, standing("dist"));
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const program = ts.createProgram([file], { ...options, rootDir: root, noEmit: true, incremental: false });
  const diagnostics = ts.getPreEmitDiagnostics(program);
  expect(diagnostics.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, "\n"))).toEqual([]);
});

test("it runs, and shows what its page says: from one end a single node, every second a node each", async () => {
  const run = await freeOrder.run({ maps: 1000 });
  expect(run.rows.map(({ order, nodes }) => [order, nodes])).toEqual([
    ["one end", 1],
    ["at random", expect.any(Number)],
    ["every second", 500],
  ]);
  const [, random] = run.rows.map(({ nodes }) => Number(nodes));
  expect(random).toBeGreaterThan(200);
  expect(random).toBeLessThan(300);
  expect(run.figure("nodes").caption).toContain("one node");
  await expect(freeOrder.run({ maps: 1 })).rejects.toThrow("maps");
});

test("the page names the places where an experiment is entered", () => {
  for (const [file, word] of [
    ["src/experiments/index.ts", "export"],
    ["src/experiments/registry.ts", "const all"],
  ]) {
    expect(page).toContain(file.slice(file.lastIndexOf("/") + 1));
    expect(readFileSync(`${root}/${file}`, "utf8")).toContain(word);
  }
});
