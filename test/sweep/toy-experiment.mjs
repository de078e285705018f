// A small experiment for the tests of sweeps: its points can be slow, fail, or finish out of order, as their configuration says.
import { readdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
// Not by its door, behind which all experiments stand: threads that compute only this one begin in a third of the time.
import { defineExperiment } from "../../dist/experiments/frame/experiment.js";

export const toy = defineExperiment({
  name: "toy",
  title: "A toy",
  question: "Do sweeps keep order?",
  config: z.strictObject({
    values: z.array(z.int().min(0).max(1000)).default([1, 2, 3]).describe("values, in apples"),
    slow: z.number().min(0).default(0).describe("time a point takes, in ms, less for later points"),
    gate: z
      .strictObject({ folder: z.string(), marks: z.int() })
      .optional()
      .describe(
        "every point leaves a mark in the folder; value 0 waits until there are so many, for half a minute at most",
      ),
    failAt: z.int().default(-1).describe("the value that fails"),
    nested: z.strictObject({ factor: z.number().default(2).describe("multiplier") }).prefault({}),
  }),
  points: ({ values, ...rest }) => values.map((value) => ({ value, ...rest })),
  label: ({ value }) => `value ${value}`,
  simulate: ({ value, slow, gate, failAt, nested }) => {
    if (value === failAt) throw new Error(`value ${value} fails`);
    if (gate && value === 0) {
      const asleep = new Int32Array(new SharedArrayBuffer(4));
      for (let turn = 0; turn < 3000 && readdirSync(gate.folder).length < gate.marks; turn++)
        Atomics.wait(asleep, 0, 0, 10);
    } else if (gate) writeFileSync(join(gate.folder, String(value)), "");
    const until = performance.now() + slow / (1 + value);
    while (performance.now() < until);
    return [{ value, product: value * nested.factor }];
  },
  columns: {
    value: { unit: "apples", description: "the value" },
    product: { unit: "apples", description: "the value times the factor" },
  },
  figures: {},
  claims: () => [],
});

/** Every point takes 0.2 s, in which nothing is computed, so that many can run at a time on a small machine. */
export const steady = defineExperiment({
  name: "steady",
  title: "A steady toy",
  question: "What is left of a sweep that is killed?",
  config: z.strictObject({ value: z.int().min(0).max(1000).default(0).describe("a value, in apples") }),
  points: ({ value }) => [{ value }],
  label: ({ value }) => `value ${value}`,
  simulate: ({ value }) => {
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 200);
    return [{ value, square: value * value }];
  },
  columns: { value: { unit: "apples", description: "the value" }, square: { unit: "", description: "its square" } },
  figures: {},
  claims: () => [],
});
