/** What one invalidation reaches. */
export type Invalidation =
  /** 2^order pages of one domain, from an aligned IOVA page (`qi_flush_iotlb` with DMA_TLB_PSI_FLUSH). */
  | { kind: "pages"; domain: number; pfn: number; order: number; leafOnly: boolean }
  /** Everything of one domain (DMA_TLB_DSI_FLUSH). */
  | { kind: "domain"; domain: number }
  /** Everything of one IOMMU (DMA_TLB_GLOBAL_FLUSH). */
  | { kind: "global" }
  /** 2^order pages in the translation cache of a device (`qi_flush_dev_iotlb`). */
  | { kind: "device"; device: number; pfn: number; order: number };

/** Descriptor types of the ring (VT-d: queued invalidation). */
const TYPE_IOTLB = 2;
const TYPE_DEVICE = 3;
const TYPE_WAIT = 5;
const GRANULARITY_GLOBAL = 1;
const GRANULARITY_DOMAIN = 2;
const GRANULARITY_PAGES = 3;

const FREE = 0;
const IN_USE = 1;
const DONE = 2;

/** The largest page-selective order this hardware takes (capability MAMV of the measured hosts, record CAP1). */
export const MAX_ADDRESS_MASK = 18;

/**
 * The invalidation that v4.3 sends for an unmapped range (`iommu_flush_iotlb_psi`): page-selective over the next power of two, or the
 * whole domain where that is too large for the hardware.
 */
export function invalidationOf(
  domain: number,
  pfn: number,
  pages: number,
  leafOnly: boolean,
  maxOrder: number = MAX_ADDRESS_MASK,
): Invalidation {
  let order = 0;
  for (let covered = 1; covered < pages; covered *= 2) order++;
  return order > maxOrder ? { kind: "domain", domain } : { kind: "pages", domain, pfn, order, leafOnly };
}

/**
 * The queued-invalidation ring of one IOMMU as data: 256 descriptors of 16 bytes (record K20), free count, head and tail, a status word a
 * slot. Linux v4.3: `struct q_inval` and the body of `qi_submit_sync` between taking and dropping `q_lock`.
 *
 * It knows no time. The caller holds the per-IOMMU lock around {@link submit} and {@link reclaim}, waits until {@link isDone}, dropping
 * and retaking the lock each turn, and lets the hardware side call {@link execute} when the wait descriptor is reached.
 */
export class InvalidationQueue {
  readonly length: number;
  /** Physical address of the ring: the lines that a submission writes. */
  readonly baseAddress: number;
  private readonly status: Uint8Array;
  private readonly type: Uint8Array;
  private readonly granularity: Uint8Array;
  private readonly domain: Int32Array;
  private readonly order: Uint8Array;
  /** 1 where the descriptor says that the paging-structure caches may stay. */
  private readonly hint: Uint8Array;
  private readonly pfn: Float64Array;
  private freeHead = 0;
  private freeTail = 0;
  private free: number;
  private hardwareHead = 0;
  /** Descriptors executed so far, by kind. */
  readonly executed = { pages: 0, domain: 0, global: 0, device: 0, wait: 0 };
  /** Most descriptors in use at once. */
  highWater = 0;

  constructor(options: { length?: number; baseAddress?: number } = {}) {
    this.length = options.length ?? 256;
    if (!Number.isInteger(this.length) || this.length < 4)
      throw new Error(`length: expected at least 4 descriptors, got ${this.length}`);
    this.baseAddress = options.baseAddress ?? 0x20_0000_0000;
    this.free = this.length;
    this.status = new Uint8Array(this.length);
    this.type = new Uint8Array(this.length);
    this.granularity = new Uint8Array(this.length);
    this.domain = new Int32Array(this.length);
    this.order = new Uint8Array(this.length);
    this.hint = new Uint8Array(this.length);
    this.pfn = new Float64Array(this.length);
  }

  /** Free descriptors. A submission needs three: its two, and one so that head and tail never meet. */
  get freeCount(): number {
    return this.free;
  }

