/** The figures of the page-size experiment. */
import type { Basis } from "../../facts/index.js";
import {
  type Figure,
  figure,
  heatmapFigure,
  type Look,
  lineFigure,
  lookOf,
  measuredLook,
  palette,
} from "../../plot/index.js";
import { distinct } from "../frame/rows.js";
import { threadCells } from "./claims.js";
import { predictions } from "./errors.js";
import type { HostName } from "./hosts.js";
import { pageHost } from "./hosts.js";
import type { PageRow } from "./rows.js";

const pages = ["off", "4K", "2M", "1G"] as const;
/** The hosts' names in words, as short as a legend wants them. */
const hostWords: Readonly<Record<HostName, string>> = {
  hsw: "Haswell (E5-2620 v3)",
  hsw2: "Haswell (E5-2637 v3)",
  ivb: "Ivy Bridge",
  "ivb-remote": "Ivy Bridge, other socket",
  snb: "Sandy Bridge",
  bdw: "Broadwell",
  "cascade-lake": "Cascade Lake",
};
const hostWord = (host: unknown): string => hostWords[host as HostName] ?? String(host);
/** A page setting in words. */
const pageWords: Readonly<Record<string, string>> = {
  off: "IOMMU off",
  "4K": "4K pages",
  "2M": "2M pages",
  "1G": "1G pages",
};
const kibibytes = (row: PageRow): number => row.windowBytes / 1024;

