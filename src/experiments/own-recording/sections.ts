/** A report in words and tables: the same sections for the terminal and for the page. */

import { variant } from "../../dma/index.js";
import type { Interval } from "../../engine/index.js";
import { poolRoom } from "../../recordings/index.js";
import { type AllocatorRow, hasCaches, type SizeHits } from "./allocators.js";
import type { Gain, LoadRow, LockRow } from "./locks.js";
import type { RecordingReport } from "./report.js";

/** A table of a section: texts, all the same length as the header. */
export interface SectionTable {
  caption: string;
  header: string[];
  rows: string[][];
}

/** A part of the report. */
export interface Section {
  id: string;
  title: string;
  paragraphs: string[];
  tables: SectionTable[];
  /** Names of its figures. */
  figures: string[];
}

const share = (value: number): string => `${(100 * value).toFixed(1)} %`;
const whole = (value: number): string => Math.round(value).toLocaleString("en-US");
/** A number in three digits. */
const short = (value: number): string =>
  Math.abs(value) < 0.0005 ? "0" : Math.abs(value) >= 100 ? whole(value) : String(Number(value.toPrecision(3)));

/** A time in the unit that suits it. */
export function duration(us: number): string {
  if (us >= 1e6) return `${short(us / 1e6)} s`;
  if (us >= 1000) return `${short(us / 1000)} ms`;
  return us >= 1 || us === 0 ? `${short(us)} µs` : `${short(us * 1000)} ns`;
}

function recorded({ info, caveats, device, otherDevices }: RecordingReport): Section {
  const { sizes, liveSet, lifetimesNs, cpus } = info;
  const rows: [string, string][] = [
    ["recording", [info.name, info.kernel === "unknown" ? "" : info.kernel].filter(Boolean).join(", ")],
    ["duration", `${duration(info.spanNs / 1000)}, ${short(info.mapsPerSecond)} maps a second`],
    [
      "requests",
      `${whole(info.maps)} maps, ${whole(info.unmaps)} unmaps, ${whole(info.live)} live at the end${info.openDoubtful > 0 ? ` (${whole(info.openDoubtful)} of these may be parts of others: as many fewer maps)` : ""}`,
    ],
    [
      "device",
      `${device.id}${device.driver === "" ? "" : ` (${device.driver})`}, ${whole(device.maps)} maps${otherDevices.length === 0 ? "" : `; not replayed: ${otherDevices.slice(0, 8).join(", ")}${otherDevices.length > 8 ? " …" : ""}`}`,
    ],
    [
      "pages a request",
      `p50 ${sizes.p50}, p99 ${sizes.p99}, most ${whole(sizes.max)}; ${share(sizes.shareAbove32)} above 32`,
    ],
    ["mapped at a time", `at most ${whole(liveSet.peakRequests)} requests, ${whole(liveSet.peakPages)} pages`],
    ...(lifetimesNs.count > 0
      ? [
          [
            "lifetime",
            `p50 ${duration(lifetimesNs.p50 / 1000)}, p99 ${duration(lifetimesNs.p99 / 1000)}, most ${duration(lifetimesNs.max / 1000)}`,
          ] as [string, string],
        ]
      : []),
    ["CPUs", `${cpus.byCpu.length}; ${share(cpus.unmappedWhereMapped)} of the unmaps run where the map ran`],
  ];
  return {
    id: "recorded",
    title: "What was recorded",
    paragraphs: [...info.warnings, ...caveats],
    tables: [{ caption: "The recording", header: ["what", "value"], rows }],
    figures: ["rate", "live", "sizes"],
  };
}

const exposure = (row: AllocatorRow): string =>
  row.policy === "strict"
    ? "none"
    : `${short(row.exposedMean)} (most ${whole(row.exposedMost)}, ${duration(row.exposedLongestUs)})`;

