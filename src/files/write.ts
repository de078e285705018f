import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { writeFailure } from "./failure.js";
import { realTarget } from "./inside.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

/**
 * Writes a file whole or not at all: beside its place first, then renamed. After a crash or a kill there is the old file or the new one. A
 * file that is there keeps its mode; a symbolic link stays, and what it leads to is written. The file beside has a name nobody can foresee, is
 * made by this call alone, and is removed where something fails. What is no regular file (a terminal, a pipe) is written to as it is.
 * @param synced false: not waited for until it is on the disk, which is quicker where there are thousands; a power cut may then leave half
 * of it, so its reader must notice that
 * @throws StoreError saying why it could not be written
 * @example writeWhole("results/rows.csv", "a,b\n1,2\n")
 */
export function writeWhole(file: string, content: string | Uint8Array, synced = true): void {
  try {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    const there = statSync(file, { throwIfNoEntry: false });
    if (there && isWrittenAsItIs(file, there)) {
      writeThrough(file, bytes);
      return;
    }
    mkdirSync(dirname(resolve(file)), { recursive: true });
    const target = realTarget(resolve(file));
    if (there) accessSync(target, constants.W_OK);
    replace(target, there, bytes, synced);
  } catch (error) {
    throw writeFailure(file, error);
  }
}

/** Devices and pipes cannot be exchanged for a file; nor can what this process was given open, under /dev/fd. */
function isWrittenAsItIs(file: string, there: Stats): boolean {
  return (!there.isFile() && !there.isDirectory()) || /^\/(?:dev|proc)\//.test(resolve(file));
}

function writeThrough(file: string, bytes: Uint8Array): void {
  const handle = openSync(file, O_WRONLY);
  try {
    writeAll(handle, bytes);
  } finally {
    closeSync(handle);
  }
}

function replace(target: string, there: Stats | undefined, bytes: Uint8Array, synced: boolean): void {
  if (there?.isDirectory()) throw Object.assign(new Error(`${target} is a folder`), { code: "EISDIR" });
  const staging = join(dirname(target), `.${basename(target).slice(0, 60)}.${randomBytes(9).toString("hex")}.tmp`);
  // Nobody else may read it before it has the old file's mode.
  const handle = openSync(staging, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, there ? 0o600 : 0o666);
  try {
    try {
      writeAll(handle, bytes);
      if (there) keepOwnerAndMode(handle, there);
      if (synced) fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(staging, target);
  } catch (error) {
    rmSync(staging, { force: true });
    throw error;
  }
}

function keepOwnerAndMode(handle: number, { mode, uid, gid }: Stats): void {
  try {
    fchownSync(handle, uid, gid);
  } catch {
    // Only root gives files to others; the writer's own file it is then.
  }
  fchmodSync(handle, mode & 0o7777);
}

function writeAll(handle: number, bytes: Uint8Array): void {
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(handle, bytes, at);
    } catch (error) {
      // A pipe whose reader is slower than we are.
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
