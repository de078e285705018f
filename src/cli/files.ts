import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { UserError } from "./errors.js";

/** A file's text, or that of standard input for "-"; a gzip is unpacked, a byte-order mark dropped. */
export function readText(file: string): string {
  if (file !== "-" && !existsSync(file)) throw new UserError(`${file}: there is no such file.`);
  let bytes: Buffer;
  try {
    bytes = readFileSync(file === "-" ? 0 : file);
  } catch (error) {
    throw new UserError(`${file}: cannot be read (${(error as Error).message}).`);
  }
  try {
    const text = (bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes).toString("utf8");
    return text.startsWith("\uFEFF") ? text.slice(1) : text;
  } catch (error) {
    throw new UserError(
      `${file}: cannot be unpacked (${(error as Error).message}); expected a gzip file or plain text.`,
    );
  }
}

/**
 * Writes a file whole or not at all: beside it first, then in its place.
 * @throws UserError that names the file and why
 */
export function writeWhole(file: string, text: string): void {
  const staging = `${file}.${process.pid}.tmp`;
  try {
    writeFileSync(staging, text);
    renameSync(staging, file);
  } catch (error) {
    rmSync(staging, { force: true });
    throw new UserError(`${file}: cannot be written (${(error as Error).message}).`);
  }
}
