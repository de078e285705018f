import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { canonicalJson } from "../../facts/index.js";
import type { Trace } from "../../recordings/index.js";

/** Names what a recording holds, whatever it is called and wherever it lies: the first 80 bits of the SHA-256 of all its columns and descriptions. */
export function recordingHash(trace: Trace): string {
  const hash = sha256.create();
  const described: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(trace).sort(([one], [other]) => (one < other ? -1 : 1))) {
    if (!ArrayBuffer.isView(value)) {
      described[name] = value;
      continue;
    }
    hash.update(new TextEncoder().encode(`${name} ${value.byteLength}\n`));
    hash.update(new Uint8Array(value.buffer, value.byteOffset, value.byteLength));
  }
  hash.update(new TextEncoder().encode(canonicalJson(described)));
  return bytesToHex(hash.digest()).slice(0, 20);
}
