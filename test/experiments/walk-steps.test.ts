import { expect, test } from "vitest";
import { walkPicture, walkSteps } from "../../src/experiments/index.js";

test("a free above the remembered node moves it up to its upper neighbour; the next map fills the hole", () => {
  const [, free, map] = walkSteps();
  expect(free.freed).toBe(21);
  expect(free.from).toBe(14);
  expect(free.remembered).toBe(22);
  expect(map).toMatchObject({ taken: 21, remembered: 21, looked: [20] });
});

test("the map after that looks at every node below, in order, and takes the page under them", () => {
  const steps = walkSteps();
  for (const step of steps.filter(({ looked }) => looked.length > 1)) {
    const { from, looked, taken } = step;
    expect(looked).toEqual(Array.from({ length: looked.length }, (_, i) => (from as number) - 1 - i));
    expect(taken).toBe((looked.at(-1) as number) - 1);
    expect(step.remembered).toBe(taken);
  }
  expect(steps.map(({ looked }) => looked.length)).toEqual([0, 0, 1, 7, 0, 1, 6]);
});

test("each step begins where the one before has left the remembered node, and changes one page", () => {
  const steps = walkSteps();
  for (const [i, step] of steps.slice(1).entries()) {
    const before = new Set(steps[i].mapped);
    const after = new Set(step.mapped);
    expect(step.from).toBe(steps[i].remembered);
    expect([...after].filter((page) => !before.has(page))).toEqual(step.taken === undefined ? [] : [step.taken]);
    expect([...before].filter((page) => !after.has(page))).toEqual(step.freed === undefined ? [] : [step.freed]);
  }
});

test("the picture has a row and a choice of the slider for each step, and says the same in words", () => {
  const { layout, alt } = walkPicture();
  const steps = walkSteps();
  const { sliders, yaxis } = layout as never as { sliders: { steps: unknown[] }[]; yaxis: { ticktext: string[] } };
  expect(sliders[0].steps).toHaveLength(steps.length + 1);
  expect(yaxis.ticktext).toHaveLength(steps.length);
  for (const { label } of steps) expect(alt).toContain(label);
});
