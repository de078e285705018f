/**
 * The allocator of Linux v4.3 (drivers/iommu/iova.c): a red-black tree with one node a range, and one remembered node.
 *
 * Proposed in 2007 by Intel, kept until the per-CPU caches of v4.7 came before it. Its cost is not the tree's depth but the walk: an
 * allocation looks at node after node, downwards, until a gap fits.
 *
 * Data layout: {@link RangeTree}; lock, root and remembered node share the domain's line.
 */
import { checkRange, IovaError } from "./allocator.js";
import { layout } from "./range-tree.js";
import { TreeAllocator } from "./tree-allocator.js";

const { nil } = layout;

/** The tree allocator of Linux v4.3: one node for each range. */
export class RbTreeAllocator extends TreeAllocator {
  readonly name: string = "rbtree";

  // allocate

  protected place(node: number, lo: number, hi: number): number {
    const { lower, upper, start } = this.gap;
    this.tree.fill(node, lo, hi);
    this.tree.insert(node, lower, upper, start);
    this.spare = nil;
    return node;
  }

  // free

  /** __free_iova: the whole node goes, whatever length the caller has in mind. */
  protected remove(pfn: number, _pages: number, _cpu: number, known: number): boolean {
    const tree = this.tree;
    const node = known === nil ? tree.find(pfn) : known;
    if (node === nil) return false;
    if (!tree.has(node)) {
      throw new IovaError(`pfn ${pfn} was unmapped by two CPUs at once: Linux would erase one node twice.`);
    }
    this.update(node);
    tree.erase(node);
    this.spare = node;
    return true;
  }

  /** __cached_rbnode_delete_update: a free at or above the remembered node pulls it up to the next higher one. */
  private update(freed: number): void {
    const tree = this.tree;
    if (this.memory !== null) this.memory.read(this.domain);
    if (this.remembered === nil) return;
    tree.read(this.remembered);
    if (tree.lo(freed) >= tree.lo(this.remembered)) this.rememberIfLow(tree.above(freed));
  }

  // reserve

  /**
   * reserve_iova: a node that overlaps is extended downwards, never upwards; what remains becomes a node of its own. Ranges that
   * only abut stay apart. The remembered node is neither consulted nor changed.
   */
  reserve(lo: number, hi: number): void {
    checkRange(lo, hi);
    this.listen();
    const from = this.tree.reserveOver(lo, hi, nil);
    if (from <= hi) this.insertReserved(from, hi);
  }
}
