/**
 * Arquero tables as HTML tables: column names with type and unit, the first rows, and how many there are in all.
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

/** A number with at most six significant digits, or all digits of an integer. */
function numberText(value: number): string {
  if (!Number.isFinite(value)) return String(value);
  if (Number.isInteger(value) && Math.abs(value) < 1e15) return String(value);
  return String(Number(value.toPrecision(6)));
}

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return numberText(value);
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

/** The table as HTML and as text. */
export function tableBundle(table: TableLike): MimeBundle {
  const all = table.columnNames();
  const names = all.slice(0, columnLimit);
  const rows = table.objects({ limit: rowLimit });
  const count = table.numRows();
  const units = ((table as unknown as Record<symbol, unknown>)[unitsKey] ?? {}) as Record<string, string>;
  const types = names.map((name) => typeOf(rows, name));
  const summary = [
    `${plural(count, "row")} × ${plural(all.length, "column")}`,
    ...(count > rows.length ? [`the first ${rows.length} rows shown`] : []),
    ...(all.length > names.length ? [`the first ${names.length} columns shown`] : []),
  ].join(", ");

  const align = (i: number) => (types[i] === "number" || types[i] === "bigint" ? "right" : "left");
  const head = names.map((name, i) => {
    const unit = units[name] ? ` (${escapeHtml(units[name])})` : "";
    return `<th style="text-align:${align(i)}">${escapeHtml(name)}${unit}<br><small style="font-weight:normal;opacity:.7">${types[i]}</small></th>`;
  });
  const body = rows.map(
    (row) =>
      `<tr>${names.map((name, i) => `<td style="text-align:${align(i)}">${escapeHtml(cellText(row[name]))}</td>`).join("")}</tr>`,
  );
  // JupyterLab's extension of src/lab sorts such a table by a click on a header; the sanitizer leaves the class to untrusted notebooks.
  const html = `<table class="iommu-lab-table" data-iommu-lab-table><thead><tr>${head.join("")}</tr></thead><tbody>${body.join("")}</tbody></table><p><small>${summary}</small></p>`;

  const header = names.map((name) => (units[name] ? `${name} (${units[name]})` : name));
  const lines = [header, ...rows.map((row) => names.map((name) => cellText(row[name])))];
  const widths = names.map((_, i) => Math.min(40, Math.max(...lines.map((line) => line[i].length))));
  const pad = (text: string, i: number) => {
    const short = text.length > widths[i] ? `${text.slice(0, widths[i] - 1)}…` : text;
    return align(i) === "right" ? short.padStart(widths[i]) : short.padEnd(widths[i]);
  };
  const text = [...lines.map((line) => line.map(pad).join("  ").trimEnd()), summary].join("\n");
  return { "text/html": html, "text/plain": text };
}
