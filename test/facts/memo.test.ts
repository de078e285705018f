import { describe, expect, test } from "vitest";
import { basisOf, Memo } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

/** Asks a memo for results and tells which were computed. */
function asked(memo: Memo) {
  const computed: string[] = [];
  const basis = { facts: published, memo };
  const ask = (name: string, bytes?: number) =>
    memo.of(basis, name, {}, () => {
      computed.push(name);
      return bytes === undefined ? name : { byteLength: bytes };
    });
  return { ask, computed };
}

describe("the memo of results", () => {
  test("forgets what was not asked for longest, and keeps what is asked for again", () => {
    const { ask, computed } = asked(new Memo(2));
    for (const name of ["a", "b", "a", "c", "a", "b"]) ask(name);
    expect(computed).toEqual(["a", "b", "c", "b"]);
  });

  test("keeps no more memory than it may; a result that alone is more is given and not kept", () => {
    const { ask, computed } = asked(new Memo(100, 50));
    ask("a", 30);
    ask("b", 30);
    ask("a", 30);
    expect(computed).toEqual(["a", "b", "a"]);
    expect(ask("huge", 51)).toEqual({ byteLength: 51 });
    ask("small", 1);
    ask("small", 1);
    expect(computed.slice(3)).toEqual(["huge", "small"]);
  });

  test("takes inputs for the same whatever the order of their keys", () => {
    const basis = basisOf(published);
    const of = (inputs: object) => basis.memo.of(basis, "x", inputs, () => ({}));
    expect(of({ a: 1, b: { c: 2, d: 3 } })).toBe(of({ b: { d: 3, c: 2 }, a: 1 }));
    expect(of({ a: 1, b: undefined })).toBe(of({ a: 1 }));
    expect(of({ a: 2 })).not.toBe(of({ a: 1 }));
  });
});
