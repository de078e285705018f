import type { Facts } from "../../facts/index.js";
import { kindOf } from "../frame/claim-kind.js";
import type { ClaimResult, Interval } from "../frame/experiment.js";
import { predicted } from "../frame/prediction.js";
import { mean, where } from "../frame/rows.js";
import {
  aboutAThird,
  baselineOf,
  influence,
  isAThird,
  type LostGain,
  lostGain,
  type Recovery,
  recoveries,
} from "./estimates.js";
import type { AblationName } from "./recovery.js";
import type { MergedNodesRow } from "./rows.js";
import type { StructureRow } from "./structure.js";

const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;
const whole = (value: number): string => Math.round(value).toLocaleString("en");

function claim(
  facts: Facts,
  id: string,
  rest: Pick<ClaimResult, "verdict" | "explanation"> & Partial<ClaimResult>,
): ClaimResult {
  const record = facts.record(id);
  return { id, quote: record.quote ?? record.quantity, source: id, kind: kindOf(record), ...rest };
}

const unanswered = (facts: Facts, id: string, part: string): ClaimResult =>
  claim(facts, id, { verdict: "not answered", explanation: `This run left out the part "${part}".` });

/** A structure row. */
const structure = (
  rows: readonly MergedNodesRow[],
  source: StructureRow["source"],
  layout: StructureRow["layout"],
  tree: StructureRow["tree"],
  when: StructureRow["when"],
): StructureRow | undefined =>
  where(
    rows.filter((row) => row.part === "structure"),
    { source, layout, tree, when },
  )[0];

const nodesOf = ({ nodes, nodesLow, nodesHigh }: StructureRow): Interval => ({
  mean: nodes,
  low: nodesLow,
  high: nodesHigh,
  n: 1,
  level: 1,
});

/** A record's range: two numbers, or one that is both ends. */
function rangeOf(facts: Facts, id: string, unit: string): NonNullable<ClaimResult["published"]> {
  const [low, high] =
    typeof facts.record(id).value === "number" ? [facts.number(id), facts.number(id)] : facts.numbers(id);
  return { low, high, unit, factId: id };
}

function depthClaim(facts: Facts, rows: readonly MergedNodesRow[]): ClaimResult {
  const row = structure(rows, "igb", "v4.3 addresses", "unmerged", "boot");
  if (!row) return unanswered(facts, "S1", "structure");
  const { maxDepth: deepest = Number.NaN, meanDepth = Number.NaN, nodes } = row;
  const within = (levels: number) => levels >= 13.5 && levels < 16.5;
  return claim(facts, "S1", {
    published: rangeOf(facts, "S1", "levels"),
    simulated: { mean: meanDepth, low: meanDepth, high: deepest, n: 1, level: 1, unit: "levels (mean to deepest)" },
    verdict: within(deepest) ? "holds" : within(meanDepth) ? "depends" : "does not hold",
    explanation: `The recorded igb's ${whole(nodes)} ranges make a tree whose mean node is at level ${meanDepth.toFixed(1)} and whose deepest is at ${deepest}. "14 to 16 levels" is right for a typical descent, not for the deepest path: addresses handed out downwards grow the tree at one end.`,
  });
}

function staticClaim(facts: Facts, rows: readonly MergedNodesRow[]): ClaimResult {
  const igb = structure(rows, "igb", "as recorded", "unmerged", "boot");
  const vmxnet3 = structure(rows, "vmxnet3", "as recorded", "unmerged", "boot");
  if (!igb || !vmxnet3) return unanswered(facts, "S2", "structure");
  const counts = [igb, vmxnet3].map(({ allDevices = Number.NaN }) => allDevices);
  const [a, b] = counts;
  return claim(facts, "S2", {
    published: rangeOf(facts, "S2", "maps"),
    simulated: {
      mean: (a + b) / 2,
      low: Math.min(a, b),
      high: Math.max(a, b),
      n: 2,
      level: 1,
      unit: "maps of two NICs",
    },
    verdict: Math.min(a, b) >= 10_000 ? "holds" : Math.max(a, b) >= 10_000 ? "depends" : "does not hold",
    explanation: `Two recorded NICs hold ${whole(a)} maps before any traffic (igb, 8 queues each) or ${whole(b)} (vmxnet3, 4 queues each). The number is queues × receive ring; rings of 4,096 were chosen to reach the thread's size, so this shows that it takes large rings, not that they were common.`,
  });
}

