/**
 * A red-black tree of disjoint ranges [lo, hi], keyed by lo: the data structure under three of the allocators.
 *
 * Data layout. A node is a 64-byte record of one buffer, seen as 32-bit words (children, parent, colour) and as doubles (lo, hi), at
 * the simulated address `base + 64 · slot`. A "node" is the index of its first word, its left child, so that the descent to the left
 * needs no addition; 0 is nil, the black sentinel of CLRS. Records also carry their neighbours in key order, in a ring that nil closes.
 * Linux has no such links and finds a neighbour through the tree (rb_prev, rb_next): with a memory attached that path is walked and
 * charged line by line; a plain replay takes the links. In the same way a search takes its answer from an index of pages, and Linux's way to it
 * is walked for the charge only (test/bench/iova shows what both buy).
 *
 * Insert and erase follow Cormen, Leiserson, Rivest and Stein, Introduction to Algorithms, chapter 13.
 */
import { lineBytes, type Memory } from "./memory.js";
import { PageIndex } from "./page-index.js";

/** No node. */
const NIL = 0;

const wordsPerNode = lineBytes / 4;
const LEFT = 0;
const RIGHT = 1;
const PARENT = 2;
const COLOUR = 3;
/** Doubles of a record, counted from `node >> 1`. */
const LO = 2;
const HI = 3;
/** Words of a record that hold its neighbours in key order. */
const PREV = 8;
const NEXT = 9;
/**
 * What the allocators know of a record: the allocation's search reads it without a call. A module that uses it on a hot path takes it apart
 * into constants of its own: an exported constant is looked up at each use, a module's own is compiled in (test/bench/iova).
 */
export const layout: Readonly<Record<"nil" | "LO" | "HI" | "PREV", number>> = { nil: NIL, LO, HI, PREV };
const BLACK = 0;
const RED = 1;
/** The colour of a record that is in no tree. */
const GONE = 2;

/** Depth of a tree: the root is at 1; an empty tree has 0. */
export interface Depth {
  nodes: number;
  max: number;
  mean: number;
}

export class RangeTree {
  root = NIL;
  /** Number of nodes, and the most there ever were. */
  size = 0;
  peak = 0;
  /** Nodes compared by all {@link findCounting}. */
  compared = 0;
  /** Words and doubles of all records; replaced when the buffer grows. */
  words: Int32Array;
  doubles: Float64Array;
  /** The answers of searches, by page. It is no part of what is simulated. */
  readonly index: PageIndex;

  /**
   * @param memory hears of every node that is read or written, or null (and while it is null)
   * @param base address of slot 0
   * @param rootAddress address of the word that points to the root (struct rb_root)
   * @param indexTop the highest pfn for which searches have an index
   * @param room nodes that there is room for at first: it grows as needed
   */
  constructor(
    public memory: Memory | null,
    readonly base: number,
    private readonly rootAddress: number,
    indexTop: number,
    room = 256,
  ) {
    this.index = new PageIndex(indexTop);
    const buffer = new ArrayBuffer(lineBytes * room);
    this.words = new Int32Array(buffer);
    this.doubles = new Float64Array(buffer);
  }

  /** The node of a slab slot; makes room for it. */
  node(slot: number): number {
    const node = slot * wordsPerNode;
    if (node >= this.words.length) this.grow(node);
    return node;
  }

  /** The slab slot of a node. */
  slot(node: number): number {
    return node / wordsPerNode;
  }

  /** The node with the lowest key, or nil. */
  get first(): number {
    return this.words[NIL + NEXT];
  }

  /** The node with the highest key, or nil. */
  get last(): number {
    return this.words[NIL + PREV];
  }

  lo(node: number): number {
    return this.doubles[(node >> 1) + LO];
  }

  hi(node: number): number {
    return this.doubles[(node >> 1) + HI];
  }

  /** Gives a record that is in no tree its range; {@link insert} charges it. */
  fill(node: number, lo: number, hi: number): void {
    this.doubles[(node >> 1) + LO] = lo;
    this.doubles[(node >> 1) + HI] = hi;
  }

