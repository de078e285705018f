import { type ColumnTable, table } from "arquero";
import type { z } from "zod";
import type { Interval } from "../../engine/index.js";
import { type Basis, basisOf, Facts } from "../../facts/index.js";
import type { Figure } from "../../plot/index.js";
import type { ClaimResult } from "./claim.js";
import { displayable } from "./claim-display.js";
import type { Column } from "./column.js";
import { ConfigError } from "./config-error.js";
import { fieldsOf } from "./fields.js";
import { pointsOfHost, type RememberedPoints, withRemembered } from "./remembered.js";
import type { Row } from "./row.js";
import type { ColumnName } from "./rows.js";

export type { Interval } from "../../engine/index.js";
export type { Claim, ClaimResult } from "./claim.js";
export type { Column } from "./column.js";
export { ConfigError } from "./config-error.js";
export type { Row } from "./row.js";

/** A simulated value beside a published one of a table, of which no sentence says anything. */
export interface Comparison {
  /** Record and place: "P_HSW_rd_rnd_64_4k 1024K". */
  id: string;
  factId: string;
  published: number;
  simulated: Interval & { unit: string };
  use: "calibration" | "prediction";
}

/** Makes a figure of an experiment's rows. (A method's type, so that an experiment whose rows are known stands where any may.) */
export type FigureMaker<R extends Row, C> = {
  /** Makes the figure. */
  make(rows: readonly R[], config: C, basis: Basis): Figure;
}["make"];

/** Hears how far a run has come. */
export type ProgressListener = (done: number, total: number, label: string) => void;

/** A number that a run comes down to, for a sensitivity analysis. */
export interface Output<R extends Row = Row> {
  unit: string;
  /** What it is, as the title of an axis: "share of the lost throughput that merging gives back". */
  description: string;
  /** @throws Error where the rows do not hold it, saying what they need */
  of(rows: readonly R[]): number;
}

/** What every experiment's file hands to {@link defineExperiment}. */
export interface ExperimentSpec<S extends z.ZodType, P, R extends Row = Row> {
  /** The name on the command line: "lock-contention". */
  name: string;
  /** Where it stands in lists: the notebook that reads it, and its place there. Without it, at the end. */
  place?: readonly [notebook: number, place: number];
  title: string;
  /** The question it answers, in one sentence. */
  question: string;
  /**
   * The configuration: every field with a default, a `.describe()` that names its unit, and bounds. A function where defaults or bounds
   * follow from the facts.
   */
  config: S | ((facts: Facts) => S);
  /** The independent pieces of work of a configuration: plain JSON, so that a worker can take one. */
  points(config: z.output<S>, basis: Basis): P[];
  /** A short name for a point, shown with the progress. */
  label(point: P): string;
  /** Runs one point. Pure and synchronous: same point and same facts, same rows. */
  simulate(point: P, basis: Basis): R[];
  /** Every column of the rows, and no other. */
  columns: Readonly<Record<ColumnName<R>, Column>>;
  /** The figures by name, each made from the rows. */
  figures: Readonly<Record<string, FigureMaker<R, z.output<S>>>>;
  /** The numbers that a sensitivity analysis can watch, by name. */
  outputs?: Record<string, Output<R>>;
  /** What the rows say about the claims that this experiment answers. */
  claims(rows: readonly R[], config: z.output<S>, facts: Facts): ClaimResult[];
  /** What one run comes down to, by name, where designs of data/designs draw the configuration: the numbers that claims are judged by. */
  quantities?(rows: readonly R[]): Record<string, number>;
  /** Published tables that the rows are compared with, value by value, where the experiment has such. */
  compared?(rows: readonly R[], facts: Facts): Comparison[];
}

/** The result of a run: its table, figures and claims. */
export interface Run<out C, out R extends Row = Row> {
  config: C;
  rows: readonly R[];
  /** The rows as an Arquero table; units are shown in its header. */
  table: ColumnTable;
  /** A figure by name; the experiment lists the names. */
  figure(name: string): Figure;
  claims: ClaimResult[];
}

/** Options of a run that do not change its result. */
export interface RunOptions {
  /** What the run rests on (default: the published facts, and a memo of its own). */
  basis?: Basis;
  onProgress?: ProgressListener;
  signal?: AbortSignal;
  /** Points that were computed before (default: what a notebook's kernel offers); false computes them all. */
  remembered?: RememberedPoints | false;
}

/**
 * An experiment, ready to run. (`out` says what the compiler would find out itself, for each cell of a notebook anew.)
 */
