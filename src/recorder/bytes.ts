import { createReadStream, existsSync, statSync } from "node:fs";
import { Readable } from "node:stream";
import * as zlib from "node:zlib";
import { TraceError } from "../recordings/index.js";

/** How far a reading is: bytes of the file as it lies on the disk, and its size (0 for a stream of unknown length). */
export type ByteProgress = (done: number, total: number) => void;

const startsWith = (bytes: Uint8Array, ...prefix: number[]): boolean => prefix.every((byte, i) => bytes[i] === byte);

/**
 * A file's bytes, unpacked: plain, gzip, xz or zstd, told apart by their first bytes. "-" is standard input.
 * @throws TraceError naming the file, when it is not there, cannot be read or is damaged
 */
export async function* openBytes(file: string, progress?: ByteProgress): AsyncGenerator<Uint8Array> {
  const name = file === "-" ? "standard input" : file;
  if (file !== "-") {
    if (!existsSync(file)) throw new TraceError(`${file}: there is no such file.`);
    if (statSync(file).isDirectory()) throw new TraceError(`${file}: is a folder; expected a recording.`);
  }
  const total = file === "-" ? 0 : statSync(file).size;
  const source = file === "-" ? process.stdin : createReadStream(file, { highWaterMark: 1 << 18 });
  let done = 0;
  async function* counted(): AsyncGenerator<Uint8Array> {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      done += chunk.length;
      progress?.(done, total);
      yield chunk;
    }
  }
  try {
    // A small file may unpack to very much without a turn of the event loop: Ctrl-C would not be heard.
    let turned = performance.now();
    for await (const bytes of unpacked(counted())) {
      yield bytes;
      if (performance.now() - turned < 50) continue;
      await new Promise((resolve) => setImmediate(resolve));
      turned = performance.now();
    }
  } catch (error) {
    if (error instanceof TraceError) throw error;
    throw new TraceError(
      `${name}: cannot be read (${(error as Error).message}); expected plain text, or a whole gzip, xz or zstd file.`,
    );
  } finally {
    if (file !== "-") source.destroy();
  }
}

async function* unpacked(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const first = await firstBytes(chunks);
  const all = joined(first, chunks);
  if (startsWith(first, 0x1f, 0x8b)) yield* through(all, zlib.createGunzip());
  else if (startsWith(first, 0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00)) yield* unxz(all);
  else if (startsWith(first, 0x28, 0xb5, 0x2f, 0xfd)) yield* unzstd(all);
  else yield* all;
}

/** At least six bytes, where there are so many. */
async function firstBytes(chunks: AsyncGenerator<Uint8Array>): Promise<Uint8Array> {
  let first: Uint8Array = new Uint8Array();
  while (first.length < 6) {
    const next = await chunks.next();
    if (next.done) break;
    first = Buffer.concat([first, next.value]);
  }
  return first;
}

async function* joined(first: Uint8Array, rest: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first.length > 0) yield first;
  yield* rest;
}

async function* through(chunks: AsyncGenerator<Uint8Array>, unpack: zlib.Gunzip): AsyncGenerator<Uint8Array> {
  const source = Readable.from(chunks, { objectMode: false });
  source.on("error", (error) => unpack.destroy(error));
  yield* source.pipe(unpack) as AsyncIterable<Uint8Array>;
}

async function* unxz(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const packed = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await chunks.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
  });
  // A CommonJS module: Node gives it as the default export, a bundler by name.
  const module = await import("xz-decompress");
  const { XzReadableStream } = "XzReadableStream" in module ? module : (module as { default: typeof module }).default;
  const reader = new XzReadableStream(packed).getReader();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    yield value;
  }
}

async function* unzstd(chunks: AsyncGenerator<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import("fzstd");
  let ready: Uint8Array[] = [];
  const unpack = new Decompress((bytes) => {
    if (bytes.length > 0) ready.push(bytes.slice());
  });
  // Four bytes can be a block of 128 KiB: so much and no more stands ready at a time.
  for await (const chunk of chunks)
    for (let from = 0; from < chunk.length; from += 1024) {
      unpack.push(chunk.subarray(from, from + 1024));
      yield* ready;
      ready = [];
    }
  unpack.push(new Uint8Array(), true);
  yield* ready;
}
