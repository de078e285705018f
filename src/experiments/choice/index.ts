/** What to choose: how much of a device's rate each way of mapping carries on a host of today, and what would change the choice. */
import { z } from "zod";
import { costSources, variant } from "../../dma/index.js";
import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRunDefaults, type IoLoad, simulateIo } from "../../host/index.js";
import { largePresetNames, machineConfig } from "../../machine/index.js";
import { barFigure, type Figure, heatmapFigure } from "../../plot/index.js";
import { ConfigError, defineExperiment, type Experiment } from "../frame/experiment.js";
import { type CapacityRow, choices } from "./cells.js";
import { wayNamed, ways } from "./ways.js";

// Question: which way of mapping should one choose, for which device, and which measurement would change that?

const hosts = largePresetNames as [string, ...string[]];
const listOf = <T extends z.ZodType>(one: T) => z.union([z.array(one).min(1), one.transform((value) => [value])]);
const Config = z.strictObject({
  host: z
    .enum(hosts, { error: `accepts ${hosts.join(", ")}` })
    .default("ice-lake-sp")
    .describe("simulated host"),
  cores: listOf(z.int().min(1).max(128)).default([4, 16, 64]).describe("cores that serve the device"),
  rate: listOf(z.number().min(1).max(1600)).default([10, 100, 200]).describe("rates of the device (Gb/s)"),
  workMicroseconds: z
    .number()
    .min(0.05)
    .max(50)
    .default(1.6)
    .describe("work of a 4 KiB packet outside mapping (µs); 1.6 is five cores for 100 Gb/s (record FS2)"),
  depth: z.int().min(1).max(1024).default(64).describe("packets of a core under way (a count)"),
  sweep: z
    .boolean()
    .default(true)
    .describe("move the assumptions to the ends of their ranges, to see what changes the choice"),
  everyWay: z
    .boolean()
    .default(false)
    .describe("choose also among ways that Linux has not (bounce: a pool that stays mapped)"),
  packets: z.int().min(100).max(100_000).default(240).describe("packets measured for each core (a count)"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});
type Config = z.output<typeof Config>;

/** Packets of a request that are mapped together: 32 KiB, a large send. */
const together = 8;
const packetBytes = 4096;

/** One run: a way, under one assumption. */
export interface ChoicePoint {
  way: string;
  assumption: string;
  run: HostRun;
  load: IoLoad;
}

/** What is moved to the ends of its range, for the ways on which it tells. */
function ends(way: string, mapped: string): { assumption: string; change: Partial<HostRun> }[] {
  if (way === "bounce")
    return [2, 32].map((value) => ({
      assumption: `copies at ${value} bytes a cycle`,
      change: { copyBytesPerCycle: value },
    }));
  if (variant(mapped).policy !== "strict" || way === "2M pool") return [];
  const source = costSources.find(({ field }) => field === "invalidationCycles");
  if (source === undefined) throw new Error("The cost of an invalidation has no source in src/dma.");
  return [source.low, source.high].map((value) => ({
    assumption: `an invalidation of ${value.toLocaleString("en")} cycles`,
    change: { costs: { invalidationCycles: value } },
  }));
}

function points(config: Config, { facts }: Basis): ChoicePoint[] {
  const { sockets, coresPerSocket } = machineConfig(facts, config.host);
  const cores = config.cores.filter((n) => n <= sockets * coresPerSocket);
  if (cores.length === 0)
    throw new ConfigError(
      `choice: ${config.host} has ${sockets * coresPerSocket} cores; ${config.cores.join(", ")} are asked for.`,
    );
  return cores.flatMap((n) =>
    ways.flatMap((way): ChoicePoint[] => {
      const pieces = way.together ? together : 1;
      const requests = Math.ceil((config.packets * n) / pieces);
      const load: IoLoad = {
        workNs: config.workMicroseconds * 1000 * pieces,
        segments: pieces,
        segmentPages: 1,
        mapping: way.together ? "two-step" : "each",
        premapped: way.stays,
        depth: Math.max(1, Math.round(config.depth / pieces)),
        deviceNs: 10_000,
        completions: "same",
        permission: 2,
      };
      const run: HostRun = {
        ...hostRunDefaults(facts),
        machine: config.host,
        variant: way.variant,
        cores: n,
        staticMaps: 0,
        lock: "queued",
        seed: config.seed,
        warmup: Math.round(requests / 3),
        transactions: requests,
      };
      const varied = config.sweep ? ends(way.name, way.variant) : [];
      return [{ assumption: "as assumed", change: {} }, ...varied].map(({ assumption, change }) => ({
        way: way.name,
        assumption,
        run: { ...run, ...change },
        load,
      }));
    }),
  );
}

/** KiB of a way's own memory: tables aside, rings of the flush queue, magazines, and copies. */
function memoryKiB({ way, run, load }: ChoicePoint): number {
  const pages = run.cores * load.depth * load.segments;
  if (way === "pass-through") return 0;
  const caches = run.cores * 12;
  const rings = run.variant.endsWith("lazy") ? run.cores * 10 : 0;
  return caches + rings + (way === "bounce" ? pages * 4 : 0);
}

function simulate(point: ChoicePoint, { facts }: Basis): CapacityRow[] {
  const { way, assumption, run, load } = point;
  const result = simulateIo(run, load, facts);
  let lock = "none";
  let lockShare = 0;
  for (const row of result.locks) {
    const share = row.waittimeTotal / (result.elapsedNs * machineConfig(facts, run.machine).gigahertz * run.cores);
    if (share > lockShare && share > 0.001) {
      lock = row.name;
      lockShare = share;
    }
  }
  return [
    {
      host: run.machine,
      way,
      cores: run.cores,
      assumption,
      capacity: (result.rate * load.segments * packetBytes * 8) / 1e9,
      unmapNs: result.unmapNs / load.segments,
      stalePages: result.stalePages,
      windowMean: result.windowNs / 1000,
      memory: memoryKiB(point),
      lock,
      lockShare,
    },
  ];
}

const assumedRows = (rows: readonly CapacityRow[]): CapacityRow[] =>
  rows.filter(({ assumption }) => assumption === "as assumed");

/** What each way carries, by the number of cores. */
function capacity(rows: readonly CapacityRow[], { rate }: Config): Figure {
  const mine = assumedRows(rows);
  const names = [...new Set(mine.map(({ way }) => way))];
  const cores = [...new Set(mine.map((row) => row.cores))];
  return barFigure({
    title: "What each way of mapping carries",
    caption: `${rows[0]?.host ?? ""}: 4 KiB packets at full load, in Gb/s. Rates asked for: ${rate.join(", ")} Gb/s. Bars beyond a rate leave cores for other work. Bounce, a pool that stays mapped, is not in Linux.`,
    categories: names,
    x: { title: "way of mapping", unit: "" },
    y: { title: "carried", unit: "Gb/s" },
    lying: true,
    series: cores.map((n) => ({
      name: `${n} cores`,
      values: names.map((way) => mine.find((row) => row.way === way && row.cores === n)?.capacity ?? 0),
    })),
  });
}

/** The table as a picture: for each case the share of its rate that the best way carries. */
function table(rows: readonly CapacityRow[], config: Config): Figure {
  const cells = choices(rows, config.rate, { everyWay: config.everyWay });
  const label = ({ reuse, trust }: { reuse: string; trust: string }): string => `${trust}, ${reuse}`;
  // The first row on top.
  const y = [...new Set(cells.map(label))].reverse();
  const shortOf = (cell: { choose: string } | undefined): string => (cell ? wayNamed(cell.choose).short : "");
  const x = [...new Set(cells.map(({ cores, rate }) => `${cores} cores, ${rate} Gb/s`))];
  const at = (row: string, column: string) =>
    cells.find((cell) => label(cell) === row && `${cell.cores} cores, ${cell.rate} Gb/s` === column);
  return heatmapFigure({
    title: "What to choose",
    caption:
      "Rows: how far the device is trusted, and which buffers come back to it. The text is the way to choose (pass: pass-through; pool: page_pool; two-step: strict, with requests of eight pages in one range); the colour, how much of the rate it carries.",
    x: { title: "cores and rate", unit: "" },
    y: { title: "trust, reuse", unit: "" },
    z: { title: "of the rate", unit: "%", range: [0, 100] },
    xValues: x,
    yValues: y,
    zValues: y.map((row) =>
      x.map((column) => {
        const cell = at(row, column);
        return cell ? (100 * cell.carries) / cell.rate : null;
      }),
    ),
    text: y.map((row) => x.map((column) => shortOf(at(row, column)))),
  });
}

/** Device trust × buffer reuse × cores × rate: what each way carries, and which to choose. */
export const choice: Experiment<typeof Config, ChoicePoint, CapacityRow> = defineExperiment({
  name: "choice",
  place: [9, 1],
  title: "What to choose",
  question: "Which way of mapping should one choose for a device, and which measurement would change that?",
  config: Config,
  points,
  label: ({ way, assumption, run }) => `${way}, ${run.cores} cores, ${assumption}`,
  simulate,
  columns: {
    host: { unit: "", description: "simulated host" },
    way: { unit: "", description: "way of mapping" },
    cores: { unit: "cores", description: "cores that serve the device" },
    assumption: { unit: "", description: "what was moved to an end of its range" },
    capacity: { unit: "Gb/s", description: "what the cores carry at most" },
    unmapNs: { unit: "ns", description: "an unmap of a packet, waiting included" },
    stalePages: { unit: "pages", description: "in reach after their unmap, mean at a time" },
    windowMean: { unit: "µs", description: "from an unmap's return to its invalidation, mean" },
    memory: { unit: "KiB", description: "beside buffers and tables" },
    lock: { unit: "", description: "lock that is waited for most" },
    lockShare: { unit: "share", description: "cores' time waiting for it" },
  },
  figures: { capacity, table },
  claims: () => [],
});

export { type CapacityRow, type Choice, choices } from "./cells.js";
export { type Reuse, type Trust, ways as choiceWays } from "./ways.js";