export interface Experiment<out S extends z.ZodType, out P = unknown, out R extends Row = Row>
  extends Omit<ExperimentSpec<S, P, R>, "points" | "simulate" | "claims" | "compared" | "quantities"> {
  /** The independent pieces of work of a configuration; like the others below, with the published facts where none are given. */
  points(config: z.output<S>, basis?: Basis): P[];
  /** The rows of one point. */
  simulate(point: P, basis?: Basis): R[];
  /** What rows say about the claims that this experiment answers. */
  claims(rows: readonly R[], config: z.output<S>, facts?: Facts): ClaimResult[];
  /** Published tables beside the rows, value by value, where the experiment has such. */
  compared?(rows: readonly R[], facts?: Facts): Comparison[];
  /** What one run comes down to, by name: the numbers that claims are judged by, where a design draws the configuration. */
  quantities?(rows: readonly R[]): Record<string, number>;
  /** The schema of its configuration (default: with the published facts). */
  schema(facts?: Facts): S;
  /**
   * Runs every point, one after another, letting the event loop turn between points so that progress shows and an interrupt arrives.
   * @throws ConfigError naming the field, the value and what is accepted, before anything runs.
   */
  run(config?: z.input<S>, options?: RunOptions): Promise<Run<z.output<S>, R>>;
  /** The configuration with its defaults filled in, or a ConfigError. */
  parse(config?: z.input<S>, facts?: Facts): z.output<S>;
  /** The same for many configurations: the schema is made once. */
  parser(facts?: Facts): (config?: z.input<S>) => z.output<S>;
  /** The result object for rows that were computed elsewhere. */
  collect(config: z.output<S>, rows: readonly R[], basis?: Basis): Run<z.output<S>, R>;
}

/** The units of a table's columns, read by the notebook's display. @public */
export const unitsKey: symbol = Symbol.for("iommu-lab.units");

/**
 * An Arquero table of the rows, with the units of its columns attached for display. Tables made from it (select, filter, orderby, rename …)
 * keep the units of the columns that they take over unchanged; a derived column has none.
 * @param columns the columns to take, with their units; or only units by name (a column that is not named has none): then all columns
 * @example tableOf([{ driver: "igb", lifetime: 84.2 }], { lifetime: "ms" })
 */
export function tableOf(
  rows: readonly Row[],
  columns: Record<string, Column> | Record<string, string> = {},
): ColumnTable {
  const told = Object.entries(columns).map(([name, of]) => [name, typeof of === "string" ? of : of.unit] as const);
  const unitOf = new Map(told);
  const unitsOnly = Object.values(columns).every((of) => typeof of === "string");
  const all = unitsOnly ? [...new Set(rows.flatMap((row) => Object.keys(row)))] : [...unitOf.keys()];
  // A column that no row has is another configuration's.
  const names = all.filter((name) => rows.length === 0 || rows.some((row) => row[name] !== undefined));
  const result = table(Object.fromEntries(names.map((name) => [name, rows.map((row) => row[name] ?? null)])), names);
  return withUnits(result, Object.fromEntries(names.map((name) => [name, unitOf.get(name) ?? ""])));
}

/** Every verb of Arquero makes its table by `create`, and shares the columns that it does not change. */
function withUnits(result: ColumnTable, units: Readonly<Record<string, string>>): ColumnTable {
  const columnsOf = (t: ColumnTable) => t.data() as Record<string, object>;
  const unitOf = new Map(Object.entries(columnsOf(result)).map(([name, column]) => [column, units[name] ?? ""]));
  const { create } = result as unknown as { create(options: object): ColumnTable };
  return Object.defineProperties(result, {
    [unitsKey]: { value: units },
    create: {
      value: (options: object) => {
        const made = create.call(result, options);
        const own = Object.entries(columnsOf(made)).map(([name, column]) => [name, unitOf.get(column) ?? ""]);
        return withUnits(made, Object.fromEntries(own) as Record<string, string>);
      },
    },
  });
}

/** What the input holds at a path, and the part of the path that the input has: a single value may stand for a list. */
function valueAt(root: unknown, path: readonly PropertyKey[]): { value: unknown; field: string } {
  let value: unknown = root;
  const known: PropertyKey[] = [];
  for (const key of path) {
    if (known.length > 0 && value !== undefined && (typeof value !== "object" || value === null)) break;
    value = value == null ? undefined : (value as Record<PropertyKey, unknown>)[key];
    known.push(key);
  }
  return { value, field: known.length > 0 ? known.join(".") : "the configuration" };
}

