import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The compiled rooms. */
const compiled = fileURLToPath(new URL("..", import.meta.url));
/** Rooms that compute nothing: a change there leaves every result as it is. */
const aside: readonly string[] = ["cli", "lab", "site", "jupyter", "cells", "deprecated"];
/** Rooms on which no row of a point depends, beside those: they run points, and read, draw and judge what these give. */
const above: readonly string[] = [...aside, "sweep", "study", "plot", "files", "recorder"];
/** The data, as they are compiled: of these a point names what it has read. */
const data = /^facts\/generated\.[jt]s$/;

/**
 * Names the code that computes results, as it stands on the disk now: a hash over the compiled rooms, another one after (and during) a build
 * under a running program. A result that was kept counts only for the same code, so that a changed model is never answered from an old file.
 * Takes some 10 ms.
 */
export function codeHash(): string {
  return hashOf(aside, () => true);
}

/** Names the code that a point's rows follow from: the experiments and the rooms below them, without the data. */
export function pointCode(): string {
  return hashOf(above, (file) => !data.test(file));
}

/**
 * Whether that code was built again since this process began: what it has loaded may then be another than what stands on the disk, and no name
 * says which.
 */
export function rebuilt(): boolean {
  const since = performance.timeOrigin;
  // A file that is new since the first look is loaded by none that is as it was.
  watched ??= filesOf(above);
  return watched.some(({ path }) => (statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? since) > since);
}

let watched: ReturnType<typeof filesOf> | undefined;

function hashOf(without: readonly string[], takes: (file: string) => boolean): string {
  const hash = createHash("sha256");
  for (const { name, path } of filesOf(without)) {
    if (!takes(name)) continue;
    hash.update(`${name}\n`);
    try {
      hash.update(readFileSync(path));
    } catch (error) {
      // A build removes files whose source is gone.
      if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    }
  }
  return hash.digest("hex").slice(0, 20);
}

/** The modules of the rooms, without some of them. */
function filesOf(without: readonly string[]): { name: string; path: string }[] {
  const rooms = readdirSync(compiled, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !without.includes(entry.name))
    .map((entry) => entry.name)
    .sort();
  return rooms.flatMap((room) =>
    readdirSync(join(compiled, room), { recursive: true, encoding: "utf8" })
      .sort()
      .filter((file) => /\.[jt]s$/.test(file) && !file.endsWith(".d.ts"))
      .map((file) => ({ name: `${room}/${file}`, path: join(compiled, room, file) })),
  );
}
