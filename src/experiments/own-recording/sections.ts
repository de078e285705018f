/** A report in words and tables: the same sections for the terminal and for the page. */
import type { AllocatorRow } from "./allocators.js";
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
  value === 0 ? "0" : Math.abs(value) >= 100 ? whole(value) : String(Number(value.toPrecision(3)));

/** A time in the unit that suits it. */
export function duration(us: number): string {
  if (us >= 1e6) return `${short(us / 1e6)} s`;
  if (us >= 1000) return `${short(us / 1000)} ms`;
  return `${short(us)} µs`;
}

function recorded({ info, caveats, device, otherDevices }: RecordingReport): Section {
  const { sizes, liveSet, lifetimesNs, cpus } = info;
  const rows: [string, string][] = [
    ["recording", [info.name, info.kernel === "unknown" ? "" : info.kernel].filter(Boolean).join(", ")],
    ["duration", `${duration(info.spanNs / 1000)}, ${short(info.mapsPerSecond)} maps a second`],
    ["requests", `${whole(info.maps)} maps, ${whole(info.unmaps)} unmaps, ${whole(info.live)} live at the end`],
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

function allocators({ allocators: rows, withheld, device }: RecordingReport): Section {
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
    `The requests of ${device.id} in their order, on their CPUs and with the recording's own time, on every allocator of the laboratory. Strict gives an address back at once; lazy through the flush queue that goes with the allocator, whose timer runs on the recording's clock. Visits are nodes that a search looks at (of the pools: searches); exposure is unmapped pages that the device could still reach: the mean over time, the most at a time, the longest.`,
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
      row.allocator === "magazines" || row.allocator === "rcache6" ? share(row.hitShare) : "–",
      row.toDepot === null ? "–" : `${whole(row.toDepot)}/${whole(row.fromDepot ?? 0)}`,
      whole(row.failures),
      row.policy === "strict" ? "each unmap" : `${whole(row.flushesFull)}/${whole(row.flushesTimer)}`,
      exposure(row),
      whole(row.nodes),
    ]),
  });
  const cached = rows.filter(({ allocator, policy }) => allocator === "rcache6" && policy === "lazy");
  for (const { hitsBySize, title } of cached)
    section.tables.push({
      caption: `Hits by size: ${title}, lazy`,
      header: ["pages", "maps", "served by a CPU's cache"],
      rows: hitsBySize.slice(0, 24).map(({ pages, maps, hits }) => [whole(pages), whole(maps), share(hits / maps)]),
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

/** The report's sections, in their order. */
export function reportSections(report: RecordingReport): Section[] {
  return [recorded(report), allocators(report), iotlb(report)];
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