/** Names a number of bytes: "64 MiB". */
export function sizeName(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let unit = 0;
  let value = bytes;
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${value} ${units[unit]}`;
}

/** Puts a tick at every window that was run, with its size in words. */
function withWindowTicks(made: Figure, rows: readonly PageRow[]): Figure {
  const windows = (distinct(rows, "windowBytes") as number[]).sort((a, b) => a - b);
  // Of windows closer than a factor of four, only the first gets a label.
  const apart: number[] = [];
  for (const bytes of windows) if (apart.length === 0 || bytes >= 4 * apart[apart.length - 1]) apart.push(bytes);
  Object.assign(made.layout["xaxis"] as object, {
    tickmode: "array",
    tickvals: apart.map((bytes) => bytes / 1024),
    ticktext: apart.map(sizeName),
    title: { text: "window" },
    // The windows have their ticks; lines at every power of two between them would smear.
    minor: {},
  });
  return made;
}

/** Small multiples: measured points over predicted curves, one panel a direction and DMA size. */
export function hostFigure(rows: readonly PageRow[], host: HostName, basis?: Basis): Figure {
  const mine = rows.filter((row) => row.host === host && row.part === "published" && row.kind === "bandwidth");
  const panels = ["read", "write"].flatMap((direction) =>
    distinct(
      mine.filter((row) => row.direction === direction),
      "dmaBytes",
    ).map((bytes) => ({ direction, bytes })),
  );
  const across = 4;
  const down = Math.max(1, Math.ceil(panels.length / across));
  const layout: Record<string, unknown> = { height: 60 + 210 * down, margin: { t: 8, r: 16, b: 48, l: 64 } };
  const annotations: Record<string, unknown>[] = [];
  const data: Record<string, unknown>[] = [];
  const shown = new Set<string>();
  for (const [i, { direction, bytes }] of panels.entries()) {
    const n = i === 0 ? "" : String(i + 1);
    const left = (i % across) / across + 0.01;
    const right = (i % across) / across + 0.21;
    const top = 1 - Math.floor(i / across) / down;
    const bottom = top - 1 / down + 0.3 / down;
    // Room for a line above each panel, below the legend.
    const head = 0.11 / down;
    const inPanel = mine.filter((row) => row.direction === direction && row.dmaBytes === bytes);
    const highest = Math.max(...inPanel.flatMap((row) => [row.gbps, row.measured ?? 0]));
    layout[`xaxis${n}`] = {
      domain: [left, right],
      anchor: `y${n}`,
      type: "log",
      tickvals: [4, 256, 4096, 65536],
      ticktext: ["4K", "256K", "4M", "64M"],
      title: { text: "window (bytes)", standoff: 4 },
      gridcolor: "rgba(128,128,128,0.25)",
    };
    layout[`yaxis${n}`] = {
      domain: [bottom, top - head],
      anchor: `x${n}`,
      range: [0, highest * 1.08],
      gridcolor: "rgba(128,128,128,0.25)",
      ...(i % across === 0 ? { title: { text: "Gb/s" } } : {}),
    };
    annotations.push({
      text: `${direction} ${bytes} B`,
      x: (left + right) / 2,
      y: top - head,
      xref: "paper",
      yref: "paper",
      xanchor: "center",
      yanchor: "bottom",
      showarrow: false,
    });
    for (const page of pages) {
      const points = inPanel.filter((row) => row.page === page).sort((a, b) => kibibytes(a) - kibibytes(b));
      if (points.length === 0) continue;
      const trace = (name: string, extra: Record<string, unknown>, y: "gbps" | "measured") => {
        data.push({
          type: "scatter",
          name,
          legendgroup: name,
          showlegend: !shown.has(name),
          x: points.map(kibibytes),
          y: points.map((row) => row[y]),
          xaxis: `x${n}`,
          yaxis: `y${n}`,
          hovertemplate: `window %{x} KiB<br>%{y:.4~g} Gb/s<extra>${name}</extra>`,
          ...extra,
        });
        shown.add(name);
      };
      trace(
        `${pageWords[page]}, predicted`,
        { mode: "lines", line: { color: lookOf("page", page).colour, width: 2 } },
        "gbps",
      );
      trace(
        `${pageWords[page]}, measured`,
        { mode: "markers", marker: { color: lookOf("page", page).colour, size: 7, symbol: "circle-open" } },
        "measured",
      );
    }
  }
  return figure({
    title: `${pageHost(host, basis).title}: bandwidth by window${panels.every(({ direction }) => direction === "read") ? ", reads only" : ""}`,
    caption:
      "Rings are published measurements, lines the simulation. Where a line leaves its rings, the model lacks a mechanism.",
    data,
    layout: { ...layout, annotations },
  });
}

/** Every predicted row as a point: its error, by host. */
function errorFigure(rows: readonly PageRow[]): Figure {
  const predicted = predictions(rows);
  const groups = ["read", "write"] as const;
  return figure({
    title: "Error of every predicted row",
    caption:
      "Each point is one published bandwidth that no fit has seen. The band is ±15 %. Points above 100 % are drawn at 100 %.",
    data: groups.map((direction, i) => {
      const mine = predicted.filter((row) => row.direction === direction);
      return {
        type: "box",
        name: direction,
        orientation: "h",
        y: mine.map((row) => `${hostWord(row.host)}, ${pageWords[row.page]}`),
        x: mine.map((row) => Math.min(100, row.errorPercent)),
        boxpoints: "all",
        jitter: 0.5,
        pointpos: 0,
        marker: { color: palette[i === 0 ? 0 : 1], size: 3 },
        line: { width: 1 },
      };
    }),
    layout: {
      boxmode: "group",
      height: 120 + 44 * new Set(predicted.map((row) => `${row.host} ${row.page}`)).size,
      yaxis: { title: { text: "" }, automargin: true, autorange: "reversed" },
      xaxis: { title: { text: "simulated over published, less one (%)" }, gridcolor: "rgba(128,128,128,0.25)" },
      shapes: [
        {
          type: "rect",
          yref: "paper",
          y0: 0,
          y1: 1,
          x0: -15,
          x1: 15,
          fillcolor: "rgba(0,158,115,0.12)",
          line: { width: 0 },
        },
      ],
    },
  });
}

/** Latency by window with one read in flight: what each host was calibrated on, and one line that is predicted. */
function latencyFigure(rows: readonly PageRow[]): Figure {
  const mine = rows.filter((row) => row.kind === "latency");
  const hosts = distinct(mine, "host");
  const series = hosts.flatMap((host) =>
    // Superpages show no misses in these windows, but on Sandy Bridge, where they stand for 4K pages.
    (["off", host === "snb" ? "2M" : "4K"] as const).flatMap((page) => {
      const points = mine.filter((row) => row.host === host && row.page === page);
      if (points.length === 0) return [];
      const x = points.map(kibibytes);
      const dashed: Partial<Look> = page === "off" ? { dash: "dash" } : {};
      return [
        {
          name: `${hostWord(host)}, ${pageWords[page]}`,
          look: { ...lookOf("host", String(host)), symbol: "circle-open", ...dashed },
          x,
          y: points.map((row) => row.latencyNs),
          mode: "lines" as const,
        },
        {
          name: `${hostWord(host)}, ${pageWords[page]}, measured`,
          look: measuredLook({ colour: lookOf("host", String(host)).colour }),
          x,
          y: points.map((row) => Number(row.measured)),
          mode: "markers" as const,
        },
      ];
    }),
  );
  const made = lineFigure({
    title: "Latency of a 64-byte read, one in flight",
    caption:
      "Lines are simulated (dashed: IOMMU off), rings measured. The steps between 512 KiB and 4 MiB give the IOTLB's entries and the cost of a miss; the rise at 64 MiB is data from DRAM. These rows are calibration, but for Broadwell with the IOMMU off: that line is predicted from its run with the IOMMU on.",
    x: { title: "window", unit: "KiB", log: true },
    y: { title: "latency", unit: "ns" },
    series,
    layout: { height: 400 },
  });
  for (const trace of made.data) if (trace["mode"] === "markers") trace["showlegend"] = false;
  return withWindowTicks(made, mine);
}

/** Misses and walkers in use against the window: Haswell, 64-byte reads, 4K pages. */
function walkersFigure(rows: readonly PageRow[]): Figure {
  const mine = rows.filter(
    (row) =>
      row.part === "published" &&
      row.kind === "bandwidth" &&
      row.page === "4K" &&
      row.direction === "read" &&
      row.dmaBytes === 64,
  );
  const made = lineFigure({
    title: "Page walks under way: 64-byte reads, 4K pages",
    caption:
      "Once the window passes the IOTLB's reach (about half a mebibyte), walks begin as fast as they can: from there on they set the pace.",
    x: { title: "window", unit: "KiB", log: true },
    y: { title: "walks under way, mean", unit: "" },
    series: distinct(mine, "host").map((host) => {
      const points = mine.filter((row) => row.host === host);
      return {
        name: hostWord(host),
        look: lookOf("host", String(host)),
        x: points.map(kibibytes),
        y: points.map((row) => row.walkersBusy),
      };
    }),
  });
  return withWindowTicks(made, mine);
}

/** Bandwidth against DMA size with the three roofs, over the largest window of the thread part. */
function rooflineFigure(rows: readonly PageRow[]): Figure {
  const thread = rows.filter((row) => row.part === "thread" && row.direction === "read" && row.devices === 1);
  const tags = Math.max(...thread.map((row) => row.tags));
  const windows = distinct(thread, "windowBytes").map(Number);
  const window = windows.includes(137_438_953_472) ? 137_438_953_472 : Math.max(...windows);
  const mine = thread.filter((row) => row.tags === tags && row.windowBytes === window);
  const of = (page: string) => mine.filter((row) => row.page === page).sort((a, b) => a.dmaBytes - b.dmaBytes);
  const x = of("off").map((row) => row.dmaBytes);
  const small = of("4K");
  const line = (page: string, points: PageRow[], key: keyof PageRow, dash: boolean) => ({
    name: dash ? `roof: walks for ${pageWords[page]}` : pageWords[page],
    look: { ...lookOf("page", page), ...(dash ? { dash: "dash" as const } : {}) },
    x: points.map((row) => row.dmaBytes),
    y: points.map((row) => Number(row[key] ?? Number.NaN)),
    ...(dash ? { dash: true, mode: "lines" as const } : {}),
  });
  return lineFigure({
    title: `Roofs over ${sizeName(window)}, one device, ${tags} tags, reads`,
    caption:
      "Dashed: what the link can carry, and what walks allow for 4K and 2M pages. A curve follows the lowest roof above it.",
    x: { title: "DMA size", unit: "B", log: true },
    y: { title: "bandwidth", unit: "Gb/s", range: [0, 125] },
    series: [
      ...pages.filter((page) => of(page).length > 0).map((page) => line(page, of(page), "gbps", false)),
      {
        name: "roof: the link",
        place: 6,
        x,
        y: of("off").map((row) => row.roofLink),
        dash: true,
        mode: "lines" as const,
      },
      ...(small.length > 0 ? [line("4K", small, "roofWalkers", true)] : []),
      ...(of("2M").length > 0 ? [line("2M", of("2M"), "roofWalkers", true)] : []),
    ],
  });
}

/** The map of the thread's test: loss against the IOMMU off, by DMA size and footprint. */
export function lossMap(
  rows: readonly PageRow[],
  page: "4K" | "2M" | "1G",
  direction: "read" | "write",
  devices: number,
  tags?: number,
): Figure {
  const all = threadCells(rows).filter((cell) => cell.direction === direction && cell.devices === devices);
  const most = Math.max(...all.map((cell) => cell.tags));
  const cells = all.filter((cell) => cell.tags === (tags ?? most));
  const sizes = [...new Set(cells.map((cell) => cell.dmaBytes))].sort((a, b) => a - b);
  const windows = [...new Set(cells.map((cell) => cell.windowBytes))].sort((a, b) => a - b);
  const at = (window: number, size: number) =>
    cells.find((cell) => cell.windowBytes === window && cell.dmaBytes === size);
  return heatmapFigure({
    title: `${page} pages: bandwidth lost, ${direction}s, ${devices} x16 device${devices > 1 ? "s" : ""}${direction === "read" ? `, ${tags ?? most} tags` : ""}`,
    caption: `Percent of the bandwidth with the IOMMU off.${cells.every((cell) => cell.maximal) ? "" : " A star: the links were not full with the IOMMU off, so the thread's test was elsewhere."}`,
    x: { title: "DMA size", unit: "B" },
    y: { title: "memory that the DMAs spread over", unit: "" },
    z: { title: "loss", unit: "%", range: [0, 100] },
    better: "low",
    marks: [{ value: 100 / 3, text: "a third" }],
    xValues: sizes.map(String),
    yValues: windows.map(sizeName),
    zValues: windows.map((window) => sizes.map((size) => at(window, size)?.loss[page] ?? null)),
    text: windows.map((window) =>
      sizes.map((size) => {
        const cell = at(window, size);
        const loss = cell?.loss[page];
        return loss == null ? "" : `${Math.abs(loss) < 0.05 ? "0.0" : loss.toFixed(1)}${cell?.maximal ? "" : " *"}`;
      }),
    ),
    layout: {
      xaxis: { title: { text: "DMA size (B)" }, type: "category" },
      yaxis: { type: "category", automargin: true, title: { text: "footprint" } },
      height: 330,
    },
  });
}

/** What a grid's title says of its configuration. */
interface GridSettings {
  deviceTlbEntries: number;
  walkers: number | null;
}

/** Bandwidth and latency of any grid, against the window. */
function gridFigure(rows: readonly PageRow[], y: "gbps" | "latencyNs", config?: GridSettings): Figure {
  const mine = rows.filter((row) => row.part === "grid");
  const keys = (["host", "page", "direction", "dmaBytes", "devices", "tags"] as const).filter(
    (key) => distinct(mine, key).length > 1,
  );
  const groups = new Map<string, PageRow[]>();
  for (const row of mine) {
    const key = keys.map((k) => String(row[k])).join(" · ") || "run";
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const sizes = distinct(mine, "dmaBytes");
  const directions = distinct(mine, "direction");
  const pages = distinct(mine, "page");
  const { deviceTlbEntries = 0, walkers = null } = config ?? {};
  const what = [
    ...(sizes.length === 1 && directions.length === 1 ? [`${sizes[0]}-byte ${directions[0]}s`] : []),
    ...(pages.length > 1 && !pages.includes("off") ? [`${pages.join(" and ")} pages`] : []),
    deviceTlbEntries === 0
      ? "no cache in the device"
      : `${deviceTlbEntries.toLocaleString("en")} entries in the device`,
    ...(walkers === null ? [] : [`${walkers} walker${walkers === 1 ? "" : "s"}`]),
  ];
  const made = lineFigure({
    title: `${y === "gbps" ? "Bandwidth" : "Latency"} by window: ${what.join(", ")}`,
    caption: "Every combination of the configuration; intervals of 95 % from ten batches of each run.",
    x: { title: "window", unit: "KiB", log: true },
    y: y === "gbps" ? { title: "bandwidth", unit: "Gb/s" } : { title: "latency of a DMA", unit: "ns" },
    series: [...groups].map(([name, points]) => ({
      name: keys.join() === "page" ? pageWords[name] : name,
      ...(keys.join() === "page" ? { look: lookOf("page", name) } : {}),
      x: points.map(kibibytes),
      y: points.map((row) => Number(row[y])),
      ...(y === "gbps" ? { low: points.map((row) => row.gbpsLow), high: points.map((row) => row.gbpsHigh) } : {}),
    })),
  });
  return withWindowTicks(made, mine);
}

const bandwidthHosts = ["hsw", "hsw2", "ivb", "ivb-remote", "snb"] as const;

/** Figures by name. */
export const figures: Record<string, (rows: readonly PageRow[], config: GridSettings, basis: Basis) => Figure> = {
  ...Object.fromEntries(
    bandwidthHosts.map((host) => [
      host,
      (rows: readonly PageRow[], _config: GridSettings, basis: Basis) => hostFigure(rows, host, basis),
    ]),
  ),
  errors: errorFigure,
  latency: latencyFigure,
  walkers: walkersFigure,
  roofline: rooflineFigure,
  "map-4K-read": (rows) => lossMap(rows, "4K", "read", 1),
  "map-2M-read": (rows) => lossMap(rows, "2M", "read", 1),
  "map-1G-read": (rows) => lossMap(rows, "1G", "read", 1),
  "map-4K-write": (rows) => lossMap(rows, "4K", "write", 1),
  "map-2M-write": (rows) => lossMap(rows, "2M", "write", 1),
  "grid-bandwidth": (rows, config) => gridFigure(rows, "gbps", config),
  "grid-latency": (rows, config) => gridFigure(rows, "latencyNs", config),
};
