import { phases } from "../../kvm/index.js";
import { type Figure, heatmapFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { Settings } from "./config.js";
import { columnTicks, rowTicks } from "./labels.js";
import type { CaseRow } from "./rows.js";

function deathMap(rows: readonly CaseRow[], hostMce: number): Figure {
  const cells = rows.filter((row) => row.hostMce === hostMce);
  const columns = [...new Set(cells.map((row) => `${row.rule}, guest ${row.guestMce}`))];
  const at = (phase: string, column: string): CaseRow | undefined =>
    cells.find((row) => row.phase === phase && `${row.rule}, guest ${row.guestMce}` === column);
  const score: Record<string, number> = { no: 0, may: 0.5, yes: 1 };
  const fates: Record<string, string> = { no: "lives", may: "may die", yes: "dies" };
  return heatmapFigure({
    title: `Does a machine check kill the host? Host CR4.MCE = ${hostMce}`,
    caption:
      "Columns: the rule for the guest's hardware CR4, and what the guest wrote to CR4.MCE. Rows: where the processor is when the machine check lands. Where it says may, the manual leaves the processor the choice between a death and a failed VM entry.",
    x: { title: "rule, and guest CR4.MCE", unit: "" },
    y: { title: "phase", unit: "" },
    z: { title: "host dies", unit: "" },
    hover: phases.map((phase) =>
      columns.map((column) => {
        const row = at(phase, column);
        return row ? `the host ${fates[row.hostDies]}<br>${row.outcome}, decided by ${row.decidedBy}` : "not run";
      }),
    ),
    verdicts: true,
    xValues: columns,
    yValues: [...phases],
    zValues: phases.map((phase) => columns.map((column) => score[String(at(phase, column)?.hostDies)] ?? null)),
    text: phases.map((phase) => columns.map((column) => String(at(phase, column)?.hostDies ?? ""))),
    layout: {
      yaxis: rowTicks(phases, 14),
      xaxis: columnTicks(columns),
      height: 430,
    },
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<CaseRow, Settings>>> = {
  "host-on": (rows) => deathMap(rows, 1),
  "host-off": (rows) => deathMap(rows, 0),
};
