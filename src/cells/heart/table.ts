/**
 * Arquero tables, and lists of plain records, as HTML tables: column names in words with their units, the first rows, and how many there are
 * in all. Columns without any value are left out, and named below the table.
 * Units are read from the table's property `Symbol.for("iommu-lab.units")`, a record of unit by column, as every experiment attaches it.
 */
import type { MimeBundle } from "./mime.js";

/** What is used of an Arquero table, so that any version of it, loaded by whichever module, is shown. */
interface TableLike {
  numRows(): number;
  numCols(): number;
  columnNames(): string[];
  objects(options: { limit: number }): Record<string, unknown>[];
}

const unitsKey = Symbol.for("iommu-lab.units");
/** Rows and columns that are shown at most. */
const rowLimit = 20;
const columnLimit = 30;

/** Whether a value is an Arquero table (or looks like one in every method used here). */
export function isTable(value: unknown): value is TableLike {
  if (typeof value !== "object" || value === null) return false;
  const t = value as Record<string, unknown>;
  return ["numRows", "numCols", "columnNames", "objects"].every((name) => typeof t[name] === "function");
}

const escapeHtml = (text: string): string =>
  text.replace(/[&<>"']/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" })[c]!);

/** An integer with its thousands apart, as in the prose: 4,096, 32,776. */
const grouped = (value: number): string => value.toLocaleString("en-US");

/** Significant digits of a number that stands alone, and of the largest of a column. */
const digits = 4;
/** Significant digits that a column's smaller numbers keep at least. */
const leastDigits = 2;

/**
 * A number to be read: all digits of an integer; of others four that mean something.
 * @param decimals decimals that the column shows; a number that would lose its meaning by them keeps two digits of its own
 */
function numberText(value: number, decimals?: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value)) return Math.abs(value) < 1e15 ? grouped(value) : String(value);
  if (Math.abs(value) >= 1000) return grouped(Math.round(value));
  const own = Number(value.toPrecision(digits));
  if (decimals === undefined) return String(own);
  const cut = Number(own.toFixed(decimals));
  return String(Math.abs(own) < 10 ** (leastDigits - 1 - decimals) ? Number(own.toPrecision(leastDigits)) : cut);
}

/** Decimals of a column of numbers: as many as its largest one shows. */
function decimalsOf(values: readonly unknown[]): number | undefined {
  const sizes = values.flatMap((value) => (typeof value === "number" && Number.isFinite(value) ? Math.abs(value) : []));
  const largest = Math.max(0, ...sizes);
  if (largest === 0) return undefined;
  const whole = largest < 1 ? 1 : String(Math.floor(largest)).length;
  return Math.max(0, digits - whole);
}

/** Units whose numbers are names: a year's thousands stand together. */
const numbersAreNames = new Set(["year"]);

/** A column's name in words: "neverUnmapped" as "never unmapped"; names that are no identifiers stay. */
function inWords(name: string): string {
  if (!/^[a-z][A-Za-z0-9]*$/.test(name)) return name;
  return name.replace(
    /([a-z0-9])([A-Z])(?![A-Z])/g,
    (_, before: string, letter: string) => `${before} ${letter.toLowerCase()}`,
  );
}

function cellText(value: unknown, column: { name?: boolean; decimals?: number | undefined } = {}): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return column.name ? String(value) : numberText(value, column.decimals);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  if (typeof value === "object") {
    try {
      return JSON.stringify(value, (_, v: unknown) => (typeof v === "bigint" ? `${v}n` : v)) ?? String(value);
    } catch {
      return Object.prototype.toString.call(value);
    }
  }
  return String(value);
}

/** The type of a column, by the first of its shown values that is not missing. */
function typeOf(rows: Record<string, unknown>[], name: string): string {
  const value = rows.find((row) => row[name] !== null && row[name] !== undefined)?.[name];
  if (value === undefined) return "";
  if (value instanceof Date) return "date";
  if (Array.isArray(value)) return "array";
  return typeof value;
}

const plural = (n: number, word: string): string => `${n.toLocaleString("en-US")} ${word}${n === 1 ? "" : "s"}`;

/** Longer lists are no tables to look at: finding out whether all of it are records would take longer than showing it. */
const longestList = 10_000;

