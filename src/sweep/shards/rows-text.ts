import type { Row } from "../../experiments/index.js";

/** The numbers that JSON has not; a cell is never an object otherwise. */
const written: ReadonlyMap<string, number> = new Map([
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
]);

const nameOf = (value: number): string => (Object.is(value, -0) ? "-0" : String(value));
const isPlain = (value: unknown): boolean =>
  typeof value !== "number" || (Number.isFinite(value) && !Object.is(value, -0));

/**
 * Rows as a text that gives them back exactly, the numbers too that JSON has not.
 * @throws TypeError where a row holds what is no cell
 */
export function rowsText(rows: readonly Row[]): string {
  const cells = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row)
        .filter(([, value]) => value !== undefined)
        .map(([name, value]) => {
          if (value !== null && !["string", "number", "boolean"].includes(typeof value))
            throw new TypeError(`column ${name}: a ${typeof value}; expected a text, a number, true, false or null.`);
          return [name, isPlain(value) ? value : { number: nameOf(value as number) }];
        }),
    ),
  );
  return JSON.stringify(cells);
}

/** The rows of such a text; undefined where it is none. */
export function rowsOf(text: string): Row[] | undefined {
  let cells: unknown;
  try {
    cells = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (!Array.isArray(cells)) return undefined;
  const rows: Row[] = [];
  for (const row of cells) {
    if (typeof row !== "object" || row === null) return undefined;
    for (const [name, value] of Object.entries(row))
      if (typeof value === "object" && value !== null)
        row[name] = written.get(String((value as { number?: unknown }).number)) ?? null;
    rows.push(row as Row);
  }
  return rows;
}
