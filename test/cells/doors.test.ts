import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import ts from "typescript";
import { describe, expect, it } from "vitest";

const root = new URL("../..", import.meta.url).pathname.replace(/\/$/, "");

/** Type-checks a file at the project's root as the kernel checks a cell, but with every library's declarations too. */
function check(code: string): string[] {
  const file = join(root, "consumer.ts");
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    target: ts.ScriptTarget.ES2022,
    lib: ["lib.es2023.d.ts"],
    strict: true,
    noEmit: true,
    esModuleInterop: true,
    skipLibCheck: false,
    types: ["node", join(root, "dist/cells/display/global")],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.getCurrentDirectory = () => root;
  host.fileExists = (name) => name === file || fileExists.call(host, name);
  host.getSourceFile = (name, target, ...rest) =>
    name === file ? ts.createSourceFile(name, code, target) : getSourceFile.call(host, name, target, ...rest);
  const program = ts.createProgram([file], options, host);
  return ts.getPreEmitDiagnostics(program).map((d) => {
    const place = d.file && d.start !== undefined ? d.file.getLineAndCharacterOfPosition(d.start) : undefined;
    const where = d.file ? `${d.file.fileName.replace(`${root}/`, "")}:${(place?.line ?? 0) + 1}` : "";
    return `${where} TS${d.code}: ${ts.flattenDiagnosticMessageText(d.messageText, " ")}`;
  });
}

const rooms = readdirSync(join(root, "src"), { withFileTypes: true })
  .filter((entry) => entry.isDirectory() && existsSync(join(root, "dist", entry.name, "index.d.ts")))
  .map(({ name }) => name);

/** Libraries whose own declarations use a newer TypeScript or a browser's names; what is ours must read without them. */
const others = ["zod", "arquero", "@uwdata/flechette", "playwright-core"];

describe("the doors, read by the TypeScript of the cells", () => {
  it("compile without skipLibCheck, and a deliberate error shows against their types", () => {
    expect(rooms.length).toBeGreaterThanOrEqual(15);
    const imports = rooms.map((room, i) => `import * as room${i} from "iommu-lab/${room}"; export { room${i} };`);
    const errors = check(
      [
        'import { highWaterMark } from "iommu-lab/iova"; export const wrong: string = highWaterMark;',
        "lab.prompt(3);",
        ...imports,
      ].join("\n"),
    );
    const foreign = (error: string) => others.some((name) => error.startsWith(`node_modules/${name}/`));
    expect(errors.filter((error) => !foreign(error))).toEqual([
      "consumer.ts:1 TS2322: Type 'number' is not assignable to type 'string'.",
      "consumer.ts:2 TS2345: Argument of type 'number' is not assignable to parameter of type 'string'.",
    ]);
  });
});
