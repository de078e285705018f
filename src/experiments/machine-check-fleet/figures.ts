import { lineFigure } from "../../plot/index.js";
import type { FigureMaker } from "../frame/experiment.js";
import type { Settings } from "./config.js";
import type { FleetRow } from "./rows.js";

/** The figures, by name. */
export const figures: Readonly<Record<string, FigureMaker<FleetRow, Settings>>> = {
  lost: (rows, config) => {
    const names = [...new Set(rows.map((row) => row.rule))];
    return lineFigure({
      title: `Hosts lost a year, of ${config.hosts.toLocaleString("en")}`,
      caption: `With ${config.machineChecksPerHostYear} survivable machine checks a host and year, and ${100 * config.timeInGuest} % of the time in guests. All three inputs are assumptions. Interval: 95 % over ${config.replications} independent years.`,
      x: { title: "guests that leave CR4.MCE clear", unit: "%" },
      y: { title: "hosts lost", unit: "a year" },
      series: names.map((name) => {
        const mine = rows.filter((row) => row.rule === name);
        return {
          name,
          x: mine.map((row) => 100 * row.guestsWithMceClear),
          y: mine.map((row) => row.hostsLost),
          low: mine.map((row) => row.hostsLostLow),
          high: mine.map((row) => row.hostsLostHigh),
        };
      }),
    });
  },
};
