/**
 * Where the magazines of {@link Rcache6Allocator} are: stacks of pfns of freed ranges, and a depot of full ones for each size class.
 *
 * A magazine is a number. Its pfns lie in one array, 128 places each; its size and the next older one of its depot in two others. Without a
 * bound on the depots all three grow. What Linux would touch is told to the memory: a magazine is 1 KiB (a word that is its size or a pointer, and
 * 127 pfns), a depot two lines (lock, count, pointer, delayed work).
 */
import { lineBytes, type Memory } from "./memory.js";

/** No magazine. */
export const noMagazine = -1;
const none = noMagazine;

/** Pfns that there is room for in a magazine, whatever its rule. */
export const magazinePlaces = 128;
const places = magazinePlaces;

/** Simulated bytes of a magazine and of a depot. */
export const magazineBytes = 1024;
export const depotBytes = 2 * lineBytes;

export class MagazineStore {
  /** Places of all magazines; those of number m begin at 128 · m. Replaced when there is no room left, as are the sizes. */
  pfns: Float64Array;
  /** Pfns in each magazine. */
  sizes: Int32Array;
  /** Full magazines in each depot, and the most there ever were. */
  readonly depotSizes: Int32Array;
  readonly peakDepots: Int32Array;
  /** Magazines that exist, and the most there ever were. */
  magazines = 0;
  peakMagazines = 0;
  /** Newest magazine of each depot; the next older one, or the next of the spare ones, of each magazine. */
  private readonly newest: Int32Array;
  private older: Int32Array;
  private addresses: Float64Array;
  private made = 0;
  private spare: number = none;

  /**
   * @param memory hears of every access, or null
   * @param depotBase address of the first depot
   * @param base address of the magazines that exist from the start
   * @param bins size classes
   * @param first how many magazines there are from the start
   * @param room gives the address of a magazine that is made later
   */
  constructor(
    private readonly memory: Memory | null,
    readonly depotBase: number,
    private readonly base: number,
    bins: number,
    private readonly first: number,
    private readonly room: () => number,
  ) {
    const capacity = first + 16;
    this.pfns = new Float64Array(capacity * places);
    this.sizes = new Int32Array(capacity);
    this.older = new Int32Array(capacity);
    this.addresses = new Float64Array(capacity);
    this.newest = new Int32Array(bins).fill(none);
    this.depotSizes = new Int32Array(bins);
    this.peakDepots = new Int32Array(bins);
  }

  /** Address of a magazine's first word; the pfn in place i lies 8 + 8 · i above. */
  address(magazine: number): number {
    return this.addresses[magazine];
  }

  /** Address of a depot's lock and count. */
  depotAddress(bin: number): number {
    return this.depotBase + bin * depotBytes;
  }

  /** An empty magazine (iova_magazine_alloc). */
  make(): number {
    if (++this.magazines > this.peakMagazines) this.peakMagazines = this.magazines;
    if (this.spare !== none) {
      const magazine = this.spare;
      this.spare = this.older[magazine];
      return magazine;
    }
    if (this.made === this.sizes.length) this.grow();
    const magazine = this.made++;
    this.addresses[magazine] = magazine < this.first ? this.base + magazine * magazineBytes : this.room();
    return magazine;
  }

  /** Gives an empty magazine back (iova_magazine_free). */
  free(magazine: number): void {
    this.magazines--;
    this.older[magazine] = this.spare;
    this.spare = magazine;
  }

  /** Puts a pfn on top of a magazine that has room. */
  push(magazine: number, pfn: number): void {
    const size = this.sizes[magazine];
    this.pfns[magazine * places + size] = pfn;
    this.sizes[magazine] = size + 1;
    if (this.memory !== null) {
      this.memory.write(this.address(magazine) + 8 + 8 * size);
      this.memory.write(this.address(magazine));
    }
  }

  /** Takes the pfn in a place out; the top one fills it. */
  take(magazine: number, place: number): void {
    const top = this.sizes[magazine] - 1;
    this.pfns[magazine * places + place] = this.pfns[magazine * places + top];
    this.sizes[magazine] = top;
    if (this.memory !== null) {
      this.memory.write(this.address(magazine) + 8 + 8 * place);
      this.memory.write(this.address(magazine));
    }
  }

  /** Whether a depot has a magazine; read under its lock. */
  depotHas(bin: number): boolean {
    this.memory?.read(this.depotAddress(bin));
    return this.newest[bin] !== none;
  }

  /** Puts a magazine into a depot (iova_depot_push). */
  depotPush(bin: number, magazine: number): void {
    this.older[magazine] = this.newest[bin];
    this.newest[bin] = magazine;
    if (++this.depotSizes[bin] > this.peakDepots[bin]) this.peakDepots[bin] = this.depotSizes[bin];
    this.touchDepot(bin, magazine);
  }

  /** Takes the newest magazine of a depot that has one (iova_depot_pop). */
  depotPop(bin: number): number {
    const magazine = this.newest[bin];
    this.newest[bin] = this.older[magazine];
    this.depotSizes[bin]--;
    this.touchDepot(bin, magazine);
    return magazine;
  }

  /** Ranges in the depots. */
  get inDepots(): number {
    let ranges = 0;
    for (const first of this.newest)
      for (let magazine = first; magazine !== none; magazine = this.older[magazine]) ranges += this.sizes[magazine];
    return ranges;
  }

  private touchDepot(bin: number, magazine: number): void {
    if (this.memory === null) return;
    this.memory.write(this.address(magazine));
    this.memory.write(this.depotAddress(bin));
  }

  private grow(): void {
    const capacity = this.sizes.length * 2;
    const copied = <T extends Int32Array | Float64Array>(to: T, from: T): T => {
      to.set(from);
      return to;
    };
    this.pfns = copied(new Float64Array(capacity * places), this.pfns);
    this.sizes = copied(new Int32Array(capacity), this.sizes);
    this.older = copied(new Int32Array(capacity), this.older);
    this.addresses = copied(new Float64Array(capacity), this.addresses);
  }
}
