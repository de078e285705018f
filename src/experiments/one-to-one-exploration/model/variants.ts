import {
  type Cleanup,
  type Design,
  dynamicDesign,
  SAFE,
  type Safeguards,
  type Sharing,
} from "../../../pagetables/index.js";

/** A way to do dynamic 1:1 that can be explored: a right one, or one that lacks a safeguard. */
export interface OneToOneVariant {
  readonly name: string;
  /** What it is, in a sentence. */
  readonly about: string;
  /** Nothing is left out of it: it is expected to hold. */
  readonly right: boolean;
  readonly cleanup: Cleanup;
  readonly sharing: Sharing;
  readonly safeguards: Safeguards;
}

const right = (name: string, about: string, cleanup: Cleanup, sharing: Sharing = "count"): OneToOneVariant => ({
  name,
  about,
  right: true,
  cleanup,
  sharing,
  safeguards: SAFE,
});

const without = (name: string, about: string, cleanup: Cleanup, left: Partial<Safeguards>): OneToOneVariant => ({
  name,
  about,
  right: false,
  cleanup,
  sharing: "count",
  safeguards: { ...SAFE, ...left },
});

/** The variants, the right ones first. */
export const oneToOneVariants: readonly OneToOneVariant[] = [
  right("never", "Tables stay until the domain ends.", "never"),
  right("covering", "A table goes when one unmap covers all of it and nobody else maps a page there.", "covering"),
  right(
    "live-count",
    "The entry for a table counts what is live in it; at zero the table is closed, flushed, and freed after a grace period.",
    "live-count",
  ),
  right("swept", "Each flush looks through the table it concerns, and closes it when it is empty.", "swept"),
  right(
    "fallback",
    "No use count: a page that is mapped already goes to the allocator above memory.",
    "live-count",
    "fallback",
  ),
  without("no-count", "The leaf does not count its maps: the first unmap clears it.", "live-count", {
    useCount: false,
  }),
  without("count-after-store", "The live count is raised after the leaf was stored, not before.", "live-count", {
    countFirst: false,
  }),
  without("freed-before-flush", "The empty table is given back before the flush.", "live-count", {
    flushBeforeFree: false,
  }),
  without("no-recheck", "Who stores a leaf does not look again whether its table is still linked.", "swept", {
    recheck: false,
  }),
  without("no-grace-period", "The empty table is given back right after the flush.", "live-count", {
    gracePeriod: false,
  }),
  without("no-owner", "The mark on a closing table does not say who closes it.", "live-count", { owner: false }),
  without(
    "place-given-up",
    "The table is unlinked at once, and its place in the parent is free before the flush.",
    "live-count",
    {
      holdPlace: false,
    },
  ),
  without("leaf-only-flush", "The flush does not reach the paging-structure caches.", "live-count", {
    walkCaches: false,
  }),
];

/**
 * A variant by name.
 * @throws Error that lists the names there are
 */
export function oneToOneVariant(name: string): OneToOneVariant {
  const found = oneToOneVariants.find((one) => one.name === name);
  if (!found)
    throw new Error(
      `There is no variant "${name}" of dynamic 1:1; there are ${oneToOneVariants.map((one) => one.name).join(", ")}.`,
    );
  return found;
}

/** The design of a variant, for tables of two entries: two pages under one table. */
export function smallDesign(variant: OneToOneVariant, levels: number): Design {
  const { cleanup, sharing, safeguards } = variant;
  return dynamicDesign({ levels, slotBits: 1, cleanup, sharing, safeguards });
}
