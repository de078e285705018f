import { randomBytes } from "node:crypto";
import {
  accessSync,
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fsyncSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  writeSync,
} from "node:fs";
import { basename, dirname, join, resolve } from "node:path";
import { writeFailure } from "./failure.js";
import { makeFolders, removeFolders } from "./folder.js";
import { realTarget } from "./inside.js";

const { O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

/** A file that is being written: nobody sees it before {@link commit}. */
export interface WholeFile {
  /** Adds to it. @throws StoreError; then nothing is left of it */
  write(content: string | Uint8Array): void;
  /**
   * Puts it in its place.
   * @param synced false: not waited for until it is on the disk
   * @throws StoreError; then nothing is left of it
   */
  commit(synced?: boolean): void;
  /** Leaves what was there as it was; nothing after a commit. */
  discard(): void;
}

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
  const whole = openWhole(file);
  whole.write(content);
  whole.commit(synced);
}

/**
 * {@link writeWhole} bit by bit, for what is larger than memory.
 * @throws StoreError saying why it cannot be written: at once, before there is anything to write
 * @example const file = openWhole("trace.json"); file.write("a line\n"); file.commit();
 */
export function openWhole(file: string): WholeFile {
  try {
    const there = statSync(file, { throwIfNoEntry: false });
    return there && isWrittenAsItIs(file, there) ? new Through(file) : new Replacement(file, there);
  } catch (error) {
    throw writeFailure(file, error);
  }
}

/**
 * Finds out that a file cannot be written before the work whose result it is to hold. Leaves everything as it was.
 * @throws StoreError as {@link writeWhole} would
 */
export function checkWritable(file: string): void {
  const there = statOf(file);
  // A pipe that is opened and closed ends its reader.
  if (there && isWrittenAsItIs(file, there)) return;
  openWhole(file).discard();
}

/** {@link checkWritable} for the files of a folder that may not be there yet. */
export function checkFolder(folder: string): void {
  checkWritable(join(folder, `.${randomBytes(9).toString("hex")}.tmp`));
}

function statOf(file: string): Stats | undefined {
  try {
    return statSync(file, { throwIfNoEntry: false });
  } catch (error) {
    throw writeFailure(file, error);
  }
}

/** Devices and pipes cannot be exchanged for a file; nor can what this process was given open, under /dev/fd. */
function isWrittenAsItIs(file: string, there: Stats): boolean {
  return (!there.isFile() && !there.isDirectory()) || /^\/(?:dev|proc)\//.test(resolve(file));
}

class Through implements WholeFile {
  private open: number | undefined;

  constructor(private readonly file: string) {
    this.open = openSync(file, O_WRONLY);
  }

  write(content: string | Uint8Array): void {
    try {
      writeAll(this.open as number, bytesOf(content));
    } catch (error) {
      this.discard();
      throw writeFailure(this.file, error);
    }
  }

  commit(): void {
    this.discard();
  }

  discard(): void {
    if (this.open !== undefined) closeSync(this.open);
    this.open = undefined;
  }
}

class Replacement implements WholeFile {
  private readonly target: string;
  private readonly staging: string;
  private readonly made: string[];
  private open: number | undefined;

  constructor(
    private readonly file: string,
    private readonly there: Stats | undefined,
  ) {
    this.target = realTarget(resolve(file));
    if (there?.isDirectory()) throw Object.assign(new Error(`${file} is a folder`), { code: "EISDIR" });
    if (there) accessSync(this.target, constants.W_OK);
    const folder = dirname(this.target);
    this.made = makeFolders(folder);
    this.staging = join(folder, `.${basename(this.target).slice(0, 60)}.${randomBytes(9).toString("hex")}.tmp`);
    try {
      // Nobody else may read it before it has the old file's mode.
      this.open = openSync(this.staging, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, there ? 0o600 : 0o666);
    } catch (error) {
      removeFolders(this.made);
      throw error;
    }
  }

  write(content: string | Uint8Array): void {
    this.orNothing((handle) => writeAll(handle, bytesOf(content)));
  }

  commit(synced = true): void {
    this.orNothing((handle) => {
      if (this.there) keepOwnerAndMode(handle, this.there);
      if (synced) fsyncSync(handle);
      this.open = undefined;
      try {
        closeSync(handle);
        renameSync(this.staging, this.target);
      } catch (error) {
        this.remove();
        throw error;
      }
    });
  }

  discard(): void {
    if (this.open === undefined) return;
    const handle = this.open;
    this.open = undefined;
    try {
      closeSync(handle);
    } finally {
      this.remove();
    }
  }

  private remove(): void {
    rmSync(this.staging, { force: true });
    removeFolders(this.made);
  }

  private orNothing(step: (handle: number) => void): void {
    try {
      step(this.open as number);
    } catch (error) {
      this.discard();
      throw writeFailure(this.file, error);
    }
  }
}

const bytesOf = (content: string | Uint8Array): Uint8Array =>
  typeof content === "string" ? Buffer.from(content) : content;

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
