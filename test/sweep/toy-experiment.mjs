// A small experiment for the tests of sweeps: its points can be slow, fail, or finish out of order, as their configuration says.
import { defineExperiment } from "iommu-lab/experiments";
import { z } from "zod";

export const toy = defineExperiment({
  name: "toy",
  title: "A toy",
  question: "Do sweeps keep order?",
  config: z.strictObject({
    values: z.array(z.int().min(0).max(1000)).default([1, 2, 3]).describe("values, in apples"),
    slow: z.number().min(0).default(0).describe("time a point takes, in ms, less for later points"),
    failAt: z.int().default(-1).describe("the value that fails"),
    nested: z.strictObject({ factor: z.number().default(2).describe("multiplier") }).prefault({}),
  }),
  points: ({ values, ...rest }) => values.map((value) => ({ value, ...rest })),
  label: ({ value }) => `value ${value}`,
  simulate: ({ value, slow, failAt, nested }) => {
    if (value === failAt) throw new Error(`value ${value} fails`);
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
