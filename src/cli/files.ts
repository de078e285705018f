import { readBounded } from "../files/index.js";

export { writeWhole } from "../files/index.js";

/**
 * A file's text, or that of standard input for "-"; a gzip is unpacked, a byte-order mark dropped.
 * @throws ReadError naming the file: not there, not readable, or larger than is taken
 */
export function readText(file: string): string {
  const text = readBounded(file).toString("utf8");
  return text.startsWith("\uFEFF") ? text.slice(1) : text;
}
