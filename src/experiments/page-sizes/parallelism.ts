import { type Basis, basisOf, Facts } from "../../facts/index.js";
import { pageBytes } from "../../pagetables/index.js";
import { runDmaStream } from "../../streams/index.js";
import { type Computation, remember } from "../frame/remembered.js";
import { fitWhole, type WholeFit } from "./calibrate.js";
import { pageHost } from "./hosts.js";
import { fitPoints, measuredAt, type PageSetting } from "./published.js";
import { type RunSpec, streamOf } from "./stream.js";

/**
 * The quantities that no latency run shows, each fitted once to one Haswell point of 64 bytes and kept for every host and size: reads in
 * flight; walkers, the fewest with which the point is reached; and three rates, in hundred thousands a second, of walks for reads, of walks
 * for writes and of the card's writes. Between two numbers of walkers the pace decides: 4.0 to 5.5 walks were under way (record WALKC).
 */
export interface ParallelismFit {
  tags: WholeFit;
  walkers: WholeFit;
  walks: WholeFit;
  writeWalks: WholeFit;
  writes: WholeFit;
}

/** Nanoseconds between two of a fitted rate. */
export const intervalNs = (rate: WholeFit): number => 10_000 / rate.value;

/** As the points' store knows them. */
export const parallelismFits: Computation = { name: "page-sizes/parallelism" };

/** Fits them: IOMMU off, and 4 KiB pages, both over 64 MiB. About a second, once a memo; in a notebook once a code, as points are. */
export function parallelism(basis: Basis = basisOf(Facts.published())): ParallelismFit {
  return basis.memo.of(basis, "parallelism", null, (inner) => remember(parallelismFits, null, inner, fitted));
}

function fitted(basis: Basis): ParallelismFit {
  const fit = (
    point: keyof typeof fitPoints,
    page: PageSetting,
    limit: number,
    spec: (n: number) => Partial<RunSpec>,
  ) =>
    fitWhole(
      (n) => runDmaStream(streamOf(pageHost("hsw", basis), { ...fitRun, page, ...spec(n) })).gbps,
      measuredAt(basis.facts, fitPoints[point]),
      limit,
    );
  const tags = fit("tags", "off", 256, (n) => ({ tags: n }));
  const pace = (n: number): number => 10_000 / n;
  const walkers = reaching(fit("walks", "4K", 32, (n) => ({ tags: tags.value, walkers: n })));
  const walks = fit("walks", "4K", 1000, (n) => ({
    tags: tags.value,
    walkers: walkers.value,
    walkIntervalNs: pace(n),
  }));
  const write = { direction: "write" as const, walkers: walkers.value };
  const writes = fit("writes", "off", 1000, (n) => ({ ...write, writeIntervalNs: pace(n) }));
  const writeIntervalNs = intervalNs(writes);
  const writeWalks = fit("writeWalks", "4K", 1000, (n) => ({ ...write, writeIntervalNs, walkIntervalNs: pace(n) }));
  return { tags, walkers, walks, writeWalks, writes };
}

/** The fewest that reach the measurement, in place of the nearest. */
function reaching(fit: WholeFit): WholeFit {
  if (fit.simulated >= fit.measured) return fit;
  const next = fit.neighbours.find(({ value }) => value === fit.value + 1)!;
  const nearest = { value: fit.value, simulated: fit.simulated };
  return { ...fit, ...next, neighbours: [nearest] };
}

const fitRun: RunSpec = {
  page: "off",
  direction: "read",
  dmaBytes: 64,
  windowBytes: 64 * 1024 * 1024,
  memoryBytes: pageBytes["1G"],
  devices: 1,
  tags: 1,
  walkers: 1,
  completions: "short",
  hitUnderMiss: false,
  pattern: "random",
  warmth: "device",
  packets: 6000,
  seed: 1,
};