  /** Changes the range of a node of the tree; the old and the new one overlap. */
  setRange(node: number, lo: number, hi: number): void {
    this.index.resize(node, this.lo(node), this.hi(node), lo, hi);
    this.fill(node, lo, hi);
    this.write(node);
  }

  /** Address of a node's line. */
  address(node: number): number {
    return this.base + node * 4;
  }

  read(node: number): void {
    if (this.memory !== null && node !== NIL) this.memory.read(this.base + node * 4);
  }

  write(node: number): void {
    if (this.memory !== null && node !== NIL) this.memory.write(this.base + node * 4);
  }

  /** The next lower node (rb_prev). */
  below(node: number): number {
    return this.memory === null ? this.words[node + PREV] : this.step(node, LEFT, RIGHT);
  }

  /** The next higher node (rb_next). */
  above(node: number): number {
    return this.memory === null ? this.words[node + NEXT] : this.step(node, RIGHT, LEFT);
  }

  /**
   * What reserve_iova does to nodes that a range overlaps: each is extended downwards over the part before it.
   * @param end where the search ends: the node that is no range, or nil
   * @returns the first page that no node has; above `hi` where all of the range is taken
   */
  reserveOver(lo: number, hi: number, end: number): number {
    let from = lo;
    for (let node = this.first; node !== end; node = this.upperLink(node)) {
      const nodeLo = this.lo(node);
      const nodeHi = this.hi(node);
      if (from <= nodeHi && hi >= nodeLo) {
        if (from < nodeLo) this.setRange(node, from, nodeHi);
        if (hi <= nodeHi) return hi + 1;
        from = nodeHi + 1;
      } else if (from > lo) break;
    }
    return from;
  }

  /** The next lower node, without charge: for a caller that was there already. */
  lowerLink(node: number): number {
    return this.words[node + PREV];
  }

  /** The next higher node, without charge. */
  upperLink(node: number): number {
    return this.words[node + NEXT];
  }

  /** The highest node, charged as Linux finds it: down the right spine (rb_last). */
  highest(): number {
    if (this.memory !== null) this.spine(RIGHT);
    return this.last;
  }

  /** The lowest node (rb_first). */
  lowest(): number {
    if (this.memory !== null) this.spine(LEFT);
    return this.first;
  }

  /** The node whose range holds the pfn, or nil (find_iova: a descent from the root). */
  find(pfn: number): number {
    const node = pfn <= this.index.top ? this.index.holding(pfn, NIL) : this.descend(pfn);
    if (this.memory !== null) this.chargeDescent(this.memory, pfn, NIL, node);
    return node;
  }

  /** The left child, or nil. */
  leftOf(node: number): number {
    return this.words[node + LEFT];
  }

  /** The right child, or nil. */
  rightOf(node: number): number {
    return this.words[node + RIGHT];
  }

  /** Like {@link find}, by the descent itself: adds the nodes that it compares to {@link compared}. */
  findCounting(pfn: number): number {
    const { words, doubles } = this;
    let node = this.root;
    let compared = 0;
    while (node !== NIL) {
      compared++;
      if (pfn < doubles[(node >> 1) + LO]) node = words[node + LEFT];
      else if (pfn > doubles[(node >> 1) + HI]) node = words[node + RIGHT];
      else break;
    }
    this.compared += compared;
    if (this.memory !== null) this.chargeDescent(this.memory, pfn, NIL, node);
    return node;
  }

  /** Nodes that Linux compares to find the place of a new range: from `start`, or the root where it is nil, to the empty place. */
  comparedToInsert(lo: number, start: number): number {
    const { words, doubles } = this;
    let compared = 0;
    let node = start === NIL ? this.root : start;
    for (; node !== NIL; compared++) node = words[node + (lo < doubles[(node >> 1) + LO] ? LEFT : RIGHT)];
    return compared;
  }

