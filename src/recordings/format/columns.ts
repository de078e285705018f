import { unzlibSync, zlibSync } from "fflate";
import { z } from "zod";
import { ByteReader, type ByteWriter, crc32, fromBase64, toBase64 } from "./bytes.js";

/** A column of a trace file: variable-length integers (LEB128), compressed (zlib), in base64, with their count and CRC-32. */
export const ColumnSchema = z.strictObject({
  values: z.int().min(0).describe("how many integers"),
  crc32: z.string().regex(/^[0-9a-f]{8}$/, "expected eight hexadecimal digits"),
  data: z.base64(),
});
/** A column as it stands in a file. */
export type EncodedColumn = z.output<typeof ColumnSchema>;

/** @param level zlib's, 0 to 9 */
export function encodeColumn(writer: ByteWriter, level: 6 | 9 = 6): EncodedColumn {
  const bytes = writer.bytes();
  return { values: writer.values, crc32: crc32(bytes), data: toBase64(zlibSync(bytes, { level })) };
}

/** @param fail is called with what is wrong */
export function decodeColumn(column: EncodedColumn, fail: (what: string) => never): ByteReader {
  // A byte of deflate stands for at most 1,032 bytes, and an integer takes at most 8.
  const most = column.values * 8;
  let bytes: Uint8Array;
  try {
    const packed = fromBase64(column.data);
    if (most > packed.length * 1032 * 8 + 64)
      return fail(`says that it holds ${column.values} values, which its data cannot`);
    bytes = unzlibSync(packed);
  } catch (error) {
    return fail(`expected zlib data in base64 (${(error as Error).message})`);
  }
  const sum = crc32(bytes);
  if (sum !== column.crc32) fail(`is damaged: its CRC-32 is ${sum}, expected ${column.crc32}`);
  return new ByteReader(bytes, fail);
}
