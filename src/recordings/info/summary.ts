import { type Account, guessedShare, warningsOf, withheld } from "../account.js";
import { Ends, type RecordedStep, type RecordingEnd, type StepSink } from "../steps.js";
import { Op, type TraceDevice } from "../trace.js";
import { LogHistogram } from "./histogram.js";
import { LiveEvents } from "./live-events.js";
import { RateBins, type RatePhase } from "./rate.js";
import { ReuseDistance } from "./reuse.js";
import { SettledRequests } from "./settled.js";

/** Linux caches ranges of at most 32 pages (IOVA_RANGE_CACHE_MAX_SIZE 6: orders 0 to 5): larger ones go to the tree each time. */
export const cachedPages = 32;

/** Quantiles of whole numbers. */
export interface Spread {
  count: number;
  p50: number;
  p90: number;
  p99: number;
  max: number;
  mean: number;
}

/** What one device did. */
export interface DeviceSummary {
  device: string;
  driver: string;
  maps: number;
  unmaps: number;
  live: number;
}

/** What a recording holds, in numbers; as JSON it is what `iommu-lab trace info --json` prints. */
export interface TraceInfo {
  name: string;
  kernel: string;
  mode: string;
  clock: string;
  /** Requests: several maps that one unmap ends are one. */
  maps: number;
  /** Unmaps that were recorded and matched, those of a part included. */
  unmaps: number;
  /** How many devices, or address spaces that were told apart. */
  devices: number;
  /** Requests still mapped at the end. */
  live: number;
  /** So many of the live ones may be further parts of requests: there may be as many fewer, in all and live. */
  openDoubtful: number;
  spanNs: number;
  mapsPerSecond: number;
  /** By device, or why not. */
  perDevice: DeviceSummary[] | { withheld: string };
  /** Share of the operations whose device was a guess, 0 to 1. */
  guessedShare: number;
  sizes: Spread & {
    /** Share of the requests above 32 pages, which no per-CPU cache of Linux holds. */
    shareAbove32: number;
    /** Pages from, up to (not including), requests. */
    histogram: [number, number, number][];
  };
  /** Requests mapped at a time, and pages. */
  liveSet: { peakRequests: number; peakPages: number; pagesAtEnd: number };
  /** From a map to its unmap, in ns of the recording's clock. */
  lifetimesNs: Spread & { neverEnded: number };
  cpus: {
    /** By CPU: maps and unmaps. */
    byCpu: { cpu: number; maps: number; unmaps: number }[];
    /** Share of the unmaps that run on the CPU that mapped. */
    unmappedWhereMapped: number;
  };
  /** From an address's unmap to the request that maps it next, in requests that are mapped: 1 is the next one. */
  reuse: Spread & {
    /** Maps of an address that had not been unmapped in the recording. */
    firstUses: number;
    /** Share of the addresses that was followed. */
    followed: number;
  };
  /** Where the rate of maps changes by a factor of two or more. */
  ratePhases: RatePhase[];
  /** Maps a second over time: at most 512 bins. */
  rate: { timeNs: number[]; mapsPerSecond: number[] };
  /** The recording's own phases (markers). */
  phases: { name: string; timeNs: number }[];
  account: Account;
  warnings: string[];
}

interface Tally {
  maps: number;
  unmaps: number;
  ended: number;
}

/**
 * Looks at a recording as it streams, in constant memory but for the live ranges, and tells what it holds.
 * @example
 * const summary = new RecordingSummary();
 * stepsOf(loadTrace("igb"), summary);
 * summary.info(loadTrace("igb").about).sizes.shareAbove32
 */
export class RecordingSummary implements StepSink {
  private readonly sizes = new LogHistogram();
  private readonly lifetimes = new LogHistogram();
  private readonly reuse = new ReuseDistance();
  private readonly rate = new RateBins();
  private readonly settled = new SettledRequests(this.reuse);
  private readonly live = new LiveEvents();
  /** Of the request that ends: the steps of its further parts. */
  private readonly further: number[] = [];
  private readonly spaces: Tally[] = [];
  private readonly mapCpus: number[] = [];
  private readonly unmapCpus: number[] = [];
  private pages = 0;
  private peakPages = 0;
  private events = 0;
  private absorbed = 0;
  private unmaps = 0;
  private sameCpu = 0;
  private matched = 0;
  private firstNs = Number.NaN;
  private lastNs = 0;
  private finished: RecordingEnd | undefined;

  /** Takes the next step. */
  step(step: RecordedStep): void {
    if (Number.isNaN(this.firstNs)) this.firstNs = this.lastNs = step.timeNs;
    else if (step.timeNs > this.lastNs) this.lastNs = step.timeNs;
    if (step.op === Op.map) this.map(step);
    else this.unmap(step);
  }

  /** The recording ends. */
  end(end: RecordingEnd): void {
    this.finished = end;
    for (const { device, maps } of end.open) {
      this.sizes.add(this.request(device, maps, firstOf(maps)).pages);
      this.settled.join(this.further);
    }
    this.settled.finish();
    for (const [map] of end.superseded) {
      const lost = this.live.take(map);
      if (lost === undefined) continue;
      this.sizes.add(lost.pages);
      this.pages -= lost.pages;
      this.spaceOf(lost.device).ended++;
    }
    for (const { pages } of this.live) this.sizes.add(pages);
  }

