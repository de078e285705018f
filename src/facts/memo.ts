import type { Facts } from "./facts.js";

/** What a run rests on: the facts, and the memo of whoever runs it. */
export interface Basis {
  facts: Facts;
  memo: Memo;
}

/** One kept result, with what it read. */
interface Kept {
  value: unknown;
  reads: readonly (readonly [name: string, content: unknown])[];
}

/**
 * The one memo of the house: results that several points share, by the inputs they were computed from and the facts that were read on the
 * way. Whoever runs points makes one and passes it along with the facts; a result is taken for another's only where every record and file
 * that its computation read is the same in both.
 */
export class Memo {
  private readonly kept = new Map<string, Kept[]>();
  private entries = 0;

  /** @param most entries kept at a time; at one more, all are forgotten */
  constructor(private readonly most = 400) {}

  /**
   * The result of `compute` for these inputs, computed at the first call. Same inputs and same facts read, same result: `compute` takes
   * everything else that it depends on from the basis it is given.
   * @param name what is computed: "host run"
   * @param inputs everything it depends on beside the facts, as plain JSON whose keys come in one order
   */
  of<T>(basis: Basis, name: string, inputs: unknown, compute: (basis: Basis) => T): T {
    const key = `${name}\n${JSON.stringify(inputs)}`;
    const found = this.kept
      .get(key)
      ?.find(({ reads }) => reads.every(([read, content]) => basis.facts.under(read) === content));
    if (found) {
      // Whoever hears who reads what must hear it of a kept result too.
      for (const [read] of found.reads) basis.facts.noteRead(read);
      return found.value as T;
    }
    const names = new Set<string>();
    const value = compute({ facts: basis.facts.noting((read) => names.add(read)), memo: this });
    if (this.entries >= this.most) {
      this.kept.clear();
      this.entries = 0;
    }
    const reads = [...names].map((read) => [read, basis.facts.under(read)] as const);
    this.kept.set(key, [...(this.kept.get(key) ?? []), { value, reads }]);
    this.entries++;
    return value;
  }
}

/** A basis of one's own for a single run. */
export function basisOf(facts: Facts): Basis {
  return { facts, memo: new Memo() };
}
