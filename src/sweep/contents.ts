import { createHash } from "node:crypto";
import { canonicalJson, type Facts } from "../facts/index.js";

/** Names a text: the first 80 bits of its SHA-256. */
export const short = (text: string): string => createHash("sha256").update(text).digest("hex").slice(0, 20);

/** Names what records and files of the facts hold, so that what was computed from them counts only where they hold the same. */
export class Contents {
  private readonly known = new WeakMap<object, string>();

  of(name: string, facts: Facts): string {
    const content = facts.under(name);
    if (typeof content === "function") return "none";
    if (typeof content !== "object" || content === null) return short(canonicalJson(content ?? null));
    const known = this.known.get(content);
    if (known !== undefined) return known;
    const hash = short(canonicalJson(content));
    this.known.set(content, hash);
    return hash;
  }
}
