import type { Simulation } from "../../engine/index.js";
import { type Invalidation, KeyIndex, type TranslationUnit } from "../../iommu/index.js";

/** Sums of a {@link TranslationPort} since its last reset; lists are by purpose: index 0 rings of descriptors, 1 buffers of packets. */
export interface PortCounts {
  requests: number[];
  /** Requests that found nothing in the IOTLB. */
  misses: number[];
  /** Misses that joined a walk that was under way. */
  merged: number;
  /** Requests whose page was not mapped. */
  faults: number;
  /** Cached translations that were used and that the table does not have any more: after their flush there are none. */
  stale: number;
  walks: number;
  /** Time from a miss to its translation, and of walks alone, picoseconds. */
  missPs: number;
  walkPs: number;
}

/** The part of the device's traffic that waits for translations: who asks, who waits for which walk, and the walkers that are free. */
export class TranslationPort {
  /** What it counted since the last reset. */
  counts: PortCounts;
  private readonly waiting: KeyIndex;
  private readonly next: Int32Array;
  private readonly asked: Float64Array;
  private readonly head: Int32Array;
  private readonly tail: Int32Array;
  private readonly key: Float64Array;
  private readonly address: Float64Array;
  private readonly started: Float64Array;
  private readonly freeWalks: number[];
  private readonly queue: number[] = [];
  private queueHead = 0;
  private busy = 0;
  /** When the next walk can begin: walks begin at a pace. */
  private nextWalkPs = 0;
  private occupancyPs = 0;

  /**
   * @param requests most requests that can wait at once
   * @param ended kind of the event that ends a walk; its actor is the walk
   */
  constructor(
    readonly unit: TranslationUnit,
    private readonly simulation: Simulation,
    private readonly psPerTick: number,
    requests: number,
    private readonly ended: number,
    private readonly known: (request: number, mapped: boolean) => void,
  ) {
    this.counts = noCounts();
    this.waiting = new KeyIndex(requests);
    this.next = new Int32Array(requests);
    this.asked = new Float64Array(requests);
    this.head = new Int32Array(requests);
    this.tail = new Int32Array(requests);
    this.key = new Float64Array(requests);
    this.address = new Float64Array(requests);
    this.started = new Float64Array(requests);
    this.freeWalks = Array.from({ length: requests }, (_, i) => requests - 1 - i);
  }

  private get nowPs(): number {
    return this.simulation.now * this.psPerTick;
  }

  /** Asks for the translation of an address. @returns true where the IOTLB has it; otherwise `known` is called later */
  ask(request: number, address: number, purpose: number): boolean {
    const { counts, unit } = this;
    counts.requests[purpose]++;
    const found = unit.lookup(address);
    if (found >= 0) {
      this.check(address, Math.floor(found / 4096));
      return true;
    }
    counts.misses[purpose]++;
    this.asked[request] = this.nowPs;
    this.next[request] = -1;
    const key = Math.floor(address / 4096);
    const walk = this.waiting.get(key);
    if (walk >= 0) {
      counts.merged++;
      this.next[this.tail[walk]] = request;
      this.tail[walk] = request;
      return false;
    }
    const fresh = this.freeWalks.pop() as number;
    this.key[fresh] = key;
    this.address[fresh] = address;
    this.head[fresh] = request;
    this.tail[fresh] = request;
    this.waiting.add(key, fresh);
    if (this.busy < unit.config.walkers) this.start(fresh);
    else this.queue.push(fresh);
    return false;
  }

  /** A cached translation is used: counts it as stale where the table says otherwise by now. */
  check(address: number, frame: number): void {
    if (this.unit.table.frame(address) !== frame) this.counts.stale++;
  }

  private start(walk: number): void {
    this.busy++;
    const { durationPs } = this.unit.walk(this.address[walk]);
    const begin = Math.max(this.nowPs, this.nextWalkPs);
    this.nextWalkPs = begin + (this.unit.config.walkIntervalPs ?? 0);
    this.started[walk] = begin;
    const ticks = Math.round((begin + durationPs) / this.psPerTick) - this.simulation.now;
    this.simulation.post(Math.max(1, ticks), this.ended, walk);
  }

  /** A walk ends: what it finds now is cached, everyone who waited goes on, and the next page's walk begins. */
  walkEnded(walk: number): void {
    this.busy--;
    const { counts, unit, nowPs } = this;
    const address = this.address[walk];
    const mapped = unit.table.leafBytes(address) > 0;
    if (mapped) unit.fill(address);
    counts.walks++;
    counts.walkPs += nowPs - this.started[walk];
    // A walk that waited for its turn to begin was not under way yet.
    this.occupancyPs += nowPs - this.started[walk];
    this.waiting.remove(this.key[walk]);
    const first = this.head[walk];
    this.freeWalks.push(walk);
    if (this.queueHead < this.queue.length) {
      this.start(this.queue[this.queueHead++]);
      if (this.queueHead > 64 && this.queueHead * 2 > this.queue.length) {
        this.queue.splice(0, this.queueHead);
        this.queueHead = 0;
      }
    }
    for (let request = first; request >= 0; ) {
      const next = this.next[request];
      counts.missPs += nowPs - this.asked[request];
      if (!mapped) counts.faults++;
      this.known(request, mapped);
      request = next;
    }
  }

  /** The hardware obeys an invalidation. */
  invalidate(what: Invalidation): void {
    this.unit.invalidate(what);
  }

  /** Walks under way, integrated over time since the last reset, picoseconds: of each the part from its beginning, counted at its end. */
  get walkOccupancyPs(): number {
    return this.occupancyPs;
  }

  /** Counts afresh: the end of the warm-up. */
  reset(): void {
    this.counts = noCounts();
    this.occupancyPs = 0;
  }
}

const noCounts = (): PortCounts => ({
  requests: [0, 0],
  misses: [0, 0],
  merged: 0,
  faults: 0,
  stale: 0,
  walks: 0,
  missPs: 0,
  walkPs: 0,
});
