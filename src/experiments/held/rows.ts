import { z } from "zod";
import { costSources, variant } from "../../dma/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { type HostRun, hostRunDefaults, simulateIo, together } from "../../host/index.js";
import { hostAssumptions, type MachineConfig } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { benchmark, cases, type HeldCase, type IoCase } from "./cases.js";
import type { HeldPoint } from "./config.js";

const Prediction = z.strictObject({
  id: z.string(),
  record: z.string(),
  quantity: z.string(),
  published: z.number(),
  low: z.number(),
  high: z.number(),
  seen: z.string().optional(),
});
const File = z.strictObject({ about: z.string(), written: z.iso.date(), predictions: z.array(Prediction) });
type Prediction = z.output<typeof Prediction>;

/** The predictions as they were written down. @throws Error naming the file and the field at fault */
function predictionsOf(facts: Facts): { written: string; predictions: Prediction[] } {
  const parsed = File.safeParse(facts.judging("today"));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/judging/today.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** What of a host an answer about mapping can hang on: latencies of its lines, and where its card sits. */
const hostFields: readonly (keyof MachineConfig)[] = [
  "l3Cycles",
  "cleanSnoopCycles",
  "otherClusterCycles",
  "cleanCrossSocketCycles",
  "dirtyCrossSocketCycles",
  "dramLocalCycles",
  "dramRemoteCycles",
  "atomicCycles",
  "homeOccupancyPercent",
  "deviceSocket",
];

/** An assumption at one end of its range: what it is called, and what it changes. */
interface End {
  name: string;
  change: Partial<HostRun>;
  /** The load's work, as a multiple. */
  work: number;
}

/** Both ends of every assumption that a case's runs rest on. */
function endsOf({ runs, ends: own = [] }: IoCase, facts: Facts): End[] {
  const [{ machine, change = {} }] = runs;
  const ends: End[] = own.map(({ name, change: moved }) => ({ name, change: moved, work: 1 }));
  const both = (name: string, values: readonly number[], changeOf: (value: number) => Partial<HostRun>): void => {
    for (const value of values) ends.push({ name: `${name} ${value}`, change: changeOf(value), work: 1 });
  };
  for (const { field, assumption } of hostAssumptions(facts, machine))
    if (assumption && hostFields.includes(field as keyof MachineConfig))
      both(field, [assumption.low, assumption.high], (value) => ({ machineOverrides: { [field]: value } }));
  const smmu = runs.some((run) => variant(run.variant).linux?.driver === "smmu");
  for (const { field, low, high } of costSources) {
    const moves = field === "serialShare" || field === "invalidationCycles" || (smmu && field === "retriesInPlace");
    // What the case itself sets has a record of its own.
    if (moves && change.costs?.[field] === undefined)
      both(field, [low, high], (value) => ({ costs: { [field]: value } }));
  }
  for (const work of [0.5, 2]) ends.push({ name: `work × ${work}`, change: {}, work });
  return ends;
}

function quantityOf({ runs, quantity }: IoCase, seed: number, facts: Facts, end?: End): number {
  const base = { ...hostRunDefaults(facts), staticMaps: 0, lock: "queued" as const, seed };
  return quantity(
    runs.map(({ machine, variant: name, cores, requests, load, change = {} }) => {
      const whole = { ...benchmark, ...load };
      return simulateIo(
        {
          ...base,
          ...together(change, end?.change ?? {}),
          machine,
          variant: name,
          cores,
          warmup: Math.round(requests / 4),
          transactions: requests,
        },
        { ...whole, workNs: whole.workNs * (end?.work ?? 1) },
        facts,
      );
    }),
  );
}

/** Runs one point. */
export function simulate({ id, sweep, seed }: HeldPoint, basis: Basis) {
  const { facts } = basis;
  const one = cases.find((found) => found.id === id) as HeldCase;
  const { written, predictions } = predictionsOf(facts);
  const prediction = predictions.find((found) => found.id === id);
  if (prediction === undefined) throw new Error(`data/judging/today.json: predictions: "${id}" is missing`);
  const { record, quantity: what, published, low, high, seen = "" } = prediction;
  const isHit = (value: number): boolean => value >= low && value <= high;
  const simulated = "runs" in one ? quantityOf(one, seed, facts) : one.simulate(seed, basis);
  const hit = isHit(simulated);
  const swept =
    sweep && "runs" in one
      ? endsOf(one, facts).map((end) => ({ name: end.name, value: quantityOf(one, seed, facts, end) }))
      : undefined;
  return [
    {
      prediction: id,
      record,
      quantity: what,
      published,
      low,
      high,
      simulated,
      verdict: hit ? ("hit" as const) : ("miss" as const),
      between: hit ? "" : one.mechanism,
      written,
      seen,
      ...(swept === undefined
        ? {}
        : {
            least: Math.min(simulated, ...swept.map(({ value }) => value)),
            most: Math.max(simulated, ...swept.map(({ value }) => value)),
            hangsOn:
              swept
                .filter(({ value }) => isHit(value) !== hit)
                .map(({ name, value }) => `${name}: ${Number(value.toPrecision(3))}`)
                .join("; ") || "none of those moved",
          }),
    },
  ];
}

/** A row of the table. */
export type HeldRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<HeldRow>, Column>> = {
  prediction: { unit: "", description: "name in data/judging/today.json" },
  record: { unit: "", description: "published record" },
  quantity: { unit: "", description: "what is compared" },
  published: { unit: "", description: "published value" },
  low: { unit: "", description: "the margin's lower end" },
  high: { unit: "", description: "the margin's upper end" },
  simulated: { unit: "", description: "simulated value" },
  verdict: { unit: "", description: "within the margin, or not" },
  between: { unit: "", description: "of a miss: what may stand between the two (written after the run, not tested)" },
  written: { unit: "", description: "when the prediction was written" },
  seen: { unit: "", description: "what had been seen before that" },
  least: { unit: "", description: "least value with one assumption at an end of its range" },
  most: { unit: "", description: "greatest such value" },
  hangsOn: { unit: "", description: "assumptions at whose end the verdict is the other one" },
};