  /**
   * Inserts a node that {@link fill} gave its range.
   * @param lower the neighbour below, or nil
   * @param upper the neighbour above, or nil
   * @param start where Linux starts to look for the place (any ancestor of it), or nil for the root: decides only what is charged
   */
  insert(node: number, lower: number, upper: number, start: number): void {
    const { words, memory } = this;
    if (memory !== null) this.chargeDescent(memory, this.lo(node), start, NIL);
    this.index.add(node, this.lo(node), this.hi(node));
    words[node + LEFT] = NIL;
    words[node + RIGHT] = NIL;
    words[node + COLOUR] = RED;
    words[node + PREV] = lower;
    words[node + NEXT] = upper;
    words[lower + NEXT] = node;
    words[upper + PREV] = node;
    // Between two neighbours there is exactly one empty place: right of the lower, or, if that is taken, left of the upper.
    let parent = upper;
    if (lower !== NIL && words[lower + RIGHT] === NIL) {
      parent = lower;
      words[lower + RIGHT] = node;
    } else if (upper !== NIL) {
      words[upper + LEFT] = node;
    } else {
      this.root = node;
    }
    words[node + PARENT] = parent;
    if (++this.size > this.peak) this.peak = this.size;
    if (memory !== null) {
      this.write(node);
      if (parent === NIL) memory.write(this.rootAddress);
      else this.write(parent);
    }
    this.insertFixup(node);
  }

  /** Takes a node out of the tree; its record stays readable. */
  erase(node: number): void {
    const { words } = this;
    const lower = words[node + PREV];
    const upper = words[node + NEXT];
    words[lower + NEXT] = upper;
    words[upper + PREV] = lower;
    this.size--;
    this.index.remove(this.lo(node), this.hi(node));
    this.read(node);
    const left = words[node + LEFT];
    const right = words[node + RIGHT];
    let child: number;
    let colour = words[node + COLOUR];
    if (left === NIL) {
      child = right;
      this.transplant(node, right);
    } else if (right === NIL) {
      child = left;
      this.transplant(node, left);
    } else {
      // The next higher node takes the place; it is the leftmost of the right subtree.
      const successor = upper;
      if (this.memory !== null) for (let n = right; n !== NIL; n = words[n + LEFT]) this.read(n);
      colour = words[successor + COLOUR];
      child = words[successor + RIGHT];
      if (words[successor + PARENT] === node) {
        words[child + PARENT] = successor;
      } else {
        this.transplant(successor, child);
        words[successor + RIGHT] = right;
        words[right + PARENT] = successor;
        this.write(right);
      }
      this.transplant(node, successor);
      words[successor + LEFT] = left;
      words[left + PARENT] = successor;
      words[successor + COLOUR] = words[node + COLOUR];
      this.write(left);
      this.write(successor);
    }
    if (colour === BLACK) this.eraseFixup(child);
    words[node + COLOUR] = GONE;
  }

  /** Whether the record is in the tree. */
  has(node: number): boolean {
    return node !== NIL && this.words[node + COLOUR] !== GONE;
  }

  /**
   * Number of nodes and their depth.
   * @param uncounted a node that has its place in the tree and is left out of the counts, or nil
   */
  depth(uncounted: number = NIL): Depth {
    const { words } = this;
    let max = 0;
    let sum = 0;
    let nodes = 0;
    const stack: number[] = this.root === NIL ? [] : [this.root, 1];
    while (stack.length > 0) {
      const level = stack.pop() as number;
      const node = stack.pop() as number;
      if (node !== uncounted) {
        nodes++;
        sum += level;
        if (level > max) max = level;
      }
      if (words[node + LEFT] !== NIL) stack.push(words[node + LEFT], level + 1);
      if (words[node + RIGHT] !== NIL) stack.push(words[node + RIGHT], level + 1);
    }
    return { nodes, max, mean: nodes === 0 ? 0 : sum / nodes };
  }

  /** The ranges from low to high, as [lo, hi] pairs. */
  ranges(): [number, number][] {
    const result: [number, number][] = [];
    for (let node = this.first; node !== NIL; node = this.words[node + NEXT])
      result.push([this.lo(node), this.hi(node)]);
    return result;
  }

