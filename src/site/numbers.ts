/**
 * Numbers in prose that hang on a run. A Markdown cell's metadata names them, each with the outputs that it comes from:
 *
 *     "iommu-lab": { "numbers": { "One igb card holds {32,776} maps": "table(560395ea7f5f, maps, driver=igb)" } }
 *
 * The key is a passage of the cell with its numbers in braces, in digits or words; the value says what they are, one expression a number:
 * arithmetic over `table(CELL, COLUMN, KEY=VALUE …)`, `point(CELL, TRACE, AT)` (a line's or bar's value; `TRACE@2` is the second of that
 * name), `map(CELL, COLUMN, ROW)` (a heat map's), `label(CELL, COLUMN, ROW)` (the number written into it), `text(CELL, 'before # after')`
 * (the number at the mark in what the cell shows; `_` is any word, `*` anything), `count(CELL, 'words')` and `rows(CELL)`. `<` or `>` before it says that the outputs' value is less or more than the number, `~20%` that they agree within so much.
 * A cell of another notebook is written 02-lock-contention:CELL.
 */
import { isCaption } from "./dress.js";
import { type CellOutput, joined, type Notebook } from "./notebook.js";
import { evaluated } from "./numbers/expression.js";
import { spoken } from "./numbers/spoken.js";
import { bundleOf, plotOf } from "./pages/figures.js";

/** A passage whose number is not what the outputs say. */
export interface WrongNumber {
  notebook: string;
  /** Position of the Markdown cell, counted from 1. */
  cell: number;
  /** The passage, with its numbers in braces. */
  says: string;
  /** What is wrong with it, in words. */
  problem: string;
}

/** A wrong number in one line. */
export function wrongNumberText({ notebook, cell, says, problem }: WrongNumber): string {
  return `${notebook}: cell ${cell}, prose: "${says}": ${problem}`;
}

const oneLine = (text: string): string => text.replace(/\s+/g, " ").trim();

/** The passages with numbers that a Markdown cell's metadata names. */
export function tiedNumbers(cell: { metadata: Record<string, unknown> }): Record<string, string | string[]> {
  const own = (cell.metadata["iommu-lab"] as { numbers?: unknown } | undefined)?.numbers;
  return typeof own === "object" && own !== null ? (own as Record<string, string | string[]>) : {};
}

/**
 * Holds every tied number of a notebook's prose against the notebook's outputs.
 * @param name the notebook's name, for the message
 * @param others further notebooks by name (without `.ipynb`), for numbers that come from their cells; what is not there is not checked
 */
export function checkNumbers(
  name: string,
  notebook: Notebook,
  others: ReadonlyMap<string, Notebook> = new Map(),
): WrongNumber[] {
  return notebook.cells.flatMap((cell, i) => {
    if (cell.cell_type !== "markdown") return [];
    const text = oneLine(joined(cell.source));
    return Object.entries(tiedNumbers(cell)).flatMap(([says, expressions]) =>
      problemsOf(text, says, [expressions].flat(), notebook, others).map((problem) => ({
        notebook: name,
        cell: i + 1,
        says,
        problem,
      })),
    );
  });
}

function problemsOf(
  text: string,
  says: string,
  expressions: readonly string[],
  notebook: Notebook,
  others: ReadonlyMap<string, Notebook>,
): string[] {
  const passage = oneLine(says.replace(/[{}]/g, ""));
  const places = text.split(passage).length - 1;
  if (places !== 1) return [`stands ${places} times in the cell; expected once`];
  const numbers = [...says.matchAll(/\{([^{}]*)\}/g)].map(([, number]) => number);
  if (numbers.length !== expressions.length || numbers.length === 0)
    return [`${numbers.length} numbers in braces for ${expressions.length} expressions`];
  return numbers.flatMap((number, i) => {
    try {
      return disagreement(number, expressions[i], new Outputs(notebook, others)) ?? [];
    } catch (error) {
      return error instanceof NotHere ? [] : [`${expressions[i]}: ${(error as Error).message}`];
    }
  });
}

