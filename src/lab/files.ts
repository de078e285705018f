import { copyFileSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";

/** Writes by way of a temporary file, so that a reader meets the old text or the new one, never half of it. */
function replace(target: string, write: (temporary: string) => void): void {
  const temporary = `${target}.${process.pid}.tmp`;
  mkdirSync(dirname(target), { recursive: true });
  try {
    write(temporary);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

/** Makes a file hold a text; touches nothing when it does already. */
export function keepText(target: string, text: string): void {
  try {
    if (readFileSync(target, "utf8") === text) return;
  } catch {
    // Not there yet, or not readable: written anew.
  }
  replace(target, (temporary) => writeFileSync(temporary, text));
}

/** Makes a file a copy of another; touches nothing when size and contents agree already. */
export function keepFile(source: string, target: string): void {
  const size = statSync(target, { throwIfNoEntry: false })?.size;
  if (size === statSync(source).size && readFileSync(target).equals(readFileSync(source))) return;
  replace(target, (temporary) => copyFileSync(source, temporary));
}
