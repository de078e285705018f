import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

/** Names a text: the first 48 bits of its SHA-256. */
export const sumOf = (text: string | Uint8Array): string =>
  createHash("sha256").update(text).digest("hex").slice(0, 12);

/** A line's check: quick, as a store has lines by the hundred thousand; it finds what was cut off or damaged, not what was forged. */
const checkOf = (text: string): string => crc32(text).toString(16).padStart(8, "0");

/** A record as a line that says whether it is whole: its check, then its JSON. */
export function lineOf(record: object): string {
  const text = JSON.stringify(record);
  return `${checkOf(text)} ${text}\n`;
}

/**
 * The records of whole lines. A line that was cut off, or damaged, is none: what it told is as if it had not happened.
 * @returns the records in order, and how many bytes they and what is broken between them take: from there on more may come
 */
export function recordsIn(bytes: Buffer): { records: unknown[]; length: number } {
  const records: unknown[] = [];
  let at = 0;
  for (let end = bytes.indexOf(10); end >= 0; end = bytes.indexOf(10, at)) {
    const line = bytes.toString("utf8", at, end);
    at = end + 1;
    const text = line.slice(9);
    if (line[8] !== " " || checkOf(text) !== line.slice(0, 8)) continue;
    try {
      records.push(JSON.parse(text));
    } catch {
      // The sum is right and it is no JSON: somebody else's file.
    }
  }
  return { records, length: at };
}