function allocators({ allocators: rows, poolTables, withheld, device }: RecordingReport): Section {
  const section: Section = {
    id: "allocators",
    title: "What each allocator makes of it",
    paragraphs: [],
    tables: [],
    figures: [],
  };
  if (withheld !== undefined) {
    section.paragraphs.push(`Not told: ${withheld}.`);
    return section;
  }
  section.paragraphs.push(
    `The requests of ${device.id} in their order, on their CPUs and with the recording's own time, on every allocator of the laboratory. Strict gives an address back at once; lazy through the flush queue that goes with the allocator, whose timer runs on the recording's clock. Visits are nodes that a search looks at (of the pools: searches); exposure is unmapped pages that the device could still reach: the mean over time, the most at a time, the longest. The pools' table has ${poolRoom.value} times the pages that are mapped at a time, an assumption: from ${poolRoom.low} to ${poolRoom.high} times, a larger one flushes less often. Linux's own tables are what the platform has; the last table shows them.`,
  );
  section.tables.push({
    caption: "Allocators and policies",
    header: [
      "allocator",
      "policy",
      "visits p50",
      "p99",
      "most",
      "hits",
      "depot in/out",
      "failed",
      "flushes full/timer",
      "exposed pages",
      "nodes at the end",
    ],
    rows: rows.map((row) => [
      row.title,
      row.policy,
      short(row.visitsP50),
      short(row.visitsP99),
      whole(row.visitsMost),
      hasCaches(row) ? share(row.hitShare) : "–",
      row.toDepot === null ? "–" : `${whole(row.toDepot)}/${whole(row.fromDepot ?? 0)}`,
      whole(row.failures),
      row.policy === "strict" ? "each unmap" : `${whole(row.flushesFull)}/${whole(row.flushesTimer)}`,
      exposure(row),
      whole(row.nodes),
    ]),
  });
  const cached = rows.filter(({ allocator, policy }) => policy === "lazy" && /^rcache6/.test(allocator));
  for (const { hitsBySize, title } of cached)
    section.tables.push({
      caption: `Hits by size: ${title}, lazy`,
      header: ["pages", "maps", "served by a CPU's cache"],
      rows: sizeRows(hitsBySize).map(({ label, maps, hits }) => [label, whole(maps), share(hits / maps)]),
    });
  section.tables.push({
    caption: "Pools, lazy, with the tables that Linux has (sparc; record K29)",
    header: ["entries", "failed maps", "flushes"],
    rows: poolTables.map((row) => [whole(row.entries), whole(row.failures), whole(row.flushes)]),
  });
  for (const { title, policy, failures, maps, failureReason, above4GiB } of rows) {
    if (failures > 0)
      section.paragraphs.push(
        `${title}, ${policy}: ${whole(failures)} of ${whole(maps)} maps failed (${share(failures / maps)}): ${failureReason}.`,
      );
    if (above4GiB > 0)
      section.paragraphs.push(
        `${title}, ${policy}: ${whole(above4GiB)} maps (${share(above4GiB / maps)}) found no room below 4 GiB and got an address above it; for a device of 32 bits they would have failed.`,
      );
  }
  section.figures.push("visits", "caches");
  return section;
}

function iotlb({ translations, allocators: rows }: RecordingReport): Section {
  const { capacity } = translations;
  const lazy = rows.filter(({ policy }) => policy === "lazy");
  const times = (of: number): string => short(of / capacity.high);
  const v43 = lazy.find(({ allocator }) => allocator === "rbtree");
  const today = lazy.find(({ allocator }) => allocator === "rcache6");
  const flushes = (row: AllocatorRow | undefined): number => (row ? row.flushesFull + row.flushesTimer : 0);
  const { maps = 0 } = rows[0] ?? {};
  return {
    id: "iotlb",
    title: "The IOMMU's caches",
    paragraphs: [
      "A recording of maps holds no accesses: which pages the device touched, how often and in which order is not in it. So this says how much could be asked of the IOTLB, not how often it missed.",
      ...(rows.length === 0
        ? []
        : [
            `Invalidations: one for each unmap where each is strict; lazily ${whole(flushes(v43))} with v4.3's one table and ${whole(flushes(today))} with today's rings, for ${whole(maps)} maps.`,
          ]),
    ],
    tables: [
      {
        caption: `In flight, with the recorded addresses, against ${capacity.low} to ${capacity.high} IOTLB entries (records ${capacity.records.join(", ")})`,
        header: ["what", "mean", "most", "most, in IOTLBs"],
        rows: [
          [
            "4 KiB pages",
            short(translations.pagesMean),
            whole(translations.pagesMost),
            `${times(translations.pagesMost)} ×`,
          ],
          [
            "of them, pages that are unmapped later",
            "–",
            whole(translations.movingMost),
            `${times(translations.movingMost)} ×`,
          ],
          [
            "lines of table entries",
            short(translations.linesMean),
            whole(translations.linesMost),
            `${times(translations.linesMost)} ×`,
          ],
        ],
      },
    ],
    figures: ["translations"],
  };
}

