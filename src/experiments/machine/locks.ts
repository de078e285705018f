import { z } from "zod";
import { confidenceInterval, Streams } from "../../engine/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import {
  type LockKind,
  lineTime,
  lockKinds,
  Machine,
  type MachineConfig,
  machineConfig,
  presetNames,
  runLockLoad,
  ticketLockModel,
} from "../../machine/index.js";
import { lineFigure } from "../../plot/index.js";
import { type AskedClaim, askAll, claimOn } from "../frame/claim.js";
import { kindOf } from "../frame/claim-kind.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { lockLoadFields } from "./fields.js";

// Question: how much work gets through one lock as cores are added, for each kind of lock, and what does the cache line have to do with it?

const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host that is modelled"),
  cores: z
    .array(z.int().min(1).max(32))
    .min(1)
    .default([1, 2, 3, 4, 6, 8, 9, 10, 12, 14, 16])
    .describe("cores that take the lock, one after another"),
  placement: z
    .enum(["socket by socket", "alternating"])
    .default("socket by socket")
    .describe("fill the first socket first, or take cores from both sockets in turn"),
  homeOccupancyPercent: z
    .int()
    .min(0)
    .max(100)
    .optional()
    .describe(
      "assumption of the host to replace: how long a line's home is busy with a request (percent of its latency)",
    ),
  fidelity: z
    .enum(["quick", "full"])
    .default("quick")
    .describe("quick: 5 runs of 1,500 sections; full: 10 runs of 20,000"),
  ...lockLoadFields,
});
type Settings = z.output<typeof Config>;

/** A number of cores; every kind of lock sees the same think and section times. */
export interface LockPoint extends Omit<Settings, "cores"> {
  cores: number;
}

const runs = { quick: { replications: 5, sections: 1500 }, full: { replications: 10, sections: 20_000 } } as const;

/** The CPUs of a placement; one thread a core. */
export function placed(config: MachineConfig, cores: number, placement: Settings["placement"]): number[] {
  const all = Array.from({ length: cores }, (_, i) => i);
  if (placement === "socket by socket" || config.sockets === 1) return all;
  return all.map((i) => (i % config.sockets) * config.coresPerSocket + Math.floor(i / config.sockets));
}

function simulate(point: LockPoint, { facts }: Basis) {
  const { replications, sections } = runs[point.fidelity];
  const { homeOccupancyPercent } = point;
  const host = machineConfig(facts, point.host, homeOccupancyPercent === undefined ? {} : { homeOccupancyPercent });
  if (point.cores > host.sockets * host.coresPerSocket) return [];
  const cpus = placed(host, point.cores, point.placement);
  const streams = (replication: number) => new Streams(point.seed, `replication ${replication}`);
  const results = new Map(
    lockKinds.map((kind) => [
      kind,
      Array.from({ length: replications }, (_, r) =>
        runLockLoad(new Machine(host), {
          kind,
          cpus,
          sectionCycles: point.sectionCycles,
          thinkCycles: point.thinkCycles,
          sections,
          streams: streams(r),
        }),
      ),
    ]),
  );
  const line = lineTime(new Machine(host), cpus, streams(0).stream("line time"));
  const model = ticketLockModel(point.cores, point.thinkCycles, point.sectionCycles, line) * host.gigahertz * 1e9;
  const mean = (values: readonly number[]) => values.reduce((a, b) => a + b, 0) / values.length;
  return lockKinds.map((kind) => {
    const of = results.get(kind) ?? [];
    const rate = confidenceInterval(of.map((r) => r.throughput));
    // The same think and section times for both: the ratio of each pair of runs, then its interval.
    const ticket = results.get("ticket") ?? [];
    const ratio = confidenceInterval(of.map((r, i) => r.throughput / ticket[i].throughput));
    return {
      lock: kind,
      cores: point.cores,
      throughput: rate.mean,
      throughputLow: rate.low,
      throughputHigh: rate.high,
      toTicket: ratio.mean,
      toTicketLow: ratio.low,
      toTicketHigh: ratio.high,
      handOffCycles: mean(of.map((r) => r.handOffCycles)),
      waiters: mean(of.map((r) => r.meanWaiters)),
      contendedPercent: 100 * mean(of.map((r) => r.statistics.contentions / r.statistics.acquisitions)),
      lineCycles: line,
      ticketModel: model,
    };
  });
}

