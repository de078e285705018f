/** What the checker says about a cell: which of it stands in the way, which is only a hint, and in which words. */
import type ts from "typescript";
import type { TypeScript } from "./typescript.js";

/** A source position, zero-based, in UTF-16 units. */
export interface Position {
  line: number;
  character: number;
}

/** A message of the type checker about a cell. */
export interface CellDiagnostic {
  code: number;
  message: string;
  start: Position;
  end: Position;
  /** Set when it is about another file, relative to the root. */
  file?: string;
}

/**
 * Rules that make sense for a file and not for a cell: `import x = require(…)` in a module (1202), an assignment to a property of
 * `globalThis` that nothing declares (7017).
 */
export function isIrrelevant(diagnostic: ts.Diagnostic): boolean {
  if (diagnostic.code === 1202) return true;
  return diagnostic.code === 7017 && textOf(diagnostic).includes("typeof globalThis");
}

/** The name of a package that has no types, where that is all that is wrong: its values are `any`. */
export function untypedPackage(diagnostic: ts.Diagnostic): string | undefined {
  if (diagnostic.code !== 7016) return undefined;
  return /module '([^']+)'/.exec(textOf(diagnostic))?.[1];
}

function textOf(diagnostic: ts.Diagnostic): string {
  return typeof diagnostic.messageText === "string" ? diagnostic.messageText : diagnostic.messageText.messageText;
}

/** What a message is joined with. */
export interface Wording {
  root: string;
  /** The cell's path. */
  isCell(path: string): boolean;
  /** The place in the cell for an offset in the text that was compiled. */
  place(offset: number): Position;
  /** The doors of the package by whose name a cell imports. */
  doors: readonly string[];
}

/** A message as a notebook shows it; its chain of reasons as further lines. */
export function toCellDiagnostic(ts: TypeScript, diagnostic: ts.Diagnostic, wording: Wording): CellDiagnostic {
  const { file, start = 0, length = 0, code } = diagnostic;
  const own = file === undefined || wording.isCell(file.fileName);
  const place = own ? wording.place : (offset: number) => file.getLineAndCharacterOfPosition(offset);
  let message = ts.flattenDiagnosticMessageText(diagnostic.messageText, "\n");
  const missing = code === 2307 || code === 2882 ? /module '(?:iommu-lab\/)?([^']*)'|of '([^']*)'/.exec(message) : null;
  if (missing && /'iommu-lab(\/|')/.test(message)) message += ` It has: ${wording.doors.join(", ")}.`;
  if (code === 2307 && message.includes("'tslab'"))
    message += " This kernel shows things with the global lab, without an import: lab.html, lab.display, lab.bundle.";
  if (/^Cannot find name 'React'|^This JSX tag requires/.test(message))
    message =
      "JSX needs a factory: import one (such as React), name it with /** @jsx h */ at the cell's start, or set jsxFactory in tsconfig.json.";
  if (code === 2550)
    message = message.replace(
      /Do you need to change your target library\?.* '(es\w+)'.*$/,
      "It is of the standard '$1', and the Node.js that runs this kernel does not have it.",
    );
  return {
    code,
    message,
    start: place(start),
    end: place(start + length),
    ...(own ? {} : { file: relative(wording.root, file.fileName) }),
  };
}

function relative(root: string, path: string): string {
  return path.startsWith(`${root}/`) ? path.slice(root.length + 1) : path;
}
