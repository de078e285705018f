/** Errors as a notebook shows them: stack traces with the lines and columns of the cells, without the kernel's own frames. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { textOf } from "../display/bundle.js";
import { mark } from "../heart/rewrite.js";
import type { ErrorContent, Origin } from "./protocol.js";

interface Source {
  /** The cell; undefined for a local module. */
  origin: Origin | undefined;
  map: string;
  parsed?: SourceMap;
}
const sources = new Map<string, Source>();
/** Sources whose maps are kept; a stack trace through an older one shows lines of the compiled code. */
const sourceLimit = 2000;

/**
 * Remembers the source map of a cell, under the name that stands in its stack frames, or of a local module, under its path.
 * @param origin the cell's request
 */
export function registerSource(name: string, map: string, origin?: Origin): void {
  sources.delete(name);
  sources.set(name, { origin, map });
  if (sources.size > sourceLimit) sources.delete(sources.keys().next().value as string);
}

/** The place in the source for a place in its compiled code (both one-based). */
function originalPlace(source: Source, line: number, column: number): { line: number; column: number } {
  if (source.map === "") return { line, column };
  source.parsed ??= new SourceMap(JSON.parse(source.map) as SourceMapPayload);
  const entry = source.parsed.findEntry(line - 1, column - 1) as { originalLine?: number; originalColumn?: number };
  if (entry.originalLine === undefined || entry.originalColumn === undefined) return { line, column };
  return { line: entry.originalLine + 1, column: entry.originalColumn + 1 };
}

/** A message of the engine about compiled code, with the names of the cell. */
function plainNames(text: string): string {
  return text.includes(mark) ? text.replace(calls, "$1").replace(uses, "$1") : text;
}
const calls = new RegExp(`\\(0 ?, ([\\p{L}\\p{Nl}\\w$]+)${mark}\\.v\\)`, "gu");
const uses = new RegExp(`([\\p{L}\\p{Nl}\\w$]+)${mark}(\\.[vic]\\b)?`, "gu");

const ownFrame = /[\\/]cells[\\/](heart|host|display|widgets)[\\/]|^node:/;

function frameText(site: NodeJS.CallSite): string | undefined {
  const file = site.getFileName() ?? undefined;
  const source = file === undefined ? undefined : sources.get(file);
  if (!source) {
    const text = String(site);
    return file !== undefined && ownFrame.test(file) ? undefined : text;
  }
  const { line, column } = originalPlace(source, site.getLineNumber() ?? 1, site.getColumnNumber() ?? 1);
  const name = site.getFunctionName();
  const place = `${file}:${line}:${column}`;
  const call = `${site.isAsync() ? "async " : ""}${site.isConstructor() ? "new " : ""}${name ?? ""}`;
  return name ? `${call} (${place})` : `${site.isAsync() ? "async " : ""}${place}`;
}

/** The first line of a stack: what any object with a name and a message is called, as V8 does it. */
function headOf(error: unknown): string {
  try {
    const { name, message } = error as { name?: unknown; message?: unknown };
    const first = name === undefined ? "Error" : String(name);
    const second = message === undefined ? "" : String(message);
    return first === "" ? second : second === "" ? first : `${first}: ${second}`;
  } catch {
    return "Error";
  }
}

/** Makes `error.stack` speak of cells, wherever it is printed. */
export function installStackTraces(): void {
  Error.stackTraceLimit = 50;
  Error.prepareStackTrace = (error, sites) => {
    const head = plainNames(headOf(error));
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

/** The longest message and the longest line of a traceback that are shown, in UTF-16 units, and the most lines. */
const longest = 20_000;
const mostLines = 500;
const bounded = (text: string) =>
  text.length <= longest ? text : `${text.slice(0, longest)}… ${text.length - longest} more characters`;

/**
 * Anything that was thrown, as a front end shows it; with the cell that it was thrown in, where the stack tells. Never throws, whatever the
 * thrown object's own code does.
 */
export function errorContent(error: unknown): ErrorContent & { origin?: Origin } {
  try {
    const { ename, evalue, traceback, ...rest } = contentOf(error);
    const lines = traceback.slice(0, mostLines).map(bounded);
    if (traceback.length > mostLines) lines.push(`… ${traceback.length - mostLines} more lines`);
    return { ename: bounded(ename), evalue: bounded(evalue), traceback: lines, ...rest };
  } catch {
    const evalue = "[what was thrown could not be printed]";
    return { ename: "Thrown", evalue, traceback: [`Uncaught: ${evalue}`] };
  }
}

function contentOf(error: unknown): ErrorContent & { origin?: Origin } {
  let isError = false;
  let ename = "Error";
  let evalue = "";
  let stack = "";
  try {
    isError = error instanceof Error || Object.prototype.toString.call(error) === "[object Error]";
    if (isError) {
      const e = error as Error;
      ename = string(e.name || e.constructor?.name || "Error");
      evalue = plainNames(string(e.message));
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
  const origin = at ? sources.get(at[1] ?? at[2])?.origin : undefined;
  return { ename, evalue, traceback: [...traceback, ...more], ...(origin === undefined ? {} : { origin }) };
}

/** The causes of an error and the members of an AggregateError, as further lines. */
function causes(error: Error): string[] {
  const lines: string[] = [];
  try {
    let cause: unknown = error.cause;
    for (let depth = 0; cause !== undefined && depth < 5; depth++) {
      lines.push(...`Caused by: ${cause instanceof Error ? string(cause.stack ?? cause) : textOf(cause)}`.split("\n"));
      cause = cause instanceof Error ? cause.cause : undefined;
    }
    if (error instanceof AggregateError)
      for (const member of error.errors.slice(0, 10))
        lines.push(
          ...`One of ${error.errors.length}: ${member instanceof Error ? string(member.stack ?? "") : textOf(member)}`.split(
            "\n",
          ),
        );
  } catch {
    // An error whose own properties throw is shown without them.
  }
  return lines;
}
