import { randomBytes } from "node:crypto";
import { linkSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { makeFolder, readSmall, StoreError, writeFailure } from "../files/index.js";

/** Who holds a folder. */
interface Holder {
  pid: number;
  host: string;
}

/**
 * Takes a result folder for this process, and makes it where there is none. A lock whose process is gone (it was killed) is taken over.
 * @returns gives the folder back
 * @throws StoreError when another run has it
 */
export function lockFolder(folder: string): () => void {
  const lock = join(folder, ".lock");
  const own = `${lock}.${randomBytes(9).toString("hex")}.tmp`;
  const text = JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder);
  try {
    makeFolder(folder);
    writeFileSync(own, text, { flag: "wx" });
  } catch (error) {
    throw writeFailure(folder, error);
  }
  try {
    for (let attempt = 0; attempt < 5; attempt++) {
      try {
        // A link is made whole or not at all, and fails where there is one: nobody reads half a lock.
        linkSync(own, lock);
        return () => rmSync(lock, { force: true });
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw writeFailure(lock, error);
      }
      const found = textOf(lock);
      if (found === undefined) continue;
      const holder = holderOf(found);
      if (holder === undefined || holder.host !== hostname() || alive(holder.pid)) {
        const who = holder ? `process ${holder.pid} on ${holder.host}` : "another run";
        throw new StoreError(
          `${folder} is in use by ${who}: wait for it, or choose another folder (if no such run exists, delete ${lock}).`,
        );
      }
      takeAway(lock, found);
    }
    throw new StoreError(`${folder} is being taken by several runs at once: choose another folder for this one.`);
  } finally {
    rmSync(own, { force: true });
  }
}

/** Removes a dead run's lock, unless somebody was faster: then theirs is put back. */
function takeAway(lock: string, dead: string): void {
  const aside = `${lock}.${randomBytes(9).toString("hex")}.tmp`;
  try {
    renameSync(lock, aside);
    if (textOf(aside) !== dead) linkSync(aside, lock);
  } catch {
    // Somebody else took it away; the next attempt sees what is there now.
  } finally {
    rmSync(aside, { force: true });
  }
}

function textOf(file: string): string | undefined {
  try {
    return readSmall(file);
  } catch {
    return undefined;
  }
}

function holderOf(text: string): Holder | undefined {
  try {
    const { pid, host } = JSON.parse(text) as Partial<Holder>;
    return Number.isSafeInteger(pid) && typeof host === "string" ? { pid: pid as number, host } : undefined;
  } catch {
    return undefined;
  }
}

function alive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
