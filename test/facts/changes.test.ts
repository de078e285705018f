import { afterEach, describe, expect, test } from "vitest";
import { configHash } from "../../src/experiments/index.js";
import {
  changeData,
  dataValues,
  fact,
  factNumber,
  hardwareFile,
  isNamed,
  listenToReads,
} from "../../src/facts/index.js";

afterEach(() => {
  listenToReads(undefined);
  changeData([]);
});
const figure = (id: string) => {
  const found = dataValues().find((one) => one.id === id);
  if (!found) throw new Error(id);
  return found;
};

describe("changed data", () => {
  test("is read in the place of the original, and taken back", () => {
    const before = factNumber("PE1");
    changeData([figure("PE1").times(1.1)]);
    expect(factNumber("PE1")).toBeCloseTo(1.1 * before, 6);
    changeData([]);
    expect(factNumber("PE1")).toBe(before);
  });

  test("of one number of a list leaves the others; a table is moved as one", () => {
    changeData([figure("H9[1]").instead(99)]);
    expect(fact("H9").value).toEqual([4, 99, 30]);
    const table = figure("P_HSW_rd_rnd_64_4k");
    changeData([table.times(2)]);
    expect(Object.values(fact("P_HSW_rd_rnd_64_4k").value)).toEqual(table.values.map((value) => 2 * value));
  });

  test("of a host's parameter arrives where the host is read", () => {
    changeData([figure("hsw.mps").instead(128)]);
    expect(hardwareFile("hsw")).toMatchObject({ values: { mps: { value: 128, unit: "bytes" } } });
  });

  test("gives every result another name, so that no kept one is taken for it", () => {
    const plain = configHash("lock-contention", { cores: [1] });
    changeData([figure("PE1").times(1.1)]);
    const up = configHash("lock-contention", { cores: [1] });
    changeData([figure("PE1").times(0.9)]);
    expect(new Set([plain, up, configHash("lock-contention", { cores: [1] })]).size).toBe(3);
    changeData([]);
    expect(configHash("lock-contention", { cores: [1] })).toBe(plain);
  });

  test("says what is read, and refuses a place where nothing stands", () => {
    const read: string[] = [];
    listenToReads((name) => read.push(name));
    fact("PE2");
    hardwareFile("ivb");
    expect(read).toEqual(["PE2", "hardware/ivb"]);
    expect(() => changeData([{ path: ["published", "thread", "nothing"], value: 1 }])).toThrow(
      "data/published/thread/nothing: nothing stands there",
    );
  });

  test("are named by their beginning, but a number is not cut in two", () => {
    const named = (name: string) => dataValues().filter(({ id }) => isNamed(id, name)).length;
    expect([named("PE1"), named("PE"), named("H9"), named(""), named("hsw."), named("nothing")]).toEqual([
      1,
      dataValues().filter(({ id }) => id.startsWith("PE")).length,
      3,
      0,
      12,
      0,
    ]);
  });

  test("lists every figure once, and says which cannot be moved", () => {
    const figures = dataValues();
    expect(new Set(figures.map(({ id }) => id)).size).toBe(figures.length);
    expect(figure("hsw.coherentWalks").fixed).toBe("it is a choice, not a quantity");
    expect(figure("K1").fixed).toBe("it is a text, not a number");
    expect(figure("S1[0]").fixed).toBeUndefined();
  });
});
