/** What helps while a cell is being written: completion, inspection, and whether it is complete. */
import type ts from "typescript";
import type { Programs } from "./program.js";
import type { TypeScript } from "./typescript.js";

export interface CompletionResult {
  /** UTF-16 offsets of the text that a match replaces. */
  start: number;
  end: number;
  matches: { text: string; kind: string }[];
}

export type CompletenessResult =
  | { status: "complete" | "invalid" | "unknown" }
  | { status: "incomplete"; indent: string };

/** What could stand at a position: of names that begin like the word there first, then of those that contain it. */
export function complete(programs: Programs, code: string, position: number): CompletionResult {
  const { file } = programs.view(code);
  const info = programs.service.getCompletionsAtPosition(file.fileName, position, {});
  let start = position;
  while (start > 0 && /[\p{L}\p{Nl}\w$#]/u.test(code[start - 1])) start--;
  let end = position;
  while (end < code.length && /[\p{L}\p{Nl}\w$]/u.test(code[end])) end++;
  const span =
    info?.entries.find(({ replacementSpan }) => replacementSpan)?.replacementSpan ?? info?.optionalReplacementSpan;
  if (span && span.start <= position && span.start + span.length >= position) {
    start = span.start;
    end = span.start + span.length;
  }
  const prefix = code.slice(start, position).replace(/^["'`]/, "");
  const lower = prefix.toLowerCase();
  const rank = (name: string): number => {
    if (name.startsWith(prefix)) return 0;
    const at = name.toLowerCase().indexOf(lower);
    return at === 0 ? 1 : at > 0 ? 2 : 3;
  };
  const matches = (info?.entries ?? [])
    .map((entry) => ({ text: entry.name, kind: String(entry.kind), key: `${rank(entry.name)}${entry.sortText}` }))
    .filter(({ key }) => !key.startsWith("3"))
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  const seen = new Set<string>();
  return {
    start,
    end,
    matches: matches.flatMap(({ text, kind }) => {
      if (seen.has(text)) return [];
      seen.add(text);
      return [{ text, kind }];
    }),
  };
}

/** Signature and documentation of what stands at a position. */
export function inspect(programs: Programs, code: string, position: number): string | undefined {
  const { file } = programs.view(code);
  const unknown: number[] = [];
  for (const at of inspectPositions(code, position)) {
    const info = programs.service.getQuickInfoAtPosition(file.fileName, at);
    const text = info && quickInfoText(info);
    if (!text) continue;
    // A name that is not known is "any", and of no kind.
    if (text !== "any" || info.kind !== "") return text;
    unknown.push(at);
  }
  // The name of a type, written by itself, stands where only a value can: it is asked for again where a type can.
  for (const at of unknown) {
    const name = wordAt(code, at);
    if (name === undefined) continue;
    const before = `${code}\n;type $ = `;
    const { file } = programs.view(before + name);
    const info = programs.service.getQuickInfoAtPosition(file.fileName, before.length);
    const text = info && quickInfoText(info);
    if (text && !text.includes("/*unresolved*/")) return text;
  }
  return undefined;
}

/** The name that a position stands in or at the end of; no member of something. */
function wordAt(code: string, position: number): string | undefined {
  const before = /(?:^|[^\p{L}\p{Nl}\w$.])([\p{L}\p{Nl}\w$]*)$/u.exec(code.slice(0, position))?.[1];
  if (before === undefined) return undefined;
  const name = before + (/^[\p{L}\p{Nl}\w$]*/u.exec(code.slice(position))?.[0] ?? "");
  return /^[\p{L}\p{Nl}_$]/u.test(name) ? name : undefined;
}

function quickInfoText(info: ts.QuickInfo): string {
  const joined = (parts: readonly ts.SymbolDisplayPart[] | undefined) => (parts ?? []).map(({ text }) => text).join("");
  const signature = joined(info.displayParts);
  const tags = (info.tags ?? [])
    .map(({ name, text }) => [name, joined(text)])
    .filter(([, text]) => text !== "")
    .map(([name, text]) => `@${name} ${text}`);
  const documentation = [joined(info.documentation), ...tags].filter((part) => part !== "").join("\n");
  return documentation === "" ? signature : `${signature}\n\n${documentation}`;
}

/** The position itself, the one before it, and the name of the call that it stands in. */
function inspectPositions(code: string, position: number): number[] {
  const positions = [position];
  if (position > 0) positions.push(position - 1);
  let depth = 0;
  for (let i = position - 1; i >= 0; i--) {
    const c = code[i];
    if (c === ")" || c === "]" || c === "}") depth++;
    else if (c === "(" || c === "[" || c === "{") {
      if (depth > 0) depth--;
      else if (c === "(") {
        const name = /[\w$]\s*(<[^<>()]*>)?$/.exec(code.slice(0, i));
        if (name) positions.push(name.index);
        break;
      }
    }
  }
  return positions;
}

/** Diagnostics that more text could cure, wherever they are reported: unterminated template literal, comment, and the like. */
const unterminated = new Set([1010, 1160, 1126]);
/** Diagnostics that more text cannot cure, even at the end: a string or a regular expression whose line has ended. */
const lost = new Set([1002, 1161]);

/** Whether code could be run as it is. */
export function isComplete(ts: TypeScript, code: string): CompletenessResult {
  // A leading "export {}" makes it a module, in which `await` may stand at the top level.
  const prefix = "export {};";
  const file = ts.createSourceFile("cell.ts", prefix + code, ts.ScriptTarget.Latest, false);
  const errors = (file as unknown as { parseDiagnostics: ts.Diagnostic[] }).parseDiagnostics;
  if (errors.length === 0) return { status: "complete" };
  const text = prefix + code.trimEnd();
  // A word that declares or exports something is an error itself when nothing follows.
  const end = text.length - (/(?:^|[^\w$.])(export|import|declare|abstract|async)$/.exec(text)?.[1].length ?? 0);
  const open = errors.every(({ code, start = 0 }) => !lost.has(code) && (unterminated.has(code) || start >= end));
  if (!open) return { status: "invalid" };
  const last = /[^\n]*$/.exec(code.trimEnd())?.[0] ?? "";
  const indent = /^\s*/.exec(last)?.[0] ?? "";
  return { status: "incomplete", indent: /[{([]\s*$/.test(last) ? `${indent}  ` : indent };
}
