import { createHash } from "node:crypto";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Rooms that compute nothing: a change there leaves every result as it is. */
const aside = new Set(["cli", "lab", "site", "jupyter", "cells", "deprecated"]);

let known: string | undefined;

/**
 * Names the code that computes results: a hash over the compiled rooms. A result that was kept counts only for the same code, so that a
 * changed model is never answered from an old file.
 */
export function codeHash(): string {
  known ??= codeHashNow();
  return known;
}

/** The same of the code as it stands on the disk now: another one after (and during) a build under a running program. Takes some 10 ms. */
export function codeHashNow(): string {
  const root = fileURLToPath(new URL("..", import.meta.url));
  const hash = createHash("sha256");
  const rooms = readdirSync(root, { withFileTypes: true }).filter(
    (entry) => entry.isDirectory() && !aside.has(entry.name),
  );
  for (const room of rooms.map((entry) => entry.name).sort()) {
    for (const file of readdirSync(join(root, room), { recursive: true, encoding: "utf8" }).sort()) {
      if (!/\.[jt]s$/.test(file) || file.endsWith(".d.ts")) continue;
      hash.update(`${room}/${file}\n`);
      try {
        hash.update(readFileSync(join(root, room, file)));
      } catch (error) {
        // A build removes files whose source is gone.
        if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
      }
    }
  }
  return hash.digest("hex").slice(0, 20);
}
