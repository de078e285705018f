import { z } from "zod";
import { Streams } from "../../engine/index.js";
import type { Basis, Facts } from "../../facts/index.js";
import { Machine, machineConfig, pointerChase, presetNames } from "../../machine/index.js";
import { lineFigure } from "../../plot/index.js";
import { type AskedClaim, askAll, claimOn } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { spread } from "./spread.js";

// Question: how long does one load take, when the next address stands in the line it fetches, and more and more lines are in use?

const Config = z.strictObject({
  host: z
    .enum(presetNames as [string, ...string[]])
    .default("sandy-bridge-ep")
    .describe("host that is modelled"),
  sizesKiB: z
    .array(z.int().min(1).max(131_072))
    .min(1)
    .default([8, 16, 32, 40, 64, 128, 256, 288, 512, 1024, 4096, 16_384, 20_480, 22_528, 24_576])
    .describe("memory that the chase runs through (KiB), one pointer a 64-byte line"),
  remote: z
    .boolean()
    .default(true)
    .describe("chase through the other socket's memory too, where the private caches are too small"),
  seed: z.int().min(0).default(1).describe("seed of the random order of the lines"),
});

/** One chase. */
export interface LatencyPoint {
  host: string;
  sizeKiB: number;
  home: number;
  seed: number;
}

function simulate({ host, sizeKiB, home, seed }: LatencyPoint, { facts }: Basis) {
  const machine = new Machine(machineConfig(facts, host));
  const cycles = pointerChase(machine, { cpu: 0, bytes: sizeKiB * 1024, home, streams: new Streams(seed) });
  return [{ host, sizeKiB, memory: home === 0 ? "local" : "remote", cycles, ns: machine.toNs(cycles) }];
}

/** A row of the table. */
export type LatencyRow = ReturnType<typeof simulate>[number];

/** The records of the latencies that a chase should find on a host, L1 to L3. */
const published: Readonly<Record<string, string>> = { "sandy-bridge-ep": "H9", "westmere-ep": "H6" };

/** A claim a level: the chase finds the published latency again. */
function claimsOn(host: string, facts: Facts): AskedClaim<LatencyRow>[] {
  const recordId = published[host];
  if (recordId === undefined) return [];
  const record = facts.record(recordId);
  const c = machineConfig(facts, host);
  const bounds = [0, c.l1KiB, c.l2KiB, c.l3KiB];
  return ["L1", "L2", "L3"].map((level, i) => {
    const cycles = facts.numbers(recordId)[i];
    return claimOn<LatencyRow>()({
      id: `${recordId}-${level}`,
      quote: record.quote ?? record.quantity,
      source: `record ${recordId}: ${record.source}`,
      kind: "calibration",
      published: { low: cycles, high: cycles, unit: "cycles", factId: recordId },
      needs: `a footprint well inside the ${level}`,
      judge(rows) {
        // Just above a cache's size a chase finds a mixture of two levels: the published value is that of the level alone.
        const inside = rows.filter(
          (r) => r.memory === "local" && r.sizeKiB > bounds[i] * 1.4 && r.sizeKiB <= bounds[i + 1],
        );
        if (inside.length === 0) return undefined;
        const found = inside.map((r) => r.cycles);
        const worst = found.reduce((far, x) => (Math.abs(x - cycles) > Math.abs(far - cycles) ? x : far), cycles);
        return { verdict: "calibration", simulated: { ...spread(found), unit: "cycles" }, numbers: { worst } };
      },
      say: ({ worst }) => ({
        explanation: `${level}: the chase finds ${worst.toFixed(1)} cycles where ${cycles} were published. The model's ${level} was set from this record; the chase only shows that it comes back out.`,
      }),
    });
  });
}

/** The latency staircase: a load of a pointer chase, over the memory that it runs through. */
export const memoryLatency: Experiment<typeof Config, LatencyPoint, LatencyRow> = defineExperiment({
  name: "machine-latency",
  title: "The latency staircase",
  question: "How long does a load take when the memory in use outgrows one cache after another?",
  config: Config,
  points: ({ host, sizesKiB, remote, seed }, { facts }) =>
    (remote ? [0, 1] : [0]).flatMap((home) => {
      // Where memory is attached shows only once the private caches are too small.
      const sizes =
        home === 0 ? sizesKiB : sizesKiB.filter((sizeKiB) => sizeKiB > 2 * machineConfig(facts, host).l2KiB);
      return sizes.map((sizeKiB) => ({ host, sizeKiB, home, seed }));
    }),
  label: ({ sizeKiB, home }) => `${sizeKiB} KiB of ${home === 0 ? "local" : "remote"} memory`,
  simulate,
  columns: {
    host: { unit: "", description: "host that is modelled" },
    sizeKiB: { unit: "KiB", description: "memory that the chase runs through" },
    memory: { unit: "", description: "memory of the own socket (local) or of the other (remote)" },
    cycles: { unit: "cycles", description: "core cycles a load, averaged over one round" },
    ns: { unit: "ns", description: "the same in nanoseconds" },
  },
  figures: {
    staircase: (rows, { host }, { facts }) => {
      const c = machineConfig(facts, host);
      const of = (memory: string) => rows.filter((r) => r.memory === memory);
      const line = (memory: string) => ({
        name: `${memory} memory`,
        x: of(memory).map((r) => r.sizeKiB),
        y: of(memory).map((r) => r.ns),
      });
      const staircase = lineFigure({
        title: "A load's latency over the memory in use",
        caption: `Each step is a cache that has become too small: ${c.l1KiB} KiB of L1, ${c.l2KiB} KiB of L2, ${c.l3KiB / 1024} MiB of L3, then memory.`,
        x: { title: "memory that the chase runs through", unit: "KiB", log: true },
        y: { title: "latency of a load", unit: "ns", log: true },
        series: ["local", "remote"].filter((memory) => of(memory).length > 0).map(line),
      });
      // Labels at 1, 2 and 5 of each power of ten: two decades have no room for nine.
      Object.assign(staircase.layout["yaxis"] as object, { dtick: "D2" });
      return staircase;
    },
  },
  claims: (rows, { host }, facts) => askAll(claimsOn(host, facts), rows, { facts, experiment: "machine-latency" }),
});
