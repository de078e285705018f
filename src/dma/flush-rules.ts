/** What is invalidated for a batch of unmapped ranges. */
import { type Invalidation, MAX_ADDRESS_MASK } from "../iommu/index.js";

/** How much is invalidated for what was unmapped. */
export type FlushUnit =
  /** One page-selective invalidation a page. */
  | "page"
  /** Ranges that abut are joined; one invalidation for the smallest aligned block that covers each. */
  | "range"
  /** Everything of the domain. */
  | "domain"
  /** Everything of the IOMMU. */
  | "everything";

/** A rule: fixed, or with a threshold beyond which the whole domain goes. */
export interface FlushRule {
  readonly unit: FlushUnit;
  /** More invalidations than this in a batch: one of the domain instead. Without it the rule is fixed. */
  readonly most?: number;
}

/** Order of a device invalidation that reaches everything: no mapping lies beyond it. */
export const WHOLE_DEVICE = 52;

/** A range of IOVA pages that was unmapped. */
export interface Unmapped {
  readonly pfn: number;
  readonly pages: number;
}

/** The smallest aligned block that covers a range: its order. */
function blockOrder(first: number, last: number): number {
  let order = 0;
  for (let block = 1; Math.floor(first / block) !== Math.floor(last / block); block *= 2) order++;
  return order;
}

/** The number of the aligned block of 2^order pages in which a page lies. */
const blockOf = (pfn: number, order: number): number => {
  let block = 1;
  for (let i = 0; i < order; i++) block *= 2;
  return Math.floor(pfn / block);
};

/** Abutting ranges joined, in the order of their addresses. */
function joined(ranges: readonly Unmapped[]): Unmapped[] {
  const sorted = [...ranges].sort((a, b) => a.pfn - b.pfn);
  const result: { pfn: number; pages: number }[] = [];
  for (const { pfn, pages } of sorted) {
    const last = result.at(-1);
    if (last !== undefined && pfn <= last.pfn + last.pages) last.pages = Math.max(last.pages, pfn + pages - last.pfn);
    else result.push({ pfn, pages });
  }
  return result;
}

/**
 * The invalidations that a rule sends for a batch, in order. Together they reach every page of the batch.
 * @param _tables whether a table was unlinked: the hint that none was gets lost before the descriptor, and each of these drops the
 *   paging-structure caches of its range (as `iommu_flush_iotlb_psi` says)
 * @example flushCommands([{ pfn: 4, pages: 1 }, { pfn: 5, pages: 1 }], { unit: "range" }) // one of order 1, from page 4
 */
export function flushCommands(ranges: readonly Unmapped[], rule: FlushRule, _tables = false): Invalidation[] {
  if (ranges.length === 0) return [];
  if (rule.unit === "everything") return [{ kind: "global" }];
  const domain: Invalidation = { kind: "domain", domain: 0 };
  if (rule.unit === "domain") return [domain];
  const commands: Invalidation[] = [];
  const add = (pfn: number, order: number): void => {
    const before = commands.at(-1);
    // A block that lies in the one before it is flushed already.
    if (
      before?.kind === "pages" &&
      order <= before.order &&
      blockOf(pfn, before.order) === blockOf(before.pfn, before.order)
    )
      return;
    commands.push({ kind: "pages", domain: 0, pfn, order, leafOnly: false });
  };
  for (const { pfn, pages } of rule.unit === "range" ? joined(ranges) : ranges) {
    if (rule.unit === "page") for (let page = pfn; page < pfn + pages; page++) add(page, 0);
    else {
      const order = blockOrder(pfn, pfn + pages - 1);
      if (order > MAX_ADDRESS_MASK) return [domain];
      add(pfn, order);
    }
    if (rule.most !== undefined && commands.length > rule.most) return [domain];
  }
  return commands;
}

/** The same for a device's own cache: what is not of pages is the whole device. */
export function deviceCommands(commands: readonly Invalidation[]): { pfn: number; order: number }[] {
  return commands.map((one) =>
    one.kind === "pages" ? { pfn: one.pfn, order: one.order } : { pfn: 0, order: WHOLE_DEVICE },
  );
}
