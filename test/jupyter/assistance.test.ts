import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CellRunner, packageRoot } from "../../src/cells/index.js";
import type { Kernel } from "../../src/jupyter/index.js";
import { startKernel } from "./support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.shutdown());

const complete = async (code: string) =>
  (await kernel.request("complete_request", { code, cursor_pos: code.length })).content;
const inspect = async (code: string) =>
  (await kernel.request("inspect_request", { code, cursor_pos: code.length, detail_level: 0 })).content;

describe("completion", () => {
  it.each([
    ["the path of an import", 'import * as fs from "node:f', "node:fs", "node:f"],
    ["a path that has just been opened", 'import * as fs from "', "iommu-lab/experiments", ""],
    ["the rooms of the package", 'import { } from "iommu-lab/pl', "iommu-lab/plot", "iommu-lab/pl"],
    ["require", 'require("f', "fs/promises", "f"],
    ["import()", 'await import("f', "fs", "f"],
    ["a text of a type of texts", 'type D = "red" | "blue"; const d: D = "', "blue", ""],
    ["a member", "[1, 2].ma", "map", "ma"],
  ])("knows %s, and where it stands", async (_, code, match, replaced) => {
    const { status, matches, cursor_start, cursor_end, metadata } = await complete(code);
    expect([status, typeof metadata]).toEqual(["ok", "object"]);
    expect(matches).toContain(match);
    expect(code.slice(cursor_start as number, cursor_end as number)).toBe(replaced);
  });

  it("of a request that makes no sense is an error with all its fields", async () => {
    for (const content of [{}, { code: 5 }, { code: null, cursor_pos: "x" }])
      expect((await kernel.request("complete_request", content)).content).toMatchObject({
        status: "error",
        ename: "RequestError",
        matches: [],
        cursor_start: 0,
        cursor_end: 0,
        metadata: {},
      });
  });
});

describe("inspection", () => {
  it.each([
    ["a variable", "const n = 4; n", /^const n: 4$/],
    ["a type that stands alone", "interface P { x: number }; P", /^interface P$/],
    ["a type in the midst of a line", "Partial", /^type Partial<T>/],
    ["the function that is being called", "Math.max(", /max\(\.\.\.values: number\[\]\): number\n\nReturns the larger/],
  ])("finds %s", async (_, code, text) => {
    const { found, data } = await inspect(code);
    expect(found).toBe(true);
    expect((data as Record<string, string>)["text/plain"]).toMatch(text);
  });

  it.each([
    "nosuchname",
    "nosuchname(",
    "'a'.nosuchmember",
    "",
    "1 + 1",
    "// a comment",
  ])("of %j finds nothing", async (code) => {
    expect(await inspect(code)).toEqual({ status: "ok", found: false, data: {}, metadata: {} });
  });
});

it("while the compiler is still loading, whether a cell is complete and what could stand there are answered all the same", async () => {
  const folder = mkdtempSync(join(tmpdir(), "iommu-lab-loading-"));
  // A process that starts, and never answers.
  const [program, snapshot] = [join(folder, "never.cjs"), join(folder, "never.blob")];
  writeFileSync(
    program,
    'require("node:v8").startupSnapshot.setDeserializeMainFunction(() => setInterval(() => {}, 1e6))',
  );
  execFileSync(process.execPath, ["--snapshot-blob", snapshot, "--build-snapshot", program], { stdio: "ignore" });
  const runner = new CellRunner(
    { packageRoot, root: folder, snapshot },
    { output() {}, input() {}, replaced() {}, log() {} },
  );
  try {
    expect(await runner.isComplete("const f = () => {")).toEqual({ status: "incomplete", indent: "  " });
    expect(await runner.isComplete("1 + 1")).toEqual({ status: "complete" });
    expect((await runner.complete("Math.sqr", 8)).matches).toEqual([expect.objectContaining({ text: "sqrt" })]);
    expect((await runner.complete("lab.promp", 9)).matches).toEqual([expect.objectContaining({ text: "prompt" })]);
  } finally {
    runner.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
