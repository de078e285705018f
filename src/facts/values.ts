/** Every number of data/published and data/hardware that could be another one: what to move when the question is what depends on it. */
import type { DataChange, Facts } from "./facts.js";

/** A published value, or a parameter of a host. */
export interface DataValue {
  /** "PE1", "H9[0]" for one of several, "hsw.mps" for a host's parameter. */
  id: string;
  kind: "published" | "parameter";
  /** Who reads it, as {@link Facts.noting} names it: the record's id or "hardware/hsw". */
  readAs: string;
  /** The number, or the numbers of a table, which are moved together. */
  values: readonly number[];
  unit: string;
  /** What it is, in words. */
  quantity: string;
  /** Why it cannot be moved by a share of itself. */
  fixed?: string;
  /** The figure multiplied. */
  times(factor: number): DataChange;
  /** The figure with another number in its place, where it is a single one. */
  instead(value: number): DataChange;
}

/** A list of more numbers than this is one figure: a table. */
const listedOneByOne = 6;

function numbersIn(value: unknown): number[] {
  if (typeof value === "number") return [value];
  return typeof value === "object" && value !== null ? Object.values(value).flatMap(numbersIn) : [];
}

function scaled(value: unknown, factor: number): unknown {
  if (typeof value === "number") return value * factor;
  if (Array.isArray(value)) return value.map((item) => scaled(item, factor));
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, scaled(item, factor)]));
}

function figureAt(
  about: Pick<DataValue, "id" | "kind" | "readAs" | "unit" | "quantity">,
  path: readonly (string | number)[],
  value: unknown,
): DataValue {
  const values = numbersIn(value);
  const fixed =
    values.length === 0
      ? "it is a text, not a number"
      : about.unit === "0 or 1" || about.unit === "socket number"
        ? "it is a choice, not a quantity"
        : values.every((number) => number === 0)
          ? "it is 0"
          : undefined;
  return {
    ...about,
    values,
    ...(fixed === undefined ? {} : { fixed }),
    times: (factor) => ({ path, value: scaled(value, factor) }),
    instead: (number) => ({ path, value: number }),
  };
}

interface RawRecord {
  id: string;
  quantity: string;
  unit: string;
  value: unknown;
}

/** Whether a figure is meant by a name or its beginning: "PE1" is PE1 and not PE11, "H9" is H9[0] to H9[2], "hsw.p" is hsw.postedData. */
export function isNamed(id: string, name: string): boolean {
  return name !== "" && id.startsWith(name) && !(/\d$/.test(name) && /^\d/.test(id.slice(name.length)));
}

/** Every number of data/published and data/hardware, in the order of the files. */
export function dataValues(facts: Facts): DataValue[] {
  const { published, hardware } = facts.files();
  const records = Object.entries(published).flatMap(([file, content]) =>
    (content as { records: RawRecord[] }).records.flatMap(({ id, quantity, unit, value }, i) => {
      const about = { kind: "published" as const, readAs: id, unit, quantity };
      const path = ["published", file, "records", i, "value"];
      const one = Array.isArray(value) && value.length <= listedOneByOne && value.every((v) => typeof v === "number");
      return one
        ? value.map((number, k) => figureAt({ ...about, id: `${id}[${k}]` }, [...path, k], number))
        : [figureAt({ ...about, id }, path, value)];
    }),
  );
  const parameters = Object.entries(hardware).flatMap(([file, content]) =>
    Object.entries((content as { values: Record<string, { value: number; unit: string; source: string }> }).values).map(
      ([field, { value, unit, source }]) =>
        figureAt(
          { id: `${file}.${field}`, kind: "parameter", readAs: `hardware/${file}`, unit, quantity: source },
          ["hardware", file, "values", field, "value"],
          value,
        ),
    ),
  );
  return [...records, ...parameters];
}
