import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Kernel } from "../../src/jupyter/index.js";
import { run, startKernel } from "../jupyter/support.js";

let kernel: Kernel;
beforeAll(async () => {
  kernel = await startKernel();
});
afterAll(() => kernel.shutdown());

describe("a cell", () => {
  it("shows the value of its last expression", async () => {
    expect((await run(kernel, "6 * 7")).result).toBe("42");
    expect((await run(kernel, "await Promise.resolve('later')")).result).toBe("'later'");
    expect((await run(kernel, "null")).result).toBe("null");
    expect((await run(kernel, "undefined")).result).toBeUndefined();
  });

  it("sees what earlier cells declared", async () => {
    await run(kernel, "const a = 20; let b = 1; interface P { x: number }; function twice(n: number) { return 2 * n }");
    const { result } = await run(kernel, "b = a + 1; const p: P = { x: twice(b) }; p");
    expect(result).toBe("{ x: 42 }");
  });

  it("writes to both streams", async () => {
    const { stdout, stderr } = await run(kernel, 'console.log("out"); console.error("err")');
    expect([stdout, stderr]).toEqual(["out\n", "err\n"]);
  });

  it("loops over an async iterable at the top level", async () => {
    const { stdout } = await run(kernel, "for await (const x of [1, 2]) console.log(x)");
    expect(stdout).toBe("1\n2\n");
  });

  it("imports the rooms with their types", async () => {
    expect((await run(kernel, 'import { lineFigure } from "iommu-lab/plot"; typeof lineFigure')).result).toBe(
      "'function'",
    );
    const wrong = await run(kernel, "const n: number = lineFigure");
    expect(wrong.evalue).toMatch(/^TS2322: Type '\(spec: LineSpec\) => Figure'/);
  });
});

describe("an error", () => {
  it("names line and column of the cell", async () => {
    const { ename, evalue, traceback, executionCount } = await run(
      kernel,
      "const f = (n: number): never => {\n\n  // types and blank lines do not move it\n  throw new RangeError(`no ` + n);\n};\nf(3)",
    );
    expect([ename, evalue]).toEqual(["RangeError", "no 3"]);
    expect(traceback).toContain(`f (cell [${executionCount}]:4:9)`);
    expect(traceback).toContain(`cell [${executionCount}]:6:1`);
    expect(traceback).not.toMatch(/node:|dist/);
  });

  it("of the type checker names the code and underlines the place", async () => {
    const { evalue, traceback } = await run(kernel, "let fine = 1;\nlet wrong: string = fine;");
    expect(evalue).toBe("TS2322: Type 'number' is not assignable to type 'string'.");
    expect(traceback).toContain("2 | let wrong: string = fine;\n  |     ~~~~~");
  });

  it("of the type checker shows of a long line the piece with the fault, so that its marks stand below it", async () => {
    const long = `const total = ${Array.from({ length: 30 }, (_, i) => i).join(" + ")} + missing + ${"1 + ".repeat(30)}1;`;
    const { traceback } = await run(kernel, long);
    const [, shown, marks] = traceback.split("\n");
    expect(shown.length).toBeLessThanOrEqual(80);
    expect(shown).toMatch(/^1 \| ….*….*$|^1 \| ….*…$/);
    expect(shown.slice(marks.indexOf("~"), marks.lastIndexOf("~") + 1)).toBe("missing");
  });

  it("leaves the names usable that were assigned before it, and the old values of the others", async () => {
    await run(kernel, "const kept = 'old'; const replaced = 'old'");
    await run(kernel, "const replaced = 1; const fresh = [1];\nJSON.parse('{');\nconst kept = 2; const unreached = 3;");
    expect((await run(kernel, "[kept.length, replaced + 1, fresh[0]]")).result).toBe("[ 3, 2, 1 ]");
    expect((await run(kernel, "unreached")).evalue).toMatch(/^TS2304/);
  });
});