  /**
   * Checks every invariant: order, disjointness, links, no red node under a red one, equally many black nodes on every path,
   * and that the index tells the same.
   * @throws Error naming the one that is broken
   */
  check(): void {
    const { words } = this;
    const inOrder: number[] = [];
    const blackHeight = (node: number, parent: number): number => {
      if (node === NIL) return 1;
      if (words[node + PARENT] !== parent) throw new Error(`node ${node} has a wrong parent`);
      const red = words[node + COLOUR] === RED;
      if (red && (parent === NIL || words[parent + COLOUR] === RED))
        throw new Error(`red node ${node} under red or nil`);
      const left = blackHeight(words[node + LEFT], node);
      inOrder.push(node);
      const right = blackHeight(words[node + RIGHT], node);
      if (left !== right) throw new Error(`black heights ${left} and ${right} differ under node ${node}`);
      return left + (red ? 0 : 1);
    };
    blackHeight(this.root, NIL);
    if (inOrder.length !== this.size) throw new Error(`${inOrder.length} nodes in the tree, ${this.size} counted`);
    if ((inOrder[0] ?? NIL) !== this.first || (inOrder.at(-1) ?? NIL) !== this.last) throw new Error("wrong end");
    for (const [i, node] of inOrder.entries()) {
      if (words[node + PREV] !== (inOrder[i - 1] ?? NIL)) throw new Error(`node ${node} has a wrong lower neighbour`);
      if (words[node + NEXT] !== (inOrder[i + 1] ?? NIL)) throw new Error(`node ${node} has a wrong upper neighbour`);
      if (this.lo(node) > this.hi(node)) throw new Error(`node ${node} is empty`);
      if (i > 0 && this.hi(inOrder[i - 1]) >= this.lo(node))
        throw new Error(`node ${node} overlaps its lower neighbour`);
      this.checkIndex(node, inOrder[i - 1] ?? NIL);
    }
  }

  /** The index must know a node's range, and that all is free down to its lower neighbour. */
  private checkIndex(node: number, lower: number): void {
    const { index } = this;
    const lo = this.lo(node);
    const hi = Math.min(this.hi(node), index.top);
    if (lo > index.top) return;
    if (index.startingAt(lo) !== node || index.holding(hi, NIL) !== node || index.holding(lo, NIL) !== node)
      throw new Error(`the index does not know node ${node}`);
    if (index.countStarts(lo, hi) !== 1)
      throw new Error(`the index has ${index.countStarts(lo, hi)} starts in node ${node}`);
    if (index.freeBelow(hi) >= lo) throw new Error(`the index has a free page in node ${node}`);
    const end = lower === NIL ? -1 : this.hi(lower);
    if (end < lo - 1 && index.usedBelow(lo - 1, end + 1) >= 0)
      throw new Error(`the index has a page in use below node ${node}`);
  }

  private descend(pfn: number): number {
    const { words, doubles } = this;
    let node = this.root;
    while (node !== NIL) {
      if (pfn < doubles[(node >> 1) + LO]) node = words[node + LEFT];
      else if (pfn > doubles[(node >> 1) + HI]) node = words[node + RIGHT];
      else break;
    }
    return node;
  }

  private step(node: number, near: number, far: number): number {
    const { words } = this;
    this.read(node);
    let next = words[node + near];
    if (next !== NIL) {
      this.read(next);
      while (words[next + far] !== NIL) {
        next = words[next + far];
        this.read(next);
      }
      return next;
    }
    let from = node;
    next = words[node + PARENT];
    while (next !== NIL && words[next + near] === from) {
      this.read(next);
      from = next;
      next = words[next + PARENT];
    }
    this.read(next);
    return next;
  }

  private spine(side: number): void {
    this.memory?.read(this.rootAddress);
    for (let node = this.root; node !== NIL; node = this.words[node + side]) this.read(node);
  }

  /** Charges the search for a pfn: from `start`, or the root, down to the node `end`, or as far as the tree goes. */
  private chargeDescent(memory: Memory, pfn: number, start: number, end: number): void {
    if (start === NIL) memory.read(this.rootAddress);
    let node = start === NIL ? this.root : start;
    while (node !== NIL) {
      this.read(node);
      if (node === end) return;
      node = this.words[node + (pfn < this.lo(node) ? LEFT : RIGHT)];
    }
  }

  private grow(node: number): void {
    const buffer = new ArrayBuffer(Math.max(this.words.length * 8, (node + wordsPerNode) * 4));
    const words = new Int32Array(buffer);
    words.set(this.words);
    this.words = words;
    this.doubles = new Float64Array(buffer);
  }

