/** Type errors as a notebook shows them: the TypeScript code, the message, and the place underlined. */
import type { CellDiagnostic, Outcome } from "./protocol.js";

/** Lines of errors that are shown; the rest is counted. */
const shown = 10;

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
    const indent = line.slice(0, d.start.character).replace(/[^\t]/g, " ");
    traceback.push(
      `${number} | ${line}`,
      `${" ".repeat(number.length)} | ${indent}${"~".repeat(Math.max(1, end - d.start.character))}`,
    );
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
