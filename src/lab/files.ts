import { readFileSync, statSync } from "node:fs";
import { writeWhole } from "../files/index.js";

/** Makes a file hold a text; touches nothing when it does already. */
export function keepText(target: string, text: string): void {
  try {
    if (readFileSync(target, "utf8") === text) return;
  } catch {
    // Not there yet, or not readable: written anew.
  }
  writeWhole(target, text);
}

/** Makes a file a copy of another; touches nothing when size and contents agree already. */
export function keepFile(source: string, target: string): void {
  const size = statSync(target, { throwIfNoEntry: false })?.size;
  if (size === statSync(source).size && readFileSync(target).equals(readFileSync(source))) return;
  writeWhole(target, readFileSync(source));
}
