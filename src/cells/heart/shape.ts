/**
 * How a cell is read where TypeScript leaves a choice: an object literal instead of a block, JSX, and whether its last value is shown.
 */
import type ts from "typescript";
import type { BoundFile, Internals, TypeScript } from "./typescript.js";

/** A cell as it is given to the compiler. */
export interface Shape {
  cell: string;
  /** The text to compile: the cell, with brackets around an object literal that stands at its end. */
  text: string;
  jsx: boolean;
  /** Whether the value of the last expression is shown: not where a semicolon ends it. */
  keepLast: boolean;
  /** The offset in the cell for one in the text. */
  toCell(offset: number): number;
}

/** Reads a cell. */
export function shapeOf(ts: TypeScript, cell: string): Shape {
  const parse = (text: string, name = "cell.ts") =>
    ts.createSourceFile(name, text, ts.ScriptTarget.Latest, false) as BoundFile;
  const file = parse(cell);
  const jsx =
    file.parseDiagnostics.length > 0 && /<[\w>]/.test(cell) && parse(cell, "cell.tsx").parseDiagnostics.length === 0;
  const last = file.statements[file.statements.length - 1];
  const same = { cell, text: cell, jsx, keepLast: true, toCell: (offset: number) => offset };
  if (!last) return same;
  const open = lastBrace(ts, file);
  if (open !== undefined) {
    const end = cell.trimEnd().length;
    const close = cell.lastIndexOf("}", end - 1) + 1;
    const text = `${cell.slice(0, open)}(${cell.slice(open, close)})${cell.slice(close)}`;
    if (isObject(ts, parse(text)))
      return {
        ...same,
        jsx: false,
        text,
        toCell: (offset) => offset - (offset > open ? 1 : 0) - (offset > close ? 1 : 0),
      };
  }
  if (!ts.isExpressionStatement(last)) return same;
  return { ...same, keepLast: cell[last.end - 1] !== ";" };
}

/** Where an object literal may begin that was read as a block: the cell's only statement, or its last, of labelled expressions. */
function lastBrace(ts: TypeScript, file: BoundFile): number | undefined {
  const [first] = file.statements;
  const start = (node: ts.Node) => (ts as unknown as Internals).skipTrivia(file.text, node.pos);
  if (first && ts.isBlock(first)) {
    const only = file.statements.length === 1 || file.parseDiagnostics.length > 0;
    if (only) return start(first);
  }
  for (let i = file.statements.length - 1; i > 0; i--) {
    const statement = file.statements[i];
    if (!ts.isBlock(statement)) continue;
    const labelled = statement.statements.some(
      (s) => ts.isLabeledStatement(s) && ts.isExpressionStatement(s.statement),
    );
    return labelled && (i === file.statements.length - 1 || file.parseDiagnostics.length > 0)
      ? start(statement)
      : undefined;
  }
  return undefined;
}

/** Whether a text is without errors and ends with an object literal in brackets. */
function isObject(ts: TypeScript, file: BoundFile): boolean {
  if (file.parseDiagnostics.length > 0) return false;
  const last = file.statements[file.statements.length - 1];
  return (
    last !== undefined &&
    ts.isExpressionStatement(last) &&
    ts.isParenthesizedExpression(last.expression) &&
    ts.isObjectLiteralExpression(last.expression.expression)
  );
}
