import { assumptionName, assumptionUnit, readings } from "../experiments/index.js";
import { type Figure, figure, palette } from "../plot/index.js";
import type { Belief, Learned, MatchedDraw } from "./matching.js";

/** An assumption with its unit, where that says more: a choice has none, and "receive buffers" have said it. */
const axisName = (path: string): string => {
  const [name, unit] = [assumptionName(path), assumptionUnit(path)];
  return unit === "" || unit === "choice" || name.split(" ").includes(unit) ? name : `${name} (${unit})`;
};
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** What was believed of each reading of "a third" before the measurements, and what after: 95 % of the draws, and their median. */
export function beliefFigure(beliefs: readonly Belief[], margin: { low: number; high: number }): Figure {
  const label = ({ reading }: Belief): string => readings[reading].title;
  const trace = (stage: Belief["stage"]) => {
    const own = beliefs.filter((one) => one.stage === stage).toReversed();
    return {
      type: "scatter",
      mode: "markers",
      name: stage === "prior" ? "before the measurements" : "after them",
      x: own.map(({ median }) => median),
      y: own.map(label),
      error_x: {
        type: "data",
        symmetric: false,
        array: own.map(({ median, high }) => high - median),
        arrayminus: own.map(({ median, low }) => median - low),
        thickness: stage === "prior" ? 2 : 5,
        color: stage === "prior" ? palette[7] : palette[0],
      },
      marker: {
        size: 11,
        color: stage === "prior" ? palette[7] : palette[0],
        symbol: stage === "prior" ? "circle-open" : "circle",
      },
      hovertemplate: "%{y}: %{x:.3g} %<extra></extra>",
    };
  };
  const after = beliefs.filter(({ stage }) => stage === "posterior");
  const before = (reading: string): string => {
    const found = beliefs.find((one) => one.stage === "prior" && one.reading === reading);
    return found ? `, before them ${percent(found.inside.share)}` : "";
  };
  const words = after
    .map(
      (one) =>
        `${label(one)} ${percent(one.inside.share)} (${percent(one.inside.low)} to ${percent(one.inside.high)})${before(one.reading)}`,
    )
    .join("; ");
  return figure({
    title: `A third back (${margin.low} to ${margin.high} %), before and after the measurements`,
    caption: `Medians and 95 % of the draws, in percent; the band is about a third. Probability of each reading after the measurements: ${words || "no draw agrees with them"}.`,
    data: [trace("prior"), trace("posterior")],
    layout: {
      height: 240,
      xaxis: {
        title: { text: "merged nodes give (%)" },
        type: "log",
        tickvals: [5, 10, 20, 50, 100, 200, 500],
        ticktext: ["5", "10", "20", "50", "100", "200", "500"],
        automargin: true,
      },
      yaxis: { automargin: true },
      shapes: [
        {
          type: "rect",
          x0: margin.low,
          x1: margin.high,
          yref: "paper",
          y0: 0,
          y1: 1,
          fillcolor: "rgba(141,125,45,0.25)",
          line: { width: 0 },
        },
      ],
    },
  });
}

/** Where in two assumptions' ranges the draws lie that no measurement rules out: by default the two that the measurements moved most. */
export function regionFigure(
  draws: readonly MatchedDraw[],
  found: readonly Learned[],
  axes: readonly [string, string] = [found[0].assumption, found[1].assumption],
): Figure {
  const [x, y] = axes;
  const agreed = draws.filter(({ agrees }) => agrees);
  const trace = (name: string, own: readonly MatchedDraw[], marker: object) => ({
    type: "scatter",
    mode: "markers",
    name,
    x: own.map(({ sample }) => sample[x]),
    y: own.map(({ sample }) => sample[y]),
    text: own.map(({ index, worst }) => `draw ${index}: ${worst.toFixed(1)} deviations`),
    hovertemplate: "%{text}<extra></extra>",
    marker,
  });
  return figure({
    title: "The region that the measurements leave",
    caption: `Each dot is a draw of everything that nobody published; ${agreed.length} of ${draws.length} agree with every measurement. Shown are two of the assumptions${axes[0] === found[0].assumption ? ", those that the measurements moved most" : ""}.`,
    data: [
      trace(
        "ruled out",
        draws.filter(({ agrees }) => !agrees),
        { size: 5, color: palette[7], opacity: 0.45 },
      ),
      trace("agrees with all", agreed, { size: 9, color: palette[0] }),
    ],
    layout: {
      height: 360,
      xaxis: { title: { text: axisName(x) }, automargin: true },
      yaxis: { title: { text: axisName(y) }, automargin: true },
    },
  });
}
