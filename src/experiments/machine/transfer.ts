import { z } from "zod";
import type { Basis, FactRecord, Facts } from "../../facts/index.js";
import { Machine, machineConfig, pingPong, presetNames } from "../../machine/index.js";
import { barFigure, heatmapFigure } from "../../plot/index.js";
import { type AskedClaim, askAll, claimOn } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { spread } from "./spread.js";

// Question: how long does it take to hand a cache line from one CPU to another, and on what does it depend?

const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host that is modelled"),
  rounds: z.int().min(10).max(10_000).default(100).describe("round trips measured a pair"),
});

/** One CPU against all others. */
export interface TransferPoint {
  host: string;
  cpu: number;
  rounds: number;
}

const relations = ["sibling thread", "same socket", "other socket"] as const;

function simulate({ host, cpu, rounds }: TransferPoint, { facts }: Basis) {
  const machine = new Machine(machineConfig(facts, host));
  return Array.from({ length: machine.cpus }, (_, other) => other)
    .filter((other) => other !== cpu)
    .map((other) => {
      const cycles = pingPong(machine, cpu, other, rounds);
      const near = machine.socket(cpu) === machine.socket(other) ? 1 : 2;
      const relation = relations[machine.core(cpu) === machine.core(other) ? 0 : near];
      return { host, cpu, other, relation, cycles, ns: machine.toNs(cycles) };
    });
}

/** A row of the table. */
export type TransferRow = ReturnType<typeof simulate>[number];

/** The published medians of a host: sibling, same socket, other socket, in ns; and the published spread over pairs, where there is one. */
const records: Readonly<Record<string, { id: string; spread: ([number, number] | undefined)[] }>> = {
  "sandy-bridge-ep": { id: "H1", spread: [undefined, [23, 63], [99, 172]] },
  "westmere-ep": { id: "H2", spread: [undefined, [36, 38], [68, 80]] },
  "broadwell-ep": { id: "H4", spread: [undefined, [33, 55], [115, 145]] },
};

const medians = (record: FactRecord) => record.value as number[];
const ofRelation = (rows: readonly TransferRow[], relation: string) =>
  rows.filter((r) => r.relation === relation).map((r) => r.ns);
const average = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;

/** A claim a relation: the ping-pong finds the published median again. */
function claimsOn(host: string, facts: Facts): AskedClaim<TransferRow>[] {
  const record = facts.record(records[host].id);
  return relations.map((relation, i) => {
    const value = medians(record)[i];
    return claimOn<TransferRow>()({
      id: `${record.id}-${relation.replace(" ", "-")}`,
      quote: record.quantity,
      source: `record ${record.id}: ${record.source}`,
      kind: "calibration",
      published: { low: value, high: value, unit: "ns", factId: record.id },
      needs: `a pair of this kind: ${relation}`,
      judge(rows) {
        const found = ofRelation(rows, relation);
        if (found.length === 0) return undefined;
        return {
          verdict: "calibration",
          simulated: { ...spread(found), unit: "ns" },
          numbers: { mean: average(found) },
        };
      },
      say: ({ mean }) => ({
        explanation: `${relation}: the simulated ping-pong finds ${mean.toFixed(1)} ns one way where the median of the published pairs is ${value} ns. The model's costs were set from this record; the measurement only shows that they come back out.`,
      }),
    });
  });
}

/** The line-transfer matrix: a compare-and-exchange ping-pong between every two CPUs. */
export const lineTransfer: Experiment<typeof Config, TransferPoint, TransferRow> = defineExperiment({
  name: "machine-transfer",
  title: "Handing over a cache line",
  question: "How long does it take to hand a line from one CPU to another?",
  config: Config,
  points: ({ host, rounds }, { facts }) => {
    const c = machineConfig(facts, host);
    const cpus = c.sockets * c.coresPerSocket * c.threadsPerCore;
    return Array.from({ length: cpus }, (_, cpu) => ({ host, cpu, rounds }));
  },
  label: ({ cpu }) => `CPU ${cpu} against the others`,
  simulate,
  columns: {
    host: { unit: "", description: "host that is modelled" },
    cpu: { unit: "", description: "one CPU of the pair (first threads of all cores first, as Linux counts)" },
    other: { unit: "", description: "the other CPU" },
    relation: { unit: "", description: "sibling thread of the same core, same socket, or other socket" },
    cycles: { unit: "cycles", description: "core cycles one way: half a round trip" },
    ns: { unit: "ns", description: "the same in nanoseconds" },
  },
  figures: {
    matrix: (rows) => {
      const cpus = [...new Set(rows.map((r) => r.cpu))].sort((a, b) => a - b);
      const value = new Map(rows.map((r) => [`${r.cpu} ${r.other}`, r.ns]));
      return heatmapFigure({
        title: "One way from CPU to CPU",
        caption:
          "Three shades: the thread beside you, a core of your socket, a core of the other socket. The brightest cells, in two lines parallel to the diagonal, are sibling threads.",
        x: { title: "CPU", unit: "" },
        y: { title: "CPU", unit: "" },
        z: { title: "one way", unit: "ns" },
        better: "low",
        xValues: cpus,
        yValues: cpus,
        zValues: cpus.map((a) => cpus.map((b) => value.get(`${a} ${b}`) ?? null)),
        layout: { height: 470 },
      });
    },
    published: (rows, { host }, { facts }) => {
      const { id, spread } = records[host];
      const median = medians(facts.record(id));
      return barFigure({
        title: "The simulated measurement beside the published one",
        caption: `Published: the median over the pairs of a real machine, with the smallest and largest pair as the bar's ends (record ${id}). The model has no distance within a socket, so its pairs do not differ.`,
        categories: [...relations],
        x: { title: "where the other CPU is", unit: "" },
        y: { title: "one way", unit: "ns" },
        series: [
          { name: "simulated", values: relations.map((relation) => average(ofRelation(rows, relation))) },
          {
            name: "published median, smallest to largest pair",
            values: median,
            low: median.map((m, i) => spread[i]?.[0] ?? m),
            high: median.map((m, i) => spread[i]?.[1] ?? m),
          },
        ],
      });
    },
  },
  claims: (rows, { host }, facts) => askAll(claimsOn(host, facts), rows, { facts, experiment: "machine-transfer" }),
});
