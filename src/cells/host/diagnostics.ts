/** Type errors as a notebook shows them: the TypeScript code, the message, and the place underlined. */
import type { CellDiagnostic, Outcome } from "./protocol.js";

/** Lines of errors that are shown; the rest is counted. */
const shown = 10;

/** Columns of a line that are shown: more would be broken, and what is underlined would stand elsewhere. */
const widest = 76;
/** Columns before the fault that stay, where a line is cut. */
const before = 20;

/** A line of a cell and the marks below what is wrong in it; of a long one the piece with the fault. */
function excerpt(line: string, start: number, end: number): { text: string; marks: string } {
  const from = line.length <= widest ? 0 : Math.max(0, Math.min(start - before, line.length - widest + 1));
  const head = from > 0 ? "…" : "";
  const room = widest - head.length;
  const text = head + (line.length - from <= room ? line.slice(from) : `${line.slice(from, from + room - 1)}…`);
  const indent = head + line.slice(from, start);
  const marks = "~".repeat(Math.max(1, Math.min(end - start, text.length - indent.length)));
  return { text, marks: indent.replace(/[^\t]/g, " ") + marks };
}

/** The outcome of a cell that does not compile. */
export function diagnosticsError(
  cell: { name: string; code: string },
  diagnostics: readonly CellDiagnostic[],
): Outcome {
  const lines = cell.code.split("\n");
  const traceback: string[] = [];
  for (const d of diagnostics.slice(0, shown)) {
    const place = `${d.file ?? cell.name}:${d.start.line + 1}:${d.start.character + 1}`;
    traceback.push(`${place} - error TS${d.code}: ${d.message}`);
    const line = d.file === undefined ? lines[d.start.line] : undefined;
    if (line === undefined) continue;
    const end = d.end.line === d.start.line ? d.end.character : line.length;
    const number = String(d.start.line + 1);
    const { text, marks } = excerpt(line, d.start.character, end);
    traceback.push(`${number} | ${text}`, `${" ".repeat(number.length)} | ${marks}`);
  }
  if (diagnostics.length > shown) traceback.push(`… and ${diagnostics.length - shown} more`);
  const first = diagnostics[0];
  const syntax = diagnostics.every(({ code }) => code < 2000);
  return {
    status: "error",
    ename: syntax ? "SyntaxError" : "TypeError",
    evalue: `TS${first.code}: ${first.message}`,
    traceback,
  };
}
