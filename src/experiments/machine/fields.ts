import { z } from "zod";

/** Fields of the experiments that put a load on one lock. */
export const lockLoadFields = {
  sectionCycles: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(1000)
    .describe("mean length of a critical section (core cycles)"),
  thinkCycles: z
    .int()
    .min(1)
    .max(10_000_000)
    .default(6000)
    .describe("mean time of a core between two sections (core cycles)"),
  seed: z.int().min(0).default(1).describe("seed of think times, section lengths and the order of waiters"),
};