/** A list of plain records with the same columns and short values, as a table; undefined for every other value. */
export function recordsAsTable(value: unknown): TableLike | undefined {
  if (!Array.isArray(value) || value.length === 0 || value.length > longestList) return undefined;
  const names = isRecord(value[0]) ? Object.keys(value[0]) : [];
  if (names.length === 0 || names.length > columnLimit) return undefined;
  const alike = value.every(
    (row) =>
      isRecord(row) && Object.keys(row).join("\0") === names.join("\0") && names.every((name) => isShort(row, name)),
  );
  if (!alike) return undefined;
  return {
    numRows: () => value.length,
    numCols: () => names.length,
    columnNames: () => names,
    objects: ({ limit }) => value.slice(0, limit) as Record<string, unknown>[],
  };
}

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.getPrototypeOf(value) === Object.prototype;

/** A value that a cell of a table can show whole; what a getter would compute is not asked for. */
function isShort(row: Record<string, unknown>, name: string): boolean {
  const property = Object.getOwnPropertyDescriptor(row, name);
  if (!property || !("value" in property)) return false;
  const { value } = property;
  return value === null || value === undefined || ["number", "string", "boolean", "bigint"].includes(typeof value);
}

/** The table as HTML and as text. */
export function tableBundle(table: TableLike): MimeBundle {
  const every = table.columnNames();
  const rows = table.objects({ limit: rowLimit });
  const count = table.numRows();
  const isEmpty = (name: string) =>
    rows.length > 0 &&
    count === rows.length &&
    rows.every((row) => row[name] === null || row[name] === undefined || row[name] === "");
  const empty = every.filter(isEmpty);
  const all = empty.length === every.length ? every : every.filter((name) => !empty.includes(name));
  const names = all.slice(0, columnLimit);
  const units = ((table as unknown as Record<symbol, unknown>)[unitsKey] ?? {}) as Record<string, string>;
  const types = names.map((name) => typeOf(rows, name));
  const summary = [
    `${plural(count, "row")} × ${plural(every.length, "column")}`,
    ...(count > rows.length ? [`the first ${rows.length} rows shown`] : []),
    ...(all.length < every.length ? [`without values: ${empty.join(", ")}`] : []),
    ...(all.length > names.length ? [`the first ${names.length} columns shown`] : []),
  ].join(", ");

  const columns = names.map((name) => ({
    name: numbersAreNames.has(units[name] || name),
    // Numbers of one unit are compared down the column; others stand alone.
    decimals: units[name] ? decimalsOf(rows.map((row) => row[name])) : undefined,
  }));
  const texts = rows.map((row) => names.map((name, i) => cellText(row[name], columns[i])));

  const align = (i: number) => (types[i] === "number" || types[i] === "bigint" ? "right" : "left");
  const head = names.map((name, i) => {
    const unit = units[name] ? ` (${escapeHtml(units[name])})` : "";
    return `<th style="text-align:${align(i)}" title="${escapeHtml(name)}">${escapeHtml(inWords(name))}${unit}</th>`;
  });
  const body = texts.map(
    (row) => `<tr>${row.map((text, i) => `<td style="text-align:${align(i)}">${escapeHtml(text)}</td>`).join("")}</tr>`,
  );
  // JupyterLab's extension of src/lab sorts such a table by a click on a header; the sanitizer leaves the class to untrusted notebooks.
  const html = `<table class="iommu-lab-table" data-iommu-lab-table><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table><p><small>${summary}</small></p>`;

  const header = names.map((name) => (units[name] ? `${name} (${units[name]})` : name));
  const lines = [header, ...texts];
  const widths = names.map((_, i) => Math.min(40, Math.max(...lines.map((line) => line[i].length))));
  const pad = (text: string, i: number) => {
    const short = text.length > widths[i] ? `${text.slice(0, widths[i] - 1)}…` : text;
    return align(i) === "right" ? short.padStart(widths[i]) : short.padEnd(widths[i]);
  };
  const text = [...lines.map((line) => line.map(pad).join("  ").trimEnd()), summary].join("\n");
  return { "text/html": html, "text/plain": text };
}
