import type { Facts } from "../../facts/index.js";
import { configHash } from "./hash.js";

/**
 * What a result that is kept in data/ rests on: each record and file of data/ that was read for it ("PE1", "hardware/rome"), with a hash of
 * its numbers. Where one of them is another, nothing in the result is true.
 */
export type KeptReads = Readonly<Record<string, string>>;

/** Keys that hold words about a number and none of the numbers: what is said there may be said better, and no result is another for it. */
const wording: ReadonlySet<string> = new Set([
  "about",
  "conditions",
  "confidence",
  "licence",
  "quantity",
  "quote",
  "source",
  "title",
  "topic",
]);

/** A record or file without its wording. A `value` stays whole, whatever its keys are called. */
function withoutWording(content: unknown): unknown {
  if (Array.isArray(content)) return content.map(withoutWording);
  if (typeof content !== "object" || content === null) return content;
  return Object.fromEntries(
    Object.entries(content).flatMap(([key, inner]): [string, unknown][] =>
      wording.has(key) ? [] : [[key, key === "value" ? inner : withoutWording(inner)]],
    ),
  );
}

/** Names what stands in data/ under a name of `Facts.noting`, by its numbers, units and uses; it is noted as read. */
function readHash(facts: Facts, name: string): string {
  facts.noteRead(name);
  return configHash("read", withoutWording(facts.under(name)) ?? null);
}

/** What was read, as a file of data/ keeps it: in the order of the names. */
export function keptReads(facts: Facts, names: Iterable<string>): KeptReads {
  return Object.fromEntries([...new Set(names)].sort().map((name) => [name, readHash(facts, name)]));
}

/** The names whose content is another one in these facts. All are asked for, so that whoever notes what is read learns of each. */
export function changedReads(facts: Facts, reads: KeptReads): string[] {
  return Object.entries(reads)
    .filter(([name, hash]) => readHash(facts, name) !== hash)
    .map(([name]) => name);
}
