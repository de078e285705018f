import { callSteps } from "../../dma/index.js";
import type { Facts } from "../../facts/index.js";
import type { ClaimResult, Interval } from "../frame/experiment.js";
import { predicted } from "../frame/prediction.js";
import { distinct, estimate, ratio, where } from "../frame/rows.js";
import { like, observed } from "./alike.js";
import type { LockContentionRow as Row } from "./rows.js";

const mail15 = "B. Serebrin, mail of 2015-11-15";
const mail16 = "B. Serebrin, mail of 2015-11-16";
const woodhouse = "D. Woodhouse, mail of 2015-11-16";

type Judged = Pick<ClaimResult, "verdict" | "answer" | "explanation" | "simulated">;
interface Question extends Pick<ClaimResult, "id" | "quote" | "source" | "kind"> {
  /** The published value, where there is one. */
  published?(facts: Facts): NonNullable<ClaimResult["published"]>;
  /** What a run must hold to answer. */
  needs: string;
  /** The answer, or undefined where the rows do not hold what it needs. */
  judge(rows: readonly Row[], facts: Facts): Judged | undefined;
}

const percent = (interval: Interval, unit = "%"): Interval & { unit: string } => ({
  ...interval,
  mean: 100 * interval.mean,
  low: 100 * interval.low,
  high: 100 * interval.high,
  unit,
});
const inUnit = (interval: Interval, unit: string): Interval & { unit: string } => ({ ...interval, unit });
const text = (value: number): string => Number(value.toPrecision(3)).toString();

/** Rows of a variant at the most cores that it has (or the fewest); with everything else at one setting, the first. */
function most(
  rows: readonly Row[],
  name: string,
  match: Partial<Row> = {},
  pick: (...cores: number[]) => number = Math.max,
): Row[] {
  const mine = where(rows, { variant: name, ...match });
  if (mine.length === 0) return [];
  const at = where(mine, { cores: pick(...distinct(mine, "cores")) });
  return like(at, at[0], {});
}

/** The same runs as another variant; none where there are none to compare. */
const instead = (rows: readonly Row[], mine: readonly Row[], change: Partial<Row>): Row[] =>
  mine.length === 0 ? [] : like(rows, mine[0], change);

const coresText = (cores: number): string => `${cores} core${cores === 1 ? "" : "s"}`;

/** What a change does to the throughput, in words; a change whose interval contains none at all is said to have no visible effect. */
function effect({ mean, low, high, n }: Interval): string {
  if (n < 2)
    return `${mean < 1 ? "costs" : "gains"} ${text(100 * Math.abs(1 - mean))} % of the throughput in a single run`;
  if (low <= 1 && high >= 1) return `has no visible effect (${text(100 * low - 100)} to +${text(100 * high - 100)} %)`;
  const [least, most] = mean < 1 ? [1 - high, 1 - low] : [low - 1, high - 1];
  return `${mean < 1 ? "costs" : "gains"} ${text(100 * least)} to ${text(100 * most)} % of the throughput`;
}

const plain = { ats: false };
const atMost = (rows: readonly Row[], cores: number): boolean => rows.length > 0 && rows[0].cores === cores;

