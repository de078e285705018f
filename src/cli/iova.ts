import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type AllocatorName,
  allocatorNames,
  type CacheReplay,
  fixtureTotals,
  formatCacheEvents,
  formatEvents,
  formatReplay,
  IovaError,
  parseTrace,
  type ReplayResult,
  type ReplayTrace,
  releaseSteps,
  replay,
} from "../iova/index.js";
import { busiestDevice, decodeTrace, requestsOf, type Trace } from "../recordings/index.js";
import { UserError } from "./errors.js";
import { readText } from "./files.js";

interface ReplayFlags {
  allocator: AllocatorName;
  stats?: boolean;
  events?: boolean;
  csv?: boolean;
  json?: boolean;
  samples?: number;
  release?: string;
  device?: string;
}

/** The allocators that have events to print. */
const withEvents: readonly AllocatorName[] = ["lazy", "magazines", "rcache6", "fq6"];

const format = `
A trace is text, one operation a line:
  i KEY VALUE          configure (start_pfn, dma32, aligned, roundup, cpus, entries, npools, large, hz, fq …)
  m PAGES LIMIT [CPU]  map; the maps count 0, 1, 2 …; LIMIT is the highest page frame number, -1 for none
  u ID [CPU]           unmap what map ID got (ignored if it failed or is unmapped already)
  r LO HI              reserve a range of page frame numbers
  w MICROSECONDS       advance the clock (lazy, rcache6, fq6, magazines with fq 1: v4.9's tables)
  x CPU · y CPU        take a CPU offline, bring it online (rcache6, fq6)
Or it is a recording in the laboratory's own format (data/traces, iommu-lab trace convert): one device's requests, in their order.
The answer is one line a map: id,pages,pfn,visits (magazines: and hit; rcache6, fq6: hit and tree locks; pools: flush instead of visits).
-1 is a failure. rcache6 is the allocator of Linux 6.7 to 6.18, fq6 the same behind its flush queue; --release gives them the rules of an older one.`;

/** `iommu-lab iova replay`: what an allocator answers to a trace of requests. */
export function iovaCommand(program: Command): void {
  const iova = program.command("iova").description("the IOVA allocators");
  iova
    .command("replay")
    .argument("<trace>", "the trace: plain or .gz; - for stdin")
    .description("replay a trace on an allocator and print its answers")
    .addOption(
      new Option("--allocator <name>", "which allocator answers").choices([...allocatorNames]).default("rbtree"),
    )
    .option("--stats", "print totals instead: visits, nodes, depth, splits, merges, lines touched")
    .option(
      "--events",
      "print instead what happened besides: flushes, trims, drains (lazy, magazines with fq 1, rcache6, fq6)",
    )
    .option("--csv", "print --stats as comma-separated values (answers and events always are)")
    .option("--json", "print --stats as JSON; of rcache6 and fq6 under the names of the golden fixtures")
    .option(
      "--samples <operations>",
      "with --json: the tree's nodes and depth after every so many operations",
      positive,
    )
    .option(
      "--release <version>",
      `rcache6, fq6: the release of Linux whose rules hold, 4.15 to 6.18; they changed in ${releaseSteps.join(", ")}`,
    )
    .option(
      "--device <id>",
      "of a recording: which device, by its name or number (default: the one with the most requests)",
    )
    .addHelpText("after", format)
    .action((file: string, flags: ReplayFlags) => {
      check(flags);
      const trace = read(file, flags);
      const result = run(file, trace, flags);
      if (flags.json) process.stdout.write(`${JSON.stringify(statisticsOf(result), null, 2)}\n`);
      else if (flags.stats) process.stdout.write(formatStatistics(result, flags.csv ?? false));
      else if (flags.events) process.stdout.write(eventsOf(result));
      else process.stdout.write(formatReplay(result));
    });
}

function positive(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError("A whole number from 1 is accepted.");
}

function check({ stats, events, json, samples, allocator, release }: ReplayFlags): void {
  if (stats && events) throw new UserError("Choose one of --stats and --events.");
  if (json && !stats) throw new UserError("--json is a form of --stats: give both.");
  if (samples !== undefined && !json) throw new UserError("--samples: they are printed with --stats --json only.");
  if (events && !withEvents.includes(allocator))
    throw new UserError(
      `--events: only ${withEvents.map((name) => `"${name}"`).join(", ")} have a flush queue or works; got "${allocator}".`,
    );
  if (release !== undefined && allocator !== "rcache6" && allocator !== "fq6")
    throw new UserError(`--release: only "rcache6" and "fq6" have rules of several releases; got "${allocator}".`);
}

function eventsOf({ caches, events }: ReplayResult): string {
  return caches ? formatCacheEvents(caches.events) : formatEvents(events);
}

function statisticsOf(result: ReplayResult): object {
  const samples = result.samples.map(({ op, nodes, maxDepth, meanDepth }) => [
    op,
    nodes,
    maxDepth,
    Number(meanDepth.toFixed(3)),
  ]);
  const shown = samples.length > 0 ? { samples, sample_fields: ["op", "nodes", "max_depth", "mean_depth"] } : {};
  if (result.caches) return { ...shown, ...fixtureTotals(result.caches) };
  return { ...shown, ...Object.fromEntries(rowsOf(result).map(([name, value]) => [name.replaceAll(" ", "_"), value])) };
}

