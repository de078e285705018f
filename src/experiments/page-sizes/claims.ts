/** What the thread's footnote says, and what the runs say about it. */
import type { Facts } from "../../facts/index.js";
import { type AskedClaim, askAll, type ClaimResult, claimOn } from "../frame/claim.js";
import { marginOf } from "../ignorance/margins.js";
import type { PageRow } from "./rows.js";

/** One setting of the thread's test, with the loss that each page size costs against the IOMMU off. */
export interface ThreadCell {
  direction: string;
  dmaBytes: number;
  windowBytes: number;
  devices: number;
  tags: number;
  /** Off reaches 95 % of what the links can carry: "maximizing x16 PCIe bandwidth". */
  maximal: boolean;
  /** Loss in percent against off, by page size; null where that size was not run. */
  loss: { "4K": number | null; "2M": number | null; "1G": number | null };
  /** Half width of the 95 % interval of the largest loss, percentage points. */
  halfWidth: number;
}

/** Pairs the thread part's rows with their run with the IOMMU off. */
export function threadCells(rows: readonly PageRow[]): ThreadCell[] {
  const cells = new Map<string, { off?: PageRow; pages: PageRow[] }>();
  for (const row of rows) {
    if (row.part !== "thread") continue;
    const key = [row.direction, row.dmaBytes, row.windowBytes, row.devices, row.tags].join(" ");
    const cell = cells.get(key) ?? { pages: [] };
    if (row.page === "off") cell.off = row;
    else cell.pages.push(row);
    cells.set(key, cell);
  }
  return [...cells.values()].flatMap(({ off, pages }): ThreadCell[] => {
    if (!off) return [];
    const base = off.gbps;
    const loss = (page: string): number | null => {
      const row = pages.find((r) => r.page === page);
      return row ? (1 - row.gbps / base) * 100 : null;
    };
    const half = (row: PageRow): number => (row.gbpsHigh - row.gbpsLow) / 2;
    return [
      {
        direction: off.direction,
        dmaBytes: off.dmaBytes,
        windowBytes: off.windowBytes,
        devices: off.devices,
        tags: off.tags,
        maximal: base >= 0.95 * off.roofLink,
        loss: { "4K": loss("4K"), "2M": loss("2M"), "1G": loss("1G") },
        halfWidth: (Math.max(0, ...pages.map(half)) / base + half(off) / base) * 100,
      },
    ];
  });
}

const gibibyte = 1_073_741_824;
const ofWholeDram = (cell: ThreadCell): boolean => cell.maximal && cell.windowBytes >= gibibyte;
const sizeList = (cells: readonly ThreadCell[]): string =>
  [...new Set(cells.map((cell) => cell.dmaBytes))].sort((a, b) => a - b).join(", ");