const questions: readonly Question[] = [
  {
    id: "every-map-holds-the-lock",
    quote: "Every dma_map and unmap holds the lock.",
    source: mail15,
    kind: "fact of the source",
    needs: 'the variant "deferred" or "strict" with both directions mapped',
    judge(rows) {
      const mine = [
        ...most(rows, "deferred", { ...plain, profile: "both" }),
        ...most(rows, "strict", { ...plain, profile: "both" }),
      ];
      if (mine.length === 0) return undefined;
      const pairs = 2 * mine[0].mapsPerSide;
      const e = estimate(mine, (row) => row["allocator: a transaction"] / pairs);
      return {
        verdict: e.mean > 2.5 ? "holds" : "does not hold",
        explanation:
          "A map and its unmap take the tree lock three times: to allocate, to find the range again, and to free it.",
        simulated: inUnit(e, "acquisitions a pair"),
      };
    },
  },
  {
    id: "software-bottleneck",
    quote: "First, the main bottleneck was software performance",
    source: `${mail15} (records S6, S7 describe the load)`,
    kind: "simulated quantity",
    needs: 'the variant "strict"',
    judge(rows) {
      const mine = most(rows, "strict", plain);
      if (mine.length === 0) return undefined;
      const e = estimate(mine, (row) => row["share: invalidation"] / (1 - row["share: stack"] - row["share: waiting"]));
      return {
        verdict: e.high < 0.5 ? "holds" : e.low > 0.5 ? "does not hold" : "depends",
        explanation: `With ${mine[0].cores} cores in strict mode, this share of the lost time is the invalidation itself, hardware included; the rest is locks, tree and page table.`,
        simulated: percent(e, "% of the lost time"),
      };
    },
  },
  {
    id: "all-else-is-software",
    quote: "It's a single 64-bit write of the PTE. All else is software overhead.",
    source: woodhouse,
    kind: "simulated quantity",
    needs: 'the variant "deferred" with coherent true',
    judge(rows) {
      // The mail leaves the chipsets that need a clflush out: there, writing the entry is most of a map that nobody disturbs.
      const snooped = { ...plain, coherent: true };
      if (where(rows, { variant: "deferred", ...snooped }).length === 0) return undefined;
      const few = most(rows, "deferred", snooped, Math.min);
      const top = most(rows, "deferred", snooped);
      const alone = estimate(few, "pteWriteShare");
      const crowded = estimate(top, "pteWriteShare");
      return {
        verdict: alone.high < 0.5 ? "holds" : alone.low > 0.5 ? "does not hold" : "depends",
        explanation: `Walk and write of the entry are ${text(100 * alone.mean)} % of a map on ${few[0].cores} core${few[0].cores === 1 ? "" : "s"}, and ${text(100 * crowded.mean)} % on ${top[0].cores} cores. Even that part is mostly the way to the entry.`,
        simulated: percent(crowded, "% of a map"),
      };
    },
  },
  {
    id: "lock-over-invalidations",
    quote: "the RB tree lock is held during invalidations as well.",
    source: `${mail15}; but record K10`,
    kind: "fact of the source",
    needs: 'the variants "deferred" and "thread-deferred"',
    judge(rows) {
      const asWorded = most(rows, "thread-deferred", plain);
      const upstream = instead(rows, asWorded, { variant: "deferred" });
      if (asWorded.length === 0 || upstream.length === 0) return undefined;
      const r = ratio(asWorded, upstream, "throughput");
      const underTreeLock = callSteps("deferred").unmap.some(
        ({ step, locks }) => step.startsWith("qi_submit_sync") && locks.includes("iova_rbtree_lock"),
      );
      return {
        verdict: underTreeLock ? "holds" : "does not hold",
        explanation: `In Linux v4.3 another lock, async_umap_flush_lock, is held over the flush (record K10). Done as the thread words it, throughput at ${upstream[0].cores} cores would be this share of upstream's.`,
        simulated: percent(r, "% of v4.3"),
      };
    },
  },
  {
    id: "no-batching",
    quote: "There's a 250-entry queue for invalidations that doesn't do any batching intelligence",
    source: `${mail15}; but record K11`,
    kind: "fact of the source",
    needs: 'the variants "deferred" and "thread-deferred"',
    judge(rows) {
      const asWorded = most(rows, "thread-deferred", plain);
      const upstream = instead(rows, asWorded, { variant: "deferred" });
      if (asWorded.length === 0 || upstream.length === 0) return undefined;
      const e = estimate(upstream, "share: invalidation");
      const sent = estimate(upstream, "invalidationsPerUnmap").mean;
      return {
        verdict: sent < 0.5 ? "does not hold" : "holds",
        explanation:
          "Linux v4.3 does promote: one global invalidation a batch, then one by one only for ATS devices (record K11). Invalidation is then this share of all time.",
        simulated: percent(e, "% of all time"),
      };
    },
  },
  {
    id: "lazy-flush-dangles",
    quote: "I think lazy_flush leaves dangling references.",
    source: mail16,
    kind: "fact of the source",
    needs: 'a variant "pools-N-lazy"',
    judge(rows) {
      const [first] = rows.filter((row) => row.variant.endsWith("-lazy") && row.cores > 1);
      if (!first) return undefined;
      const e = estimate(like(rows, first, {}), "staleMax");
      return {
        verdict: e.low > 0 ? "holds" : "does not hold",
        explanation:
          "This many unmapped pages were still reachable by the device at once within the run, and the number grows until a pool wraps: hundreds of thousands of unmaps later.",
        simulated: inUnit(e, "pages"),
      };
    },
  },
  {
    id: "deferred-dangles",
    quote:
      "I want strict-ish semantics (a page doesn't go back into the freelist until the last IOTLB/IOMMU TLB entry is invalidated)",
    source: mail15,
    kind: "fact of the source",
    needs: 'the variant "deferred"',
    judge(rows) {
      const mine = most(rows, "deferred", plain);
      if (mine.length === 0) return undefined;
      const dangles = estimate(mine, "staleMax").low > 0;
      return {
        verdict: dangles ? "holds" : "does not hold",
        // A wish, not a statement: what is shown is whether there is reason for it.
        answer: dangles ? "Deferred mode does not give it" : "Nothing was left reachable",
        explanation: `Deferred mode does not give that: up to ${text(estimate(mine, "staleMax").mean)} unmapped pages are reachable at once, for up to ${text(estimate(mine, "windowMax").mean)} µs under this load and up to 10 ms when it is quiet. Shown: the mean time.`,
        simulated: inUnit(estimate(mine, "windowMean"), "µs"),
      };
    },
  },
  {
    id: "four-arenas",
    quote: "Is 4 parallel arenas enough?",
    source: `${mail16}; four is powerpc's count, lib/iommu-common has 16 (record K23)`,
    kind: "question",
    needs: 'the variants "pools-4-lazy" and "pools-16-lazy" (or both strict)',
    judge(rows) {
      const found = (["-lazy", ""] as const)
        .map((suffix) => {
          const four = most(rows, `pools-4${suffix}`, plain);
          return { suffix, four, sixteen: instead(rows, four, { variant: `pools-16${suffix}` }) };
        })
        .find(({ four, sixteen }) => four.length > 0 && sixteen.length > 0);
      if (!found) return undefined;
      const r = ratio(found.four, found.sixteen, "throughput");
      const cores = coresText(found.four[0].cores);
      // Enough: nothing that can be joined apart from the noise, or less than a twentieth, is left to gain.
      const verdict = r.low > 0.95 ? "holds" : r.high < 0.95 ? "does not hold" : "depends";
      const answer = { holds: "Yes", "does not hold": "No", depends: "Not certain" }[verdict];
      return {
        verdict,
        answer: `${answer}, for ${cores}`,
        explanation: `${answer}, for ${cores}${found.suffix ? "" : " in strict mode"}: four pools do ${text(100 * r.low)} to ${text(100 * r.high)} % of what sixteen do (yes: surely above 95 %; no: surely below). Linux's hash sends the first CPUs unevenly: of four pools it leaves one almost unused.`,
        simulated: percent(r, "% of 16 pools"),
      };
    },
  },
  {
    id: "worse-with-ats",
    quote: "Invalidations have even worse behavior with ATS enabled for a given device.",
    source: mail15,
    kind: "simulated quantity",
    needs: 'the variant "deferred" with ats false and true',
    judge(rows) {
      const found = ["deferred", "strict"]
        .map((name) => most(rows, name, { ats: true }))
        .map((withAts) => ({ withAts, without: instead(rows, withAts, plain) }))
        .find(({ without }) => without.length > 0);
      if (!found) return undefined;
      const r = ratio(found.withAts, found.without, "throughput");
      return {
        verdict: r.high < 1 ? "holds" : r.low > 1 ? "does not hold" : "depends",
        explanation:
          "With ATS each entry of a flush needs a round trip to the device, one by one, under async_umap_flush_lock and device_domain_lock.",
        simulated: percent(r, "% of without ATS"),
      };
    },
  },
  {
    id: "stupid-chipsets",
    quote:
      "How much does Linux need to care about such chipsets? Can we argue that they get very sad performance and so be it?",
    source: `${mail16}, of chipsets that need a clflush (record JG4)`,
    kind: "question",
    needs: 'the variant "deferred" with coherent true and false',
    judge(rows) {
      const [first] = where(rows, { variant: "deferred", ats: false, coherent: false });
      if (!first) return undefined;
      const pair = (cores: number) => [false, true].map((coherent) => like(rows, first, { cores, coherent }));
      const list = distinct(rows, "cores").filter((cores) => pair(cores).every((runs) => runs.length > 0));
      if (list.length === 0) return undefined;
      const at = (cores: number) => ratio(pair(cores)[0], pair(cores)[1], "throughput");
      const [fewest, most] = [Math.min(...list), Math.max(...list)];
      const few = at(fewest);
      const many = at(most);
      const others = fewest === most ? "" : ` On ${coresText(fewest)} it ${effect(few)}.`;
      const verdict = many.low > 0.9 ? "does not hold" : many.high < 0.7 ? "holds" : "depends";
      const answer = { holds: "Sad indeed", "does not hold": "Not sad", depends: "Not certain" }[verdict];
      return {
        verdict,
        answer: `${answer}, for ${coresText(most)}`,
        explanation: `On ${coresText(most)} the flush ${effect(many)}: it happens outside the lock that everybody waits for.${others}`,
        simulated: percent(many, "% of coherent"),
      };
    },
  },
  {
    id: "magazine-avoids-tree",
    quote: "The magazine avoids the RB tree issue.",
    source: mail15,
    kind: "simulated quantity",
    needs: 'the variants "magazines-deferred" and "off"',
    judge(rows) {
      const mine = most(rows, "magazines-deferred", plain);
      const off = instead(rows, mine, { variant: "off" });
      if (off.length === 0) return undefined;
      const r = ratio(mine, off, "throughput");
      const spin = estimate(mine, "spin: allocator lock");
      return {
        verdict: spin.high < 0.05 ? "holds" : "does not hold",
        explanation: `With magazines ${text(100 * spin.mean)} % of the time goes into waiting for the allocator. With a flush queue a CPU as well, ${mine[0].cores} cores do this share of IOMMU off.`,
        simulated: percent(r, "% of off"),
      };
    },
  },
  {
    id: "bypass",
    quote: "add DMA attribute - DMA_ATTR_IOMMU_BYPASS",
    source: "subject of the thread, 2015-11",
    // Both run the same two steps in the model: a check of the model, and no evidence.
    kind: "fact of the source",
    needs: 'the variants "pass-through" and "off"',
    judge(rows) {
      const mine = most(rows, "pass-through");
      const off = instead(rows, mine, { variant: "off" });
      if (off.length === 0) return undefined;
      const r = ratio(mine, off, "throughput");
      return {
        verdict: r.low > 0.99 ? "holds" : "depends",
        explanation:
          "By construction: a request that passes the IOMMU by is charged what it is charged without one, as no lock, tree or table is touched. That is the attribute's point, and its price is the protection.",
        simulated: percent(r, "% of off"),
      };
    },
  },
  {
    id: "table-pages-stay",
    quote:
      "this was true only if a single unmap operation covered an entire table's worth (2MByte, or 1GByte, etc) of mappings.",
    source: mail16,
    kind: "fact of the source",
    needs: 'the variant "strict" or "deferred"',
    judge(rows) {
      const mine = [...most(rows, "strict", plain), ...most(rows, "deferred", plain)];
      if (mine.length === 0) return undefined;
      const inUse = estimate(mine, "tables").mean;
      const empty = estimate(mine, "emptyTables");
      return {
        verdict: mine.every((row) => row.freedTables === 0) ? "holds" : "does not hold",
        explanation: `One-page unmaps never collect a table page. Of ${text(inUse)} tables in use ${text(empty.mean)} map nothing at the end: under this load the addresses are so dense that few run empty. They would stay until a larger unmap or the end of the domain.`,
        simulated: inUnit(empty, "empty tables"),
      };
    },
  },
  {
    id: "PE1",
    quote: "stock iommu=off: 990,803 memcached transactions/sec",
    source: "record PE1",
    published(facts) {
      return { low: facts.number("PE1"), high: facts.number("PE1"), unit: "transactions/s", factId: "PE1" };
    },
    kind: "calibration",
    needs: 'the variant "off" at 16 cores',
    judge(rows) {
      const mine = most(rows, "off");
      if (!atMost(mine, 16)) return undefined;
      return {
        verdict: "calibration",
        explanation: "The stack's work a transaction was set from this figure; it is not evidence.",
        simulated: inUnit(estimate(mine, "throughput"), "transactions/s"),
      };
    },
  },
  {
    id: "PE2",
    quote: "stock iommu=on: 221,416 memcached transactions/sec (=22%)",
    source: "record PE2",
    published(facts) {
      const share = (100 * facts.number("PE2")) / facts.number("PE1");
      return { low: share, high: share, unit: "% of off", factId: "PE2" };
    },
    kind: "predicted number",
    needs: 'the variants "off" and "deferred" at 16 cores with both directions mapped',
    judge(rows, facts) {
      const mine = most(rows, "deferred", { ...plain, profile: "both" });
      const off = instead(rows, mine, { variant: "off" });
      if (!atMost(mine, 16) || off.length === 0) return undefined;
      const r = ratio(mine, off, "throughput");
      const target = facts.number("PE2") / facts.number("PE1");
      const error = r.mean / target - 1;
      return {
        verdict: predicted(r, target),
        explanation: `The prediction is off by ${error > 0 ? "+" : "−"}${text(Math.abs(100 * error))} %. No parameter was set by this figure. It depends on the maps a transaction and on the buffers in flight, neither of which was published; see their sweeps.`,
        simulated: percent(r, "% of off"),
      };
    },
  },
];

/** The verdicts of a run: each computed from its rows, or "not answered" with what it would need. */
export function claims(rows: readonly Row[], facts: Facts): ClaimResult[] {
  const runs = observed(rows);
  return questions.map(({ judge, needs, published, ...about }) => {
    const claim = published === undefined ? about : { ...about, published: published(facts) };
    const judged = judge(runs, facts);
    return judged
      ? { ...claim, ...judged }
      : { ...claim, verdict: "not answered", explanation: `This run does not say: it needs ${needs}.` };
  });
}