  /** Puts `child` (may be nil) where `node` hangs. */
  private transplant(node: number, child: number): void {
    const { words } = this;
    const parent = words[node + PARENT];
    if (parent === NIL) this.root = child;
    else if (words[parent + LEFT] === node) words[parent + LEFT] = child;
    else words[parent + RIGHT] = child;
    words[child + PARENT] = parent;
    if (this.memory !== null) {
      if (parent === NIL) this.memory.write(this.rootAddress);
      else this.write(parent);
      this.write(child);
    }
  }

  /** Turns `node` down to the side `down`; its child of the other side comes up. */
  private rotate(node: number, down: number): void {
    const { words } = this;
    const up = LEFT + RIGHT - down;
    const child = words[node + up];
    const middle = words[child + down];
    words[node + up] = middle;
    if (middle !== NIL) words[middle + PARENT] = node;
    const parent = words[node + PARENT];
    words[child + PARENT] = parent;
    if (parent === NIL) this.root = child;
    else if (words[parent + LEFT] === node) words[parent + LEFT] = child;
    else words[parent + RIGHT] = child;
    words[child + down] = node;
    words[node + PARENT] = child;
    if (this.memory !== null) {
      this.write(child);
      this.write(middle);
      this.write(node);
      if (parent === NIL) this.memory.write(this.rootAddress);
      else this.write(parent);
    }
  }

  private insertFixup(inserted: number): void {
    const { words } = this;
    let node = inserted;
    let parent = words[node + PARENT];
    while (parent !== NIL && words[parent + COLOUR] === RED) {
      // A red parent is not the root, so there is a grandparent.
      const grandparent = words[parent + PARENT];
      const side = words[grandparent + LEFT] === parent ? LEFT : RIGHT;
      const other = LEFT + RIGHT - side;
      const uncle = words[grandparent + other];
      this.read(grandparent);
      this.read(uncle);
      if (uncle !== NIL && words[uncle + COLOUR] === RED) {
        words[parent + COLOUR] = BLACK;
        words[uncle + COLOUR] = BLACK;
        words[grandparent + COLOUR] = RED;
        if (this.memory !== null) {
          this.write(parent);
          this.write(uncle);
          this.write(grandparent);
        }
        node = grandparent;
        parent = words[node + PARENT];
        this.read(parent);
      } else {
        if (words[parent + other] === node) {
          this.rotate(parent, side);
          node = parent;
          parent = words[node + PARENT];
        }
        words[parent + COLOUR] = BLACK;
        words[grandparent + COLOUR] = RED;
        this.rotate(grandparent, other);
        break;
      }
    }
    words[this.root + COLOUR] = BLACK;
  }

  private eraseFixup(start: number): void {
    const { words } = this;
    let node = start;
    while (node !== this.root && words[node + COLOUR] === BLACK) {
      const parent = words[node + PARENT];
      const side = words[parent + LEFT] === node ? LEFT : RIGHT;
      const other = LEFT + RIGHT - side;
      let sibling = words[parent + other];
      this.read(parent);
      this.read(sibling);
      if (words[sibling + COLOUR] === RED) {
        words[sibling + COLOUR] = BLACK;
        words[parent + COLOUR] = RED;
        this.rotate(parent, side);
        sibling = words[parent + other];
        this.read(sibling);
      }
      const near = words[sibling + side];
      const far = words[sibling + other];
      this.read(near);
      this.read(far);
      if (words[near + COLOUR] === BLACK && words[far + COLOUR] === BLACK) {
        words[sibling + COLOUR] = RED;
        this.write(sibling);
        node = parent;
      } else {
        if (words[far + COLOUR] === BLACK) {
          words[near + COLOUR] = BLACK;
          words[sibling + COLOUR] = RED;
          this.rotate(sibling, other);
          sibling = words[parent + other];
        }
        words[sibling + COLOUR] = words[parent + COLOUR];
        words[parent + COLOUR] = BLACK;
        words[words[sibling + other] + COLOUR] = BLACK;
        this.write(words[sibling + other]);
        this.rotate(parent, side);
        break;
      }
    }
    words[node + COLOUR] = BLACK;
    this.write(node);
  }
}
