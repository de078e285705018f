import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import { configHash } from "../frame/hash.js";
import { changedReads, type KeptReads } from "../frame/reads.js";
import type { Draw } from "../frame/verdict.js";
import { type Design, designOf, type Sample, samplesOf } from "./design.js";

/** What a run comes down to, by name: "deferred: throughput". */
export type Quantities = Readonly<Record<string, number>>;

/** Gives a quantity of a draw, or undefined where the draw does not hold it. */
export type QuantityOf = (quantities: Quantities) => number | undefined;

/** A design that was run, as data/ensembles keeps it. */
export interface StoredEnsemble {
  /** Names the design as it was when it was run, see {@link designHash}. */
  design: string;
  /** What its runs rest on of data/. */
  reads: KeptReads;
  /** The code that ran it: the hash over the compiled rooms, and the version. */
  code: string;
  version: string;
  date: string;
  quantities: readonly string[];
  /** A row a draw, in the order of the design; it may end before the design does. */
  draws: readonly (readonly (number | null)[])[];
  /** The first draws with other seeds: a list a draw. */
  again: readonly (readonly (readonly (number | null)[])[])[];
}

/** Rows by the thousand: looked at number by number, which zod would take far longer for. */
const Row = z.custom<readonly (number | null)[]>(
  (row) => Array.isArray(row) && row.every((value) => value === null || Number.isFinite(value)),
  { error: "a list of numbers, null where there is none" },
);
const Stored: z.ZodType<StoredEnsemble> = z.strictObject({
  design: z.string(),
  reads: z.record(z.string(), z.string()),
  code: z.string(),
  version: z.string(),
  date: z.string(),
  quantities: z.array(z.string()).min(1),
  draws: z.array(Row).min(1),
  again: z.array(z.array(Row)),
});

/** Names a design: everything in it on which a draw's numbers depend. */
export const designHash = ({ experiment, base, runs, space, lists, samples, seed, again }: Design): string =>
  configHash("design", { experiment, base, runs, space, lists, samples, seed, again });

/** A draw with everything that was assumed in it and everything that came out. */
export interface DrawnRun {
  index: number;
  sample: Sample;
  quantities: Quantities;
}

/** A design that was run: its draws, and what other seeds give. */
export class Ensemble {
  readonly draws: readonly DrawnRun[];
  private readonly again: readonly (readonly Quantities[])[];

  constructor(
    readonly name: string,
    readonly design: Design,
    readonly stored: StoredEnsemble,
  ) {
    const named = (row: readonly (number | null)[]): Quantities =>
      Object.fromEntries(
        stored.quantities.flatMap((quantity, i): [string, number][] => {
          const value = row[i];
          return value === null || value === undefined ? [] : [[quantity, value]];
        }),
      );
    const samples = samplesOf(design);
    this.draws = stored.draws.map((row, index) => ({ index, sample: samples[index], quantities: named(row) }));
    this.again = stored.again.map((rows, index) => [this.draws[index].quantities, ...rows.map(named)]);
  }

  /** The draws that hold a quantity, with its value and its Monte Carlo error. */
  values(of: QuantityOf): (DrawnRun & Draw)[] {
    const errorAt = this.errors(of);
    return this.draws.flatMap((draw) => {
      const value = of(draw.quantities);
      return value === undefined || !Number.isFinite(value) ? [] : [{ ...draw, value, error: errorAt(value) }];
    });
  }

  /**
   * Half the width of the 95 % interval around one run, by the value of the quantity. A saturated host varies by far more than an idle one,
   * so the draws that were run with several seeds are not pooled: each counts by the inverse square of its distance
   * (Shepard 1968).
   */
  errors(of: QuantityOf): (value: number) => number {
    const known = this.again.flatMap((runs) => {
      const values = runs.flatMap((one) => of(one) ?? []);
      if (values.length < 2) return [];
      const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
      const squares = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0);
      return [{ mean, variance: squares / (values.length - 1) }];
    });
    const spread = Math.max(0, ...known.map(({ mean }) => mean)) - Math.min(0, ...known.map(({ mean }) => mean));
    // Nearer than this is the same place.
    const near = 1e-4 * spread + 1e-12;
    return (value) => {
      const weighed = known.map(({ mean, variance }) => {
        const far = (mean < value ? value - mean : mean - value) + near;
        return { weight: 1 / (far * far), variance };
      });
      const total = weighed.reduce((sum, { weight }) => sum + weight, 0);
      const sum = weighed.reduce((all, { weight, variance }) => all + weight * variance, 0);
      return total > 0 ? 1.96 * Math.sqrt(sum / total) : 0;
    };
  }
}

/** A design without draws to judge by, and why, as the end of a sentence. */
export interface NoDraws {
  noDraws: string;
}

/**
 * The draws of a design as they are kept, where they are what it would give now: of the design that stands in data/designs, and with every
 * record and file that its runs read. A verdict by others would hold today's margin against yesterday's host.
 * @throws Error naming the file, where it is damaged
 */
export function drawsFor(facts: Facts, name: string): Ensemble | NoDraws {
  const raw = facts.ensemble(name);
  const notRun = { noDraws: `the design "${name}" was not run` };
  if (raw === undefined) return notRun;
  const parsed = Stored.safeParse(raw);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`data/ensembles/${name}.json: ${issue.path.join(".")}: ${issue.message}`);
  }
  const design = designOf(facts, name);
  if (parsed.data.design !== designHash(design)) return notRun;
  const changed = changedReads(facts, parsed.data.reads);
  if (changed.length > 0) return { noDraws: `the draws of "${name}" were run with another ${changed.join(", ")}` };
  return new Ensemble(name, design, parsed.data);
}

/**
 * A stored ensemble; undefined where there is none to judge by: none was run, or the design or what its runs read of data/ is another one now.
 * @throws Error naming the file, where it is damaged
 */
export function ensembleOf(facts: Facts, name: string): Ensemble | undefined {
  const found = drawsFor(facts, name);
  return found instanceof Ensemble ? found : undefined;
}
