import { describeEntry, EMPTY, STRIDE } from "../../../pagetables/index.js";
import type { HardwareAction } from "./hardware.js";
import { PAGES } from "./memory.js";
import type { ProcessStep, Range } from "./process.js";
import { ERRORS, FREE, RETIRED } from "./state.js";
import type { StateView } from "./view.js";

/** The name of a table page: "the root", "table A". */
export function tableName(frame: number): string {
  return frame === 0 ? "the root" : `table ${String.fromCharCode(64 + frame)}`;
}

/** The name of a range: "page 0", "pages 0 to 1". */
export function rangeName({ page, pages }: Range): string {
  return pages === 1 ? `page ${page}` : `pages ${page} to ${page + pages - 1}`;
}

/** Whether a table page holds leaves: in two levels all do, in three all but the one above them. */
function holdsLeaves({ memory, system }: StateView, values: Int32Array, frame: number): boolean {
  if (frame === 0) return false;
  return system.levels === 2 || memory.tableAt(values, 2) !== frame;
}

/** A step of a program, with what it finds. */
export function describeStep(model: StateView, values: Int32Array, step: ProcessStep): string {
  switch (step.kind) {
    case "read":
    case "exchange": {
      const { memory } = model;
      if (!memory.usable(values, step.at))
        return `${step.does} (in ${tableName(Math.floor(step.at / STRIDE))}, which is free)`;
      const leaf = holdsLeaves(model, values, Math.floor(step.at / STRIDE));
      const found = memory.read(values, step.at);
      const text = describeEntry(found, leaf, tableName);
      if (step.kind === "read") return `${step.does} (${text})`;
      if (found !== step.expected) return `${step.does}: in vain, it has changed (${text})`;
      return `${step.does} (${text} → ${describeEntry(step.desired, leaf, tableName)})`;
    }
    case "free":
    case "retire":
      return `${step.does}: ${tableName(step.frame)}`;
    case "flush": {
      const what = rangeName({ page: step.iova, pages: step.pages });
      return `its invalidation of ${what} is executed${step.leafOnly ? "" : ", walk caches too"}`;
    }
    case "allocate":
      return step.does;
    default:
      return step.kind;
  }
}

/** What the hardware does, in words. */
export function describeHardware(model: StateView, values: Int32Array, action: HardwareAction): string {
  switch (action.kind) {
    case "walk":
      return `the device asks for page ${action.page}: a walk begins`;
    case "read": {
      const { page, level, frame } = model.hardware.walk(values);
      return `the walker reads the ${level === 1 ? "leaf" : "entry"} of page ${page} in ${tableName(frame)}`;
    }
    case "drop page":
      return `the IOTLB drops page ${action.page}`;
    case "drop table":
      return "the walk cache drops what it holds";
  }
}

/** A state in words, one line. */
export function describeState(model: StateView, values: Int32Array): string {
  const { layout, memory } = model;
  const parts: string[] = [`root: ${describeEntry(memory.read(values, 0), false, tableName)}`];
  for (let frame = 1; frame <= layout.frames; frame++) {
    const status = values[layout.status + frame - 1];
    if (status === FREE) continue;
    const leaf = holdsLeaves(model, values, frame);
    const inside = [0, 1]
      .map((slot) => memory.read(values, frame * STRIDE + slot))
      .filter((entry) => entry !== EMPTY)
      .map((entry) => describeEntry(entry, leaf, tableName))
      .join(", ");
    parts.push(`${tableName(frame)}${status >= RETIRED ? " (retired)" : ""}: ${inside || "empty"}`);
  }
  const pages = Array.from({ length: PAGES }, (_, page) => page).filter((page) => values[layout.iotlb] & (1 << page));
  if (pages.length > 0) parts.push(`IOTLB: ${pages.map((page) => `page ${page}`).join(", ")}`);
  const caches = [...values.subarray(layout.caches, layout.caches + layout.levels - 1)].filter((frame) => frame > 0);
  if (caches.length > 0) parts.push(`walk cache: ${caches.map(tableName).join(", ")}`);
  if (values[layout.error] > 0) parts.push(ERRORS[values[layout.error]].toUpperCase());
  return parts.join(" | ");
}
