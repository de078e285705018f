import { IGNORED_BITS } from "../../pagetables/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import type { OneToOneRow } from "./rows.js";

const claim = claimOn<OneToOneRow>();
const woodhouse = "D. Woodhouse, mail of 2015-11-16 to the kvm and iommu lists";

/** Whether a variant holds in every state that was reached, and how many there were. */
function explored(rows: readonly OneToOneRow[], variant: string) {
  const mine = rows.filter((row) => row.variant === variant);
  if (mine.length === 0) return undefined;
  return { holds: mine.every((row) => row.holds && row.complete), states: Math.max(...mine.map((row) => row.states)) };
}

const proved = (holds: boolean, states: number): string =>
  holds
    ? `every property holds in all ${states.toLocaleString("en")} reachable states of two CPUs with two maps each`
    : `a property fails in one of ${states.toLocaleString("en")} reachable states`;

/** What the mails say about 1:1 mapping without an allocator. */
export const claims: readonly AskedClaim<OneToOneRow>[] = [
  claim({
    id: "cmpxchg",
    quote:
      "Simply cmpxchg on the PTE itself, and if it was already set *then* we fall back to the allocator, obviously configured to allocate from a range *higher* than the available physical memory.",
    source: woodhouse,
    kind: "fact of the source",
    needs: 'the variants "fallback" and "no-grace-period"',
    judge(rows) {
      const right = explored(rows, "fallback");
      const broken = explored(rows, "no-grace-period");
      if (!right || !broken) return undefined;
      return {
        verdict: !right.holds ? "does not hold" : broken.holds ? "holds" : "depends",
        numbers: { right: right.holds, states: right.states },
      };
    },
    say: ({ right, states }) => ({
      explanation: `For the entry itself it is that simple: ${proved(right, states)}. It depends on what becomes of empty tables: freeing them needs a count or a look, a place that is held until the flush, and a grace period, and without any one of these there is a counterexample.`,
    }),
  }),
  claim({
    id: "use-count",
    quote:
      "even trying to find space in the PTE for a use count so a given page could be in more than one mapping before we call back to the IOVA allocator",
    source: woodhouse,
    kind: "fact of the source",
    needs: 'the variant "live-count"',
    judge(rows) {
      const found = explored(rows, "live-count");
      if (!found) return undefined;
      return { verdict: found.holds ? "holds" : "does not hold", numbers: found };
    },
    say: ({ holds, states }) => ({
      explanation: `There is space, and it works: ten of the entry's ignored bits count to 1023, and ${proved(holds, states)}.`,
    }),
  }),
  claim({
    id: "free-bits",
    quote: "Aren't bits 63:52 available at all levels?",
    source: "B. Serebrin, mail of 2015-11-16 to the kvm and iommu lists (record K17)",
    kind: "question",
    needs: "any exploration",
    judge(rows) {
      if (rows.length === 0) return undefined;
      const asked = Array.from({ length: 12 }, (_, i) => 52 + i);
      const taken = asked.filter((bit) => !IGNORED_BITS.includes(bit));
      return { verdict: taken.length === 0 ? "holds" : "does not hold", numbers: { taken } };
    },
    say: ({ taken }) => ({
      answer: `Not safely ${taken.join(" and ")}`,
      explanation: `Linux takes 52 to 60 and 63 for ignored at every level, and 10 as well, and keeps off ${taken.join(" and ")}. Bit 62 has a meaning; about 61 sources disagree (QEMU's model ignores it). An implementation that uses one of these is refused here.`,
    }),
  }),
];
