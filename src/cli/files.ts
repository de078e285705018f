import { checkWritable, ReadError, readBounded, sameFile } from "../files/index.js";
import { UserError } from "./errors.js";

export { writeWhole } from "../files/index.js";

/**
 * A file's text, or that of standard input for "-"; a gzip is unpacked, a byte-order mark dropped.
 * @throws ReadError naming the file: not there, not readable, larger than is taken, or no UTF-8 (whose bytes would be lost on writing)
 */
export function readText(file: string): string {
  const bytes = readBounded(file);
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new ReadError(`${file === "-" ? "standard input" : file}: expected text in UTF-8; it is none.`);
  }
}

/** What a command reads and writes. */
export interface Places {
  /** Files that are read; "-" and what was not given are none. */
  reads?: readonly (string | undefined)[];
  /** Files that are written, by the option that names them. */
  writes: Readonly<Record<string, string | undefined>>;
}

/**
 * Finds before the work that a result cannot be written, or would take the place of what is read or of another result.
 * @throws UserError naming the option and the file; StoreError
 */
export function checkPlaces({ reads = [], writes }: Places): void {
  const read = reads.filter((file): file is string => file !== undefined && file !== "-");
  const written = Object.entries(writes).filter((entry): entry is [string, string] => entry[1] !== undefined);
  for (const [i, [option, file]] of written.entries()) {
    if (read.some((input) => sameFile(input, file)))
      throw new UserError(`${option}: ${file} is what is read here; name another file.`);
    const other = written.slice(0, i).find(([, before]) => sameFile(before, file));
    if (other) throw new UserError(`${other[0]} and ${option}: both are ${file}; name two files.`);
  }
  for (const [, file] of written) checkWritable(file);
}