function read(file: string, { device }: ReplayFlags): ReplayTrace {
  const text = readText(file);
  if (text.trimStart().startsWith("{")) return parseTrace(requestsOfRecording(file, text, device));
  if (device !== undefined) throw new UserError(`--device: ${file} is no recording; its requests are of one device.`);
  try {
    return parseTrace(text);
  } catch (error) {
    throw new UserError(`${file}, ${(error as Error).message}`);
  }
}

function requestsOfRecording(file: string, text: string, asked: string | undefined): string {
  const recording = decodeTrace(text, file);
  const device = deviceOf(recording, asked);
  if (asked === undefined && recording.devices.length > 1)
    process.stderr.write(
      `${file}: the requests of device ${recording.devices[device].id}; --device chooses another (${recording.devices.map(({ id }) => id).join(", ")}).\n`,
    );
  return requestsOf(recording, device);
}

function deviceOf(recording: Trace, asked: string | undefined): number {
  if (asked === undefined) return busiestDevice(recording);
  const byName = recording.devices.findIndex(({ id }) => id === asked);
  const device = byName >= 0 ? byName : /^\d+$/.test(asked) ? Number(asked) : -1;
  if (device >= 0 && device < recording.devices.length) return device;
  const known = recording.devices.map(({ id }, i) => `${i} (${id})`).join(", ");
  throw new UserError(`--device: there is no device "${asked}"; there are ${known}.`);
}

function run(file: string, trace: ReplayTrace, flags: ReplayFlags): ReplayResult {
  try {
    return replay(trace, flags.allocator, {
      countLines: flags.stats ?? false,
      ...(flags.samples === undefined ? {} : { sampleEvery: flags.samples }),
      ...(flags.release === undefined ? {} : { release: flags.release }),
    });
  } catch (error) {
    if (error instanceof IovaError || error instanceof RangeError) throw new UserError(`${file}: ${error.message}`);
    throw error;
  }
}

function rowsOf(result: ReplayResult): [string, number, string][] {
  const s = result.statistics;
  const perMap = (value: number) => (s.allocations === 0 ? 0 : value / s.allocations);
  const lines = result.lines ?? { reads: 0, writes: 0, touched: 0, operations: 0 };
  return [
    ["maps", s.allocations, "requests"],
    ["failures", s.failures, "requests"],
    ["frees", s.frees, "ranges"],
    ["live at the end", s.live, "ranges"],
    ["live at most", s.peakLive, "ranges"],
    ["visits", s.visits, "nodes"],
    ["visits a map", perMap(s.visits), "nodes"],
    ["visits of the worst map", s.maxVisits, "nodes"],
    ["nodes at the end", s.nodes, "nodes"],
    ["nodes at most", s.peakNodes, "nodes"],
    ["depth at the end", s.depth.max, "levels"],
    ["mean depth at the end", s.depth.mean, "levels"],
    ["merges", s.merges, "joints"],
    ["splits", s.splits, "nodes"],
    ["cache hits", s.hits, "requests"],
    ["flush callbacks", s.flushes, "flushes"],
    ["deferred flushes", deferredFlushes(result), "flushes"],
    ...(result.caches ? cacheRowsOf(result.caches) : []),
    ["lines read", lines.reads, "accesses"],
    ["lines written", lines.writes, "accesses"],
    ["distinct lines an operation", lines.operations === 0 ? 0 : lines.touched / lines.operations, "lines"],
  ];
}

function deferredFlushes({ caches, events }: ReplayResult): number {
  return caches ? caches.driver.flushesFull + caches.driver.flushesTimer : events.length;
}

/** What only the allocator of today has. */
function cacheRowsOf({ caches: c, driver: d }: CacheReplay): [string, number, string][] {
  return [
    ["tree locks", c.treeLocks, "acquisitions"],
    ["tree locks in a CPU's", c.treeInCpu, "acquisitions"],
    ["tree locks in a depot's", c.treeInDepot, "acquisitions"],
    ["CPU cache locks", c.cpuLocks, "acquisitions"],
    ["CPU cache locks in a queue's", d.cpuInQueue, "acquisitions"],
    ["depot locks", c.depotLocks, "acquisitions"],
    ["flush queue locks", d.queueLocks, "acquisitions"],
    ["cache lookups", c.lookups, "requests"],
    ["slots above the limit", c.scanSkips, "slots"],
    ["magazines at the end", c.magazines, "magazines"],
    ["magazines at most", c.peakMagazines, "magazines"],
    ["ranges in caches", c.cached, "ranges"],
    ["to depots", c.depotPuts, "magazines"],
    ["from depots", c.depotGets, "magazines"],
    ["trimmed", c.depotTrims, "magazines"],
    ["drains", c.drains, "drains"],
    ["second passes", c.retries, "searches"],
    ["refused early", c.earlyFull, "requests"],
    ["32-bit tries given up", d.gaveUpLow, "times"],
    ["freed by a full queue", d.freedFull, "ranges"],
    ["freed by the timer", d.freedTimer, "ranges"],
    ["freed after others' flushes", d.freedReclaim, "ranges"],
    ["waiting at the end", d.queued, "ranges"],
  ];
}

function formatStatistics(result: ReplayResult, csv: boolean): string {
  const rows = rowsOf(result);
  if (csv)
    return `${["name,value,unit", ...rows.map(([name, value, unit]) => `${name},${value},${unit}`)].join("\n")}\n`;
  return rows.map(([name, value, unit]) => `${name.padEnd(28)} ${shown(value).padStart(12)} ${unit}\n`).join("");
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
