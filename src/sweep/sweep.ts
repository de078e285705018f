import { type ColumnTable, table as makeTable } from "arquero";
import type { z } from "zod";
import {
  type AnyExperiment,
  type Column,
  configHash,
  type Experiment,
  pointsOfHost,
  type Row,
  type Run,
  tableOf,
} from "../experiments/index.js";
import { grid, type Space, type SpacePoint } from "../study/index.js";
import { computePoints, type PointOptions } from "./points.js";

/** A configuration of a sweep and its run. */
export interface SweptRun<C, R extends Row = Row> {
  /** Names the configuration, defaults filled in. */
  hash: string;
  config: C;
  run: Run<C, R>;
}

/** The result of a sweep: its runs in the order of the configurations. */
export interface Sweep<C, R extends Row = Row> {
  runs: SweptRun<C, R>[];
  /** All rows as one Arquero table: `config` (the hash), the varied fields, then the experiment's columns. */
  table: ColumnTable;
}

/** A whole run of an experiment on all cores: the same result as `experiment.run(config)`. */
export async function runOnWorkers<S extends z.ZodType, P, R extends Row = Row>(
  experiment: Experiment<S, P, R>,
  config?: z.input<S>,
  options: PointOptions = {},
): Promise<Run<z.output<S>, R>> {
  const parsed = experiment.parse(config);
  await opened(options);
  const rows = await computePoints(experiment as unknown as AnyExperiment, experiment.points(parsed), options);
  return experiment.collect(parsed, rows.flat() as R[]);
}

/**
 * Runs an experiment over many configurations, on all cores.
 *
 * ```ts
 * const result = await sweep(lockContention, { cores: [[1], [8], [16]], seed: [1, 2, 3] }, { onProgress });
 * ```
 * @param space values a field (every combination is run), or a list of configurations
 * @throws ConfigError before anything runs, if any configuration is not valid; the signal's reason when interrupted
 */
export async function sweep<S extends z.ZodType, P, R extends Row = Row>(
  experiment: Experiment<S, P, R>,
  space: Space | readonly z.input<S>[],
  options: PointOptions = {},
): Promise<Sweep<z.output<S>, R>> {
  const configurations: SpacePoint[] = Array.isArray(space)
    ? space.map((input) => ({ input: input as Record<string, unknown>, varied: {} }))
    : grid(space as Space);
  return sweepConfigurations(experiment, configurations, options);
}

/** The same over configurations that name what varies in them, as `grid` gives them. */
export async function sweepConfigurations<S extends z.ZodType, P, R extends Row = Row>(
  experiment: Experiment<S, P, R>,
  configurations: readonly SpacePoint[],
  options: PointOptions = {},
): Promise<Sweep<z.output<S>, R>> {
  const parse = experiment.parser();
  const parsed = configurations.map(({ input }) => parse(input as z.input<S>));
  await opened(options);
  const points = parsed.map((config) => experiment.points(config));
  const rows = await computePoints(experiment as unknown as AnyExperiment, points.flat(), options);
  let next = 0;
  const runs = parsed.map((config, i) => {
    const own = rows.slice(next, next + points[i].length).flat() as R[];
    next += points[i].length;
    return { hash: configHash(experiment.name, config), config, run: experiment.collect(config, own) };
  });
  return { runs, table: sweepTable(experiment.columns, runs, configurations) };
}

/** What this process remembers, opened before points are made: what these are computed from may be remembered as well. */
const opened = ({ remembered }: PointOptions): Promise<unknown> | undefined =>
  remembered === undefined ? pointsOfHost() : undefined;

function sweepTable<C>(
  columns: Record<string, Column>,
  runs: readonly SweptRun<C>[],
  configurations: readonly SpacePoint[],
): ColumnTable {
  const varied = [...new Set(configurations.flatMap((point) => Object.keys(point.varied)))];
  const extra = varied.filter((path) => !(path in columns));
  const all: Record<string, Column> = { config: { unit: "", description: "the configuration's hash" } };
  for (const path of extra) all[path] = { unit: "", description: "varied by the sweep" };
  Object.assign(all, columns);
  const rows = runs.flatMap(({ hash, run }, i) =>
    run.rows.map((row): Row => {
      const fields = extra.map((path) => [path, cell(configurations[i].varied[path])]);
      return { config: hash, ...Object.fromEntries(fields), ...row };
    }),
  );
  return tableOf(rows, all);
}

function cell(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === "number" || typeof value === "boolean" || typeof value === "string")
    return value;
  return value === undefined ? null : JSON.stringify(value);
}

/**
 * A table as an Arrow file (IPC), by Arquero. A column of several kinds of values, which Arrow has not, becomes JSON texts.
 * @throws Error where Arquero gives none
 */
export function arrowBytes(table: ColumnTable): Uint8Array {
  const columns = Object.fromEntries(
    table.columnNames().map((name) => {
      const values = Array.from(table.array(name) as Iterable<unknown>);
      const kinds = new Set(values.filter((value) => value !== null).map((value) => typeof value));
      return [name, kinds.size > 1 ? values.map((value) => (value === null ? null : JSON.stringify(value))) : values];
    }),
  );
  const bytes = makeTable(columns, table.columnNames()).toArrowIPC({ format: "file" });
  if (!bytes) throw new Error("Arquero gave no bytes for the table.");
  return bytes;
}
