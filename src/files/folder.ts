import { mkdirSync, rmdirSync, statSync } from "node:fs";
import { dirname, resolve } from "node:path";
import { writeFailure } from "./failure.js";
import { realTarget } from "./inside.js";

/**
 * Makes a folder and those above it that are missing. Node's own recursive mkdir never comes back where a folder that is there takes none
 * (below /proc); this one makes each once.
 * @returns the folders that it made, the outermost first
 * @throws StoreError saying why it could not be made
 * @example makeFolder("results/sweeps/lines") // ["/home/me/results/sweeps", "/home/me/results/sweeps/lines"]
 */
export function makeFolder(folder: string): string[] {
  try {
    return makeFolders(folder);
  } catch (error) {
    throw writeFailure(folder, error);
  }
}

/** {@link makeFolder}, with the system's own error. */
export function makeFolders(folder: string): string[] {
  const missing: string[] = [];
  let place = realTarget(resolve(folder));
  for (; !isThere(place); place = dirname(place)) missing.unshift(place);
  const made: string[] = [];
  try {
    for (const each of missing) if (makeOne(each)) made.push(each);
  } catch (error) {
    removeFolders(made);
    throw error;
  }
  return made;
}

/** Removes folders that {@link makeFolders} made, as far as nobody has put anything into them. */
export function removeFolders(made: readonly string[]): void {
  for (const folder of made.toReversed()) {
    try {
      rmdirSync(folder);
    } catch {
      return;
    }
  }
}

function isThere(place: string): boolean {
  const there = statSync(place, { throwIfNoEntry: false });
  if (there && !there.isDirectory()) throw Object.assign(new Error(`${place} is a file`), { code: "EEXIST" });
  return there !== undefined || dirname(place) === place;
}

/** False where somebody else was quicker. */
function makeOne(folder: string): boolean {
  try {
    mkdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST" && isThere(folder)) return false;
    throw error;
  }
}
