/** What the thread says about merging: S1 to S5, what is only in its wording, and the prediction that comes first. */
import { confidenceInterval, type Interval } from "../../engine/index.js";
import type { Facts } from "../../facts/index.js";
import { type AskedClaim, askAll, type ClaimResult, claimOn, type PublishedValue } from "../frame/claim.js";
import { kindOf } from "../frame/claim-kind.js";
import { mean, where } from "../frame/rows.js";
import { baselineOf, type LostGain, lostGain, recoveries } from "./estimates.js";
import { readings } from "./readings.js";
import type { RecoveryRow } from "./recovery.js";
import type { MergedNodesRow as Row } from "./rows.js";
import type { AblationName } from "./settings.js";
import type { StructureRow } from "./structure.js";

const percent = (value: number): string => `${(100 * value).toFixed(0)} %`;
const whole = (value: number): string => Math.round(value).toLocaleString("en");
const three = (value: number): string => Number(value.toPrecision(3)).toString();

/** A structure row. */
const structure = (
  rows: readonly Row[],
  source: StructureRow["source"],
  layout: StructureRow["layout"],
  tree: StructureRow["tree"],
  when: StructureRow["when"],
): StructureRow | undefined =>
  where(
    rows.filter((row) => row.part === "structure"),
    { source, layout, tree, when },
  )[0];

const recorded: readonly Pick<StructureRow, "source" | "layout">[] = (["igb", "vmxnet3"] as const).flatMap((source) =>
  (["v4.3 addresses", "as recorded"] as const).map((layout) => ({ source, layout })),
);

/** Both recordings in both layouts, as they are in one state of one tree; undefined where the run lacks one. */
function cases(rows: readonly Row[], tree: StructureRow["tree"], when: StructureRow["when"]) {
  const found = recorded.flatMap(({ source, layout }) => {
    const row = structure(rows, source, layout, tree, when);
    return row ? [{ name: `${source}, ${layout}`, row }] : [];
  });
  return found.length === recorded.length ? found : undefined;
}

/** The spread of cases that are no sample of anything: their mean, the least and the most. */
const over = (values: readonly number[]): Interval => ({
  mean: mean(values),
  low: Math.min(...values),
  high: Math.max(...values),
  n: values.length,
  level: 1,
});

/** A record's range: two numbers, or one that is both ends. */
function rangeOf(facts: Facts, id: string, unit: string): PublishedValue {
  const [low, high] =
    typeof facts.record(id).value === "number" ? [facts.number(id), facts.number(id)] : facts.numbers(id);
  return { low, high, unit, factId: id };
}

/** What a claim on a record has in common with its siblings. */
function about(facts: Facts, id: string) {
  const record = facts.record(id);
  return { id, quote: record.quote ?? record.quantity, source: id, kind: kindOf(record) };
}

/** Throughputs of the baseline in deferred mode, seed by seed. */
function baselineSeeds(rows: readonly Row[]): { off: number; stock: number; merged: number }[] {
  const own = rows.filter((row): row is RecoveryRow => row.part === "recovery" && row.policy === "deferred");
  const off = rows.filter((row): row is RecoveryRow => row.part === "recovery" && row.role === "off");
  const at = (list: readonly RecoveryRow[], role: RecoveryRow["role"], seed: number): number | undefined =>
    list.find((row) => row.role === role && row.seed === seed)?.throughput;
  return [...new Set(own.map(({ seed }) => seed))].flatMap((seed) => {
    const found = { off: at(off, "off", seed), stock: at(own, "stock", seed), merged: at(own, "merged", seed) };
    const { off: o, stock: s, merged: m } = found;
    return o === undefined || s === undefined || m === undefined ? [] : [{ off: o, stock: s, merged: m }];
  });
}

/** A mean over seeds with its interval: of these runs alone, as those of other settings vary by other amounts. */
const overSeeds = (values: readonly number[]): Interval =>
  values.length > 1
    ? confidenceInterval(values)
    : { mean: values[0], low: values[0], high: values[0], n: 1, level: 0.95 };

