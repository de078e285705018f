import { dotFigure, type Look, palette } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { Settings } from "./config.js";
import type { HeldRow } from "./rows.js";

/** Where a value of zero is shown, in % of the published one; intervals that reach further down end there. */
const none = 1;

/** How a verdict is drawn, and the order of the groups from the top. */
const looks: Readonly<Record<HeldRow["verdict"], Look>> = {
  hit: { colour: palette[0] },
  "not decidable": { colour: palette[1], symbol: "square" },
  miss: { colour: palette[4], symbol: "diamond" },
};
const groups = Object.keys(looks) as HeldRow["verdict"][];

const ofPublished = (value: number, { published }: HeldRow): number => (100 * value) / published;

/** The predictions by verdict, each group from the lowest to the highest of what was published. */
function inOrder(rows: readonly HeldRow[]): HeldRow[] {
  const key = (row: HeldRow): number => ofPublished(row.simulated, row);
  return [...rows].sort((a, b) => groups.indexOf(a.verdict) - groups.indexOf(b.verdict) || key(a) - key(b));
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<HeldRow, Settings>>> = {
  ratio: (rows) => {
    const all = inOrder(rows);
    const count = (wanted: HeldRow["verdict"]) => all.filter(({ verdict }) => verdict === wanted).length;
    const hover = all.map(({ prediction, record, quantity }) => `${prediction} (${record}): ${quantity}`);
    const ends = (key: "simulatedLow" | "simulatedHigh") =>
      all.map((row) => Math.max(none, ofPublished(row[key], row)));
    return dotFigure({
      title: "Simulated against published",
      caption: `Each row is a prediction, in % of what was published; its grey bar is the margin that was written down before, its thin one the 95 % interval over seeds. ${count("hit")} hit their margin, ${count("miss")} miss it; of ${count("not decidable")} the interval crosses an end, and chance decides. Logarithmic axis; "none": 0 was simulated.`,
      labels: all.map(({ prediction }) => prediction),
      x: { title: "of the published value", unit: "%", log: true, none, range: [0.8, 500] },
      ticks: [2, 10, 50, 200],
      series: [
        {
          name: "margin",
          range: true,
          values: all.map(() => 100),
          low: all.map((row) => ofPublished(row.low, row)),
          high: all.map((row) => ofPublished(row.high, row)),
          hover,
        },
        ...groups
          .filter((verdict) => count(verdict) > 0)
          .map((wanted) => ({
            name: wanted,
            look: looks[wanted],
            values: all.map((row) => (row.verdict === wanted ? ofPublished(row.simulated, row) : null)),
            low: ends("simulatedLow"),
            high: ends("simulatedHigh"),
            hover,
          })),
      ],
      mark: { name: "published", value: 100 },
      together: true,
      rowHeight: 18,
    });
  },
};
