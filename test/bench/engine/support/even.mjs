// An experiment of even points for the bench of sweeps: each simulates the same number of events.
import { Simulation, Streams } from "iommu-lab/engine";
import { defineExperiment } from "iommu-lab/experiments";
import { z } from "zod";

export const even = defineExperiment({
  name: "even",
  title: "Even points",
  question: "How long do equal points take on several workers?",
  config: z.strictObject({
    seeds: z.array(z.int().min(0)).default([1]).describe("seeds, a point each"),
    events: z.int().min(1).default(1_000_000).describe("events a point"),
  }),
  points: ({ seeds, events }) => seeds.map((seed) => ({ seed, events })),
  label: ({ seed }) => `seed ${seed}`,
  simulate: ({ seed, events }) => {
    const sim = new Simulation();
    const random = new Streams(seed).stream("delays");
    const base = sim.attach({
      dispatch: (_kind, actor) => sim.post(Math.floor(random.exponential(1000)), base, actor),
    });
    for (let i = 0; i < 1000; i++) sim.post(i, base, i);
    sim.run({ maxEvents: events });
    return [{ seed, end: sim.now }];
  },
  columns: { seed: { unit: "", description: "seed" }, end: { unit: "ticks", description: "time of the last event" } },
  figures: {},
  claims: () => [],
});
