import { describe, expect, test } from "vitest";
import { ProgramAutomaton, type ProgramStep } from "../../src/explore/index.js";

type Ask = ProgramStep & { ask: string };

/** Asks until it is told to stop; counts what it was told. */
function* asks(place: boolean): Generator<Ask, void, number> {
  let sum = 0;
  while (sum < 3) sum += yield { ask: `sum is ${sum}`, ...(place ? { place: `sum ${sum}` } : {}) };
}

describe("a generator as an automaton", () => {
  test("says what it waits for after each result, and when it has ended", () => {
    const program = new ProgramAutomaton(() => asks(false));
    expect(program.step(0)).toEqual({ ask: "sum is 0" });
    const two = program.after(0, 2);
    expect(program.step(two)?.ask).toBe("sum is 2");
    expect(program.step(program.after(two, 1))).toBeUndefined();
    expect(program.step(program.after(0, 3))).toBeUndefined();
  });

  test("the same results lead to the same node; without places other results lead to others", () => {
    const program = new ProgramAutomaton(() => asks(false));
    expect(program.after(0, 1)).toBe(program.after(0, 1));
    expect(program.after(program.after(0, 1), 1)).not.toBe(program.after(0, 2));
  });

  test("with places, ways that come to the same place are one", () => {
    const program = new ProgramAutomaton(() => asks(true));
    expect(program.after(program.after(0, 1), 1)).toBe(program.after(0, 2));
    expect(program.after(0, 0)).toBe(0);
    expect(program.size).toBe(3);
  });

  test("a program that has ended takes no result", () => {
    const program = new ProgramAutomaton(() => asks(true));
    expect(() => program.after(program.after(0, 3), 1)).toThrow("has ended");
  });
});
