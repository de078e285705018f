/** Messages over a byte stream between the kernel's processes: a 32-bit length, then a v8-serialised value. */
import type { Socket } from "node:net";
import { deserialize, serialize } from "node:v8";

/** A value as one frame. */
export function frame(value: unknown): Buffer {
  const body = serialize(value);
  const head = Buffer.allocUnsafe(4);
  head.writeUInt32LE(body.length);
  return Buffer.concat([head, body]);
}

/** Calls `take` with each value that arrives on the socket, and its size in bytes. Both ends are our own processes; what travels was checked at the wire. */
export function readFrames(socket: Socket, take: (value: never, size: number) => void): void {
  let chunks: Buffer[] = [];
  let size = 0;
  socket.on("data", (chunk: Buffer) => {
    chunks.push(chunk);
    size += chunk.length;
    if (size < 4) return;
    if (chunks[0].length >= 4 && size < 4 + chunks[0].readUInt32LE(0)) return;
    let all = chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    while (all.length >= 4) {
      const length = all.readUInt32LE(0);
      if (all.length < 4 + length) break;
      const value = deserialize(all.subarray(4, 4 + length)) as never;
      all = all.subarray(4 + length);
      take(value, length);
    }
    chunks = all.length > 0 ? [all] : [];
    size = all.length;
  });
}
