import type { ColumnTable } from "arquero";
import { z } from "zod";
import {
  type AssumedRange,
  assumptionName,
  type DrawnRun,
  type Ensemble,
  type Influence,
  influences,
  type Quantities,
  type Row,
  readings,
  tableOf,
} from "../experiments/index.js";
import type { Facts } from "../facts/index.js";

/** A measurement that draws are held against. */
export interface Observation {
  /** The record. */
  id: string;
  /** The quantity of a draw, and what it is a share of, in percent; without a whole it is the quantity itself. */
  quantity: string;
  ofWhole?: string | undefined;
  /** Turns the quantity into the measurement's unit: 100 for a share that was published in percent. */
  times?: number | undefined;
  unit: string;
  value: number;
  /** One standard deviation of what the measurement, and a model that is not that host, may be off by: a share of the value. */
  deviation: number;
  reason: string;
}

/** How a design is matched with measurements (data/judging/matching.json). */
export interface Matching {
  design: string;
  /** A draw that is farther than this from any of them is implausible. */
  cutoff: number;
  observations: readonly Observation[];
}

const File = z.strictObject({
  about: z.string().min(1),
  date: z.string().regex(/^\d{4}-\d{2}-\d{2}$/),
  design: z.string().min(1),
  cutoff: z.number().positive(),
  observations: z.array(
    z.strictObject({
      id: z.string().min(1),
      quantity: z.string().min(1),
      ofWhole: z.string().optional(),
      times: z.number().positive().optional(),
      record: z.string().min(1),
      recordOf: z.string().optional(),
      unit: z.string(),
      deviation: z.number().positive(),
      reason: z.string().min(16),
    }),
  ),
});

/**
 * What draws are matched with, with the values that the records have.
 * @throws Error naming the file and the field at fault
 */
export function matchingOf(facts: Facts): Matching {
  const parsed = File.safeParse(facts.judging("matching"));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`data/judging/matching.json: ${issue.path.join(".")}: ${issue.message}`);
  }
  const { design, cutoff, observations } = parsed.data;
  const number = (id: string): number => {
    const { value } = facts.record(id);
    return Array.isArray(value) ? facts.numbers(id)[0] : facts.number(id);
  };
  return {
    design,
    cutoff,
    observations: observations.map(({ record, recordOf, ...rest }) => ({
      ...rest,
      value: recordOf === undefined ? number(record) : (100 * number(record)) / number(recordOf),
    })),
  };
}

/** A draw, and how far it is from each measurement: in standard deviations, chance included. */
export interface MatchedDraw extends DrawnRun {
  implausibility: Readonly<Record<string, number>>;
  /** The largest of them. */
  worst: number;
  /** No measurement speaks against it. */
  agrees: boolean;
}

const valueFor =
  ({ quantity, ofWhole, times = 1 }: Observation) =>
  (quantities: Quantities): number | undefined => {
    const value = quantities[quantity];
    if (value === undefined) return undefined;
    if (ofWhole === undefined) return times * value;
    const whole = quantities[ofWhole];
    return whole === undefined ? undefined : (100 * value) / whole;
  };

/**
 * History matching (Craig and others 1997; Vernon and others 2010): which draws can no measurement rule out? A draw's implausibility is
 * its distance from the measurement over the standard deviation of measurement, model and chance together; what lies beyond the cut-off of
 * any one is ruled out. What is left is a region, not a fit: nothing in it is said to be right.
 */
export function match(ensemble: Ensemble, { cutoff, observations }: Matching): MatchedDraw[] {
  const errors = observations.map((observation) => ensemble.errors(valueFor(observation)));
  return ensemble.draws.map((draw) => {
    const implausibility = Object.fromEntries(
      observations.map((observation, i): [string, number] => {
        const found = valueFor(observation)(draw.quantities);
        if (found === undefined) return [observation.id, Number.POSITIVE_INFINITY];
        const own = observation.deviation * observation.value;
        // Half the width of a 95 % interval.
        const chance = errors[i](found) / 1.96;
        const far = found - observation.value;
        return [observation.id, (far < 0 ? -far : far) / Math.sqrt(own * own + chance * chance)];
      }),
    );
    const worst = Math.max(...Object.values(implausibility));
    return { ...draw, implausibility, worst, agrees: worst <= cutoff };
  });
}

/** A share of draws with the 95 % interval that their number leaves it (Wilson 1927). */
export interface CountedShare {
  share: number;
  low: number;
  high: number;
  n: number;
}

/** @example shareOf(5, 10) // { share: 0.5, low: 0.24, high: 0.76, n: 10 } */
export function shareOf(inside: number, n: number): CountedShare {
  if (n === 0) return { share: Number.NaN, low: 0, high: 1, n };
  const z2 = 1.959964 * 1.959964;
  const share = inside / n;
  const centre = (share + z2 / (2 * n)) / (1 + z2 / n);
  const half = (1.959964 * Math.sqrt((share * (1 - share)) / n + z2 / (4 * n * n))) / (1 + z2 / n);
  return { share, low: Math.max(0, centre - half), high: Math.min(1, centre + half), n };
}

/** What is known of a number: its median and 95 % interval over draws, and the share of them inside a margin. */
export interface Belief {
  reading: keyof typeof readings;
  stage: "prior" | "posterior";
  median: number;
  low: number;
  high: number;
  inside: CountedShare;
}