const mostSizes = 24;

/** Hits by size; of many sizes by those that share a cache, which are those up to the same power of two. */
function sizeRows(sizes: readonly SizeHits[]): { label: string; maps: number; hits: number }[] {
  if (sizes.length <= mostSizes) return sizes.map(({ pages, maps, hits }) => ({ label: whole(pages), maps, hits }));
  const orders = new Map<number, { label: string; maps: number; hits: number }>();
  for (const { pages, maps, hits } of sizes) {
    let most = 1;
    while (most < pages) most *= 2;
    const row = orders.get(most) ?? {
      label: most <= 2 ? whole(most) : `${whole(most / 2 + 1)} to ${whole(most)}`,
      maps: 0,
      hits: 0,
    };
    row.maps += maps;
    row.hits += hits;
    orders.set(most, row);
  }
  return [...orders.values()];
}

const perSecond = (value: number): string => (value >= 1e6 ? `${short(value / 1e6)} M/s` : `${short(value / 1e3)} k/s`);
const time = (ns: number): string => duration(ns / 1000);

function lockTable(caption: string, rows: readonly LockRow[]): SectionTable {
  return {
    caption,
    header: ["way of mapping", "lock", "taken a request", "waited", "mean wait", "longest", "mean hold", "held"],
    rows: rows.map((row) => [
      variant(row.variant).title,
      `${row.lock}${row.locks > 1 ? ` (${row.locks})` : ""}`,
      short(row.acquisitionsPerRequest),
      share(row.contended),
      time(row.meanWaitNs),
      time(row.longestWaitNs),
      time(row.meanHoldNs),
      share(row.utilisation),
    ]),
  };
}

function locks({ simulated, device }: RecordingReport): Section[] {
  if (simulated === undefined) return [];
  const { stretches, operations, host, cpus, cores, loads, locksAsRecorded, locksSaturated } = simulated;
  const folded =
    cpus > cores ? ` The ${cpus} CPUs of the recording share the host's ${cores} cores, which it does not have.` : "";
  const rate = (row: LoadRow): string =>
    row.rate === 1
      ? "as recorded"
      : Number.isFinite(row.rate)
        ? `× ${short(row.rate)}${row.cores > cores ? `, ${row.cores} cores` : ""}`
        : `as fast as it can${row.cores > cores ? `, ${row.cores} cores` : ""}`;
  return [
    {
      id: "locks",
      title: "Locks, and where it saturates",
      paragraphs: [
        `${stretches} stretches of ${whole(operations)} operations of ${device.id}, spread over its unmaps, on a simulated ${host} with ${cores} cores, one for each CPU that made requests.${folded} Requests come at their recorded times, or faster; a core that is behind makes them as soon as it can. Each stretch begins with the address space as the requests before it left it (up to 100,000 of them). The costs are those of the host and of Linux v4.3's functions, not of the machine that was recorded.`,
        "As fast as it can: every request is due at once, as if the cores did nothing else. That is the most that the DMA API can take from these CPUs in this order, and the lock that is held most is what limits it.",
      ],
      tables: [
        {
          caption: "Load: requests (maps and unmaps) a second, and what each costs",
          header: [
            "way of mapping",
            "rate",
            "asked for",
            "done",
            "CPU time a request",
            "visits a map",
            "late by",
            "busiest lock",
            "held",
          ],
          rows: tellingLoads(loads).map((row) => [
            row.title,
            rate(row),
            Number.isFinite(row.rate) ? perSecond(row.offered) : "–",
            perSecond(row.achieved),
            time(row.cpuNs),
            short(row.visitsPerMap),
            Number.isFinite(row.rate) ? duration(row.lateUs) : "–",
            row.busiestLock === "" ? "–" : row.busiestLock,
            share(row.busiestShare),
          ]),
        },
        lockTable("Locks at the recorded rate", locksAsRecorded),
        lockTable("Locks, as fast as it can", locksSaturated),
      ],
      figures: ["saturation", "cores", "locks"],
    },
  ];
}

/** Done is at least this share of what was asked for where the cores keep up. */
const keepsUp = 0.95;

