import { z } from "zod";
import { confidenceInterval, Streams } from "../../engine/index.js";
import type { Basis } from "../../facts/index.js";
import {
  hostAssumptions,
  type LockKind,
  lockKinds,
  Machine,
  type MachineConfig,
  machineConfig,
  presetNames,
  runLockLoad,
} from "../../machine/index.js";
import { barFigure } from "../../plot/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import type { NumberColumn } from "../frame/rows.js";
import { lockLoadFields } from "./fields.js";
import { placed } from "./locks.js";

// Question: which of the host's assumed values does the collapse of the ticket lock rest on?

const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host whose assumed values are varied, one at a time, to both ends of their ranges"),
  ...lockLoadFields,
});
type Settings = z.output<typeof Config>;

/** One value of one assumption; `field` is empty for the host as it is. */
export interface AssumptionPoint extends Settings {
  field: keyof MachineConfig | "";
  end: "as it is" | "low" | "high";
  value: number;
}

const asItIs = "the host as it is";
/** Percentage points within which a change of the host is called none. */
const noChange = 2;
/** "cleanSnoopCycles" as "clean snoop cycles". */
const inWords = (field: string): string => field.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

const replications = 5;
const sections = 700;

function simulate(point: AssumptionPoint, { facts }: Basis) {
  const host = machineConfig(facts, point.host, point.field === "" ? {} : { [point.field]: point.value });
  const all = host.sockets * host.coresPerSocket;
  const rates = (kind: LockKind, cores: number) =>
    Array.from({ length: replications }, (_, r) => {
      const cpus = placed(host, cores, "socket by socket");
      const streams = new Streams(point.seed, `replication ${r}`);
      const { sectionCycles, thinkCycles } = point;
      return runLockLoad(new Machine(host), { kind, cpus, sectionCycles, thinkCycles, sections, streams }).throughput;
    });
  return (["ticket", "queued"] as const).map((lock) => {
    const one = rates(lock, host.coresPerSocket);
    const kept = confidenceInterval(rates(lock, all).map((rate, r) => (100 * rate) / one[r]));
    const { field, end, value } = point;
    return { assumption: field, end, value, lock, keptPercent: kept.mean, keptLow: kept.low, keptHigh: kept.high };
  });
}

/** A row of the table. */
export type AssumptionRow = ReturnType<typeof simulate>[number];

/** What all cores of a host get through a lock, as a share of what one socket's cores do, at both ends of every assumed value. */
export const assumptionSweep: Experiment<typeof Config, AssumptionPoint, AssumptionRow> = defineExperiment({
  name: "machine-assumptions",
  title: "What the collapse rests on",
  question: "Which assumed values of the host does the collapse of a lock rest on?",
  config: Config,
  points: (config, { facts }) => [
    { ...config, field: "", end: "as it is", value: 0 },
    ...hostAssumptions(facts, config.host).flatMap(({ field, value: asItIs, assumption }) =>
      (["low", "high"] as const)
        .map((end) => ({ ...config, field, end, value: assumption?.[end] ?? asItIs }))
        .filter(({ value }) => value !== asItIs),
    ),
  ],
  label: ({ field, end }) => (field === "" ? "the host as it is" : `${field}, ${end}`),
  simulate,
  columns: {
    assumption: { unit: "", description: "the value that is replaced; empty for the host as it is" },
    end: { unit: "", description: "which end of its range" },
    value: { unit: "", description: "the value there, in the unit of the host's file" },
    lock: { unit: "", description: "kind of lock" },
    keptPercent: { unit: "%", description: "throughput of all cores as a share of that of one socket's cores" },
    keptLow: { unit: "%", description: "lower end of its 95 % confidence interval" },
    keptHigh: { unit: "%", description: "upper end" },
  },
  figures: {
    kept: (rows) => {
      const locks = ["ticket", "queued"] as const;
      const nameOf = (row: AssumptionRow) =>
        row.assumption === "" ? asItIs : `${inWords(row.assumption)}: ${row.end} end (${row.value})`;
      const at = (name: string, lock: string) => rows.find((row) => row.lock === lock && nameOf(row) === name);
      const kept = (name: string, lock: string, column: NumberColumn<AssumptionRow>) =>
        at(name, lock)?.[column] ?? Number.NaN;
      const names = [...new Set(rows.map(nameOf))];
      const moves = (name: string) =>
        locks.some((lock) => Math.abs(kept(name, lock, "keptPercent") - kept(asItIs, lock, "keptPercent")) > noChange);
      // What moves nothing is said once, in the caption.
      const shown = names.filter((name) => name === asItIs || moves(name));
      const still = names.length - shown.length;
      const at0 = locks.map((lock) => `${lock} ${kept(asItIs, lock, "keptPercent").toFixed(0)} %`).join(", ");
      return barFigure({
        title: "How much of one socket's throughput two sockets keep",
        caption: `Below 100 %, more cores get less through the lock. As the host is: ${at0}. Each other pair of bars moves one assumption to an end of its range. ${still === 1 ? "One more end" : `${still} more ends`} of ranges change neither lock by more than ${noChange} percentage points, and are left out. Strokes are 95 % intervals.`,
        categories: shown,
        lying: true,
        x: { title: "", unit: "" },
        y: { title: "throughput of all cores", unit: "% of one socket's" },
        series: locks.map((lock) => ({
          name: `${lock} lock`,
          values: shown.map((name) => kept(name, lock, "keptPercent")),
          low: shown.map((name) => kept(name, lock, "keptLow")),
          high: shown.map((name) => kept(name, lock, "keptHigh")),
          place: lockKinds.indexOf(lock),
        })),
      });
    },
  },
  claims: () => [],
});
