import { type Command, Option } from "commander";
import {
  type AllocatorName,
  allocatorNames,
  formatEvents,
  formatReplay,
  IovaError,
  parseTrace,
  type ReplayResult,
  type ReplayTrace,
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
  device?: string;
}

const format = `
A trace is text, one operation a line:
  i KEY VALUE          configure (start_pfn, dma32, aligned, roundup, cpus, entries, npools, large, hz …)
  m PAGES LIMIT [CPU]  map; the maps count 0, 1, 2 …; LIMIT is the highest page frame number, -1 for none
  u ID [CPU]           unmap what map ID got (ignored if it failed or is unmapped already)
  r LO HI              reserve a range of page frame numbers
  w MICROSECONDS       advance the clock (lazy only)
Or it is a recording in the laboratory's own format (data/traces, iommu-lab trace convert): one device's requests, in their order.
The answer is one line a map: id,pages,pfn,visits (magazines: and hit; pools: flush instead of visits). -1 is a failure.`;

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
    .option("--events", "print the flushes of the deferred queue instead (lazy)")
    .option("--csv", "print --stats as comma-separated values (answers and events always are)")
    .option(
      "--device <id>",
      "of a recording: which device, by its name or number (default: the one with the most requests)",
    )
    .addHelpText("after", format)
    .action((file: string, flags: ReplayFlags) => {
      if (flags.stats && flags.events) throw new UserError("Choose one of --stats and --events.");
      if (flags.events && flags.allocator !== "lazy")
        throw new UserError(`--events: only the allocator "lazy" has a flush queue; got "${flags.allocator}".`);
      const trace = read(file, flags);
      const result = run(file, trace, flags);
      if (flags.stats) process.stdout.write(formatStatistics(result, flags.csv ?? false));
      else process.stdout.write(flags.events ? formatEvents(result.events) : formatReplay(result));
    });
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
    return replay(trace, flags.allocator, { countLines: flags.stats ?? false });
  } catch (error) {
    if (error instanceof IovaError || error instanceof RangeError) throw new UserError(`${file}: ${error.message}`);
    throw error;
  }
}

function formatStatistics(result: ReplayResult, csv: boolean): string {
  const s = result.statistics;
  const perMap = (value: number) => (s.allocations === 0 ? 0 : value / s.allocations);
  const lines = result.lines ?? { reads: 0, writes: 0, touched: 0, operations: 0 };
  const rows: [string, number, string][] = [
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
    ["deferred flushes", result.events.length, "flushes"],
    ["lines read", lines.reads, "accesses"],
    ["lines written", lines.writes, "accesses"],
    ["distinct lines an operation", lines.operations === 0 ? 0 : lines.touched / lines.operations, "lines"],
  ];
  if (csv)
    return `${["name,value,unit", ...rows.map(([name, value, unit]) => `${name},${value},${unit}`)].join("\n")}\n`;
  return rows.map(([name, value, unit]) => `${name.padEnd(28)} ${shown(value).padStart(12)} ${unit}\n`).join("");
}

function shown(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(3);
}