function disagreement(number: string, expression: string, outputs: Outputs): string | undefined {
  const said = spoken(number);
  if (said === undefined) return `"${number}" is no number that is understood`;
  const [, relation = "", rest] = /^\s*([<>]|~[\d.]+%)?(.*)$/s.exec(expression)!;
  const value = evaluated(rest, outputs);
  const now = Number(value.toPrecision(4)).toLocaleString("en");
  if (relation === "<") return value < said.value ? undefined : `expected less than ${number}; the outputs say ${now}`;
  if (relation === ">") return value > said.value ? undefined : `expected more than ${number}; the outputs say ${now}`;
  const within = relation === "" ? said.within : (Math.abs(said.value) * Number(relation.slice(1, -1))) / 100;
  return Math.abs(value - said.value) <= within + 1e-9 * Math.abs(value)
    ? undefined
    : `"${number}" in the text; the outputs say ${now}`;
}

/** A cell of a notebook that was not given. */
class NotHere extends Error {}

const numberPattern = "([-−+]?\\d[\\d,]*(?:\\.\\d+)?(?:e[-+]?\\d+)?)";

/** What the expressions ask of a notebook's outputs. Errors say what was looked for. */
class Outputs {
  constructor(
    private readonly notebook: Notebook,
    private readonly others: ReadonlyMap<string, Notebook>,
  ) {}

  ask(name: string, args: readonly string[]): number {
    const outputs = this.outputsOf(args[0] ?? "");
    if (name === "table") return tableValue(outputs, args[1] ?? "", args.slice(2));
    if (name === "rows") return Math.max(...outputs.flatMap(tablesOf).map(({ rows }) => rows.length));
    if (name === "point") return pointValue(outputs, args[1] ?? "", args[2] ?? "");
    if (name === "map") return mapValue(outputs, args[1] ?? "", args[2] ?? "");
    if (name === "label") return labelValue(outputs, args[1] ?? "", args[2] ?? "");
    if (name === "text") return textValue(outputs, args[1] ?? "");
    if (name === "count") return textOf(outputs).split(oneLine(args[1] ?? "")).length - 1;
    throw new Error(`there is no ${name}(); expected table, rows, point, map, label, text or count`);
  }

  private outputsOf(place: string): CellOutput[] {
    const [id, other] = place.split(":").reverse();
    const notebook = other === undefined ? this.notebook : this.others.get(other);
    if (!notebook) throw new NotHere();
    const cell = notebook.cells.find((cell) => cell.id === id);
    if (cell?.cell_type !== "code") throw new Error(`there is no code cell "${id}"`);
    return cell.outputs.filter((output) => !isCaption(output));
  }
}

interface Table {
  columns: string[];
  rows: string[][];
}