/** Of each way of mapping: as recorded, the highest rate at which its cores keep up, the next one, and as fast as it can. */
function tellingLoads(loads: readonly LoadRow[]): LoadRow[] {
  const names = [...new Set(loads.map(({ variant: name }) => name))];
  return names.flatMap((name) => {
    const all = loads.filter((row) => row.variant === name);
    const tried = all.filter(({ rate }) => rate > 1 && Number.isFinite(rate));
    const behind = tried.findIndex(({ offered, achieved }) => achieved < keepsUp * offered);
    const around = behind < 0 ? tried.slice(-1) : tried.slice(Math.max(0, behind - 1), behind + 1);
    return [...all.filter(({ rate }) => rate === 1), ...around, ...all.filter(({ rate }) => !Number.isFinite(rate))];
  });
}

const interval = (of: Interval | undefined): string =>
  of === undefined ? "–" : `${signed(of.mean)} % (${signed(of.low)} to ${signed(of.high)})`;
const factor = (of: Interval | undefined): string =>
  of === undefined ? "–" : `× ${short(of.mean)} (${short(of.low)} to ${short(of.high)})`;
const signed = (value: number): string => `${value > 0 ? "+" : value < 0 ? "−" : ""}${short(Math.abs(value))}`;

function said({ verdict, why, cpuTime }: Gain): string {
  if (verdict === "cannot tell") return `cannot tell: ${why}`;
  return `${short(Math.abs(cpuTime?.mean ?? 0))} % ${verdict} CPU time`;
}

/** What a device can still reach after an unmap. */
function reachable({ to, stalePages }: Gain): string {
  if (variant(to).policy === "none") return "all of memory";
  return Number.isNaN(stalePages) ? "–" : `${short(stalePages)} pages`;
}

function gains({ simulated }: RecordingReport): Section[] {
  if (simulated === undefined) return [];
  return [
    {
      id: "gains",
      title: "What you would gain",
      paragraphs: [
        "Each change against the policy that it would replace, on the same stretches: CPU time in the DMA API for each request at the recorded rate, and the most requests a second. In brackets the 95 % interval over the stretches. Beside it, how far the CPU time's change moves where what nobody published is at the ends of its range (an invalidation's latency, the memory that other work touches). A change whose sign is not the same everywhere is not called a gain. A dash stands where no flush fell into the stretches.",
        "A lazy policy is not free: unmapped pages stay reachable until the flush. The column says how many at the recorded rate. Pass-through protects nothing: it is what all changes together could save at most. A bounce pool's copies are of whole pages here, the most that they can be.",
      ],
      tables: [
        {
          caption: "Changes that the laboratory has a way of mapping for",
          header: [
            "change",
            "instead of",
            "CPU time a request",
            "assumptions",
            "most requests",
            "still reachable",
            "what can be said",
          ],
          rows: simulated.gains.map((gain) => [
            gain.change === gain.title ? gain.title : `${gain.change}: ${gain.title}`,
            variant(gain.from).title,
            interval(gain.cpuTime),
            gain.assumed === undefined ? "–" : `${signed(gain.assumed.low)} to ${signed(gain.assumed.high)} %`,
            factor(gain.capacity),
            reachable(gain),
            said(gain),
          ]),
        },
        {
          caption: "Changes that no way of mapping stands for",
          header: ["change", "why nothing is said"],
          rows: simulated.missing.map(({ change, why }) => [change, why]),
        },
      ],
      figures: ["gains"],
    },
  ];
}

/** The report's sections, in their order. */
export function reportSections(report: RecordingReport): Section[] {
  return [recorded(report), allocators(report), iotlb(report), ...locks(report), ...gains(report)];
}

const widest = 100;

/** The report as text, for a terminal. */
export function formatReport(report: RecordingReport): string {
  const lines: string[] = [];
  for (const { title, paragraphs, tables } of reportSections(report)) {
    lines.push(lines.length === 0 ? title : `\n${title}`, "");
    for (const paragraph of paragraphs) lines.push(...wrapped(paragraph, widest), "");
    for (const { caption, header, rows } of tables) {
      lines.push(`  ${caption}`);
      const cells = [header, ...rows];
      const widths = header.map((_, i) => Math.max(...cells.map((row) => row[i].length)));
      const two = header.length === 2;
      for (const row of two ? cells.slice(1) : cells)
        lines.push(
          `  ${row.map((cell, i) => (i === 0 || two || /[a-z]{3}/.test(cells[1]?.[i] ?? "") ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join("  ")}`.trimEnd(),
        );
      lines.push("");
    }
  }
  return `${lines.join("\n").trimEnd()}\n`;
}

function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(" ")) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
