import { sha256 } from "@noble/hashes/sha2.js";
import { bytesToHex } from "@noble/hashes/utils.js";
import { canonicalJson } from "../../facts/index.js";

export { canonicalJson };

/**
 * Names a configuration, or a point of one: the first 80 bits of the SHA-256 of the experiment's name and the canonical JSON, as 20
 * hexadecimal digits. The order of keys does not matter; every value does.
 * @param changed names changed facts (`facts.key`), which are part of the name
 */
export function configHash(experiment: string, config: unknown, changed = ""): string {
  const text = `${experiment}\n${canonicalJson(config)}${changed === "" ? "" : `\n${changed}`}`;
  return bytesToHex(sha256(new TextEncoder().encode(text))).slice(0, 20);
}
