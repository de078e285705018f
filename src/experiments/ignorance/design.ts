import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import type { AssumedRange } from "../frame/ranges.js";
import { latinHypercube } from "./hypercube.js";

/** Whatever is held for certain in a draw: a value for each field that nobody published. */
export type Sample = Readonly<Record<string, number | string | boolean>>;

const Value = z.union([z.number(), z.string(), z.boolean()]);
const RangeSchema: z.ZodType<AssumedRange> = z.union(
  [
    z.strictObject({
      low: z.number(),
      high: z.number(),
      whole: z.boolean().optional(),
      shape: z.enum(["even", "log"]).optional(),
    }),
    z.strictObject({ choices: z.array(Value).min(1) }),
  ],
  { error: 'a range {"low": 1, "high": 9} or {"choices": [1, 2]}' },
);

/** A design of data/designs: what is drawn, how often, and what is run in each draw. */
export interface Design {
  title: string;
  about: string;
  /** When ranges and shapes were written down, before the first run. */
  date: string;
  experiment: string;
  /** Fields of every run. */
  base: Readonly<Record<string, unknown>>;
  /** The runs of each draw, by name; the name of the plain one is empty. */
  runs: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  space: Readonly<Record<string, AssumedRange>>;
  /** Fields that hold a list: what is drawn stands in it alone. */
  lists: readonly string[];
  /** Why an assumption is not drawn, or has another range than its knob's. */
  apart: Readonly<Record<string, string>>;
  samples: number;
  /** Where fewer draws than that were run, or will be: how many, since when, and why they are enough for what is said. */
  stopped?: { draws: number; date: string; reason: string } | undefined;
  seed: number;
  /** So many of the first draws are run with so many seeds, for the Monte Carlo error of all; 0 where nothing is left to chance. */
  again: { draws: number; seeds: number };
  /** The numbers that are kept of each draw. */
  keep: readonly string[];
}

/** What a design's file holds. */
export const DesignSchema: z.ZodType<Design> = z.strictObject({
  title: z.string().min(1),
  about: z.string().min(1),
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "a date: 2026-11-27"),
  experiment: z.string().min(1),
  base: z.record(z.string(), z.unknown()),
  runs: z.record(z.string(), z.record(z.string(), z.unknown())),
  space: z.record(z.string(), RangeSchema),
  lists: z.array(z.string()).default([]),
  apart: z.record(z.string(), z.string().min(8)).default({}),
  samples: z.int().min(1).max(1_000_000),
  stopped: z
    .strictObject({
      draws: z.int().min(1),
      date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/, "a date: 2026-11-27"),
      reason: z.string().min(16),
    })
    .optional(),
  seed: z.int().min(0),
  again: z.strictObject({ draws: z.int().min(0), seeds: z.int().min(2).max(100) }),
  keep: z.array(z.string()).min(1),
});

/**
 * A design of data/designs.
 * @throws Error naming the file and the field at fault
 */
export function designOf(facts: Facts, name: string): Design {
  const parsed = DesignSchema.safeParse(facts.design(name));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/designs/${name}.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** Every draw of a design, in order. */
export const samplesOf = ({ space, samples, seed }: Design): Sample[] => latinHypercube(space, samples, seed);

/** One configuration of a design. */
export interface DesignRun {
  draw: number;
  /** 0 for the draw itself, then its repetitions with other seeds. */
  repetition: number;
  /** Which of the design's runs. */
  run: string;
  input: Record<string, unknown>;
}

/**
 * The configurations of the draws from the first up to `draws`, draw by draw: in each its runs, and of the first draws the same again with
 * other seeds. No two draws share a seed, so that chance is as independent as what is drawn.
 */
export function runsOf(design: Design, draws: number = design.samples): DesignRun[] {
  const { base, runs, again, samples, lists } = design;
  const all = samplesOf(design)
    .slice(0, draws)
    .map((sample) =>
      Object.fromEntries(Object.entries(sample).map(([path, value]) => [path, lists.includes(path) ? [value] : value])),
    );
  return all.flatMap((sample, draw) =>
    Array.from({ length: draw < again.draws ? again.seeds : 1 }, (_, repetition) => repetition).flatMap((repetition) =>
      Object.entries(runs).map(([run, fields]) => ({
        draw,
        repetition,
        run,
        input: { ...base, ...sample, ...fields, ...(again.draws > 0 ? { seed: 1 + draw + repetition * samples } : {}) },
      })),
    ),
  );
}
