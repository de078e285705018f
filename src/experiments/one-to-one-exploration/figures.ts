import { type Figure, heatmapFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { distinct } from "../frame/rows.js";
import type { Settings } from "./config.js";
import { oneToOnePropertyNames } from "./model/properties.js";
import type { OneToOneRow } from "./rows.js";

/** The properties, as short as a picture needs them. */
const shortNames: readonly string[] = [
  "reaches while mapped",
  "out of reach after",
  "CPUs: no freed table",
  "walker: no freed table",
  "nothing lost",
  "counts are right",
];

/** Variants against properties: which hold, and how long the shortest counterexample is. */
function properties(rows: readonly OneToOneRow[]): Figure {
  const names = distinct(rows, "variant");
  const cell = (variant: string, property: string): OneToOneRow | undefined =>
    rows
      .filter((row) => row.variant === variant && row.property === property)
      .sort((a, b) => Number(b.steps ?? 0) - Number(a.steps ?? 0))[0];
  return heatmapFigure({
    title: "What each safeguard of dynamic 1:1 is for",
    caption:
      "Each row is an exploration of every reachable state. Where a property fails, the number is the length of the shortest way there. The rows at the bottom have every safeguard; each of the others lacks one.",
    x: { title: "property", unit: "" },
    y: { title: "variant", unit: "" },
    z: { title: "counterexample", unit: "1 there is one, 0 there is none" },
    verdicts: true,
    xValues: shortNames,
    yValues: names,
    zValues: names.map((name) =>
      oneToOnePropertyNames.map((property) => (cell(name, property)?.holds === false ? 1 : 0)),
    ),
    text: names.map((name) =>
      oneToOnePropertyNames.map((property) => {
        const row = cell(name, property);
        return row?.holds === false ? `${row.steps} steps` : "holds";
      }),
    ),
    layout: { height: 520 },
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<OneToOneRow, Settings>>> = { properties };
