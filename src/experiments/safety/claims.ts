import type { Facts } from "../../facts/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { estimate, type NumberColumn, where } from "../frame/rows.js";
import { marginOf } from "../ignorance/margins.js";
import { onMostCores, type SafetyRow } from "./rows.js";

const mail = "B. Serebrin, mail of 2015-11-15 to the kvm and iommu lists";
const claim = claimOn<SafetyRow>();
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Rows of a way of mapping on the most cores. */
const of = (rows: readonly SafetyRow[], variant: string): SafetyRow[] => where(onMostCores(rows), { variant });
const number = (rows: readonly SafetyRow[], column: NumberColumn<SafetyRow>): number => estimate(rows, column).mean;

/** What the mails ask about safety and speed together. */
export const claimsOn = (facts: Facts): readonly AskedClaim<SafetyRow>[] => [
  claim({
    id: "strict-ish",
    quote:
      "I want strict-ish semantics (a page doesn't go back into the freelist until the last IOTLB/IOMMU TLB entry is invalidated) with good performance",
    source: mail,
    kind: "question",
    needs: 'the variants "strict-ish", "magazines-deferred" and "magazines-strict"',
    judge(rows) {
      const [ish, deferred, strict] = ["strict-ish", "magazines-deferred", "magazines-strict"].map((name) =>
        of(rows, name),
      );
      if ([ish, deferred, strict].some((one) => one.length === 0)) return undefined;
      const share = number(ish, "throughput") / number(deferred, "throughput");
      const reached = number(ish, "otherPages");
      const { low: good } = marginOf(facts, "safety: strict-ish");
      return {
        verdict: reached > 0 ? "does not hold" : 100 * share >= good ? "holds" : "depends",
        numbers: {
          share,
          strict: number(strict, "throughput") / number(deferred, "throughput"),
          pinned: number(ish, "pinnedMean"),
          most: Math.max(...ish.map((row) => row.pinnedMost)),
          reached,
          deferred: number(deferred, "otherPages"),
        },
      };
    },
    say: ({ share, strict, pinned, most, reached, deferred }) => ({
      answer:
        reached === 0 ? `Can be had, for ${percent(1 - share)} of deferred mode's throughput` : "Not as built here",
      explanation: `With a reference on each page from its map to its flush, a device reaches ${reached === 0 ? "nobody else's page" : `${reached.toFixed(1)} of somebody else's pages`}, where deferred mode leaves ${deferred.toFixed(0)} in reach at a time. Throughput is ${percent(share)} of deferred mode's; strict mode's is ${percent(strict)}. The price is memory: ${Math.round(pinned)} pages are held at a time, ${most} at most. A page's owner can still be surprised: what it reads itself stays in reach until the flush.`,
    }),
  }),
  claim({
    id: "dynamic-one-to-one",
    quote:
      "I'm interested in seeing if the dynamic 1:1 with a mostly-lock-free page table cleanup algorithm could do well.",
    source: mail,
    kind: "question",
    needs: 'the variants "one-to-one-strict", "magazines-strict" and "strict"',
    judge(rows) {
      const [one, magazines, strict] = ["one-to-one-strict", "magazines-strict", "strict"].map((name) =>
        of(rows, name),
      );
      if ([one, magazines, strict].some((each) => each.length === 0)) return undefined;
      const beside = number(one, "throughput") / number(magazines, "throughput");
      const before = number(one, "throughput") / number(strict, "throughput");
      const { low: well } = marginOf(facts, "safety: dynamic-one-to-one");
      return {
        verdict: 100 * beside >= well ? "holds" : 100 * before >= well ? "depends" : "does not hold",
        numbers: {
          beside,
          before,
          memory: number(one, "tableKiB") / Math.max(1, number(magazines, "tableKiB")),
          freed: number(one, "freedTables") / Math.max(1, number(one, "unmaps")),
        },
      };
    },
    say: ({ beside, before, memory, freed }) => ({
      answer: `Better than the tree (${before.toFixed(1)} times), not than magazines (${percent(beside)})`,
      explanation: `Strict against strict, dynamic 1:1 does ${before.toFixed(1)} times what v4.3's tree does, and ${percent(beside)} of what magazines do. Addresses lie as widely as memory, so tables take ${memory.toFixed(0)} times the memory and come and go (${freed.toFixed(2)} freed an unmap); each that comes is zeroed, and flushed line by line where page walks do not snoop the caches. A thesis of 2015 found the two comparable (record MS42); ours is lower, with strict flushes, freed tables and scattered pages. In every reachable state of the sizes explored it is right without a lock.`,
    }),
  }),
];