  /** Whether {@link submit} would find room. If not, the submitter drops the lock, relaxes and tries again. */
  get hasRoom(): boolean {
    return this.free >= 3;
  }

  /** The slot that the next submission writes. */
  get nextSlot(): number {
    return this.freeHead;
  }

  /** Physical address of a slot's descriptor; four descriptors share a line. */
  slotAddress(slot: number): number {
    return this.baseAddress + slot * 16;
  }

  /**
   * Writes an invalidation and a wait descriptor.
   * @returns the slot of the wait descriptor, to be polled with {@link isDone}
   * @throws Error when there is no room (check {@link hasRoom} first)
   */
  submit(request: Invalidation): number {
    if (!this.hasRoom) throw new Error("the invalidation queue is full: three free descriptors are needed");
    const slot = this.freeHead;
    const wait = (slot + 1) % this.length;
    this.type[slot] = request.kind === "device" ? TYPE_DEVICE : TYPE_IOTLB;
    this.granularity[slot] =
      request.kind === "global"
        ? GRANULARITY_GLOBAL
        : request.kind === "domain"
          ? GRANULARITY_DOMAIN
          : GRANULARITY_PAGES;
    this.domain[slot] = request.kind === "global" ? -1 : request.kind === "device" ? request.device : request.domain;
    this.pfn[slot] = request.kind === "pages" || request.kind === "device" ? request.pfn : 0;
    this.order[slot] = request.kind === "pages" || request.kind === "device" ? request.order : 0;
    this.hint[slot] = request.kind === "pages" && request.leafOnly ? 1 : 0;
    this.type[wait] = TYPE_WAIT;
    this.status[slot] = IN_USE;
    this.status[wait] = IN_USE;
    this.freeHead = (wait + 1) % this.length;
    this.free -= 2;
    this.highWater = Math.max(this.highWater, this.length - this.free);
    return wait;
  }

  /** Whether the hardware has written this wait descriptor's status word. */
  isDone(wait: number): boolean {
    return this.status[wait] === DONE;
  }

  /**
   * The hardware reaches the wait descriptor at its head: executes the invalidation before it and writes the status word.
   * Descriptors are executed in ring order, whoever waits for them.
   * @returns the invalidation, for the translation caches to obey
   */
  execute(): Invalidation {
    const slot = this.hardwareHead;
    if (slot === this.freeHead && this.free === this.length) throw new Error("the invalidation queue is empty");
    const wait = (slot + 1) % this.length;
    if (this.status[slot] !== IN_USE || this.status[wait] !== IN_USE || this.type[wait] !== TYPE_WAIT)
      throw new Error(`descriptor ${slot} is not an invalidation followed by a wait`);
    this.status[wait] = DONE;
    this.hardwareHead = (wait + 1) % this.length;
    this.executed.wait++;
    const domain = this.domain[slot];
    const pfn = this.pfn[slot];
    const order = this.order[slot];
    if (this.type[slot] === TYPE_DEVICE) {
      this.executed.device++;
      return { kind: "device", device: domain, pfn, order };
    }
    if (this.granularity[slot] === GRANULARITY_GLOBAL) {
      this.executed.global++;
      return { kind: "global" };
    }
    if (this.granularity[slot] === GRANULARITY_DOMAIN) {
      this.executed.domain++;
      return { kind: "domain", domain };
    }
    this.executed.pages++;
    return { kind: "pages", domain, pfn, order, leafOnly: this.hint[slot] === 1 };
  }

  /**
   * The submitter saw its status word: its two slots may be reused once all before them may.
   * Linux v4.3: `desc_status[index] = QI_DONE; reclaim_free_desc(qi)`.
   */
  reclaim(wait: number): void {
    if (this.status[wait] !== DONE) throw new Error(`wait descriptor ${wait} has not completed`);
    const slot = (wait + this.length - 1) % this.length;
    this.status[slot] = DONE;
    while (this.status[this.freeTail] === DONE) {
      this.status[this.freeTail] = FREE;
      this.freeTail = (this.freeTail + 1) % this.length;
      this.free++;
    }
  }
}
