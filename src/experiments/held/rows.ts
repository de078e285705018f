import { z } from "zod";
import { costSources, variant } from "../../dma/index.js";
import { confidenceInterval } from "../../engine/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import {
  type HostRun,
  hostRunDefaults,
  type PacketRun,
  simulateIo,
  together,
  workloadAssumptions,
} from "../../host/index.js";
import { hostAssumptions, type MachineConfig } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { benchmark, type CardCase, cardRow, cases, type HeldCase, type IoCase } from "./cases.js";
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

/** Both ends of every assumption of a host that an answer can hang on. */
function endsOfHost(machine: string, facts: Facts): Omit<End, "work">[] {
  return hostAssumptions(facts, machine).flatMap(({ field, assumption }) =>
    assumption && hostFields.includes(field as keyof MachineConfig)
      ? [assumption.low, assumption.high].map((value) => ({
          name: `${field} ${value}`,
          change: { machineOverrides: { [field]: value } },
        }))
      : [],
  );
}

/** Both ends of every assumption that a case's runs rest on. */
function endsOf({ runs, ends: own = [] }: IoCase, facts: Facts): End[] {
  const [{ machine, change = {} }] = runs;
  const ends: End[] = [...own, ...endsOfHost(machine, facts)].map((end) => ({ ...end, work: 1 }));
  const both = (name: string, values: readonly number[], changeOf: (value: number) => Partial<HostRun>): void => {
    for (const value of values) ends.push({ name: `${name} ${value}`, change: changeOf(value), work: 1 });
  };
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

/** The same for a card's runs: its host, the stack behind it, the card, and the remapping unit by a factor of two. */
function endsOfCard({ cards }: CardCase, seed: number, basis: Basis): { name: string; change: CardChange }[] {
  const { facts } = basis;
  const ends: { name: string; change: CardChange }[] = [];
  let machine = "";
  cardRow(cards[0], seed, basis, (run) => {
    machine = run.host.machine;
    return { ...run, warmup: 1, packets: 1 };
  });
  const ofHost =
    (change: Partial<HostRun>): CardChange =>
    (run) => ({ ...run, host: together(run.host, change) as HostRun });
  for (const { name, change } of endsOfHost(machine, facts)) ends.push({ name, change: ofHost(change) });
  for (const { field, low, high } of costSources)
    if (field === "serialShare" || field === "invalidationCycles")
      for (const value of [low, high])
        ends.push({ name: `${field} ${value}`, change: ofHost({ costs: { [field]: value } }) });
  for (const [name, { assumption }] of Object.entries(workloadAssumptions(facts, "packets")))
    for (const value of [assumption.low, assumption.high])
      ends.push({
        name: `${name} ${value}`,
        change: (run) =>
          name === "fifoKiB"
            ? { ...run, nic: { ...run.nic, fifoBytes: value * 1024 } }
            : name in run.nic
              ? { ...run, nic: { ...run.nic, [name]: value } }
              : { ...run, [name]: value },
      });
  for (const factor of [0.5, 2]) {
    const scaled = (value: number): number => Math.max(1, Math.round(value * factor));
    ends.push({
      name: `entries of the IOTLB × ${factor}`,
      change: (run) => ({
        ...run,
        unit: {
          ...run.unit,
          iotlb: { ...run.unit.iotlb, entries: scaled(run.unit.iotlb.entries), ways: scaled(run.unit.iotlb.entries) },
        },
      }),
    });
    ends.push({
      name: `walkers × ${factor}`,
      change: (run) => ({ ...run, unit: { ...run.unit, walkers: scaled(run.unit.walkers) } }),
    });
  }
  return ends;
}

type CardChange = (run: PacketRun) => PacketRun;

/** What a case comes down to. */
function simulatedValue(one: HeldCase, seed: number, basis: Basis): number {
  if ("runs" in one) return quantityOf(one, seed, basis.facts);
  if ("cards" in one) return cardQuantity(one, seed, basis);
  return one.simulate(one.hosts[0], basis);
}

const cardQuantity = ({ cards, quantity }: CardCase, seed: number, basis: Basis, change?: CardChange): number =>
  quantity(cards.map((settings) => cardRow(settings, seed, basis, change)));

/** The same with each assumption at an end of its range; of a device alone, on the other hosts. */
function sweepOf(one: HeldCase, seed: number, basis: Basis): { name: string; value: number }[] {
  const { facts } = basis;
  if ("runs" in one)
    return endsOf(one, facts).map((end) => ({ name: end.name, value: quantityOf(one, seed, facts, end) }));
  if ("cards" in one)
    return endsOfCard(one, seed, basis).map(({ name, change }) => ({
      name,
      value: cardQuantity(one, seed, basis, change),
    }));
  return one.hosts.slice(1).map((host) => ({ name: `host ${host}`, value: one.simulate(host, basis) }));
}

/** What a case comes down to over its seeds, and whether that lies within a margin. */
interface OverSeeds {
  simulated: number;
  /** The 95 % confidence interval of the mean. */
  simulatedLow: number;
  simulatedHigh: number;
  seeds: number;
  verdict: "hit" | "miss" | "not decidable";
}

/** Seeds that a prediction is run with at first: the fewest that have an interval. */
const firstSeeds = 2;

/**
 * Runs a case with seed after seed until its interval has no end of the margin in it, or the seeds are used up: then
 * chance alone could turn the verdict. A device alone draws nothing, and runs once.
 */
function overSeeds(one: HeldCase, { seed, mostSeeds }: HeldPoint, { low, high }: Prediction, basis: Basis): OverSeeds {
  const values: number[] = [];
  const next = (): number => simulatedValue(one, seed + values.length, basis);
  if ("hosts" in one) {
    const simulated = next();
    const verdict = simulated >= low && simulated <= high ? "hit" : "miss";
    return { simulated, simulatedLow: simulated, simulatedHigh: simulated, seeds: 1, verdict };
  }
  for (;;) {
    values.push(next());
    if (values.length < firstSeeds) continue;
    const { mean: simulated, low: simulatedLow, high: simulatedHigh, n: seeds } = confidenceInterval(values);
    const found = { simulated, simulatedLow, simulatedHigh, seeds };
    if (simulatedLow >= low && simulatedHigh <= high) return { ...found, verdict: "hit" };
    if (simulatedHigh < low || simulatedLow > high) return { ...found, verdict: "miss" };
    if (seeds >= mostSeeds) return { ...found, verdict: "not decidable" };
  }
}

/** Runs one point. */
export function simulate(point: HeldPoint, basis: Basis) {
  const { id, sweep, seed } = point;
  const one = cases.find((found) => found.id === id) as HeldCase;
  const { written, predictions } = predictionsOf(basis.facts);
  const prediction = predictions.find((found) => found.id === id);
  if (prediction === undefined) throw new Error(`data/judging/today.json: predictions: "${id}" is missing`);
  const { record, quantity: what, published, low, high, seen = "" } = prediction;
  const isHit = (value: number): boolean => value >= low && value <= high;
  const { verdict, ...found } = overSeeds(one, point, prediction, basis);
  const { simulated } = found;
  const swept = sweep ? sweepOf(one, seed, basis) : undefined;
  return [
    {
      prediction: id,
      record,
      quantity: what,
      published,
      low,
      high,
      ...found,
      verdict,
      between: verdict === "hit" ? "" : one.mechanism,
      written,
      seen,
      ...(swept === undefined
        ? {}
        : {
            least: Math.min(simulated, ...swept.map(({ value }) => value)),
            most: Math.max(simulated, ...swept.map(({ value }) => value)),
            hangsOn:
              swept
                .filter(({ value }) => isHit(value) !== isHit(simulated))
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
  simulated: { unit: "", description: "simulated value, the mean over the seeds" },
  simulatedLow: { unit: "", description: "lower end of its 95 % confidence interval over the seeds" },
  simulatedHigh: { unit: "", description: "upper end of it" },
  seeds: { unit: "", description: "seeds run: more where an end of the margin lies within the interval" },
  verdict: {
    unit: "",
    description: "the interval lies within the margin (hit), outside of it (miss), or across an end (not decidable)",
  },
  between: {
    unit: "",
    description: "of all but a hit: what may stand between the two (written after the run, not tested)",
  },
  written: { unit: "", description: "when the prediction was written" },
  seen: { unit: "", description: "what had been seen before that" },
  least: { unit: "", description: "least value with one assumption at an end of its range" },
  most: { unit: "", description: "greatest such value" },
  hangsOn: {
    unit: "",
    description: "assumptions at whose end, with the first seed, the value lies on the other side of the margin",
  },
};
