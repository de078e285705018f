import { describe, expect, test } from "vitest";
import { configHash } from "../../src/experiments/index.js";
import { dataValues, isNamed, Memo } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

const figure = (id: string) => {
  const found = dataValues(published).find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};

describe("changed facts", () => {
  test("hold another number in the place of the original, which stays as it was", () => {
    const before = published.number("PE1");
    expect(published.changed([figure("PE1").times(1.1)]).number("PE1")).toBeCloseTo(1.1 * before, 6);
    expect(published.number("PE1")).toBe(before);
  });

  test("of one number of a list leave the others; a table is moved as one", () => {
    expect(published.changed([figure("H9[1]").instead(99)]).record("H9").value).toEqual([4, 99, 30]);
    const table = figure("P_HSW_rd_rnd_64_4k");
    const moved = published.changed([table.times(2)]).record("P_HSW_rd_rnd_64_4k").value;
    expect(Object.values(moved)).toEqual(table.values.map((value) => 2 * value));
  });

  test("of a host's parameter arrive where the host is read", () => {
    expect(published.changed([figure("hsw.mps").instead(128)]).hardware("hsw")).toMatchObject({
      values: { mps: { value: 128, unit: "bytes" } },
    });
  });

  test("share what was not changed, and change on: the second change keeps the first", () => {
    const once = published.changed([figure("PE1").times(2)]);
    expect(once.under("PE2")).toBe(published.under("PE2"));
    expect(once.under("PE1")).not.toBe(published.under("PE1"));
    const twice = once.changed([figure("PE2").times(2)]);
    expect(twice.number("PE1")).toBe(once.number("PE1"));
    expect(twice.key).not.toBe(once.key);
  });

  test("give every result another name, so that no kept one is taken for it", () => {
    const name = (facts: { key: string }) => configHash("lock-contention", { cores: [1] }, facts.key);
    const up = published.changed([figure("PE1").times(1.1)]);
    const down = published.changed([figure("PE1").times(0.9)]);
    expect(new Set([published, up, down].map(name)).size).toBe(3);
    expect(name(published)).toBe(configHash("lock-contention", { cores: [1] }));
  });

  test("say what is read, and a change where nothing stands is refused", () => {
    const read: string[] = [];
    const facts = published.noting((name) => read.push(name));
    facts.record("PE2");
    facts.hardware("ivb");
    expect(read).toEqual(["PE2", "hardware/ivb"]);
    for (const path of [
      ["published", "thread", "nothing"],
      ["published", "__proto__", "x"],
      ["nowhere", "a"],
    ])
      expect(() => published.changed([{ path, value: 1 }])).toThrow(`data/${path.join("/")}: nothing stands there`);
  });

  test("are named by their beginning, but a number is not cut in two", () => {
    const named = (name: string) => dataValues(published).filter(({ id }) => isNamed(id, name)).length;
    expect([named("PE1"), named("PE"), named("H9"), named(""), named("hsw."), named("nothing")]).toEqual([
      1,
      dataValues(published).filter(({ id }) => id.startsWith("PE")).length,
      3,
      0,
      12,
      0,
    ]);
  });

  test("list every figure once, and say which cannot be moved", () => {
    const figures = dataValues(published);
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    expect(figure("hsw.coherentWalks").fixed).toBe("it is a choice, not a quantity");
    expect(figure("K1").fixed).toBe("it is a text, not a number");
    expect(figure("S1[0]").fixed).toBeUndefined();
  });
});

describe("a memo", () => {
  const pe1 = figure("PE1");
  const twice = published.changed([pe1.times(2)]);
  const other = published.changed([figure("PE2").times(2)]);

  test("computes once for the same inputs, and anew where a fact that was read is another", () => {
    const memo = new Memo();
    let computed = 0;
    const ask = (facts: typeof published, inputs: unknown = { a: 1 }) =>
      memo.of({ facts, memo }, "double", inputs, (basis) => {
        computed++;
        return 2 * basis.facts.number("PE1");
      });
    const first = ask(published);
    expect([ask(published), computed]).toEqual([first, 1]);
    // A fact that it does not read may be another.
    expect([ask(other), computed]).toEqual([first, 1]);
    expect([ask(twice), computed]).toEqual([2 * first, 2]);
    expect([ask(published), computed]).toEqual([first, 2]);
    ask(published, { a: 2 });
    expect(computed).toBe(3);
  });

  test("tells of a kept result, too, what it rests on, through results that rest on others", () => {
    const memo = new Memo();
    const readsOf = (facts: typeof published): string[] => {
      const read = new Set<string>();
      const basis = { facts: facts.noting((name) => read.add(name)), memo };
      memo.of(basis, "outer", 1, (b) => memo.of(b, "inner", 1, ({ facts: f }) => f.number("PE1")) + 1);
      return [...read];
    };
    expect(readsOf(published)).toEqual(["PE1"]);
    expect(readsOf(published)).toEqual(["PE1"]);
    expect(readsOf(twice)).toEqual(["PE1"]);
  });

  test("holds so many results and no more", () => {
    const memo = new Memo(3);
    let computed = 0;
    for (let i = 0; i < 10; i++) memo.of({ facts: published, memo }, "n", i % 5, () => computed++);
    expect(computed).toBe(10);
  });

  test("keeps nothing of a computation that throws", () => {
    const memo = new Memo();
    const fail = () =>
      memo.of({ facts: published, memo }, "fail", 1, () => {
        throw new Error("no");
      });
    expect(fail).toThrow("no");
    expect(memo.of({ facts: published, memo }, "fail", 1, () => 7)).toBe(7);
  });
});
