import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";
import ts from "typescript";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { AnyExperiment } from "../../src/experiments/index.js";

const root = fileURLToPath(new URL("../..", import.meta.url));
const page = readFileSync(`${root}/src/experiments/README.md`, "utf8");
const files = [...page.matchAll(/^`free-order\/(\w+)\.ts`:\n\n```ts\n(.*?)^```$/gms)].map(([, name, text]) => ({
  name,
  text,
}));
const folder = `${root}/node_modules/.cache/worked-example`;

/** A file of the example as if its folder stood in dist/experiments. */
const standing = (text: string): string =>
  text.replaceAll('from "../../', `from "${root}dist/`).replaceAll('from "../', `from "${root}dist/experiments/`);

let freeOrder: AnyExperiment;
beforeAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/package.json`, '{"type":"module"}');
  for (const { name, text } of files) {
    const { outputText } = ts.transpileModule(standing(text), {
      compilerOptions: { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ES2022, verbatimModuleSyntax: true },
    });
    writeFileSync(`${folder}/${name}.js`, outputText);
    writeFileSync(`${folder}/${name}.ts`, standing(text));
  }
  ({ freeOrder } = (await import(pathToFileURL(`${folder}/index.js`).href)) as { freeOrder: AnyExperiment });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

test("the worked example has the files of its siblings, and compiles as strictly as the project does", () => {
  expect(files.map(({ name }) => name)).toEqual(["config", "rows", "figures", "index"]);
  const { options } = ts.parseJsonConfigFileContent(
    ts.readConfigFile(`${root}/tsconfig.json`, ts.sys.readFile).config,
    ts.sys,
    root,
  );
  const program = ts.createProgram([`${folder}/index.ts`], {
    ...options,
    rootDir: root,
    noEmit: true,
    incremental: false,
  });
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

test("the page names the one place beside its folder where an experiment is entered", () => {
  expect(page).toContain("all.ts");
  expect(readFileSync(`${root}/src/experiments/all.ts`, "utf8")).toContain(
    'export * from "./lock-contention/index.js";',
  );
});