  /** What the recording holds, once it is at its end. */
  info(about: { name: string; kernel: string; mode: string }): TraceInfo {
    const end = this.finished!;
    const { account, devices } = end;
    const maps = this.events - this.absorbed;
    const spanNs = Number.isNaN(this.firstNs) ? 0 : this.lastNs - this.firstNs;
    const why = withheld(account);
    return {
      name: about.name,
      kernel: about.kernel,
      mode: about.mode,
      clock: end.clock,
      maps,
      unmaps: this.unmaps,
      devices: devices.length,
      live: end.live,
      openDoubtful: account.openDoubtful,
      spanNs,
      mapsPerSecond: spanNs > 0 ? (maps * 1e9) / spanNs : 0,
      perDevice: why === undefined ? this.perDevice(end) : { withheld: why },
      guessedShare: guessedShare(account),
      sizes: {
        ...spreadOf(this.sizes),
        shareAbove32: this.sizes.shareAbove(cachedPages),
        histogram: [...this.sizes.buckets()],
      },
      liveSet: { peakRequests: this.settled.most, peakPages: this.peakPages, pagesAtEnd: this.pages },
      lifetimesNs: { ...spreadOf(this.lifetimes), neverEnded: end.live },
      cpus: {
        byCpu: this.cpus(),
        unmappedWhereMapped: this.matched === 0 ? 0 : this.sameCpu / this.matched,
      },
      reuse: { ...spreadOf(this.reuse.distances), firstUses: this.reuse.first, followed: this.reuse.followed },
      ratePhases: this.rate.phases(),
      rate: this.rate.series(),
      phases: end.phases.map(({ name, timeNs }) => ({ name, timeNs })),
      account,
      warnings: warningsOf(account, devices.length),
    };
  }

  private map(step: RecordedStep): void {
    const { device, map, pages, cpu, timeNs } = step;
    this.events++;
    this.live.add(map, device, pages, cpu, timeNs, this.settled.map(device, step.iovaPfn));
    this.pages += pages;
    if (this.pages > this.peakPages) this.peakPages = this.pages;
    this.mapCpus[cpu] = (this.mapCpus[cpu] ?? 0) + 1;
    this.spaceOf(device).maps++;
    this.rate.add(timeNs);
  }

  private unmap(step: RecordedStep): void {
    const { device, ended, ends, cpu } = step;
    const space = this.spaceOf(device);
    if (ends !== Ends.lost) {
      this.unmaps++;
      space.unmaps++;
      this.unmapCpus[cpu] = (this.unmapCpus[cpu] ?? 0) + 1;
    }
    if (ends === Ends.part) return;
    const lost = ends === Ends.lost;
    const { pages, first } = this.request(device, ended, step.map);
    this.settled.unmap(device, lost ? -1 : step.iovaPfn, first, this.further);
    this.pages -= pages;
    this.sizes.add(pages);
    space.ended++;
    if (lost) return;
    this.matched++;
    if (step.mappedCpu === cpu) this.sameCpu++;
    this.lifetimes.add(Math.max(0, step.timeNs - step.mappedNs));
  }

  /**
   * These map events are one request: what was counted of its further parts is taken back.
   * @param device whose it is: a run that has no room in the space where it began was another's
   * @returns its pages, and the step of its first map event
   */
  private request(device: number, maps: readonly number[], head: number): { pages: number; first: number } {
    const { further } = this;
    further.length = 0;
    let pages = 0;
    let first = -1;
    for (const map of maps) {
      const event = this.live.take(map);
      if (event === undefined) continue;
      pages += event.pages;
      this.spaceOf(event.device).maps--;
      if (map === head) {
        this.spaceOf(device).maps++;
        first = event.step;
      } else {
        this.absorbed++;
        this.mapCpus[event.cpu]--;
        this.rate.remove(event.timeNs);
        further.push(event.step);
      }
    }
    return { pages, first };
  }

  private spaceOf(device: number): Tally {
    return (this.spaces[device] ??= { maps: 0, unmaps: 0, ended: 0 });
  }

  private perDevice({ devices, deviceOf }: RecordingEnd): DeviceSummary[] {
    const rows = devices.map(({ id, driver }: TraceDevice) => ({ device: id, driver, maps: 0, unmaps: 0, live: 0 }));
    this.spaces.forEach(({ maps, unmaps, ended }, space) => {
      const row = rows[deviceOf[space]];
      row.maps += maps;
      row.unmaps += unmaps;
      row.live += maps - ended;
    });
    return rows;
  }

  private cpus(): { cpu: number; maps: number; unmaps: number }[] {
    const most = Math.max(this.mapCpus.length, this.unmapCpus.length);
    return Array.from({ length: most }, (_, cpu) => ({
      cpu,
      maps: this.mapCpus[cpu] ?? 0,
      unmaps: this.unmapCpus[cpu] ?? 0,
    })).filter(({ maps, unmaps }) => maps + unmaps > 0);
  }
}

/** Of map events, the first in time. */
const firstOf = (maps: readonly number[]): number => maps.reduce((first, map) => Math.min(first, map));

function spreadOf(histogram: LogHistogram): Spread {
  const { count } = histogram;
  if (count === 0) return { count, p50: 0, p90: 0, p99: 0, max: 0, mean: 0 };
  return {
    count,
    p50: histogram.quantile(0.5),
    p90: histogram.quantile(0.9),
    p99: histogram.quantile(0.99),
    max: histogram.max,
    mean: histogram.sum / count,
  };
}
