/** Errors as a notebook shows them: stack traces with the lines and columns of the cells, without the kernel's own frames. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { textOf } from "../display/bundle.js";
import type { ErrorContent, Origin } from "./protocol.js";

interface Cell {
  origin: Origin;
  maps: string[];
  parsed?: SourceMap[];
}
const cells = new Map<string, Cell>();
/** Cells whose maps are kept; a stack trace through an older one shows lines of the compiled code. */
const cellLimit = 2000;

/** Remembers a cell's source maps under the name that stands in its stack frames. */
export function registerCell(name: string, origin: Origin, maps: string[]): void {
  cells.set(name, { origin, maps });
  if (cells.size > cellLimit) cells.delete(cells.keys().next().value as string);
}

/** The place in the cell for a place in its compiled code (both one-based). */
function originalPlace(cell: Cell, line: number, column: number): { line: number; column: number } {
  cell.parsed ??= cell.maps.map((map) => new SourceMap(JSON.parse(map) as SourceMapPayload));
  let place = { line: line - 1, column: column - 1 };
  for (const map of cell.parsed) {
    const entry = map.findEntry(place.line, place.column) as { originalLine?: number; originalColumn?: number };
    if (entry.originalLine === undefined || entry.originalColumn === undefined) break;
    place = { line: entry.originalLine, column: entry.originalColumn };
  }
  // The cell's file starts with one line of tslab's.
  return { line: Math.max(1, place.line), column: place.column + 1 };
}

const ownFrame = /[\\/]cells[\\/](host|display|widgets)[\\/]|^node:/;

function frameText(site: NodeJS.CallSite): string | undefined {
  const file = site.getFileName() ?? undefined;
  const cell = file === undefined ? undefined : cells.get(file);
  if (!cell) {
    const text = String(site);
    return file !== undefined && ownFrame.test(file) ? undefined : text;
  }
  const { line, column } = originalPlace(cell, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
  const name = site.getFunctionName();
  const place = `${file}:${line}:${column}`;
  const call = `${site.isAsync() ? "async " : ""}${site.isConstructor() ? "new " : ""}${name ?? ""}`;
  return name ? `${call} (${place})` : `${site.isAsync() ? "async " : ""}${place}`;
}

/** Makes `error.stack` speak of cells, wherever it is printed. */
export function installStackTraces(): void {
  Error.stackTraceLimit = 50;
  Error.prepareStackTrace = (error, sites) => {
    let head: string;
    try {
      head = String(error);
    } catch {
      head = "Error";
    }
    const frames = sites.map(frameText).filter((text) => text !== undefined);
    return [head, ...frames.map((text) => `    at ${text}`)].join("\n");
  };
}

const string = (value: unknown): string => {
  try {
    return String(value);
  } catch {
    return "[could not be printed]";
  }
};

/** Anything that was thrown, as a front end shows it; with the cell that it was thrown in, where the stack tells. */
export function errorContent(error: unknown): ErrorContent & { origin?: Origin } {
  let isError = false;
  let ename = "Error";
  let evalue = "";
  let stack = "";
  try {
    isError = error instanceof Error || Object.prototype.toString.call(error) === "[object Error]";
    if (isError) {
      const e = error as Error;
      ename = string(e.name || e.constructor?.name || "Error");
      evalue = string(e.message);
      stack = string(e.stack ?? "");
    }
  } catch {
    isError = false;
  }
  if (!isError) {
    const evalue = textOf(error);
    return { ename: "Thrown", evalue, traceback: [`Uncaught: ${evalue}`] };
  }
  const head = evalue === "" ? ename : `${ename}: ${evalue}`;
  if (stack === "") stack = head;
  const traceback = stack.split("\n");
  const more = causes(error as Error);
  const at = /\((cell \[\d+\]):|at (?:async )?(cell \[\d+\]):/.exec(stack);
  const origin = at ? cells.get(at[1] ?? at[2])?.origin : undefined;
  return { ename, evalue, traceback: [...traceback, ...more], ...(origin === undefined ? {} : { origin }) };
}

/** The causes of an error and the members of an AggregateError, as further lines. */
function causes(error: Error): string[] {
  const lines: string[] = [];
  try {
    let cause: unknown = error.cause;
    for (let depth = 0; cause !== undefined && depth < 5; depth++) {
      lines.push(
        ...`Caused by: ${cause instanceof Error ? (cause.stack ?? string(cause)) : textOf(cause)}`.split("\n"),
      );
      cause = cause instanceof Error ? cause.cause : undefined;
    }
    if (error instanceof AggregateError)
      for (const member of error.errors.slice(0, 10))
        lines.push(
          ...`One of ${error.errors.length}: ${member instanceof Error ? (member.stack ?? "") : textOf(member)}`.split(
            "\n",
          ),
        );
  } catch {
    // An error whose own properties throw is shown without them.
  }
  return lines;
}