/** An issue of a configuration in one line: the field, what is accepted, the value. */
function issueText(config: z.ZodType, input: unknown, issue: z.core.$ZodIssue): string {
  const { value, field } = valueAt(input, issue.path);
  if (issue.code === "unrecognized_keys") {
    const inside = issue.path.length > 0 ? `${issue.path.join(".")}.` : "";
    const known = fieldsOf(config).map(({ path }) => path);
    const names = issue.keys.map((key) => `"${inside}${key}"`).join(", ");
    return `  there is no field ${names}; the fields are ${known.join(", ")}`;
  }
  // A schema's own words name what is accepted; zod's do not always.
  const path = issue.path.filter((key) => typeof key === "string").join(".");
  const accepts = fieldsOf(config).find((one) => one.path === path)?.accepts;
  const more = accepts !== undefined && /^(Invalid|Too) (?!.*one of)/.test(issue.message) ? `; accepts ${accepts}` : "";
  return `  ${field}: ${issue.message}${more}${value === undefined ? "" : ` (got ${JSON.stringify(value)})`}`;
}

/**
 * Makes an experiment of its parts. Its rows have a type (`R`, a type alias): a figure or a claim that reads a column that there is not does
 * not compile.
 */
export function defineExperiment<S extends z.ZodType, P, R extends Row = Row>(
  spec: ExperimentSpec<S, P, R>,
): Experiment<S, P, R> {
  const schema = (facts = Facts.published()): S =>
    typeof spec.config === "function" ? (spec.config as (facts: Facts) => S)(facts) : (spec.config as S);
  const parser = (facts?: Facts): ((config?: z.input<S>) => z.output<S>) => {
    const fields = schema(facts);
    return (config) => {
      const input = config ?? {};
      const parsed = fields.safeParse(input);
      if (parsed.success) return parsed.data;
      const lines = parsed.error.issues.map((issue) => issueText(fields, input, issue));
      throw new ConfigError(`${spec.name}: the configuration is not valid\n${lines.join("\n")}`);
    };
  };
  const parse = (config?: z.input<S>, facts?: Facts): z.output<S> => parser(facts)(config);
  const collect = (
    config: z.output<S>,
    rows: readonly R[],
    basis = basisOf(Facts.published()),
  ): Run<z.output<S>, R> => {
    let claims: ClaimResult[] | undefined;
    const run: Run<z.output<S>, R> = {
      config,
      rows,
      table: tableOf(rows, spec.columns),
      figure: (name) => {
        const make = spec.figures[name];
        if (!make)
          throw new Error(`${spec.name} has no figure "${name}"; it has ${Object.keys(spec.figures).join(", ")}.`);
        return make(rows, config, basis);
      },
      // When they are asked for: judging reads the draws of designs, which takes longer than all the rest of a run whose points are remembered.
      get claims() {
        return (claims ??= displayable(spec.claims(rows, config, basis.facts)));
      },
    };
    return Object.defineProperty(run, Symbol.for("nodejs.util.inspect.custom"), { value: () => ({ ...run }) });
  };
  const { compared, ...rest } = spec;
  const experiment: Experiment<S, P, R> = {
    ...rest,
    points: (config, basis = basisOf(Facts.published())) => spec.points(config, basis),
    simulate: (point, basis = basisOf(Facts.published())) => spec.simulate(point, basis),
    claims: (rows, config, facts = Facts.published()) => spec.claims(rows, config, facts),
    ...(compared ? { compared: (rows: readonly R[], facts = Facts.published()) => compared(rows, facts) } : {}),
    schema,
    parse,
    parser,
    collect,
    async run(input, options = {}) {
      const { basis = basisOf(Facts.published()) } = options;
      const config = parse(input, basis.facts);
      // Before the points are made: what these are computed from may be remembered as well.
      const remembered = options.remembered ?? (await pointsOfHost());
      const points = spec.points(config, basis);
      const rows: R[] = [];
      let known = 0;
      for (const [i, point] of points.entries()) {
        options.signal?.throwIfAborted();
        options.onProgress?.(i, points.length, withRemembered(spec.label(point), known));
        const before = remembered ? remembered.get(experiment, point, basis.facts) : undefined;
        if (before) {
          rows.push(...(before as R[]));
          // Turns of the event loop cost more than a point that is remembered: one for many of them.
          if (++known % 50 > 0) continue;
        } else if (remembered) {
          const reads = new Set<string>();
          const own = spec.simulate(point, { ...basis, facts: basis.facts.noting((name) => reads.add(name)) });
          remembered.put(experiment, point, basis.facts, own, reads);
          rows.push(...own);
        } else rows.push(...spec.simulate(point, basis));
        await new Promise((resolve) => setTimeout(resolve, 0));
      }
      options.onProgress?.(points.length, points.length, "done");
      return collect(config, rows, basis);
    },
  };
  return experiment;
}