function mergedClaim(facts: Facts, rows: readonly MergedNodesRow[], id: "S3" | "S4"): ClaimResult {
  const when = id === "S3" ? "boot" : "steady";
  const found = (["igb", "vmxnet3"] as const).flatMap((source) =>
    (["v4.3 addresses", "as recorded"] as const).map((layout) => ({
      name: `${source}, ${layout}`,
      row: structure(rows, source, layout, "merged", when),
    })),
  );
  const known = found.flatMap(({ name, row }) => (row ? [{ name, nodes: nodesOf(row) }] : []));
  if (known.length < found.length) return unanswered(facts, id, "structure");
  const range = id === "S3" ? { low: 4, high: 14 } : { low: 200, high: 1200 };
  const inside = known.filter(({ nodes }) => nodes.mean >= range.low && nodes.mean <= range.high);
  const all = known.map(({ nodes }) => nodes.mean);
  const list = known.map(({ name, nodes }) => `${whole(nodes.mean)} (${name})`).join(", ");
  const few = all.every((n) => n <= range.high);
  return claim(facts, id, {
    published: rangeOf(facts, id, "nodes"),
    simulated: {
      mean: mean(all),
      low: Math.min(...all),
      high: Math.max(...all),
      n: all.length,
      level: 1,
      unit: "nodes",
    },
    verdict: inside.length === known.length ? "holds" : inside.length > 0 || few ? "depends" : "does not hold",
    explanation:
      id === "S3"
        ? `Merged nodes at boot: ${list}; their mean is of four different cases, and says nothing. A handful where drivers map ring after ring; interleaved queues or a kernel that scatters addresses leave more.`
        : `Merged nodes under load: ${list}. It stays small everywhere, as the thread says; how small depends on who chose the addresses and on how many maps are in flight, which the recordings keep far below a real host's.`,
  });
}

function predictionClaim(facts: Facts, base: Recovery | undefined): ClaimResult {
  if (!base) return unanswered(facts, "PE2", "recovery");
  const published = facts.number("PE2") / facts.number("PE1");
  const error = base.stockOfOff.mean / published - 1;
  const verdict = predicted(base.stockOfOff, published);
  return claim(facts, "PE2", {
    published: { low: published, high: published, unit: "share of no IOMMU", factId: "PE2" },
    simulated: { ...base.stockOfOff, unit: "share of no IOMMU" },
    verdict,
    explanation: `Predicted ${percent(base.stockOfOff.mean)}, published ${percent(published)}: ${error < 0 ? "too low" : "too high"} by ${percent(Math.abs(error))} of it${verdict === "holds" ? ", which chance explains" : ", more than chance"}. It is the denominator of "a third". The workload is another one (TCP_RR, not memcached).`,
  });
}

function thirdClaim(facts: Facts, all: readonly Recovery[]): ClaimResult {
  const base = baselineOf(all);
  if (!base) return unanswered(facts, "S5", "recovery");
  const isThird = (value: number) => value >= aboutAThird.low && value <= aboutAThird.high;
  const others = all.filter((r) => r.part !== "ablation" && r !== base);
  const inside = others.filter((r) => isAThird(r.gapShare) === "yes");
  const undecided = others.filter((r) => isAThird(r.gapShare) === "undecided");
  const { gapShare, ratio, mergedOfOff } = base;
  const readings = [gapShare.mean, ratio.mean - 1, mergedOfOff.mean];
  const plain = isAThird(gapShare) === "yes";
  const touches = isAThird(gapShare) !== "no";
  const mover = others.length > 0 ? influence(all)[0] : undefined;
  const elsewhere =
    others.length > 0
      ? ` Of ${others.length} other settings ${inside.length} lie at about a third (29 to 42 %) of the loss with their whole interval, ${undecided.length} with a part of it.`
      : "";
  return claim(facts, "S5", {
    published: rangeOf(facts, "S5", "share of the lost throughput (plain reading)"),
    simulated: { ...gapShare, unit: "share of the lost throughput" },
    verdict: plain
      ? "holds"
      : touches || inside.length + undecided.length > 0 || readings.some(isThird)
        ? "depends"
        : "does not hold",
    explanation: `On the baseline merging gives back ${percent(gapShare.mean)} of what was lost (${percent(gapShare.low)} to ${percent(gapShare.high)}); read as a gain it is +${percent(ratio.mean - 1)}, as a level ${percent(mergedOfOff.mean)} of no IOMMU.${elsewhere}${mover ? ` What moves it most: ${mover.assumption} (${percent(mover.low)} to ${percent(mover.high)}).` : ""}`,
  });
}