/** A row of the table. */
export type LockRow = ReturnType<typeof simulate>[number];

const ofKind = (rows: readonly LockRow[], kind: LockKind) => rows.filter((r) => r.lock === kind);

/** Simulated over what the published model says. */
const overModel = (r: LockRow): number => r.throughput / r.ticketModel;

/**
 * What one number of cores comes down to: how far the published model of the ticket lock is off there, and whether the queued lock does
 * as its commit says (the same without waiters, less with an average of 1 to 3, more with more): 100 if it does, 0 if not.
 */
function quantitiesOf(rows: readonly LockRow[]): Record<string, number> {
  const [ticket] = ofKind(rows, "ticket");
  const [queued] = ofKind(rows, "queued");
  if (!ticket || !queued) return {};
  const { waiters } = ticket;
  const { toTicket } = queued;
  const said = waiters < 0.05 ? near(toTicket, 1, 0.01) : waiters > 3 ? toTicket > 1 : toTicket < 1;
  // Between none and one waiter the commit says nothing.
  const judged = waiters < 0.05 || waiters >= 1;
  return { "over the model": overModel(ticket), ...(judged ? { "as the commit says": said ? 100 : 0 } : {}) };
}

const near = (value: number, wanted: number, by: number): boolean => value > wanted - by && value < wanted + by;

const h12 = (settings: Settings, facts: Facts): AskedClaim<LockRow> => {
  const record = facts.record("H12");
  return claimOn<LockRow>()({
    id: "H12",
    quote: record.quote ?? record.quantity,
    source: `record H12: ${record.source}`,
    kind: kindOf(record),
    published: { low: 0.9, high: 1.1, unit: "of the model's throughput", factId: "H12" },
    needs: "ticket locks",
    of: (q) => q["over the model"],
    judge(rows) {
      const ticket = ofKind(rows, "ticket");
      if (ticket.length === 0) return undefined;
      const off = overModel;
      const worst = ticket.reduce((a, b) => (Math.abs(off(b) - 1) > Math.abs(off(a) - 1) ? b : a));
      const far = ticket.filter((r) => Math.abs(off(r) - 1) > 0.1).map((r) => r.cores);
      return {
        simulated: {
          mean: off(worst),
          low: worst.throughputLow / worst.ticketModel,
          high: worst.throughputHigh / worst.ticketModel,
          n: runs[settings.fidelity].replications,
          level: 0.95,
          unit: "of the model's throughput",
        },
        numbers: { far, worstCores: worst.cores },
      };
    },
    say({ far, worstCores }) {
      const least = `the largest difference is at ${worstCores} cores`;
      return {
        explanation:
          far.length === 0
            ? `With the line time that the simulated machine shows, the published Markov model predicts the simulated throughput within 10 % at every number of cores; ${least}.`
            : `Within 10 % except at ${far.join(", ")} cores, where the simulated lock does less; ${least}. The model counts the copies that waiters fetch after a release; here newcomers' locked adds and the copies that nobody needs any more keep the line's home busy as well. It depends on the section's length: the longer, the closer.`,
      };
    },
  });
};

const k28 = (settings: Settings, facts: Facts): AskedClaim<LockRow> => {
  const record = facts.record("K28");
  return claimOn<LockRow>()({
    id: "K28",
    quote: record.quote ?? record.quantity,
    source: `record K28: ${record.source}`,
    kind: "simulated quantity",
    needs: "runs without contention, with 0.5 to 3 waiters, and with more",
    of: (q) => q["as the commit says"],
    judge(rows) {
      const queued = ofKind(rows, "queued");
      const depth = (r: LockRow) => (ofKind(rows, "ticket").find((t) => t.cores === r.cores) ?? r).waiters;
      const light = queued.filter((r) => depth(r) >= 0.5 && depth(r) <= 3);
      const heavy = queued.filter((r) => depth(r) > 3).at(-1);
      const alone = queued.find((r) => r.cores === 1);
      if (light.length === 0 || !heavy || !alone) return undefined;
      const slower = light.filter((r) => r.toTicketHigh < 1);
      const all = slower.length === light.length;
      return {
        simulated: {
          mean: heavy.toTicket,
          low: heavy.toTicketLow,
          high: heavy.toTicketHigh,
          n: runs[settings.fidelity].replications,
          level: 0.95,
          unit: "of the ticket lock's throughput",
        },
        numbers: {
          alone: alone.toTicket,
          light: light.map(({ toTicket, cores }) => ({ toTicket, cores })),
          heavy: { toTicket: heavy.toTicket, waiters: depth(heavy) },
          all,
        },
      };
    },
    say: ({ alone, light, heavy, all }) => ({
      explanation: `Against the ticket lock, the queued lock does ${alone.toFixed(2)} × alone; with 0.5 to 3 waiters ${light.map(({ toTicket, cores }) => `${toTicket.toFixed(2)} × at ${cores} cores`).join(", ")}; with ${heavy.waiters.toFixed(0)} waiters ${heavy.toTicket.toFixed(2)} ×. The commit says: the same alone, slower with an average queue of 1 to 3, faster beyond.${all ? "" : " Where the sockets mix, the queued lock is faster already with fewer waiters: every copy that it saves would cross the sockets."}`,
    }),
  });
};

