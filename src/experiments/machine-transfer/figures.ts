import { barFigure, heatmapFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { mean } from "../frame/rows.js";
import type { Settings } from "./config.js";
import { medians, records } from "./published.js";
import { ofRelation, relations, type TransferRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<TransferRow, Settings>>> = {
  matrix: (rows) => {
    const cpus = [...new Set(rows.map((r) => r.cpu))].sort((a, b) => a - b);
    const value = new Map(rows.map((r) => [`${r.cpu} ${r.other}`, r.ns]));
    return heatmapFigure({
      title: "One way from CPU to CPU",
      caption:
        "Three shades: the thread beside you, a core of your socket, a core of the other socket. The brightest cells, in two lines parallel to the diagonal, are sibling threads.",
      x: { title: "CPU", unit: "" },
      y: { title: "CPU", unit: "" },
      z: { title: "one way", unit: "ns" },
      better: "low",
      xValues: cpus,
      yValues: cpus,
      zValues: cpus.map((a) => cpus.map((b) => value.get(`${a} ${b}`) ?? null)),
      layout: { height: 470 },
    });
  },
  published: (rows, { host }, { facts }) => {
    const { id, spread } = records[host];
    const median = medians(facts.record(id));
    return barFigure({
      title: "The simulated measurement beside the published one",
      caption: `Published: the median over the pairs of a real machine, with the smallest and largest pair as the bar's ends (record ${id}). The model has no distance within a socket, so its pairs do not differ.`,
      categories: [...relations],
      x: { title: "where the other CPU is", unit: "" },
      y: { title: "one way", unit: "ns" },
      series: [
        { name: "simulated", values: relations.map((relation) => mean(ofRelation(rows, relation))) },
        {
          name: "published median, smallest to largest pair",
          values: median,
          low: median.map((m, i) => spread[i]?.[0] ?? m),
          high: median.map((m, i) => spread[i]?.[1] ?? m),
        },
      ],
    });
  },
};
