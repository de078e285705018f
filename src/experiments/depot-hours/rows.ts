import { Streams } from "../../engine/index.js";
import { type AgeSample, ageStorage } from "../../host/index.js";
import { Rcache6Allocator, ringSlots, rulesOf } from "../../iova/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { DepotHoursPoint } from "./config.js";

/** Rows in each power of ten of time, and looks at the depots between two of them. */
const perDecade = 3;
const looks = 8;
/** The device reaches all that 64 bits address. */
const highestPage = 0xf_ffff_ffff_ffff;

/** Numbers of requests at which a row ends: equal steps of the logarithm, up to all of them. */
function endsOf(requests: number): number[] {
  const ends: number[] = [];
  const steps = [1, 2.15, 4.64];
  for (let decade = 1; decade <= requests; decade *= 10)
    for (const step of steps.slice(0, perDecade)) {
      const end = Math.round(decade * step);
      if (end >= 100_000 && end < requests) ends.push(end);
    }
  return [...ends, requests];
}

/** Lets the load run over the allocator alone, outside simulated time. */
export function simulate({ release, mode, hours, seed, load }: DepotHoursPoint) {
  const requests = Math.max(1, Math.round(hours * 3600 * load.rate));
  const rules = rulesOf(release);
  const hook = { onArm: (_bin: number): void => {} };
  const allocator = new Rcache6Allocator({
    ...rules,
    cpus: load.cores,
    onArm: (bin) => hook.onArm(bin),
    trusting: true,
  });
  allocator.reserve(0xfee00, 0xfeeff);
  const ends = endsOf(requests);
  const at = ends.flatMap((end, i) => {
    const start = i === 0 ? 0 : ends[i - 1];
    return Array.from({ length: looks }, (_, look) => Math.round(start + ((look + 1) * (end - start)) / looks));
  });
  const { samples } = ageStorage(
    allocator,
    {
      requests,
      rate: load.rate,
      depth: load.depth,
      spell: load.spell,
      sizes: [load.pages],
      cores: load.cores,
      completions: load.completions,
      limit: highestPage,
      lowFirst: rules.lowFirst,
      ring: mode === "lazy" ? ringSlots.perCpu - 1 : 0,
    },
    new Streams(seed).stream("ageing"),
    hook,
    [...new Set(at)],
  );
  return ends.map((end, i) => {
    const start = i === 0 ? 0 : ends[i - 1];
    const within = samples.filter(({ requests: made }) => made > start && made <= end);
    return { release, mode, cores: load.cores, ...rowOf(within, start) };
  });
}

/** What the looks since the row before come down to. */
function rowOf(looked: readonly AgeSample[], start: number) {
  const last = looked[looked.length - 1];
  let from = start;
  let treeLocks = 0;
  let visits = 0;
  for (const sample of looked) {
    treeLocks += sample.treeLocks * (sample.requests - from);
    visits += sample.visits * (sample.requests - from);
    from = sample.requests;
  }
  const depots = looked.map((sample) => sample.depots);
  return {
    hours: last.seconds / 3600,
    requests: last.requests,
    depots: depots.reduce((sum, one) => sum + one, 0) / depots.length,
    depotsMost: Math.max(...depots),
    memory: Math.max(...looked.map(({ magazines }) => magazines)),
    ranges: Math.max(...looked.map(({ nodes }) => nodes)),
    treeLocks: (100 * treeLocks) / (last.requests - start),
    visits: visits / (last.requests - start),
    failed: last.failed,
  };
}

/** A row of the table. */
export type DepotHoursRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<DepotHoursRow>, Column>> = {
  release: { unit: "", description: "release of Linux whose rules hold" },
  mode: { unit: "", description: "lazy or strict" },
  cores: { unit: "cores", description: "cores that make requests" },
  hours: { unit: "h", description: "how long the load has run; what follows is of the time since the row before" },
  requests: { unit: "requests", description: "requests so far" },
  depots: { unit: "magazines", description: "in the depots, mean" },
  depotsMost: { unit: "magazines", description: "in the depots, at most" },
  memory: { unit: "KiB", description: "magazines that exist, of a KiB each, at most" },
  ranges: { unit: "ranges", description: "in the tree: under way, held back or in a cache, at most" },
  treeLocks: { unit: "%", description: "acquisitions of the tree's lock for 100 requests: the slow path" },
  visits: { unit: "nodes", description: "nodes that a search steps on, for each request" },
  failed: { unit: "requests", description: "requests so far that got no address" },
};
