import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname } from "node:os";
import { dirname, join, resolve } from "node:path";

/** A result that could not be kept, or a folder that is in use: one sentence that says which file, and what to do. */
export class StoreError extends Error {
  override name = "StoreError";
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run it again, what was finished is kept",
  EDQUOT: "the disk quota is used up; free some space and run it again, what was finished is kept",
  EFBIG: "the file would be larger than is allowed here",
  EROFS: "the disk is read-only",
  EACCES: "this user may not write there",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a file is in the way of a folder",
};

/** The sentence for a failed write. */
export function writeFailure(file: string, error: unknown): StoreError {
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new StoreError(`${file}: cannot be written: ${reasons[code] ?? message}.`);
}

/**
 * Writes a file whole or not at all: beside its place first, then renamed. After a crash there is the old file or the new one.
 * @param synced false: not waited for until it is on the disk, which is quicker where there are thousands; a power cut may then leave half
 * of it, so its reader must notice that
 * @throws StoreError saying why it could not be written
 */
export function writeWhole(file: string, content: string | Uint8Array, synced = true): void {
  const staging = `${file}.${process.pid}.tmp`;
  try {
    mkdirSync(dirname(resolve(file)), { recursive: true });
    const handle = openSync(staging, "w");
    try {
      const bytes = typeof content === "string" ? Buffer.from(content) : content;
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
      if (synced) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(staging, file);
  } catch (error) {
    rmSync(staging, { force: true });
    throw writeFailure(file, error);
  }
}

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
  const own = `${lock}.${process.pid}`;
  const text = JSON.stringify({ pid: process.pid, host: hostname() } satisfies Holder);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(own, text);
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
  const aside = `${lock}.${process.pid}.old`;
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
    return readFileSync(file, "utf8");
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
