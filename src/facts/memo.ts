import { canonicalJson } from "./canonical.js";
import type { Facts } from "./facts.js";

/** What a run rests on: the facts, and the memo of whoever runs it. */
export interface Basis {
  facts: Facts;
  memo: Memo;
}

/** One kept result, with what it read and how much memory it takes. */
interface Kept {
  value: unknown;
  reads: readonly (readonly [name: string, content: unknown])[];
  bytes: number;
}

/**
 * The one memo of the house: results that several points share, by the inputs they were computed from and the facts that were read on the
 * way. Whoever runs points makes one and passes it along with the facts; a result is taken for another's only where every record and file
 * that its computation read is the same in both.
 */
export class Memo {
  /** By inputs; those asked for last at the end. */
  private readonly kept = new Map<string, Kept[]>();
  private entries = 0;
  private bytes = 0;

  /**
   * What was not asked for longest is forgotten first.
   * @param most entries kept at a time
   * @param mostBytes of what says how much memory it takes (`byteLength`)
   */
  constructor(
    private readonly most = 400,
    private readonly mostBytes = 64 << 20,
  ) {}

  /**
   * The result of `compute` for these inputs, computed at the first call. Same inputs and same facts read, same result: `compute` takes
   * everything else that it depends on from the basis it is given.
   * @param name what is computed: "host run"
   * @param inputs everything it depends on beside the facts, as plain JSON; the order of keys does not matter
   */
  of<T>(basis: Basis, name: string, inputs: unknown, compute: (basis: Basis) => T): T {
    const key = `${name}\n${canonicalJson(inputs)}`;
    const alike = this.kept.get(key);
    const found = alike?.find(({ reads }) => reads.every(([read, content]) => basis.facts.under(read) === content));
    if (alike && found) {
      this.kept.delete(key);
      this.kept.set(key, alike);
      // Whoever hears who reads what must hear it of a kept result too.
      for (const [read] of found.reads) basis.facts.noteRead(read);
      return found.value as T;
    }
    const names = new Set<string>();
    const value = compute({ facts: basis.facts.noting((read) => names.add(read)), memo: this });
    const reads = [...names].map((read) => [read, basis.facts.under(read)] as const);
    this.keep(key, { value, reads, bytes: bytesOf(value) });
    return value;
  }

  private keep(key: string, one: Kept): void {
    const alike = this.kept.get(key) ?? [];
    this.kept.delete(key);
    this.kept.set(key, [...alike, one]);
    this.entries++;
    this.bytes += one.bytes;
    for (const [oldest, group] of this.kept) {
      if (this.entries <= this.most && this.bytes <= this.mostBytes) return;
      this.kept.delete(oldest);
      this.entries -= group.length;
      for (const { bytes } of group) this.bytes -= bytes;
    }
  }
}

function bytesOf(value: unknown): number {
  return typeof value === "object" && value !== null && "byteLength" in value ? Number(value.byteLength) : 0;
}

/** A basis of one's own for a single run. */
export function basisOf(facts: Facts): Basis {
  return { facts, memo: new Memo() };
}