const plain = (html: string): string =>
  oneLine(
    html
      .replace(/<[^>]*>/g, " ")
      .replace(/&#(\d+);/g, (_, code: string) => String.fromCharCode(Number(code)))
      .replace(/&lt;/g, "<")
      .replace(/&gt;/g, ">")
      .replace(/&quot;/g, '"')
      .replace(/&nbsp;/g, " ")
      .replace(/&amp;/g, "&"),
  );

function tablesOf(output: CellOutput): Table[] {
  const html = bundleOf(output)["text/html"];
  if (typeof html !== "string" && !Array.isArray(html)) return [];
  return [...joined(html as string | string[]).matchAll(/<table.*?<\/table>/gs)].map(([table]) => {
    const rows = [...table.matchAll(/<tr.*?<\/tr>/gs)].map(([row]) =>
      [...row.matchAll(/<(?:td|th)[^>]*>(.*?)<\/(?:td|th)>/gs)].map(([, cell]) => plain(cell)),
    );
    return { columns: rows[0] ?? [], rows: rows.slice(1) };
  });
}

/** A table's cell against what is asked for; commas count for nothing, since thousands may stand apart. */
const sameValue = (cell: string, wanted: string): boolean => cell.replaceAll(",", "") === wanted.replaceAll(",", "");

function tableValue(outputs: CellOutput[], column: string, where: readonly string[]): number {
  for (const { columns, rows } of outputs.flatMap(tablesOf)) {
    const place = (name: string) => {
      const exact = columns.indexOf(name);
      return exact >= 0 ? exact : columns.findIndex((own) => own.startsWith(name));
    };
    const wanted = where.map((condition) => {
      const [name, ...value] = condition.split("=");
      return { at: place(name.trim()), value: value.join("=").trim() };
    });
    const at = place(column);
    if (at < 0 || wanted.some((condition) => condition.at < 0)) continue;
    const row = rows.find((cells) => wanted.every((condition) => sameValue(cells[condition.at], condition.value)));
    const found = row && new RegExp(numberPattern).exec(row[at]);
    if (found) return numberOf(found[1]);
  }
  throw new Error(`no table has a number in "${column}" where ${where.join(", ") || "anything"}`);
}

interface Trace {
  name?: unknown;
  x?: unknown[];
  y?: unknown[];
  z?: unknown[][];
  text?: unknown[][];
}
const tracesOf = (outputs: CellOutput[]): Trace[] =>
  outputs.flatMap((output) => (plotOf(output)?.data ?? []) as unknown as Trace[]);
const is = (value: unknown, wanted: string): boolean =>
  typeof value === "number"
    ? value === Number(wanted)
    : String(value)
        .replace(/<[^>]*>/g, " ")
        .replace(/\s+/g, " ")
        .trim() === wanted;

function pointValue(outputs: CellOutput[], trace: string, at: string): number {
  const [wanted, nth = "1"] = trace.split("@");
  const named = tracesOf(outputs).filter(({ name }) => is(name ?? "", wanted));
  for (const { x = [], y = [] } of named.slice(Number(nth) - 1)) {
    const inX = x.findIndex((value) => is(value, at));
    if (inX >= 0 && typeof y[inX] === "number") return y[inX] as number;
    const inY = y.findIndex((value) => is(value, at));
    if (inY >= 0 && typeof x[inY] === "number") return x[inY] as number;
  }
  throw new Error(`no trace "${trace}" has a point at ${at}`);
}

/** What lies in a heat map's cell, in one of its grids. */
function inMap(outputs: CellOutput[], grid: "z" | "text", column: string, row: string): unknown {
  for (const trace of tracesOf(outputs)) {
    const { x = [], y = [], z } = trace;
    const [i, k] = [y.findIndex((name) => is(name, row)), x.findIndex((name) => is(name, column))];
    if (z && i >= 0 && k >= 0) return (trace[grid] as unknown[][] | undefined)?.[i]?.[k];
  }
  throw new Error(`no map has a cell at ${column}, ${row}`);
}

function mapValue(outputs: CellOutput[], column: string, row: string): number {
  const value = inMap(outputs, "z", column, row);
  if (typeof value !== "number") throw new Error(`no number lies at ${column}, ${row}`);
  return value;
}

function labelValue(outputs: CellOutput[], column: string, row: string): number {
  const found = new RegExp(numberPattern).exec(String(inMap(outputs, "text", column, row)));
  if (!found) throw new Error(`no number is written at ${column}, ${row}`);
  return numberOf(found[1]);
}

function textOf(outputs: CellOutput[]): string {
  return oneLine(
    outputs
      .map((output) => {
        const bundle = bundleOf(output);
        const told = bundle["text/plain"] ?? bundle["text/markdown"] ?? (output as { text?: unknown }).text ?? "";
        return joined(told as string | string[]);
      })
      .join("\n"),
  );
}

function textValue(outputs: CellOutput[], pattern: string): number {
  const source = oneLine(pattern)
    .replace(/[.+?^${}()|[\]\\]/g, "\\$&")
    .replaceAll("*", ".*?")
    .replace(/(?<![A-Za-z])_(?![A-Za-z])/g, "\\S+")
    .replaceAll("#", numberPattern);
  const found = new RegExp(source).exec(textOf(outputs));
  if (!found) throw new Error(`"${pattern}" does not stand in what the cell shows`);
  return numberOf(found[1]);
}

function numberOf(text: string): number {
  return Number(text.replaceAll(",", "").replace("−", "-"));
}
