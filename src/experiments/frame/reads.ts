import type { Facts } from "../../facts/index.js";
import { configHash } from "./hash.js";

/**
 * What a result that is kept in data/ rests on: each record and file of data/ that was read for it ("PE1", "hardware/rome"), with a hash of
 * its content. Where one of them is another, nothing in the result is true.
 */
export type KeptReads = Readonly<Record<string, string>>;

/** Names what stands in data/ under a name of `Facts.noting`, by its content; it is noted as read. */
function readHash(facts: Facts, name: string): string {
  facts.noteRead(name);
  return configHash("read", facts.under(name) ?? null);
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
