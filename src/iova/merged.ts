/**
 * The variant that the thread describes: abutting ranges share one node, and an unmap cuts a node in two where it must
 * (B. Serebrin's modification of the v4.3 tree; never merged upstream).
 *
 * It hands out the same addresses as the tree of v4.3, because both see the same gaps. What changes is the number of nodes, so the depth
 * and the walk. In v4.3 a node is the only record of a mapping's length; this variant takes the length from the unmap call, rounded as map
 * rounded it. Its free needs a second descent: between find and free another CPU may have merged or cut the node.
 *
 * What is handed out is checked beside it ({@link LiveRanges}), so that an unmap of a wrong length is an error: the merged tree alone could not tell.
 *
 * Data layout: {@link RangeTree}; a cut takes its new node from the slab inside the lock, and pays for it there.
 */
import { checkRange } from "./allocator.js";
import { LiveRanges } from "./live-ranges.js";
import { layout } from "./range-tree.js";
import { TreeAllocator } from "./tree-allocator.js";

const { nil } = layout;

/** The tree allocator with one node for each run of abutting ranges. */
export class MergedTreeAllocator extends TreeAllocator {
  readonly name: string = "rbtree-merged";
  private readonly liveRanges = new LiveRanges();

  // allocate

  protected place(fresh: number, lo: number, hi: number): number {
    const tree = this.tree;
    const { lower, upper, start } = this.gap;
    this.liveRanges.add(lo, hi - lo + 1);
    tree.read(lower);
    tree.read(upper);
    const joinsUpper = upper !== nil && tree.lo(upper) === hi + 1;
    const joinsLower = lower !== nil && tree.hi(lower) === lo - 1;
    if (joinsUpper) {
      this.merges++;
      if (!joinsLower) {
        tree.setRange(upper, lo, tree.hi(upper));
        return upper;
      }
      this.merges++;
      const lowest = tree.lo(lower);
      tree.erase(lower);
      if (this.remembered === lower) this.remembered = upper;
      this.absorbed = lower;
      tree.setRange(upper, lowest, tree.hi(upper));
      return upper;
    }
    if (joinsLower) {
      this.merges++;
      tree.setRange(lower, tree.lo(lower), hi);
      return lower;
    }
    tree.fill(fresh, lo, hi);
    tree.insert(fresh, lower, upper, start);
    this.spare = nil;
    return fresh;
  }

  // free

  protected remove(lo: number, pages: number, cpu: number): boolean {
    const tree = this.tree;
    if (!this.liveRanges.remove(lo, pages)) return false;
    const node = tree.find(lo);
    const hi = lo + pages - 1;
    const nodeLo = tree.lo(node);
    const nodeHi = tree.hi(node);
    const cut = lo > nodeLo && hi < nodeHi;
    if (cut) {
      this.splits++;
      const piece = tree.node(this.slab.take(cpu));
      tree.setRange(node, nodeLo, lo - 1);
      tree.fill(piece, hi + 1, nodeHi);
      tree.insert(piece, node, tree.upperLink(node), node);
      this.update(lo, node, nodeLo, piece);
    } else if (hi < nodeHi) {
      tree.setRange(node, hi + 1, nodeHi);
      this.update(lo, node, nodeLo, node);
    } else {
      if (this.mustUpdate(lo, node, nodeLo)) this.rememberIfLow(tree.above(node));
      if (lo > nodeLo) {
        tree.setRange(node, nodeLo, lo - 1);
      } else {
        tree.erase(node);
        this.spare = node;
      }
    }
    return true;
  }

  /** Whether the freed pfn lies at or above the remembered run, which may be the node just cut (its old start is `nodeLo`). */
  private mustUpdate(freed: number, node: number, nodeLo: number): boolean {
    if (this.memory !== null) this.memory.read(this.domain);
    if (this.remembered === nil) return false;
    this.tree.read(this.remembered);
    return freed >= (this.remembered === node ? nodeLo : this.tree.lo(this.remembered));
  }

  private update(freed: number, node: number, nodeLo: number, pieceAbove: number): void {
    if (this.mustUpdate(freed, node, nodeLo)) this.rememberIfLow(pieceAbove);
  }

  // reserve

  /** Joins [lo, hi] with every range that it overlaps or touches. */
  reserve(lo: number, hi: number): void {
    checkRange(lo, hi);
    this.listen();
    const tree = this.tree;
    let from = lo;
    let to = hi;
    let node = tree.first;
    while (node !== nil && tree.lo(node) <= to + 1) {
      const next = tree.upperLink(node);
      if (tree.hi(node) >= from - 1) {
        from = Math.min(from, tree.lo(node));
        to = Math.max(to, tree.hi(node));
        if (this.remembered === node) this.remembered = nil;
        tree.erase(node);
        this.slab.give(tree.slot(node), 0);
      }
      node = next;
    }
    this.insertReserved(from, to);
  }
}
