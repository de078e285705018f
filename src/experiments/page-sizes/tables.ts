/** Tables for a reader: errors, mechanisms, parameters with their sources. */
import type { ColumnTable } from "arquero";
import type { Basis } from "../../facts/index.js";
import { type Column, tableOf } from "../frame/experiment.js";
import { threadCells } from "./claims.js";
import { errorTable, missingMechanisms } from "./errors.js";
import { type HostName, pageHost } from "./hosts.js";
import { parallelism } from "./parallelism.js";
import type { PageRow } from "./rows.js";

const column = (unit: string, description: string): Column => ({ unit, description });
const rounded = (value: number): number => Math.round(value * 10) / 10;

/** The error table as a table: median and worst, by host, direction, size and page. */
export function errorReport(rows: readonly PageRow[]): ColumnTable {
  return tableOf(
    errorTable(rows).map((row) => ({
      by: row.by,
      group: row.group,
      rows: row.rows,
      median: rounded(row.medianPercent),
      worst: rounded(row.worstPercent),
      within15: row.within15,
      worstRow: row.worstRow,
    })),
    {
      by: column("", "what groups the rows"),
      group: column("", "the group"),
      rows: column("", "published values in it"),
      median: column("%", "median of the absolute error"),
      worst: column("%", "largest error, with its sign"),
      within15: column("rows", "rows within 15 %"),
      worstRow: column("", "the row of the largest error"),
    },
  );
}

/** What the model lacks in the rows that are off by more than 15 %. */
export function missingReport(rows: readonly PageRow[]): ColumnTable {
  return tableOf(
    missingMechanisms(rows).map((row) => ({ ...row, worstPercent: rounded(row.worstPercent) })),
    {
      missing: column("", "what the model lacks"),
      rows: column("", "published values off by more than 15 %"),
      worstPercent: column("%", "the largest error"),
    },
  );
}

/** A host's parameters, each with its unit and its source; assumptions say so. */
export function parameterTable(host: HostName, basis?: Basis): ColumnTable {
  return tableOf(
    pageHost(host, basis).parameters.map(({ name, value, unit, source, assumed }) => ({
      parameter: name,
      value: typeof value === "number" ? Math.round(value * 100) / 100 : value,
      unit,
      assumed,
      source,
    })),
    {
      parameter: column("", "name in the model"),
      value: column("", "value"),
      unit: column("", "unit"),
      assumed: column("", "no record supports it"),
      source: column("", "where it comes from"),
    },
  );
}

/** The fits, each with its neighbours. */
export function fitTable(basis?: Basis): ColumnTable {
  const { tags, walkers, walks, writeWalks, writes } = parallelism(basis);
  const rows = [
    { what: "reads in flight", fit: tags },
    { what: "walks at a time", fit: walkers },
    { what: "walks for reads in 10 µs", fit: walks },
    { what: "walks for writes in 10 µs", fit: writeWalks },
    { what: "writes of the card in 10 µs", fit: writes },
  ].flatMap(({ what, fit }) =>
    [...fit.neighbours, { value: fit.value, simulated: fit.simulated }]
      .sort((a, b) => a.value - b.value)
      .map(({ value, simulated }) => ({
        what,
        value,
        simulated: Math.round(simulated * 100) / 100,
        measured: fit.measured,
        error: rounded((simulated / fit.measured - 1) * 100),
        chosen: value === fit.value,
      })),
  );
  return tableOf(rows, {
    what: column("", "quantity that no latency run shows"),
    value: column("", "whole number tried"),
    simulated: column("Gb/s", "simulated bandwidth with it"),
    measured: column("Gb/s", "measured on Haswell"),
    error: column("%", "difference"),
    chosen: column("", "nearest to the measurement"),
  });
}

/** Several runs side by side: the error of the predicted rows of each, to see what a change of the model would do. */
export function compareErrors(runs: Readonly<Record<string, readonly PageRow[]>>): ColumnTable {
  return tableOf(
    Object.entries(runs).flatMap(([name, rows]) =>
      errorTable(rows)
        .filter((row) => row.by === "host" || row.by === "direction")
        .map((row) => ({
          model: name,
          group: row.group,
          rows: row.rows,
          median: rounded(row.medianPercent),
          worst: rounded(row.worstPercent),
        })),
    ),
    {
      model: column("", "what was changed"),
      group: column("", "host or direction"),
      rows: column("", "published values"),
      median: column("%", "median of the absolute error"),
      worst: column("%", "largest error, with its sign"),
    },
  );
}

/** Runs of the thread's test side by side: in how many settings each page size is slowed or free, and by how much at the median. */
export function compareThread(runs: Readonly<Record<string, readonly PageRow[]>>): ColumnTable {
  const median = (values: number[]): number =>
    rounded(values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0);
  return tableOf(
    Object.entries(runs).map(([model, rows]) => {
      const cells = threadCells(rows).filter((cell) => cell.maximal);
      const losses = (page: "4K" | "2M" | "1G"): number[] => cells.map((cell) => Number(cell.loss[page]));
      return {
        model,
        settings: cells.length,
        slowed4K: losses("4K").filter((loss) => loss >= 1).length,
        free2M: losses("2M").filter((loss) => loss < 1).length,
        free1G: losses("1G").filter((loss) => loss < 1).length,
        median4K: median(losses("4K")),
        median2M: median(losses("2M")),
      };
    }),
    {
      model: column("", "what was changed"),
      settings: column("", "settings whose links are full with the IOMMU off"),
      slowed4K: column("settings", "4K pages lose 1 % or more"),
      free2M: column("settings", "2M pages lose less than 1 %"),
      free1G: column("settings", "1G pages lose less than 1 %"),
      median4K: column("%", "median loss with 4K pages"),
      median2M: column("%", "median loss with 2M pages"),
    },
  );
}
