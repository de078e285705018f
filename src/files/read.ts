import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const { O_NOFOLLOW = 0, O_NONBLOCK = 0, O_RDONLY } = constants;

/** A file that cannot be read, or is larger than is taken: one sentence that names it. */
export class ReadError extends Error {
  override name = "ReadError";

  constructor(
    message: string,
    /** The system's name for it, ENOENT say; undefined where it is none of the system's. */
    readonly code?: string,
  ) {
    super(message);
  }
}

/** The most that a text may have, plain or unpacked: 256 MiB. Longer recordings are read as streams. */
export const largestText = 2 ** 28;

const reasons: Readonly<Record<string, string>> = {
  ENOENT: "there is no such file",
  EACCES: "this user may not read it",
  EISDIR: "it is a folder",
  ELOOP: "it is a symbolic link, or its links lead in a circle",
  EMFILE: "too many files are open (raise the limit with `ulimit -n`)",
};

const megabytes = (bytes: number): string => `${Math.round(bytes / 2 ** 20)} MiB`;

/**
 * A file's bytes, a gzip unpacked.
 * @param file its path; "-" for standard input
 * @param most how many bytes are taken at most, before and after unpacking
 * @throws ReadError naming the file: not there, not readable, no gzip although it begins like one, or larger than `most`
 */
export function readBounded(file: string, most = largestText): Buffer {
  const name = file === "-" ? "standard input" : file;
  const bytes = readAtMost(file === "-" ? 0 : file, name, most);
  if (!(bytes[0] === 0x1f && bytes[1] === 0x8b)) return bytes;
  try {
    return gunzipSync(bytes, { maxOutputLength: most });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new ReadError(
      code === "ERR_BUFFER_TOO_LARGE"
        ? `${name}: unpacks to more than ${megabytes(most)}, which is the most that is taken.`
        : `${name}: cannot be unpacked (${message}); expected a gzip file or plain text.`,
    );
  }
}

/**
 * The bytes of a regular file that is no symbolic link: never waits for a pipe, never reads a device.
 * @throws ReadError naming the file
 */
export function readRegular(path: string, name: string, most: number): Buffer {
  return readAtMost(path, name, most, O_NOFOLLOW | O_NONBLOCK, true);
}

/**
 * The text of a small regular file that others wrote for this program (a kernel's connection, a stored point, a lock): links are followed;
 * never waits for a pipe, never reads a device, unpacks nothing.
 * @param most how many bytes are taken at most: 1 MiB
 * @throws ReadError naming the file, with the system's code (ENOENT) where there is one
 */
export function readSmall(file: string, most = 2 ** 20): string {
  return readAtMost(file, file, most, O_NONBLOCK, true).toString("utf8");
}

function readAtMost(file: string | 0, name: string, most: number, flags = 0, regular = false): Buffer {
  let handle: number | undefined;
  try {
    handle = file === 0 ? 0 : openSync(file, O_RDONLY | flags);
    const there = fstatSync(handle);
    if (regular && !there.isFile()) throw new ReadError(`${name}: expected a file; it is something else.`);
    if (there.isFile() && there.size > most) throw tooLarge(name, most);
    return drained(handle, name, most, there.isFile() ? there.size + 1 : 65_536);
  } catch (error) {
    if (error instanceof ReadError) throw error;
    const { code = "", message } = error as NodeJS.ErrnoException;
    const why = Object.hasOwn(reasons, code) ? reasons[code] : `cannot be read (${message})`;
    throw new ReadError(`${name}: ${why}.`, code);
  } finally {
    if (handle !== undefined && handle !== 0) closeSync(handle);
  }
}

const tooLarge = (name: string, most: number) =>
  new ReadError(`${name}: is larger than ${megabytes(most)}, which is the most that is taken.`);

function drained(handle: number, name: string, most: number, first: number): Buffer {
  const parts: Buffer[] = [];
  let length = 0;
  for (let size = Math.min(first, most + 1); ; size = Math.min(2 * size, 2 ** 24)) {
    const part = Buffer.allocUnsafe(size);
    const got = readOnce(handle, part);
    if (got === 0) break;
    length += got;
    if (length > most) throw tooLarge(name, most);
    parts.push(part.subarray(0, got));
  }
  return parts.length === 1 ? parts[0] : Buffer.concat(parts, length);
}

function readOnce(handle: number, into: Buffer): number {
  for (;;) {
    try {
      return readSync(handle, into);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EOF") return 0;
      // Standard input of a terminal or a slow pipe.
      if (code !== "EAGAIN") throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}