/** Throughput of one lock over cores, for each kind of lock, beside the published model of the ticket lock. */
export const lockScaling: Experiment<typeof Config, LockPoint, LockRow> = defineExperiment({
  name: "machine-locks",
  title: "One lock, more and more cores",
  question: "How much work gets through a lock as cores are added, and how does that depend on the kind of lock?",
  config: Config,
  points: ({ cores, ...rest }) => cores.map((n) => ({ ...rest, cores: n })),
  label: ({ cores, placement }) => `${cores} cores, ${placement}`,
  simulate,
  columns: {
    lock: { unit: "", description: "kind of lock" },
    cores: { unit: "", description: "cores that take it" },
    throughput: { unit: "1/s", description: "sections a second, mean of the replications" },
    throughputLow: { unit: "1/s", description: "lower end of its 95 % confidence interval" },
    throughputHigh: { unit: "1/s", description: "upper end" },
    toTicket: { unit: "×", description: "throughput as a multiple of the ticket lock's in the same runs" },
    toTicketLow: { unit: "×", description: "lower end of its 95 % confidence interval" },
    toTicketHigh: { unit: "×", description: "upper end" },
    handOffCycles: {
      unit: "cycles",
      description: "from a section's last cycle to the next one's first, when somebody waits",
    },
    waiters: { unit: "", description: "cores that wait, averaged over time" },
    contendedPercent: { unit: "%", description: "acquisitions that had to wait" },
    lineCycles: {
      unit: "cycles",
      description: "line time c of the published model, as the simulated machine shows it",
    },
    ticketModel: { unit: "1/s", description: "what the published Markov model of the ticket lock says (record H12)" },
  },
  figures: {
    throughput: (rows, { sectionCycles, thinkCycles, placement }) =>
      lineFigure({
        title: "What gets through one lock",
        caption: `Sections of ${sectionCycles} cycles, ${thinkCycles} cycles apart, cores placed ${placement}; bars are 95 % intervals. The dashed line is the published model of the ticket lock.`,
        x: { title: "cores that take the lock", unit: "" },
        y: { title: "sections", unit: "million/s" },
        series: [
          ...lockKinds.map((kind) => ({
            name: kind,
            x: ofKind(rows, kind).map((r) => r.cores),
            y: ofKind(rows, kind).map((r) => r.throughput / 1e6),
            low: ofKind(rows, kind).map((r) => r.throughputLow / 1e6),
            high: ofKind(rows, kind).map((r) => r.throughputHigh / 1e6),
          })),
          {
            name: "ticket, published model",
            x: ofKind(rows, "ticket").map((r) => r.cores),
            y: ofKind(rows, "ticket").map((r) => r.ticketModel / 1e6),
            dash: true,
            mode: "lines" as const,
          },
        ],
      }),
    "hand-off": (rows) =>
      lineFigure({
        title: "From one owner to the next",
        caption:
          "The time in which nobody works although somebody waits: from a section's last cycle to the next one's first.",
        x: { title: "cores that take the lock", unit: "" },
        y: { title: "hand-off", unit: "cycles", log: true },
        series: lockKinds.map((kind) => {
          const of = ofKind(rows, kind).filter((r) => r.handOffCycles > 0);
          return { name: kind, x: of.map((r) => r.cores), y: of.map((r) => r.handOffCycles) };
        }),
      }),
  },
  quantities: quantitiesOf,
  claims: (rows, settings, facts) =>
    askAll([h12(settings, facts), k28(settings, facts)], rows, { facts, experiment: "machine-locks" }),
});
