import { barFigure, dotFigure, type Figure, figure, heatmapFigure, lineFigure } from "../../src/plot/index.js";

/** Small figures of every kind and with every difficulty that the house style must settle: for snapshots and for looking at. */
const cores = [1, 2, 4, 8, 16, 32];
const long = Array.from({ length: 80 }, (_, i) => i + 1);
const names = ["red-black tree", "red-black tree, merged nodes", "magazines", "pools", "dynamic 1:1", "IOMMU off"];

export const gallery: Record<string, () => Figure> = {
  "a line with error bars": () =>
    lineFigure({
      title: "Throughput of 200 request-response threads by number of cores",
      caption: "The tree's lock ends the scaling at four cores.",
      x: { title: "cores", unit: "", log: true },
      y: { title: "throughput", unit: "Gb/s" },
      series: [
        {
          name: "lock",
          x: cores,
          y: [2, 3.8, 5, 4.6, 4, 3.7],
          low: [1.9, 3.6, 4.7, 4.2, 3.7, 3.3],
          high: [2.1, 4, 5.3, 5, 4.4, 4],
        },
        { name: "no lock", x: cores, y: [2.1, 4.2, 8.3, 16.4, 32, 60] },
      ],
    }),
  "six lines with long names under a long title on logarithmic axes": () =>
    lineFigure({
      title:
        "Time that one dma_unmap takes on a machine whose address space holds so many live mappings, for each of the allocators of the thread",
      caption: "Allocators that walk grow with the live set.",
      x: { title: "live mappings", unit: "", log: true },
      y: { title: "time of dma_unmap", unit: "ns", log: true },
      series: names.map((name, i) => ({
        name,
        x: [10, 30, 100, 300, 1000, 3000, 10000],
        y: [1, 3, 10, 30, 100, 300, 1000].map((v) => 40 + (v * 12) / (i + 1) / (i + 1)),
        dash: i === 5,
      })),
    }),
  "a band": () =>
    lineFigure({
      title: "Intervals that remain when abutting ones are merged",
      caption: "The number settles after 30 ms.",
      x: { title: "time", unit: "ms" },
      y: { title: "intervals", unit: "" },
      series: ["recorded", "generated"].map((name, k) => ({
        name,
        x: long,
        y: long.map((t) => (100 * t) / (t + 10 + 20 * k)),
        low: long.map((t) => (100 * t) / (t + 10 + 20 * k) - 6),
        high: long.map((t) => (100 * t) / (t + 10 + 20 * k) + 6),
      })),
    }),
  "bars side by side": () =>
    barFigure({
      title: "Where the cycles of one map and unmap go",
      caption: "Most of them wait for the lock.",
      categories: ["wait for the allocator's lock", "walk the tree", "write the PTE", "invalidate"],
      x: { title: "step", unit: "" },
      y: { title: "cycles", unit: "cycles" },
      series: [
        { name: "rbtree", values: [12000, 3400, 60, 900], low: [11000, 3200, 55, 850], high: [13100, 3700, 66, 960] },
        { name: "merged", values: [2500, 400, 60, 900], low: [2300, 380, 55, 850], high: [2650, 420, 66, 960] },
      ],
    }),
  "stacked bars": () =>
    barFigure({
      title: "Static maps by driver",
      caption: "Rings dominate.",
      categories: ["ixgbe", "mlx4", "bnx2x"],
      x: { title: "driver", unit: "" },
      y: { title: "pages mapped", unit: "4 KiB pages" },
      series: [
        { name: "rings", values: [120, 300, 80] },
        { name: "buffers", values: [1200, 400, 600] },
      ],
      stacked: true,
    }),
  "lying bars": () =>
    barFigure({
      title: "Where the cycles of one map and unmap go",
      caption: "Most of them wait for the lock.",
      categories: ["alloc_iova", "find_iova", "__free_iova", "spin: the lock that everybody in the machine waits for"],
      x: { title: "function", unit: "" },
      y: { title: "time", unit: "cycles a call", log: true },
      lying: true,
      series: [
        { name: "1 core", values: [300, 560, 230, 0], place: 2 },
        { name: "16 cores", values: [5100, 490, 960, 31000], place: 2, hatched: true },
      ],
    }),
  "rows of dots against ranges": () =>
    dotFigure({
      title: "Simulated against published",
      caption: "Two hit.",
      labels: ["unmap, 16 threads", "unmap, 96 threads", "a whole list in one synchronisation", "nothing at all"],
      x: { title: "of the published value", unit: "%", log: true, none: 1, range: [0.8, 500] },
      ticks: [2, 10, 50, 200],
      series: [
        {
          name: "margin",
          range: true,
          values: [100, 100, 100, 100],
          low: [50, 50, 40, 25],
          high: [200, 200, 160, 300],
        },
        { name: "hit", values: [60, null, 110, null] },
        { name: "miss", values: [null, 300, null, 0] },
      ],
      mark: { name: "published", value: 100 },
      together: true,
      rowHeight: 18,
    }),
  "a heat map": () =>
    heatmapFigure({
      title: "IOTLB hit rate",
      caption: "Larger pages fit.",
      x: { title: "IOTLB entries", unit: "", log: false },
      y: { title: "page size", unit: "" },
      z: { title: "hit rate", unit: "%" },
      xValues: ["32", "64", "128"],
      yValues: ["4 KiB", "2 MiB", "1 GiB"],
      zValues: [
        [12, 25, 51],
        [80, 95, 99],
        [99, 100, null],
      ],
      text: [
        ["12", "25", "51"],
        ["80", "95", "99"],
        ["99", "100", ""],
      ],
    }),
  "a map of many columns with words in its cells": () =>
    heatmapFigure({
      title: "What to choose",
      caption: "Each cell names the way of mapping that carries the rate.",
      x: { title: "cores and rate", unit: "" },
      y: { title: "trust", unit: "" },
      z: { title: "of the rate", unit: "%", range: [0, 100] },
      xValues: ["4 cores", "8 cores", "16 cores", "32 cores", "64 cores", "96 cores", "128 cores", "192 cores"],
      yValues: ["own", "guarded", "hostile"],
      zValues: [100, 60, 30].map((share) => Array.from({ length: 8 }, (_, i) => share - 3 * i)),
      text: ["pass", "page_pool, lazy", "bounce"].map((word) => Array.from({ length: 8 }, () => word)),
    }),
  "a few places along a logarithmic axis": () =>
    lineFigure({
      title: "Packets that a host takes",
      caption: "The link is full at 100 Gb/s.",
      x: { title: "rate of the wire", unit: "Gb/s", log: true },
      y: { title: "received", unit: "Gb/s" },
      series: [{ name: "off", x: [40, 100, 200], y: [40, 99, 190] }],
    }),
  "a heat map of logarithms": () =>
    heatmapFigure({
      title: "Latency of one DMA read",
      caption: "Misses cost.",
      x: { title: "working set", unit: "KiB" },
      y: { title: "ways", unit: "" },
      z: { title: "latency", unit: "ns", log: true },
      xValues: [64, 128, 192, 256],
      yValues: [1, 2, 3],
      zValues: [
        [40, 400, 4000, 40000],
        [40, 300, 3000, 9000],
        [40, 40, 400, 4000],
      ],
    }),
  "two panels of plain traces": () =>
    figure({
      title: "Two panels",
      caption: "Plain plotly traces in the house style.",
      data: [
        { type: "scatter", name: "left", x: [1, 2, 3], y: [3, 1, 2], xaxis: "x", yaxis: "y" },
        { type: "histogram", name: "right", x: [1, 1, 2, 3, 3, 3], xaxis: "x2", yaxis: "y2" },
      ],
      layout: {
        grid: { rows: 1, columns: 2, pattern: "independent" },
        xaxis: { title: { text: "time (ms)" } },
        xaxis2: { title: { text: "count" } },
      },
    }),
};
