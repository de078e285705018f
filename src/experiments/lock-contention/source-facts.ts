/** Sentences of the mails that a listing of the program decides; what a run adds are numbers beside the answer. */
import { type CallStep, callSteps } from "../../dma/index.js";
import { type AskedClaim, claimOn } from "../frame/claim.js";
import { estimate, ratio } from "../frame/rows.js";
import { instead, inUnit, mail15, mail16, most, percent, text } from "./pick.js";
import type { LockContentionRow as Row } from "./rows.js";

const treeLock = "iova_rbtree_lock";
const flushes = ({ step }: CallStep): boolean => step.startsWith("qi_submit_sync: submit");
const under =
  (lock: string) =>
  ({ locks }: CallStep): boolean =>
    locks.includes(lock);

/** The claims that are facts of the source. */
export const sourceFacts = (plain: Partial<Row>): readonly AskedClaim<Row>[] => [
  claimOn<Row>()({
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
      const { map, unmap } = callSteps("strict");
      const pairs = 2 * mine[0].mapsPerSide;
      return {
        verdict: map.some(under(treeLock)) && unmap.some(under(treeLock)) ? "holds" : "does not hold",
        simulated: inUnit(
          estimate(mine, (row) => row["allocator: a transaction"] / pairs),
          "acquisitions a pair",
        ),
        numbers: { steps: [...map, ...unmap].filter(under(treeLock)).map(({ step }) => step) },
      };
    },
    say: ({ steps }) => ({
      explanation: `A map and its unmap take ${treeLock} ${steps.length} times, in ${steps.join(", ")}.`,
    }),
  }),
  claimOn<Row>()({
    id: "lock-over-invalidations",
    quote: "the RB tree lock is held during invalidations as well.",
    source: `${mail15}; but record K10`,
    kind: "fact of the source",
    needs: 'the variants "deferred" and "thread-deferred"',
    judge(rows) {
      const asWorded = most(rows, "thread-deferred", plain);
      const upstream = instead(rows, asWorded, { variant: "deferred" });
      if (asWorded.length === 0 || upstream.length === 0) return undefined;
      const [flush] = callSteps("deferred").unmap.filter(flushes);
      return {
        verdict: under(treeLock)(flush) ? "holds" : "does not hold",
        simulated: percent(ratio(asWorded, upstream, "throughput"), "% of v4.3"),
        numbers: { locks: flush.locks, cores: upstream[0].cores },
      };
    },
    say: ({ locks, cores }) => ({
      explanation: `In Linux v4.3 the flush holds ${locks.join(" and ")} (record K10). Done as the thread words it, throughput at ${cores} cores would be this share of upstream's.`,
    }),
  }),
  claimOn<Row>()({
    id: "no-batching",
    quote: "There's a 250-entry queue for invalidations that doesn't do any batching intelligence",
    source: `${mail15}; but record K11`,
    kind: "fact of the source",
    needs: 'the variant "deferred"',
    judge(rows) {
      const mine = most(rows, "deferred", plain);
      if (mine.length === 0) return undefined;
      const sent = estimate(mine, "invalidationsPerUnmap");
      const submits = callSteps("deferred").unmap.filter(flushes);
      return {
        // One for all that wait in the table, in the flush alone: no unmap has one of its own, and no entry of the table.
        verdict: submits.length === 1 && submits[0].within === "flush" ? "does not hold" : "holds",
        simulated: inUnit(sent, "invalidations an unmap"),
        numbers: { share: estimate(mine, "share: invalidation").mean },
      };
    },
    say: ({ share }) => ({
      explanation: `Linux v4.3 does promote: one global invalidation a batch, then one by one only for ATS devices (record K11). In caching mode (an emulated IOMMU, as a guest has) it goes page by page, and the sentence holds. Invalidation then takes ${text(100 * share)} % of all time.`,
    }),
  }),
  claimOn<Row>()({
    id: "lazy-flush-dangles",
    quote: "I think lazy_flush leaves dangling references.",
    source: mail16,
    kind: "fact of the source",
    needs: 'a variant "pools-N-lazy"',
    judge(rows) {
      const names = [...new Set(rows.map(({ variant }) => variant))].filter((name) => /^pools-\d+-lazy$/.test(name));
      const [mine] = names.map((name) => most(rows, name, plain)).filter((found) => found.length > 0);
      if (mine === undefined) return undefined;
      const invalidates = callSteps(mine[0].variant).unmap.some(flushes);
      return {
        verdict: invalidates ? "does not hold" : "holds",
        simulated: inUnit(estimate(mine, "staleMax"), "pages"),
        numbers: {},
      };
    },
    say: () => ({
      explanation:
        "An unmap frees its range and invalidates nothing until a pool wraps. This many unmapped pages were still reachable by the device at once within the run, and the number grows until then: hundreds of thousands of unmaps later.",
    }),
  }),
  claimOn<Row>()({
    id: "table-pages-stay",
    quote:
      "this was true only if a single unmap operation covered an entire table's worth (2MByte, or 1GByte, etc) of mappings.",
    source: mail16,
    kind: "fact of the source",
    needs: 'the variant "strict" or "deferred"',
    judge(rows) {
      const mine = [...most(rows, "strict", plain), ...most(rows, "deferred", plain)];
      if (mine.length === 0) return undefined;
      const empty = estimate(mine, "emptyTables");
      return {
        verdict: mine.every((row) => row.freedTables === 0) ? "holds" : "does not hold",
        simulated: inUnit(empty, "empty tables"),
        numbers: { inUse: estimate(mine, "tables").mean, empty: empty.mean },
      };
    },
    say: ({ inUse, empty }) => ({
      explanation: `One-page unmaps never collect a table page. Of ${text(inUse)} tables in use ${text(empty)} map nothing at the end: under this load the addresses are so dense that few run empty. They would stay until a larger unmap or the end of the domain.`,
    }),
  }),
];
