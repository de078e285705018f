import { confidenceInterval } from "../../engine/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { type HostRun, hostRunDefaults, type RingResult, simulateRings } from "../../host/index.js";
import type { HardwareField, HardwareFile } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { AssumedRange } from "../frame/ranges.js";
import type { ColumnName } from "../frame/rows.js";
import { latinHypercube } from "../ignorance/hypercube.js";
import type { SiliconPoint } from "./config.js";
import { keptRows } from "./kept.js";
import { hostOf, programCosts, simulatedCores } from "./machine.js";
import { type RecordedMachine, recordedMachine, undisturbed } from "./recorded.js";

/** What was not measured on a machine, each with its range: fields of its host, and costs of the program. */
export function unmeasured(host: HardwareFile): Record<string, AssumedRange> {
  const ofHost = Object.entries(host.values).flatMap(([field, { assumption }]): [string, AssumedRange][] =>
    assumption ? [[field, { ...assumption, whole: field !== "gigahertz" }]] : [],
  );
  const ofProgram = Object.entries(programCosts).map(([field, { low, high }]): [string, AssumedRange] => [
    field,
    { low, high, whole: true },
  ]);
  return Object.fromEntries([...ofHost, ...ofProgram]);
}

/** The run that stands for a configuration of the program. */
function runOf(
  point: SiliconPoint,
  recorded: RecordedMachine,
  host: HardwareFile,
  drawn: Readonly<Record<string, number>>,
  transferNs: number | undefined,
  seed: number,
  facts: Facts,
): HostRun {
  const value = (field: HardwareField): number => drawn[field] ?? host.values[field].value;
  const machineOverrides = {
    ...Object.fromEntries((Object.keys(host.values) as HardwareField[]).map((field) => [field, value(field)])),
    ...(point.streamedLines > 1 ? { streamedLines: point.streamedLines } : {}),
    ...(transferNs === undefined ? {} : { dirtySameSocketCycles: Math.round(transferNs * value("gigahertz")) }),
  };
  const costs = Object.fromEntries(
    Object.entries(programCosts).map(([field, one]) => [field, drawn[field] ?? one.value]),
  );
  const { core, load } = recorded;
  const cycles = (ns: number): number => Math.round(ns * value("gigahertz"));
  const tick = core.tickNs?.low ?? 0;
  const relax = core.relaxNs?.low ?? 0;
  // The wait ends with the first look at the clock that finds it over: half a turn later, in the mean. In the model a device writes the status word,
  // so that the core fetches its line, and owns it again for the next one: here the word is the core's own throughout.
  const wait = cycles(load.invalidationNs + tick + (tick + relax) / 2) - 2 * value("l3Cycles");
  const { cores } = point;
  return {
    ...hostRunDefaults(facts),
    machine: "rome",
    machineOverrides,
    variant: point.variant,
    lock: point.lock,
    cores,
    seed,
    staticMaps: 0,
    flushEntries: load.flushEntries,
    flushMilliseconds: 10_000,
    ats: false,
    costs: {
      ...costs,
      invalidationCycles: 0,
      tailWriteCycles: Math.max(0, wait),
      faultReadCycles: 0,
      relaxCycles: cycles(relax),
      serialShare: 1,
    },
    warmup: (1000 + 300 * cores) * point.times,
    transactions: (3000 + 200 * cores) * point.times,
  };
}

/** One configuration of a recorded machine, beside what was measured: from what was kept, where it was, or computed. */
export const simulate = (point: SiliconPoint, basis: Basis): SiliconRow[] =>
  keptRows<SiliconRow>(point, basis.facts) ?? predict(point, basis);