const depth = (facts: Facts): AskedClaim<Row> =>
  claimOn<Row>()({
    ...about(facts, "S1"),
    published: rangeOf(facts, "S1", "levels"),
    needs: 'the part "structure"',
    judge(rows) {
      const igb = structure(rows, "igb", "v4.3 addresses", "unmerged", "boot");
      const found = cases(rows, "unmerged", "boot");
      if (!igb || !found) return undefined;
      // Where the recorded kernel chose the addresses, the tree's shape is not rebuilt.
      const deepest = found.flatMap(({ row }) => row.maxDepth ?? []);
      const means = found.flatMap(({ row }) => row.meanDepth ?? []);
      return {
        simulated: { ...over([...means, ...deepest]), unit: "levels (means and deepest)" },
        // How deep a tree "is": its deepest path, or a walk of it. Both readings, of each recording.
        cases: [...means, ...deepest].map((value) => ({ value, error: 0 })),
        numbers: { nodes: igb.nodes, mean: igb.meanDepth ?? Number.NaN, deepest: igb.maxDepth ?? Number.NaN },
      };
    },
    say: ({ nodes, mean: typical, deepest }) => ({
      explanation: `The recorded igb's ${whole(nodes)} ranges make a tree whose mean node is at level ${typical.toFixed(1)} and whose deepest is at ${deepest}: 14 to 16 is a typical descent. Addresses handed out downwards grow the tree at one end.`,
    }),
  });

const mergedCount = (facts: Facts, id: "S3" | "S4"): AskedClaim<Row> =>
  claimOn<Row>()({
    ...about(facts, id),
    published: rangeOf(facts, id, "nodes"),
    needs: 'the part "structure"',
    judge(rows) {
      const found = cases(rows, "merged", id === "S3" ? "boot" : "steady");
      if (!found) return undefined;
      const nodes = found.map(({ row }) => row.nodes);
      return {
        simulated: { ...over(nodes), unit: "nodes" },
        cases: nodes.map((value) => ({ value, error: 0 })),
        numbers: { list: found.map(({ name, row }) => ({ name, nodes: row.nodes })) },
      };
    },
    say({ list }) {
      const words = list.map(({ name, nodes }) => `${whole(nodes)} (${name})`).join(", ");
      return {
        explanation:
          id === "S3"
            ? `Merged nodes at boot: ${words}; their mean is of four different cases, and says nothing. A handful where drivers map ring after ring; interleaved queues or a kernel that scatters addresses leave more.`
            : `Merged nodes under load: ${words}. It stays small everywhere, as the thread says; how small depends on who chose the addresses and on how many maps are in flight, which the recordings keep far below a real host's.`,
      };
    },
  });

const stock = (facts: Facts): AskedClaim<Row> => {
  const published = (100 * facts.number("PE2")) / facts.number("PE1");
  return claimOn<Row>()({
    ...about(facts, "PE2"),
    published: { low: published, high: published, unit: "% of off", factId: "PE2" },
    needs: 'the part "recovery"',
    of: (q) => (100 * q["deferred: throughput"]) / q["off: throughput"],
    judge(rows) {
      const seeds = baselineSeeds(rows);
      if (seeds.length === 0) return undefined;
      const value = overSeeds(seeds.map((seed) => (100 * seed.stock) / seed.off));
      return { simulated: { ...value, unit: "% of off" }, numbers: { value, error: value.mean / published - 1 } };
    },
    say: ({ value, error }) => ({
      explanation: `Predicted ${three(value.mean)} %, published ${three(published)} %: ${error < 0 ? "too low" : "too high"} by ${percent(error < 0 ? -error : error)} of it. It is the denominator of "a third". The workload is another one (TCP_RR, not memcached).`,
    }),
  });
};

const third = (facts: Facts): AskedClaim<Row> => {
  const published = 100 * facts.number("S5");
  return claimOn<Row>()({
    ...about(facts, "S5"),
    published: { low: published, high: published, unit: "% of the loss (plain reading)", factId: "S5" },
    needs: 'the part "recovery"',
    of: readings.gap.of,
    judge(rows) {
      const seeds = baselineSeeds(rows).map((seed) => ({
        "off: throughput": seed.off,
        "deferred: throughput": seed.stock,
        "merged-deferred: throughput": seed.merged,
      }));
      if (seeds.length === 0) return undefined;
      const value = (reading: keyof typeof readings) => overSeeds(seeds.map(readings[reading].of));
      const gap = value("gap");
      return {
        simulated: { ...gap, unit: "% of the loss" },
        numbers: { gap, gain: value("gain").mean, level: value("level").mean },
      };
    },
    say: ({ gap, gain, level }) => ({
      explanation: `On the baseline merging gives back ${three(gap.mean)} % of what was lost (${three(gap.low)} to ${three(gap.high)}); read as a gain it is +${three(gain)} %, as a level ${three(level)} % of no IOMMU.`,
    }),
  });
};