const quantile = (sorted: readonly number[], p: number): number => {
  const at = p * (sorted.length - 1);
  const below = Math.floor(at);
  const above = Math.min(sorted.length - 1, below + 1);
  return sorted[below] + (at - below) * (sorted[above] - sorted[below]);
};

/** Each reading before the measurements and after them, and how probable it makes "about a third". */
export function beliefs(draws: readonly MatchedDraw[], margin: { low: number; high: number }): Belief[] {
  return (Object.keys(readings) as (keyof typeof readings)[]).flatMap((reading) =>
    (["prior", "posterior"] as const).flatMap((stage): Belief[] => {
      const own = stage === "prior" ? draws : draws.filter(({ agrees }) => agrees);
      const sorted = own.map(({ quantities }) => readings[reading].of(quantities)).sort((a, b) => a - b);
      if (sorted.length === 0) return [];
      const inside = sorted.filter((value) => value >= margin.low && value <= margin.high).length;
      return [
        {
          reading,
          stage,
          median: quantile(sorted, 0.5),
          low: quantile(sorted, 0.025),
          high: quantile(sorted, 0.975),
          inside: shareOf(inside, sorted.length),
        },
      ];
    }),
  );
}

/** What the measurements say about an assumption. */
export interface Learned {
  assumption: string;
  /** Of each measurement: the share of the variance of its quantity that the assumption explains alone. */
  explains: Readonly<Record<string, number>>;
  /** Largest distance between the distributions before and after (Kolmogorov and Smirnov), and what chance alone would give in 19 of 20 cases. */
  moved: number;
  chance: number;
}

/** The share of draws (all, and those that agree) up to each value: how far the two distributions are apart at most. */
function distance(all: readonly number[], some: readonly number[]): number {
  if (some.length === 0) return 0;
  return [...new Set(all)].reduce((most, value) => {
    const below = (values: readonly number[]): number => values.filter((one) => one <= value).length / values.length;
    const apart = below(all) - below(some);
    return Math.max(most, apart < 0 ? -apart : apart);
  }, 0);
}

/** What identifies what: the assumptions that move each measured quantity, and those whose distribution the measurements changed. */
export function learned(ensemble: Ensemble, matching: Matching, draws: readonly MatchedDraw[]): Learned[] {
  const { space } = ensemble.design;
  const by = new Map(
    matching.observations.map((observation): [string, Map<string, number>] => {
      const of = valueFor(observation);
      const found = draws.filter(({ quantities }) => of(quantities) !== undefined);
      const shares = influences(found, space, ({ quantities }) => Number(of(quantities)));
      return [observation.id, new Map(shares.map(({ assumption, share }) => [assumption, share]))];
    }),
  );
  const agreed = draws.filter(({ agrees }) => agrees);
  return Object.entries(space)
    .map(([path, range]) => {
      const place = (draw: DrawnRun): number => positionOf(range, draw.sample[path]);
      return {
        assumption: path,
        explains: Object.fromEntries([...by].map(([id, shares]) => [id, shares.get(path) ?? 0])),
        moved: distance(draws.map(place), agreed.map(place)),
        chance: agreed.length === 0 ? 1 : 1.36 / Math.sqrt(agreed.length),
      };
    })
    .sort((a, b) => b.moved - a.moved);
}

const positionOf = (range: AssumedRange, value: number | string | boolean): number =>
  "choices" in range ? range.choices.indexOf(value) : Number(value);

/** What a measurement that nobody made would tell: the share of the variance of a reading that knowing the quantity would explain. */
export function worthOf(
  draws: readonly MatchedDraw[],
  quantities: readonly string[],
  reading: keyof typeof readings,
): Influence[] {
  const own = draws.map((draw) => ({ ...draw, sample: draw.quantities as DrawnRun["sample"] }));
  return quantities
    .flatMap((quantity) => {
      const found = own.filter((draw) => draw.quantities[quantity] !== undefined);
      if (found.length < 20) return [];
      return influences(found, { [quantity]: { low: 0, high: 1 } }, (draw) => readings[reading].of(draw.quantities));
    })
    .sort((a, b) => b.share - a.share);
}

/** What was learned, as a table: the assumptions that the measurements moved most. */
export function learnedTable(found: readonly Learned[], rows = 12): ColumnTable {
  const ids = Object.keys(found[0]?.explains ?? {});
  const column = (description: string, unit = "") => ({ unit, description });
  const percent = (share: number): number => Math.round(100 * share);
  return tableOf(
    found.slice(0, rows).map(
      ({ assumption, explains, moved, chance }): Row => ({
        assumption: assumptionName(assumption),
        ...Object.fromEntries(ids.map((id) => [id, percent(explains[id])])),
        moved: Math.round(100 * moved) / 100,
        "by more than chance": moved > chance,
      }),
    ),
    {
      assumption: column("what nobody published"),
      ...Object.fromEntries(
        ids.map((id) => [id, column(`share of the variance of ${id}'s quantity that it explains alone`, "%")]),
      ),
      moved: column("largest distance between its distributions before and after the measurements"),
      "by more than chance": column("farther than so many draws would be apart by chance in 19 of 20 cases"),
    },
  );
}
