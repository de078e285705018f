import { type Figure, heatmapFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import { columnTicks, rowTicks } from "../machine-check/labels.js";
import type { Settings } from "./config.js";
import { type ExplorationRow, inGuest, inRoot } from "./rows.js";

function figureFor(rows: readonly ExplorationRow[], property: string, title: string, caption: string): Figure {
  const mine = rows.filter((row) => row.property === property);
  const policies = [...new Set(mine.map((row) => `${row.rule}, host CR4 ${row.hostCr4}`))];
  const situations = [...new Set(mine.map((row) => row.situation))];
  const at = (situation: string, policy: string): ExplorationRow | undefined =>
    mine.find((row) => row.situation === situation && `${row.rule}, host CR4 ${row.hostCr4}` === policy);
  return heatmapFigure({
    title,
    caption,
    x: { title: "what may happen", unit: "" },
    y: { title: "rule and host-CR4 policy", unit: "" },
    z: { title: "counterexample", unit: "" },
    hover: policies.map((policy) =>
      situations.map((situation) => {
        const row = at(situation, policy);
        if (!row) return "not explored";
        return row.holds ? "no way leads to the host's death" : `the host dies, in ${row.steps} steps`;
      }),
    ),
    verdicts: true,
    xValues: situations,
    yValues: policies,
    zValues: policies.map((policy) => situations.map((situation) => (at(situation, policy)?.holds ? 0 : 1))),
    text: policies.map((policy) =>
      situations.map((situation) => {
        const row = at(situation, policy);
        return row?.holds ? "safe" : `${row?.steps} steps`;
      }),
    ),
    layout: {
      yaxis: rowTicks(policies, 18),
      xaxis: columnTicks(situations),
      height: 430,
    },
  });
}

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<ExplorationRow, Settings>>> = {
  "guest-mode": (rows) =>
    figureFor(
      rows,
      inGuest,
      "Can a machine check in guest mode kill a host that has MCE on?",
      "Each cell is an exploration of every reachable state. Where it is not safe, the number is the length of the shortest way to lose the host.",
    ),
  "root-mode": (rows) =>
    figureFor(
      rows,
      inRoot,
      "Can the host lose its own MCE to a VM exit?",
      "VM exit loads the host CR4 that the VMCS holds. Where that is constant since the vCPU's creation, a later change is undone by the next exit.",
    ),
};