const mechanism: AskedClaim<Row> = claimOn<Row>()({
  id: "merging-mechanism",
  quote: "A rbtree walk (holding that big lock) has a 14-16 level pointer chase through mostly cache-cold entries.",
  source: "S1",
  kind: "simulated quantity",
  needs: 'the part "ablation"',
  judge(rows) {
    const all = recoveries(rows);
    const losses = lostGain(all);
    const lost = (wanted: AblationName) => losses.find(({ name }) => name === wanted);
    const parts = (["lookup", "statics", "walk", "cold", "cold lookup", "cold walk"] as const).map(lost);
    if (parts.some((part) => part === undefined)) return undefined;
    const [descent, statics, walk, cold, coldDescent, coldWalk] = parts as LostGain[];
    // The descent that the sentence names, where it takes away most.
    const named = descent.share >= coldDescent.share ? descent : coldDescent;
    return {
      simulated: {
        mean: 100 * named.share,
        low: 100 * named.low,
        high: 100 * named.high,
        n: baselineOf(all)?.ratio.n ?? 0,
        level: 0.95,
        unit: "% of the gain, lost with the lookup's descent",
      },
      cases: [descent, coldDescent].map(({ share, low, high }) => ({ value: 100 * share, error: 50 * (high - low) })),
      numbers: { descent, statics, walk, cold, coldDescent, coldWalk },
    };
  },
  say({ descent, statics, walk, cold, coldDescent, coldWalk }) {
    const taken = ({ share, low, high }: LostGain) =>
      low > 0
        ? `takes away ${percent(share)} (${percent(low)} to ${percent(high)})`
        : high < 0
          ? `raises it by ${percent(-share)} (${percent(-high)} to ${percent(-low)})`
          : `changes nothing visible (${percent(low)} to ${percent(high)})`;
    return {
      explanation: `Taken as the reason why merging helps. Of the relative gain, a lookup without its descent ${taken(descent)}; cold, it ${taken(coldDescent)}; no static maps at all: ${taken(statics)}; a downward walk that costs nothing ${taken(walk)}; cold, it ${taken(coldWalk)}. In v4.3 an allocation does not descend: it walks node by node from the remembered one, and that walk is what merging shortens. "Cache-cold" is right: other work that fills the L3 ${taken(cold)}.`,
    };
  },
});

const information: AskedClaim<Row> = claimOn<Row>()({
  id: "merging-information",
  quote:
    "If we had merged all adjacent entries when we could, we would have not lost any information that's actually used by the code today.",
  source: "S3",
  kind: "fact of the source",
  needs: 'the part "structure"',
  judge(rows) {
    const share = structure(rows, "igb", "v4.3 addresses", "merged", "steady")?.unmapsOfPart;
    if (share === undefined) return undefined;
    return {
      verdict: share > 0 ? "does not hold" : "holds",
      simulated: { mean: share, low: share, high: share, n: 1, level: 1, unit: "share of unmaps" },
      numbers: { share },
    };
  },
  say: ({ share }) => ({
    explanation: `Not of upstream v4.3: its unmap is given an address and takes the length from the node, which is then cleared and freed whole. In the merged tree ${percent(share)} of the recorded unmaps meet a node longer than what they end, and would free their neighbours' maps too. It holds once unmap takes the length from its caller, who has it: the DMA API passes a size, and a list's segments sum to one.`,
  }),
});

/** The claims of the thread on merging. That tens of thousands of static maps are common (S2) is a setting here, and no claim. */
export function mergedNodesClaims(rows: readonly Row[], facts: Facts): ClaimResult[] {
  const all = [
    stock(facts),
    depth(facts),
    mergedCount(facts, "S3"),
    mergedCount(facts, "S4"),
    third(facts),
    mechanism,
    information,
  ];
  return askAll(all, rows, { facts, experiment: "merged-nodes" });
}
