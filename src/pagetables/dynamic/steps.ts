import type { Entry } from "./entry.js";
import type { Path } from "./path.js";

/**
 * One atomic step of a page-table program: what it asks of the memory or of the machine. A program is a generator that yields such steps
 * and is given the result of each; whoever drives it decides when the step happens. The same program therefore runs at once
 * ({@link runToEnd}), interleaved with others by chance, in every interleaving (the explorer), or on simulated cores where each step is charged.
 *
 * Between two steps anything may happen. Reads and compare-exchanges are in one total order: on x86 a locked instruction is a full
 * barrier, and these programs store in no other way.
 */
export type Access = Known &
  /** Reads the entry at this address. Result: the entry. */
  (
    | { readonly kind: "read"; readonly at: number; readonly does: string }
    /** Compares the entry with `expected` and, where they are equal, replaces it. Result: the entry that was there. */
    | {
        readonly kind: "exchange";
        readonly at: number;
        readonly expected: Entry;
        readonly desired: Entry;
        readonly does: string;
        /** Where the entry is a leaf: the IOVA page that it maps. */
        readonly page?: number;
      }
    /** Takes a zeroed page for a table. Result: its page number. */
    | { readonly kind: "allocate"; readonly does: string }
    /** Gives a table page back at once: nobody else has ever seen it. */
    | { readonly kind: "free"; readonly frame: number; readonly does: string }
    /**
     * Gives a table page back after a grace period: once every other operation that is under way now has ended. Whoever retires a page
     * does not touch it again.
     */
    | { readonly kind: "retire"; readonly frame: number; readonly does: string }
    /**
     * Sends an invalidation for these pages and waits until the IOMMU has executed it. It drops their translations; unless it is for leaves
     * only, what the paging-structure caches hold for them, too.
     */
    | {
        readonly kind: "flush";
        readonly iova: number;
        readonly pages: number;
        readonly leafOnly: boolean;
        readonly does: string;
      }
  );

/** What every step can say of its program. */
export interface Known {
  /**
   * Everything that the program knows at this step: what it does from here on follows from the step and from this alone. The explorer then
   * takes two runs that come here for one, whatever happened before. Left out where the program remembers more.
   */
  readonly known?: Path | undefined;
}

/** A program: yields its steps one by one, and returns a result. */
export type Steps<T> = Generator<Access, T, number>;

/** What a driver offers that executes steps at once. */
export interface StepMachine {
  /** Does the step. @returns its result (0 where it has none) */
  step(access: Access): number;
}

/** Runs a program to its end, one step after the other with nothing between. */
export function runToEnd<T>(program: Steps<T>, machine: StepMachine): T {
  let result = 0;
  for (;;) {
    const { done, value } = program.next(result);
    if (done) return value;
    result = machine.step(value);
  }
}

/** A read step. */
export const read = (at: number, does: string, known?: Path): Access => ({ kind: "read", at, does, known });

/** A compare-exchange step. */
export const exchange = (
  at: number,
  expected: Entry,
  desired: Entry,
  does: string,
  known?: Path,
  page?: number,
): Access => ({
  kind: "exchange",
  at,
  expected,
  desired,
  does,
  known,
  ...(page === undefined ? {} : { page }),
});
