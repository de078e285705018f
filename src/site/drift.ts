import { isCaption, isProgress } from "./dress.js";
import { type CellOutput, type CodeCell, joined, type Notebook } from "./notebook.js";

/** A place where a fresh run gives something else than what is stored. */
export interface Drift {
  notebook: string;
  /** Position of the cell in the notebook, counted from 1. */
  cell: number;
  /** The output, counted from 1, the media type, and the place in it: "output 2, text/plain, line 3". */
  field: string;
  /** What is stored; undefined where there was nothing. */
  old: unknown;
  new: unknown;
}

const nothing = Symbol("nothing");
const isPicture = (type: string): boolean => type.startsWith("image/");
const isText = (value: unknown): value is string | string[] =>
  typeof value === "string" || (Array.isArray(value) && value.every((line) => typeof line === "string"));

/**
 * Compares a fresh run with what is stored: texts, tables and the data of figures. Not pictures (Chromium draws them, and its versions
 * differ), not progress bars (their last state depends on the machine), not the views of live controls.
 */
export function compareNotebooks(name: string, stored: Notebook, fresh: Notebook): Drift[] {
  const drifts: Drift[] = [];
  const count = Math.max(stored.cells.length, fresh.cells.length);
  for (let i = 0; i < count; i++) {
    const [before, after] = [stored.cells[i], fresh.cells[i]];
    const add = (field: string, old: unknown, now: unknown): void => {
      drifts.push({
        notebook: name,
        cell: i + 1,
        field,
        old: old === nothing ? undefined : old,
        new: now === nothing ? undefined : now,
      });
    };
    if (before?.cell_type !== "code" || after?.cell_type !== "code") {
      if (before?.cell_type !== after?.cell_type)
        add("cell", before?.cell_type ?? nothing, after?.cell_type ?? nothing);
      continue;
    }
    if (joined(before.source) !== joined(after.source)) add("source", joined(before.source), joined(after.source));
    compareOutputs(before, after, add);
  }
  return drifts;
}

type Add = (field: string, old: unknown, now: unknown) => void;

function compareOutputs(before: CodeCell, after: CodeCell, add: Add): void {
  const [stored, fresh] = [before, after].map((cell) => cell.outputs.filter((output) => !isPassing(output)));
  for (let k = 0; k < Math.max(stored.length, fresh.length); k++) {
    const place = `output ${k + 1}`;
    const [old, now] = [stored[k], fresh[k]];
    if (!old || !now || old.output_type !== now.output_type) {
      add(place, old ? summary(old) : nothing, now ? summary(now) : nothing);
      continue;
    }
    const [a, b] = [fieldsOf(old), fieldsOf(now)];
    for (const field of new Set([...Object.keys(a), ...Object.keys(b)])) {
      if (!isPicture(field))
        compare(`${place}, ${field}`, field in a ? a[field] : nothing, field in b ? b[field] : nothing, add);
    }
  }
}

/** A progress bar, a caption (it repeats its figure), or the view of live controls, which JupyterLab stores. */
function isPassing(output: CellOutput): boolean {
  const data = "data" in output ? (output.data as Record<string, unknown>) : {};
  return "application/vnd.jupyter.widget-view+json" in data || isProgress(output) || isCaption(output);
}

function fieldsOf(output: CellOutput): Record<string, unknown> {
  if ("data" in output) return output.data as Record<string, unknown>;
  const { output_type, ...fields } = output as Record<string, unknown>;
  return fields;
}

function summary(output: CellOutput): string {
  return `${output.output_type} of ${Object.keys(fieldsOf(output)).join(", ")}`;
}

/** Descends into both values as far as they are alike, so that the deepest place that differs is named. */
function compare(place: string, old: unknown, now: unknown, add: Add): void {
  if (Object.is(old, now)) return;
  // What a table or a text says, not how it is dressed.
  if (place.endsWith("text/html") && isText(old) && isText(now)) {
    compare(`${place} as text`, words(old), words(now), add);
  } else if (isText(old) && isText(now)) {
    const [a, b] = [joined(old).split("\n"), joined(now).split("\n")];
    for (let i = 0; i < Math.max(a.length, b.length); i++)
      if (a[i] !== b[i])
        add(a.length === 1 && b.length === 1 ? place : `${place}, line ${i + 1}`, a[i] ?? nothing, b[i] ?? nothing);
  } else if (Array.isArray(old) && Array.isArray(now)) {
    if (old.length !== now.length) add(`${place}.length`, old.length, now.length);
    for (let i = 0; i < Math.min(old.length, now.length); i++) compare(`${place}[${i}]`, old[i], now[i], add);
  } else if (isObject(old) && isObject(now)) {
    for (const key of new Set([...Object.keys(old), ...Object.keys(now)]))
      compare(`${place}.${key}`, key in old ? old[key] : nothing, key in now ? now[key] : nothing, add);
  } else add(place, old, now);
}

/** What stands between the tags, a piece a line. */
function words(html: string | string[]): string {
  return joined(html)
    .split(/<[^>]*>/)
    .filter((piece) => piece.trim() !== "")
    .join("\n");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** A drift in one line: notebook, cell, field, old and new. */
export function driftText({ notebook, cell, field, old, new: now }: Drift): string {
  return `${notebook}: cell ${cell}, ${field}: stored ${short(old)}, now ${short(now)}`;
}

function short(value: unknown): string {
  if (value === undefined) return "nothing";
  const text = JSON.stringify(value);
  return text.length <= 120 ? text : `${text.slice(0, 117)}…`;
}
