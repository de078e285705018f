import { confidenceInterval } from "../../engine/index.js";
import type { Facts } from "../../facts/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { marginOf } from "../ignorance/margins.js";
import type { FlushingRow } from "./rows.js";

const mail = "B. Serebrin, mail of 2015-11-15 to the kvm and iommu lists";
const claim = claimOn<FlushingRow>();
const mean = (rows: readonly FlushingRow[], pick: (row: FlushingRow) => number): number =>
  rows.reduce((sum, row) => sum + pick(row), 0) / Math.max(1, rows.length);
const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** Both directions together: one can win what the other loses. */
const taken = (row: FlushingRow): number => row.inGbps + row.outGbps;

/** What the domain's flush takes against the best of the rules that spare something, setting by setting. */
function againstSparing(rows: readonly FlushingRow[]) {
  const of = (name: string, ats: boolean, gbps: number) =>
    rows.filter((row) => row.variant === name && row.ats === ats && row.gbps === gbps);
  const settings = [...new Map(rows.map(({ ats, gbps }) => [`${ats} ${gbps}`, { ats, gbps }])).values()];
  return settings.flatMap(({ ats, gbps }) => {
    const domain = of("flush-domain", ats, gbps);
    const sparing = ["flush-pages", "flush-ranges"].map((name) => of(name, ats, gbps)).filter((one) => one.length > 0);
    if (domain.length === 0 || sparing.length === 0) return [];
    const best = Math.max(...sparing.map((one) => mean(one, taken)));
    const least = Math.min(...sparing.map((one) => mean(one, (row) => row.ringMisses)));
    return [
      {
        ratio: mean(domain, taken) / Math.max(1e-9, best),
        moreMisses: mean(domain, (row) => row.ringMisses) - least,
      },
    ];
  });
}

/** What the mails say or ask about flushes and misses. */
export const claimsOn = (facts: Facts): readonly AskedClaim<FlushingRow>[] => [
  claim({
    id: "flush-everything",
    quote: "Maybe TLBs don't do much good and we could just flush the entire IOMMU TLB [and ATS cache] for that BDF.",
    source: mail,
    kind: "question",
    needs: 'the variants "flush-domain" and "flush-pages" or "flush-ranges"',
    judge(rows) {
      const settings = againstSparing(rows);
      if (settings.length === 0) return undefined;
      const { low: asGood } = marginOf(facts, "flushing: flush-everything");
      const wins = settings.filter(({ ratio }) => ratio >= asGood).length;
      const ratios = settings.map(({ ratio }) => ratio);
      const misses = settings.map(({ moreMisses }) => moreMisses);
      return {
        verdict: wins === settings.length ? "holds" : wins === 0 ? "does not hold" : "depends",
        ...(ratios.length > 1 ? { simulated: { ...confidenceInterval(ratios), unit: "times the packets" } } : {}),
        numbers: {
          wins,
          all: settings.length,
          least: Math.min(...ratios),
          most: Math.max(...ratios),
          misses: Math.max(...misses),
        },
      };
    },
    say: ({ wins, all, least, most, misses }) => ({
      answer: wins === all ? "Yes, where unmaps are flushed together" : `In ${wins} of ${all} settings`,
      explanation: `One flush of the domain takes as many packets as the better of page by page and joined ranges, or more, in ${wins} of ${all} settings of rate and ATS: ${least.toFixed(1)} to ${most.toFixed(1)} times as many. It costs at most ${misses.toFixed(2)} misses of the rings a packet, beside the one that each new buffer costs under every rule. Cores are taken to pay the same for each invalidation, whatever it reaches (record RI1).`,
    }),
  }),
  claim({
    id: "never-come-back",
    quote: "these kind of workloads use an IOVA for one event and then never come back",
    source: mail,
    kind: "question",
    needs: 'the variant "flush-domain" without ATS',
    judge(rows) {
      const mine = rows.filter((row) => row.variant === "flush-domain" && !row.ats);
      if (mine.length === 0) return undefined;
      const again = mean(mine, (row) => row.again);
      const misses = mean(mine, (row) => row.bufferMisses);
      const between = Math.min(...mine.map((row) => row.between));
      const { high: hardlyEver } = marginOf(facts, "flushing: never-come-back");
      const never = 100 * again <= hardlyEver;
      const missed = 100 * (1 - misses) <= hardlyEver;
      // Addresses that come back would have to be found in the cache again to make the sentence wrong for a TLB.
      return {
        verdict: never ? "holds" : missed ? "depends" : "does not hold",
        ...(mine.length > 1
          ? { simulated: { ...confidenceInterval(mine.map((row) => 100 * row.again)), unit: "% of maps" } }
          : {}),
        numbers: { never, again, misses, between },
      };
    },
    say: ({ never, again, misses, between }) => ({
      answer: never ? "They do not come back" : "The allocator sees them again, the TLB does not",
      explanation: `Addresses do come back: ${percent(again)} of the maps of a short run are of an address that was mapped before in it, half of them after up to ${between} others. But none comes back before its flush, and a buffer misses ${misses.toFixed(2)} times: nothing that the TLB remembers of a buffer is of use to the next one at its address.`,
    }),
  }),
  claim({
    id: "visibility",
    quote:
      "it would be nice if we had a better way to measure the performance impact of IOTLB misses — currently we don't have a lot of visibility at all",
    source: "D. Woodhouse, mail of 2015-11-16 to the kvm and iommu lists",
    kind: "question",
    needs: "a way of mapping that translates",
    judge(rows) {
      const seen = rows.filter((row) => row.missNs > 0 && row.inferredByOccupancy > 0);
      if (seen.length === 0) return undefined;
      const { low, high } = marginOf(facts, "flushing: visibility");
      const ofMiss = (row: FlushingRow): number => (100 * row.inferredByOccupancy) / row.missNs;
      const near = seen.filter((row) => ofMiss(row) >= low && ofMiss(row) <= high);
      const far = seen.filter((row) => !near.includes(row));
      const worst = far.length === 0 ? 1 : Math.min(...far.map((row) => row.inferredByOccupancy / row.missNs));
      return {
        verdict: far.length === 0 ? "holds" : near.length === 0 ? "does not hold" : "depends",
        numbers: { near: near.length, all: seen.length, worst },
      };
    },
    say: ({ near, all, worst }) => ({
      answer: `Since VT-d's counters: within a tenth in ${near} of ${all} runs`,
      explanation: `By Little's law the counter of walks under way, over the walks, is the time of a walk. That is within a tenth of what a miss really cost in ${near} of ${all} simulated runs. It is too low, down to ${percent(worst)} of the truth, where misses come nearly as fast as walks can begin: the counters see walks, and not the queue before them.`,
    }),
  }),
];