function mechanismClaim(all: readonly Recovery[]): ClaimResult {
  const base = { id: "merging-mechanism", kind: "simulated quantity" as const, source: "S1" };
  const quote =
    "A rbtree walk (holding that big lock) has a 14-16 level pointer chase through mostly cache-cold entries.";
  const losses = lostGain(all);
  const lost = (wanted: AblationName) => losses.find(({ name }) => name === wanted);
  const parts = (["lookup", "statics", "walk", "cold", "cold lookup", "cold walk"] as const).map(lost);
  if (parts.some((part) => part === undefined)) {
    return { ...base, quote, verdict: "not answered", explanation: 'This run left out the part "ablation".' };
  }
  const [descent, statics, walk, cold, coldDescent, coldWalk] = parts as LostGain[];
  const taken = ({ share, low, high }: LostGain) =>
    low > 0
      ? `takes away ${percent(share)} (${percent(low)} to ${percent(high)})`
      : high < 0
        ? `raises it by ${percent(-share)} (${percent(-high)} to ${percent(-low)})`
        : `changes nothing visible (${percent(low)} to ${percent(high)})`;
  // The descent that the sentence names, where it takes away most.
  const named = descent.share >= coldDescent.share ? descent : coldDescent;
  return {
    ...base,
    quote,
    verdict: named.low >= 0.5 ? "holds" : named.high >= 0.2 ? "depends" : "does not hold",
    simulated: {
      mean: named.share,
      low: named.low,
      high: named.high,
      n: baselineOf(all)?.ratio.n ?? 0,
      level: 0.95,
      unit: "of the gain, lost with the lookup's descent",
    },
    explanation: `Taken as the reason why merging helps. Of the relative gain, a lookup without its descent ${taken(descent)}; cold, it ${taken(coldDescent)}; no static maps at all: ${taken(statics)}; a downward walk that costs nothing ${taken(walk)}; cold, it ${taken(coldWalk)}. In v4.3 an allocation does not descend: it walks node by node from the remembered one, and that walk is what merging shortens. "Cache-cold" is right: other work that fills the L3 ${taken(cold)}.`,
  };
}

function informationClaim(rows: readonly MergedNodesRow[]): ClaimResult {
  const quote =
    "If we had merged all adjacent entries when we could, we would have not lost any information that's actually used by the code today.";
  const base = { id: "merging-information", kind: "fact of the source" as const, source: "S3", quote };
  const row = structure(rows, "igb", "v4.3 addresses", "merged", "steady");
  const share = row?.unmapsOfPart;
  if (share === undefined)
    return { ...base, verdict: "not answered", explanation: 'This run left out the part "structure".' };
  return {
    ...base,
    simulated: {
      mean: share,
      low: share,
      high: share,
      n: 1,
      level: 1,
      unit: "share of unmaps",
    },
    verdict: share > 0 ? "does not hold" : "holds",
    explanation: `Not of upstream v4.3: its unmap is given an address and takes the length from the node, which is then cleared and freed whole. In the merged tree ${percent(share)} of the recorded unmaps meet a node longer than what they end, and would free their neighbours' maps too. It holds once unmap takes the length from its caller, who has it: the DMA API passes a size, and a list's segments sum to one.`,
  };
}

/** The claims of the thread on merging, S1 to S5, with the two that are only in its wording, and the prediction that comes first. */
export function mergedNodesClaims(rows: readonly MergedNodesRow[], facts: Facts): ClaimResult[] {
  const all = recoveries(rows);
  return [
    predictionClaim(facts, baselineOf(all)),
    depthClaim(facts, rows),
    staticClaim(facts, rows),
    mergedClaim(facts, rows, "S3"),
    mergedClaim(facts, rows, "S4"),
    thirdClaim(facts, all),
    mechanismClaim(all),
    informationClaim(rows),
  ];
}
