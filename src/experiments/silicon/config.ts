import { z } from "zod";
import type { Basis, Facts } from "../../facts/index.js";
import { recordedMachine, recordedMachines } from "./recorded.js";

/** The configuration's schema. */
export const Config = (facts: Facts) => {
  const names = recordedMachines(facts);
  return z.strictObject({
    machines: z
      .array(z.enum(names as [string, ...string[]]))
      .min(1)
      .default(names)
      .describe("recorded machines, by their names in data/observations/silicon-NAME.json"),
    replications: z
      .int()
      .min(2)
      .max(20)
      .default(5)
      .describe("runs of a prediction at its defaults, each with another seed"),
    draws: z
      .int()
      .min(0)
      .max(200)
      .default(20)
      .describe("draws of what was not measured, for the runs that are judged (a count)"),
    predictions: z
      .enum(["kept", "anew"])
      .default("kept")
      .describe("of a machine whose predictions are in data/predictions: take them, or compute them anew"),
    locks: z
      .array(z.enum(["ticket", "queued"]))
      .min(1)
      .default(["ticket", "queued"])
      .describe("kinds of lock; without an IOMMU there is none"),
    times: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe("how many times as long as usual a predicted run lasts (a count)"),
    streamedLines: z
      .int()
      .min(1)
      .max(64)
      .default(1)
      .describe(
        "a candidate explanation, chosen after the fact: lines of an ascending run of loads that a core has under way at once; 1: none ahead",
      ),
    seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
  });
};

/** A configuration with its defaults. */
export type Settings = z.output<ReturnType<typeof Config>>;

/** One configuration of a recorded machine. */
export interface SiliconPoint {
  machine: string;
  variant: string;
  lock: "ticket" | "queued";
  workNs: number;
  cores: number;
  replications: number;
  draws: number;
  /** Computed also where data/predictions has it. */
  anew: boolean;
  /** How many times as long as usual a run lasts. */
  times: number;
  /** Lines of a run of loads under way at once. */
  streamedLines: number;
  seed: number;
}

/** The points of a configuration: every run of every machine. */
export const pointsOf = (config: Settings, { facts }: Basis): SiliconPoint[] =>
  config.machines.flatMap((machine) => {
    const recorded = recordedMachine(facts, machine);
    const least = recorded.runs.reduce((work, { workNs }) => Math.min(work, workNs), Number.POSITIVE_INFINITY);
    const runs = recorded.runs.filter(({ lock }) => lock === "none" || config.locks.includes(lock));
    return runs.map(({ variant, lock, workNs, threads }): SiliconPoint => {
      // Judged is one kind of lock under the heavier load, alone and on all cores.
      const ends = threads === 1 || threads === recorded.machine.cores;
      const judged = lock === "queued" && workNs === least && ends;
      return {
        machine,
        variant,
        lock: lock === "ticket" ? "ticket" : "queued",
        workNs,
        cores: threads,
        replications: config.replications,
        draws: judged ? config.draws : 0,
        anew: config.predictions === "anew",
        times: config.times,
        streamedLines: config.streamedLines,
        seed: config.seed,
      };
    });
  });
