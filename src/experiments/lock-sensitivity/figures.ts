import type { Facts } from "../../facts/index.js";
import { assumptions, smallAssumptions } from "../../host/index.js";
import { type Figure, figure, palette } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct, estimate, where } from "../frame/rows.js";
import { intervals } from "../lock-contention/wording.js";
import type { SensitivityConfig } from "./config.js";
import type { LockSensitivityRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<LockSensitivityRow, SensitivityConfig>>> = {
  sensitivity: (rows, _, { facts }) => sensitivity(rows, facts),
};

function sensitivity(rows: readonly LockSensitivityRow[], facts: Facts): Figure {
  const base = estimate(where(rows, { end: "base" }), "percentOfOff").mean;
  const names = distinct(rows, "assumption").filter((name) => name !== "base");
  const end = (name: string, which: "low" | "high") => {
    const at = where(rows, { assumption: name, end: which });
    return at.length > 0 ? estimate(at, "percentOfOff") : { mean: base, low: base, high: base };
  };
  const span = (name: string): number =>
    Math.max(Math.abs(end(name, "low").mean - base), Math.abs(end(name, "high").mean - base));
  const order = [...names].sort((a, b) => span(b) - span(a));
  // An end that is the baseline was not run once more; its name stands in the list of assumptions.
  const setting = (name: string, which: "low" | "high") =>
    where(rows, { assumption: name, end: which })[0]?.setting ??
    [...assumptions(facts), ...smallAssumptions(facts)].find((assumption) => assumption.name === name)?.[which][0] ??
    "nothing changed";
  const labels = order.map((name) => `${name} (${rangeText(setting(name, "low"), setting(name, "high"))})`);
  const ends = (which: "low" | "high") => {
    const at = order.map((name) => end(name, which));
    return {
      type: "scatter",
      mode: "markers",
      name: `${which} end`,
      x: at.map((e) => e.mean),
      y: labels,
      marker: { size: 10, color: palette[which === "low" ? 0 : 1], symbol: which === "low" ? "circle" : "square" },
      error_x: {
        type: "data",
        symmetric: false,
        array: at.map((e) => e.high - e.mean),
        arrayminus: at.map((e) => e.mean - e.low),
        thickness: 1,
      },
      hovertemplate: "%{y}<br>%{x:.1f} % of off<extra></extra>",
    };
  };
  const spans = {
    type: "scatter",
    mode: "lines",
    showlegend: false,
    hoverinfo: "skip",
    x: order.flatMap((name) => [end(name, "low").mean, end(name, "high").mean, null]),
    y: labels.flatMap((text) => [text, text, null]),
    line: { color: "#888888", width: 3 },
  };
  const measured = (100 * facts.number("PE2")) / facts.number("PE1");
  const rule = (x: number, dash: string) => ({
    type: "line",
    x0: x,
    x1: x,
    yref: "paper",
    y0: 0,
    y1: 1,
    line: { color: "#888888", width: 1, dash },
  });
  return figure({
    title: "What each assumption moves, one at a time",
    caption: `Throughput as a share of IOMMU off at either end of each assumption's range, the longest way from the baseline first. Dotted: nothing changed, ${base.toFixed(1)} %; dashed: measured, ${measured.toFixed(1)} % (record PE2). ${intervals(rows)}`,
    data: [spans, ends("low"), ends("high")],
    layout: {
      height: 110 + 24 * names.length,
      xaxis: { title: { text: "throughput (% of off)" }, rangemode: "tozero" },
      yaxis: { autorange: "reversed", automargin: true },
      shapes: [rule(base, "dot"), rule(measured, "dash")],
    },
  });
}

/** "1 … 12 lines" of "1 lines" and "12 lines": a unit that both ends share stands once. */
function rangeText(low: string, high: string): string {
  const unit = / [a-zµ% ]+$/.exec(high)?.[0] ?? "";
  return `${unit !== "" && low.endsWith(unit) ? low.slice(0, -unit.length) : low} … ${high}`;
}
