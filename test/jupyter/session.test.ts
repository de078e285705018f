import { describe, expect, it } from "vitest";
import { glob, History } from "../../src/jupyter/session/history.js";
import { codePointOffset, unitOffset } from "../../src/jupyter/session/positions.js";

describe("the history", () => {
  const history = new History();
  for (const [i, code] of ["a", "b", "a", "ab"].entries()) history.add(i + 1, code)(`out ${i + 1}`);

  it("gives the last cells, with their results where asked for", () => {
    expect(history.rows({ hist_access_type: "tail", n: 2 })).toEqual([
      [1, 3, "a"],
      [1, 4, "ab"],
    ]);
    expect(history.rows({ hist_access_type: "tail", n: 1, output: true })).toEqual([[1, 4, ["ab", "out 4"]]]);
  });

  it("gives a range, of this session only", () => {
    expect(history.rows({ hist_access_type: "range", session: 0, start: 2, stop: 3 })).toEqual([[1, 2, "b"]]);
    expect(history.rows({ hist_access_type: "range", session: -1, start: 1, stop: 9 })).toEqual([]);
  });

  it("searches with wildcards, and each text once where asked for", () => {
    expect(history.rows({ hist_access_type: "search", pattern: "a*", unique: true })).toEqual([
      [1, 3, "a"],
      [1, 4, "ab"],
    ]);
  });

  it("gives nothing for a request that it does not understand", () => {
    expect(history.rows({ hist_access_type: 3, n: "x" })).toEqual([]);
  });

  it("matches a hostile pattern in no time", () => {
    expect(glob(`${"*a".repeat(200)}b`, "a".repeat(5000))).toBe(false);
    expect(glob("a?c*", "abcd")).toBe(true);
  });
});

describe("cursor positions", () => {
  it("count code points outside and UTF-16 units inside", () => {
    const code = "a😀b";
    expect([0, 1, 2, 3].map((p) => unitOffset(code, p))).toEqual([0, 1, 3, 4]);
    expect([0, 1, 3, 4].map((o) => codePointOffset(code, o))).toEqual([0, 1, 2, 3]);
    expect(unitOffset(code, -1)).toBe(4);
    expect(unitOffset(code, "x")).toBe(4);
  });
});
