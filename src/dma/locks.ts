import type { SpinLock } from "../machine/index.js";

/** Buckets of the wait and hold distributions: up to 2^31 cycles. */
const BUCKETS = 32;
const bucket = (cycles: number): number => 32 - Math.clz32(Math.min(cycles, 0x7fff_ffff));

/** A lock of the DMA API, with who waits for it and for how long. */
export class DmaLock {
  /** Cores that asked and do not hold it yet. */
  asked = 0;
  private heldSince = 0;
  /** Waits and holds by power of two. */
  private readonly waits = new Float64Array(BUCKETS);
  private readonly holds = new Float64Array(BUCKETS);

  /** The lock, once somebody has asked for it. */
  made: SpinLock | undefined;

  /**
   * @param make makes it
   * @param spinStep step that waiting for it is booked as
   * @param atOnce make it now; otherwise when it is first asked for (a host of 128 cores has hundreds that nobody ever takes)
   */
  constructor(
    private readonly make: () => SpinLock,
    readonly spinStep: number,
    atOnce: boolean,
  ) {
    if (atOnce) this.made = make();
  }

  get lock(): SpinLock {
    this.made ??= this.make();
    return this.made;
  }

  /** Whether a core that asks now has to wait. */
  get contended(): boolean {
    return this.lock.holder >= 0 || this.asked > 0;
  }

  /** A core holds it that asked at some time. */
  granted(askedAt: number, now: number): void {
    this.asked--;
    this.heldSince = now;
    this.waits[bucket(now - askedAt)]++;
  }

  /** Its holder gives it back. */
  released(now: number): void {
    this.holds[bucket(now - this.heldSince)]++;
  }

  /** How long acquisitions waited and held, by power of two of cycles: bucket b counts 2^(b−1) to 2^b. */
  times(): { lock: string; waits: number[]; holds: number[] } {
    return { lock: this.lock.statistics.columns().name, waits: [...this.waits], holds: [...this.holds] };
  }

  /** Forgets times and statistics so far: the end of the warm-up. */
  reset(): void {
    this.made?.statistics.reset();
    this.waits.fill(0);
    this.holds.fill(0);
  }
}
