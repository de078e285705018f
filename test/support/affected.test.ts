import { describe, expect, test } from "vitest";
import { distance, importsOf, withinTime } from "./affected.mjs";

describe("what a change needs", () => {
  test("imports are followed to the sources: of compiled modules and of rooms by their name as well", () => {
    const text = `import { a } from "../../dist/facts/index.js";
export { b } from "./support/facts.js";
const { c } = await import("iommu-lab/engine");
import "node:fs"; import { z } from "zod";`;
    expect(importsOf("test/host/x.test.ts", text)).toEqual(["src/facts/index.ts", "src/engine/index.ts"]);
    expect(importsOf("test/x.test.ts", text)).toContain("test/support/facts.ts");
  });

  test("the distance is the fewest imports between a test and what changed", () => {
    const graph: Record<string, string[]> = {
      test: ["door", "far"],
      door: ["room"],
      room: ["door"],
      far: ["a"],
      a: ["b"],
    };
    const imports = (file: string) => graph[file] ?? [];
    expect(distance("test", new Set(["room"]), imports)).toBe(2);
    expect(distance("test", new Set(["b", "far"]), imports)).toBe(1);
    expect(distance("test", new Set(["elsewhere"]), imports)).toBeUndefined();
  });

  test("the nearest tests come first, as long as the time allows; the others are named", () => {
    const tests = [
      { file: "far", steps: 5 },
      { file: "long", steps: 1 },
      { file: "near", steps: 1 },
      { file: "new", steps: 2 },
    ];
    const seconds = new Map([
      ["far", 4],
      ["long", 30],
      ["near", 3],
    ]);
    expect(withinTime(tests, seconds, 6)).toEqual({ taken: ["near", "new"], others: ["long", "far"] });
  });
});
