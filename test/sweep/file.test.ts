import { describe, expect, test } from "vitest";
import { ConfigError } from "../../src/experiments/index.js";
import { readSweepFile } from "../../src/sweep/index.js";

const read = (content: unknown) =>
  readSweepFile(typeof content === "string" ? content : JSON.stringify(content), "s.json");
const upTo = (n: number): number[] => Array.from({ length: n }, (_, i) => i + 1);

describe("a sweep's file", () => {
  test("gives every corner of its grid", () => {
    expect(
      read({ experiment: "machine-check", space: { guestMce: [[0], [1]], hostMce: [[0], [1]] } }).configurations,
    ).toHaveLength(4);
  });

  test.each([
    { seed: upTo(1000), a: upTo(1000), b: upTo(1000), c: upTo(1000) },
    { seed: { low: 1, high: 9, whole: true }, a: upTo(1001) },
  ])("of too many configurations is refused before any is made", (space) => {
    const samples = Array.isArray(space.seed) ? {} : { samples: 1000 };
    expect(() => read({ experiment: "merged-nodes", space, ...samples })).toThrow(
      /s\.json: space: [\d,]+ configurations; expected at most 1,000,000/,
    );
  });

  test.each([
    '{"experiment": "merged-nodes", "space": {"__proto__": [1]}}',
    '{"experiment": "merged-nodes", "base": {"constructor": {"prototype": {"x": 1}}}, "space": {"seed": [1]}}',
    '{"experiment": "merged-nodes", "space": {"assume.__proto__.x": [1]}}',
    '{"experiment": "merged-nodes", "space": {"constructor.prototype.x": [1]}}',
    '{"__proto__": {"experiment": "merged-nodes"}, "space": {}}',
  ])("with names that every object has is refused, and nothing is changed by them: %s", (text) => {
    expect(() => read(text)).toThrow(ConfigError);
    expect(() => read(text)).toThrow(/s\.json: .*"([a-z]+\.)?(__proto__|constructor)[".]/s);
    expect(({} as Record<string, unknown>)["x"]).toBeUndefined();
  });

  test("nested a million deep is refused", () => {
    expect(() => read(`{"experiment": ${"[".repeat(1e6)}`)).toThrow("more than 200 deep");
  });
});
