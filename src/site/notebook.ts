import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import { parseJson } from "../files/index.js";

const stringOrNumber = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Before a number that is kept as a text. No cell can print it, as nobody can foresee it. */
const keptMark = `number ${randomBytes(12).toString("hex")} `;

/** A number that would be written otherwise than it was read, as a text. */
function keptNumber(token: string): string {
  const same = token.startsWith('"') || asPython(JSON.stringify(Number(token))) === token;
  return same ? token : `"${keptMark}${token}"`;
}

/** A notebook that cannot be used: the message names the file, the field and what was expected. */
export class NotebookError extends Error {
  override name = "NotebookError";
}

const Text = z.union([z.string(), z.array(z.string())], { error: "expected a text or a list of lines" });
const Metadata = z.record(z.string(), z.unknown());
const Output = z.discriminatedUnion("output_type", [
  z.looseObject({ output_type: z.literal("stream"), name: z.string(), text: Text }),
  z.looseObject({ output_type: z.literal("display_data"), data: Metadata, metadata: Metadata }),
  z.looseObject({
    output_type: z.literal("execute_result"),
    data: Metadata,
    metadata: Metadata,
    execution_count: z.int().nullable(),
  }),
  z.looseObject({
    output_type: z.literal("error"),
    ename: z.string(),
    evalue: z.string(),
    traceback: z.array(z.string()),
  }),
]);
/** What the format itself demands of an id: it becomes part of addresses and names. */
const Id = z.string().regex(/^[\w-]{1,64}$/, { error: "expected 1 to 64 letters, digits, hyphens and underlines" });
const cell = { id: Id.optional(), metadata: Metadata, source: Text };
const Cell = z.discriminatedUnion("cell_type", [
  z.looseObject({
    ...cell,
    cell_type: z.literal("code"),
    execution_count: z.int().nullable(),
    outputs: z.array(Output),
  }),
  z.looseObject({ ...cell, cell_type: z.literal("markdown") }),
  z.looseObject({ ...cell, cell_type: z.literal("raw") }),
]);
const NotebookSchema = z.looseObject({
  nbformat: z.literal(4, { error: "expected 4" }),
  nbformat_minor: z.int().min(0),
  metadata: z.looseObject({
    kernelspec: z.looseObject({ name: z.string(), language: z.string().optional() }).optional(),
    language_info: z.looseObject({ name: z.string() }).optional(),
  }),
  cells: z.array(Cell),
});

/** A notebook of Jupyter's format 4, as it is stored. */
export type Notebook = z.output<typeof NotebookSchema>;
/** A cell of a notebook. */
export type NotebookCell = Notebook["cells"][number];
/** A code cell of a notebook. */
export type CodeCell = Extract<NotebookCell, { cell_type: "code" }>;
/** An output of a code cell. */
export type CellOutput = CodeCell["outputs"][number];

/** A text of the format as one string. */
export function joined(text: string | string[]): string {
  return typeof text === "string" ? text : text.join("");
}

/** A text as the format stores it: lines that keep their line ends. */
export function asLines(text: string): string[] {
  return text.split(/(?<=\n)/).filter((line) => line !== "");
}

/**
 * Reads the text of a notebook file.
 * @param text the file's content
 * @param file its name, for the message
 * @param options `exact`: numbers that JavaScript has no equal for (beyond 2^53, 1.0) come out of {@link notebookText} as they stand here;
 * until then they are texts, so only for a notebook that is written again and whose outputs are not looked at
 * @throws NotebookError naming the file, the field (for a cell its number, counted from 1) and what was expected.
 */
export function parseNotebook(text: string, file: string, { exact = false } = {}): Notebook {
  let json: unknown;
  try {
    json = parseJson(exact ? text.replace(stringOrNumber, keptNumber) : text, { anyNames: true });
  } catch (error) {
    throw new NotebookError(`${file}: expected a notebook, which is JSON (${(error as Error).message}).`);
  }
  const parsed = NotebookSchema.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    const place = path[0] === "cells" && typeof path[1] === "number" ? ` (cell ${path[1] + 1})` : "";
    throw new NotebookError(`${file}: ${path.join(".") || "the file"}${place}: ${message}.`);
  }
  const notebook = parsed.data;
  const seen = new Set<string>();
  for (const [i, { id }] of notebook.cells.entries()) {
    if (id === undefined) continue;
    if (seen.has(id))
      throw new NotebookError(
        `${file}: cells.${i}.id (cell ${i + 1}): expected an id of its own; "${id}" is used twice.`,
      );
    seen.add(id);
  }
  return notebook;
}

/** Gives every cell an id (format 4.5), always the same for the same notebook. */
export function withCellIds(notebook: Notebook): Notebook {
  const taken = new Set(notebook.cells.map(({ id }) => id));
  const cells = notebook.cells.map((cell, i) => {
    if (cell.id !== undefined) return cell;
    let id = "";
    for (let n = 0; id === "" || taken.has(id); n++) {
      id = createHash("sha256")
        .update(`${i}:${n}:${cell.cell_type}:${joined(cell.source)}`)
        .digest("hex")
        .slice(0, 12);
    }
    taken.add(id);
    return { ...cell, id };
  });
  return { ...notebook, cells, nbformat_minor: Math.max(5, notebook.nbformat_minor) };
}

/** Sorts the keys of every object, as Jupyter does when it saves. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (value === null || typeof value !== "object") return value;
  const object = value as Record<string, unknown>;
  return Object.fromEntries(
    Object.keys(object)
      .sort()
      .map((key) => [key, sorted(object[key])]),
  );
}

/** A number as Python's json writes it, which Jupyter's server stores notebooks with: below a ten-thousandth with an exponent of two digits. */
function asPython(token: string): string {
  if (token.startsWith(`"${keptMark}`)) return token.slice(keptMark.length + 1, -1);
  if (token.startsWith('"') || !/[.e]/.test(token)) return token;
  const value = Number(token);
  if (value === 0 || Math.abs(value) >= 1e-4) return token;
  return value.toExponential().replace(/e-(\d)$/, "e-0$1");
}

/** The text of a notebook file, as Jupyter writes it: same notebook, same bytes, and no other bytes when it is opened there and saved. */
export function notebookText(notebook: Notebook): string {
  return `${JSON.stringify(sorted(notebook), null, 1).replace(stringOrNumber, asPython)}\n`;
}