const percent = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(1, whole))} %`;

function quoteOf(facts: Facts, id: string): string {
  return facts.record(id).quote ?? "";
}

/** The spread over the settings is far wider than the noise of one run: the middle nine tenths of the settings. */
function spreadOver(values: readonly number[]) {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
  return { mean: at(0.5), low: at(0.05), high: at(0.95), n: sorted.length, level: 0.9, unit: "%" };
}

const large = (cells: readonly ThreadCell[]) =>
  cells.filter((cell) => cell.loss["2M"] !== null && cell.loss["1G"] !== null);
const largeLoss = (cell: ThreadCell): number => Math.max(Number(cell.loss["2M"]), Number(cell.loss["1G"]));
const small = (cells: readonly ThreadCell[]) => cells.filter((cell) => cell.loss["4K"] !== null);
const because =
  "Settings count where the links are full with the IOMMU off and the DMAs spread over a gibibyte or more; the value is the median over them, and its range covers nine tenths of them.";

/** Share of the IOMMU's cost that is hardware: with 4K pages, which dma_map makes, against the software's loss that was published. */
const hardwareShare = (hardwareLoss: number, softwareLoss: number): number =>
  (100 * Math.max(0, hardwareLoss)) / (Math.max(0, hardwareLoss) + softwareLoss);

/** What one setting comes down to, where its links are full with the IOMMU off and the DMAs spread over a gibibyte or more. */
export function quantitiesOf(rows: readonly PageRow[]): Record<string, number> {
  const [cell] = threadCells(rows).filter(ofWholeDram);
  if (!cell) return {};
  const { loss } = cell;
  return {
    ...(loss["2M"] === null || loss["1G"] === null ? {} : { "large pages: loss": largeLoss(cell) }),
    ...(loss["4K"] === null ? {} : { "4K pages: loss": loss["4K"] }),
  };
}

/** The claims on records S8 and S9 and on the footnote's conclusion. */
const claimsOn = (facts: Facts): AskedClaim<ThreadCell>[] => {
  const { source } = facts.record("S8");
  const [low, high] = facts.numbers("S8");
  // From where on a loss counts as none, and as some.
  const { high: none } = marginOf(facts, "page-sizes: S8");
  const { low: some } = marginOf(facts, "page-sizes: S9");
  const softwareLoss = (1 - facts.number("PE2") / facts.number("PE1")) * 100;
  return [
    claimOn<ThreadCell>()({
      id: "S8",
      quote: quoteOf(facts, "S8"),
      source,
      kind: "predicted number",
      published: { low, high, unit: "%", factId: "S8" },
      needs: "settings that fill the links with 2M and 1G pages",
      of: (q) => q["large pages: loss"],
      judge(cells) {
        const mine = large(cells);
        if (mine.length === 0) return undefined;
        const free = mine.filter((cell) => largeLoss(cell) < none);
        const below = (page: "2M" | "1G"): number => mine.filter((cell) => Number(cell.loss[page]) < none).length;
        return {
          simulated: spreadOver(mine.map(largeLoss)),
          numbers: { free: free.length, all: mine.length, sizes: sizeList(free), twoM: below("2M"), oneG: below("1G") },
        };
      },
      say: ({ free, all, sizes, twoM, oneG }) => ({
        explanation: `Both sizes below ${none} % in ${free} of ${all} settings (${percent(free, all)}), with DMAs of ${sizes || "no size"} bytes; 2M alone in ${twoM}, 1G alone in ${oneG}. Where it fails, the footprint is beyond the IOTLB's reach (about 120 pages) and walks are slower than the link asks for translations. ${because}`,
      }),
    }),
    claimOn<ThreadCell>()({
      id: "S9",
      quote: quoteOf(facts, "S9"),
      source,
      kind: "simulated quantity",
      needs: "settings that fill the links with 4K pages",
      of: (q) => q["4K pages: loss"],
      judge(cells) {
        const mine = small(cells);
        if (mine.length === 0) return undefined;
        const slowed = mine.filter((cell) => Number(cell.loss["4K"]) >= some);
        const both = large(cells).filter((cell) => largeLoss(cell) < none && Number(cell.loss["4K"] ?? 0) >= some);
        return {
          simulated: spreadOver(mine.map((cell) => Number(cell.loss["4K"]))),
          numbers: { slowed: slowed.length, all: mine.length, both: both.length, sizes: sizeList(both) },
        };
      },
      say: ({ slowed, all, both, sizes }) => ({
        explanation: `A slowdown of ${some} % or more in ${slowed} of ${all} settings (${percent(slowed, all)}). ${both} settings show both observations at once${both > 0 ? `: DMAs of ${sizes} bytes` : ""}. ${because}`,
      }),
    }),
    claimOn<ThreadCell>()({
      id: "footnote-1",
      quote: "We verified that the IOMMU costs are almost entirely software overheads",
      source,
      kind: "simulated quantity",
      needs: "settings that fill the links with 4K pages",
      of(q) {
        const loss = q["4K pages: loss"];
        return loss === undefined ? undefined : hardwareShare(loss, softwareLoss);
      },
      judge(cells) {
        const mine = small(cells);
        if (mine.length === 0) return undefined;
        const shares = mine.map((cell) => hardwareShare(Number(cell.loss["4K"]), softwareLoss));
        return { simulated: { ...spreadOver(shares), unit: "% of the cost" }, numbers: {} };
      },
      say: () => ({
        explanation: `Software cost ${softwareLoss.toFixed(0)} % of the published throughput (records PE1 and PE2). Beside it stands what 4K pages, which dma_map makes, cost in bandwidth: walks that no software could give back. ${because}`,
      }),
    }),
  ];
};

/** The verdicts on records S8 and S9 and on the footnote's conclusion, computed from the rows. */
export const claimsOf = (rows: readonly PageRow[], facts: Facts): ClaimResult[] =>
  askAll(claimsOn(facts), threadCells(rows).filter(ofWholeDram), { facts, experiment: "page-sizes" });