/** Predicts one configuration of a recorded machine. */
function predict(point: SiliconPoint, { facts }: Basis) {
  const recorded = recordedMachine(facts, point.machine);
  if (point.cores > simulatedCores(recorded)) return [];
  const host = hostOf(recorded);
  const found = recorded.runs.find(
    ({ variant, lock, workNs, threads }) =>
      variant === point.variant &&
      workNs === point.workNs &&
      threads === point.cores &&
      (lock === "none" || lock === point.lock),
  );
  // In a virtual machine of one cluster the way between two CPUs may be another in each run: it was measured before each.
  const { clusters, virtual } = recorded.machine;
  const transferNs = virtual && clusters === 1 ? found?.transferNs?.low : undefined;
  const run = (drawn: Readonly<Record<string, number>>, seed: number): RingResult =>
    simulateRings(
      runOf(point, recorded, host, drawn, transferNs, seed, facts),
      { workNs: point.workNs, depth: recorded.load.depth },
      facts,
    );
  const defaults = Array.from({ length: point.replications }, (_, i) => run({}, point.seed + i));
  const rate = confidenceInterval(defaults.map((one) => one.rate));
  const spinning = confidenceInterval(defaults.map(({ parts }) => 100 * parts.spinning));
  const visits = confidenceInterval(defaults.map(({ visitsPerMap }) => visitsPerMap));
  const measured = found && undisturbed(found, found.transactionsPerSecond);
  const spun = found && undisturbed(found, found.spinningShare);
  const { machine, variant, workNs, cores } = point;
  const about = { machine, variant, lock: variant === "off" ? "none" : point.lock, workNs, cores };
  const missing = Number.NaN;
  const row = {
    ...about,
    draw: 0,
    measured: measured?.median ?? missing,
    measuredLow: measured?.low ?? missing,
    measuredHigh: measured?.high ?? missing,
    predicted: rate.mean,
    predictedLow: rate.low,
    predictedHigh: rate.high,
    ratio: measured ? rate.mean / measured.median : missing,
    measuredSpinning: spun ? 100 * spun.median : missing,
    measuredSpinningLow: spun ? 100 * spun.low : missing,
    measuredSpinningHigh: spun ? 100 * spun.high : missing,
    spinning: spinning.mean,
    spinningLow: spinning.low,
    spinningHigh: spinning.high,
    measuredVisits: found?.visitsPerMap ?? missing,
    visits: visits.mean,
    windows: measured?.n ?? 0,
  };
  const space = unmeasured(host);
  const drawn = point.draws > 0 ? latinHypercube(space, point.draws, point.seed) : [];
  const draws = drawn.map((values, i) => {
    const one = run(values as Record<string, number>, point.seed);
    const spins = 100 * one.parts.spinning;
    return {
      ...row,
      draw: i + 1,
      predicted: one.rate,
      predictedLow: one.rate,
      predictedHigh: one.rate,
      ratio: measured ? one.rate / measured.median : missing,
      spinning: spins,
      spinningLow: spins,
      spinningHigh: spins,
      visits: one.visitsPerMap,
    };
  });
  return [row, ...draws];
}

/** A row of the table. */
export type SiliconRow = ReturnType<typeof predict>[number];

const rateUnit = "transactions/s";
const shareUnit = "%";

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<SiliconRow>, Column>> = {
  machine: { unit: "", description: "recorded machine" },
  variant: { unit: "", description: "way of mapping" },
  lock: { unit: "", description: "kind of lock" },
  workNs: { unit: "ns", description: "work of a transaction outside mapping" },
  cores: { unit: "", description: "cores that take part" },
  draw: { unit: "", description: "0: at the defaults; else the draw of what was not measured" },
  measured: { unit: rateUnit, description: "measured: the median of the undisturbed windows" },
  measuredLow: { unit: rateUnit, description: "the least of them" },
  measuredHigh: { unit: rateUnit, description: "the most" },
  predicted: { unit: rateUnit, description: "predicted, mean over seeds" },
  predictedLow: { unit: rateUnit, description: "lower end of its 95 % interval" },
  predictedHigh: { unit: rateUnit, description: "upper end" },
  ratio: { unit: "×", description: "predicted over measured" },
  measuredSpinning: { unit: shareUnit, description: "measured share of time in which a core waits for a lock" },
  measuredSpinningLow: { unit: shareUnit, description: "the least of the windows" },
  measuredSpinningHigh: { unit: shareUnit, description: "the most" },
  spinning: { unit: shareUnit, description: "the same, predicted" },
  spinningLow: { unit: shareUnit, description: "lower end of its 95 % interval over seeds" },
  spinningHigh: { unit: shareUnit, description: "upper end" },
  measuredVisits: { unit: "", description: "nodes that a map examined, in all windows" },
  visits: { unit: "", description: "the same, predicted" },
  windows: { unit: "", description: "windows in which the threads had their cores" },
};
