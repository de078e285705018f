import { type Command, InvalidArgumentError, Option } from "commander";
import {
  type AllocatorName,
  allocatorNames,
  fixtureTotals,
  formatCacheEvents,
  formatEvents,
  formatReplay,
  IovaError,
  parsePfn,
  type ReplayResult,
  type ReplayTrace,
  releaseSteps,
  replay,
} from "../../iova/index.js";
import { traceNames } from "../../recordings/index.js";
import { UserError } from "../errors.js";
import { compare, comparedNames } from "./compare.js";
import { type SourceFlags, sourceOf } from "./source.js";
import { formatStatistics, rowsOf } from "./totals.js";

interface ReplayFlags extends SourceFlags {
  compare?: string;
  sample?: number;
  allocator: AllocatorName;
  stats?: boolean;
  events?: boolean;
  csv?: boolean;
  json?: boolean;
  samples?: number;
  release?: string;
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
Or it is a recording (${traceNames().join(", ")}, a trace file, or whatever text iommu-lab trace convert reads): one device's requests, in their order,
and for lazy and fq6 with their time. The pools' table is then four times what the device maps at a time; --entries sets another.
The answer is one line a map: id,pages,pfn,visits (magazines: and hit; rcache6, fq6: hit and tree locks; pools: flush instead of visits).
-1 is a failure. rcache6 is the allocator of Linux 6.7 to 6.18, fq6 the same behind its flush queue; --release gives them the rules of an older one.`;

/** `iommu-lab iova replay`: what an allocator answers to a trace of requests. */
export function iovaCommand(program: Command): void {
  const iova = program.command("iova").description("the IOVA allocators");
  iova
    .command("replay")
    .argument("<trace>", "the trace: plain, gzip, xz or zstd; - for stdin")
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
      "--compare <names>",
      `print a line of totals for each allocator: all, or some of ${allocatorNames.join(",")}`,
    )
    .option("--sample <n>", "print the tree's nodes and depth after every n operations instead", positive)
    .option("--limit <pfn>", "highest page frame number of every map: 0xfffff is 4 GiB, -1 none", pfn)
    .option("--fallback32", "for a limit above 0xfffff try 0xfffff first, then the limit")
    .option("--align", "align each range to its size")
    .option("--no-align", "do not")
    .option("--entries <n>", "entries of the pools' table", positive)
    .option("--cpus <n>", "CPUs that have caches; requests of CPU c come from c modulo n", cpus)
    .option(
      "--cached-pages <n>",
      "rcache6, fq6: pages of the largest range that the CPUs' caches keep, a power of two (32 in Linux; a series of 2021 proposed 512)",
      positive,
    )
    .option(
      "--device <id>",
      "of a recording: which device, by its name or number (default: the one with the most requests)",
    )
    .addHelpText("after", format)
    .action(async (file: string, flags: ReplayFlags) => {
      check(flags);
      const source = await sourceOf(file, flags);
      const replayed = (name: AllocatorName) => {
        const trace = source.requests(name);
        const result = run(file, trace, { ...flags, allocator: name });
        if (source.recorded) tellFailures(file, trace, result);
        return result;
      };
      if (flags.compare !== undefined) {
        process.stdout.write(compare(comparedNames(flags.compare), replayed, flags.csv ?? false));
        return;
      }
      const result = replayed(flags.allocator);
      if (flags.json) process.stdout.write(`${JSON.stringify(statisticsOf(result), null, 2)}\n`);
      else if (flags.stats) process.stdout.write(formatStatistics(result, flags.csv ?? false));
      else if (flags.sample !== undefined) process.stdout.write(formatSamples(result));
      else if (flags.events) process.stdout.write(eventsOf(result));
      else process.stdout.write(formatReplay(result));
    });
}

function positive(text: string): number {
  const value = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (value > 0) return value;
  throw new InvalidArgumentError("A whole number from 1 is accepted.");
}

function cpus(text: string): number {
  const value = positive(text);
  if (value <= 4096) return value;
  throw new InvalidArgumentError("A whole number from 1 to 4096 is accepted.");
}

function pfn(text: string): number {
  const value = parsePfn(/^0x[0-9a-f]{1,13}$/i.test(text) ? String(Number.parseInt(text, 16)) : text);
  if (value !== undefined) return value;
  throw new InvalidArgumentError("A page frame number below 2^52 (0xfffff is 4 GiB), or -1 for none, is accepted.");
}

function check({ stats, events, json, samples, sample, compare, allocator, release, cachedPages }: ReplayFlags): void {
  if (stats && events) throw new UserError("Choose one of --stats and --events.");
  if ([stats || events, sample !== undefined, compare !== undefined].filter(Boolean).length > 1)
    throw new UserError("Choose one of --stats, --events, --sample and --compare.");
  if (json && !stats) throw new UserError("--json is a form of --stats: give both.");
  if (samples !== undefined && !json) throw new UserError("--samples: they are printed with --stats --json only.");
  if (events && !withEvents.includes(allocator))
    throw new UserError(
      `--events: only ${withEvents.map((name) => `"${name}"`).join(", ")} have a flush queue or works; got "${allocator}".`,
    );
  if (cachedPages !== undefined && compare === undefined && allocator !== "rcache6" && allocator !== "fq6")
    throw new UserError(`--cached-pages: only "rcache6" and "fq6" have caches of another size; got "${allocator}".`);
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

/** Maps that failed are said: a table that is too small looks like an answer otherwise. */
function tellFailures(file: string, { config }: ReplayTrace, { allocator, statistics }: ReplayResult): void {
  const { allocations, failures } = statistics;
  if (failures === 0 || allocations === 0) return;
  const why =
    allocator === "pools"
      ? `; the table has ${config.entries} entries (--entries)`
      : "; no room below the limit (--limit)";
  process.stderr.write(
    `${file}: ${failures} of ${allocations} maps failed (${((100 * failures) / allocations).toFixed(1)} %) with ${allocator}${why}.\n`,
  );
}

function formatSamples({ samples }: ReplayResult): string {
  const rows = samples.map(
    ({ op, nodes, maxDepth, meanDepth }) => `${op},${nodes},${maxDepth},${meanDepth.toFixed(3)}`,
  );
  return `${["op,nodes,max_depth,mean_depth", ...rows].join("\n")}\n`;
}

function run(file: string, trace: ReplayTrace, flags: ReplayFlags): ReplayResult {
  try {
    return replay(trace, flags.allocator, {
      countLines: flags.stats ?? false,
      sampleEvery: flags.samples ?? flags.sample ?? 0,
      ...(flags.release === undefined ? {} : { release: flags.release }),
    });
  } catch (error) {
    if (error instanceof IovaError || error instanceof RangeError) throw new UserError(`${file}: ${error.message}`);
    throw error;
  }
}
