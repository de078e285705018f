/** The host's memory as the DMA code sees it: a cost in cycles for each access by a core. The machine room's caches fit it. */
export interface HostMemory {
  /** Cycles of a read of the line at this address. */
  read(core: number, address: number): number;
  /** Cycles of a write. */
  write(core: number, address: number): number;
  /** Cycles of a locked read-modify-write. */
  atomic(core: number, address: number): number;
  /** Writes the line back and drops it from every cache. */
  flush(address: number): void;
}

/**
 * Adds up what the accesses of a piece of code cost the core that runs it. Allocators and page tables report to it; the DMA code takes
 * the sum when the piece ends.
 */
export class ChargedMemory {
  /** The core that pays. */
  core = 0;
  /** Off while the machine is being set up outside simulated time. */
  enabled = false;
  accesses = 0;
  private cycles = 0;

  /**
   * @param host what an access costs
   * @param instructionCycles instructions around each access
   * @param flushCycles what a `clflush` costs the core
   * @param storeOverlap share of a store's latency that the core does not wait for, 0 to 1
   */
  constructor(
    private readonly host: HostMemory,
    private readonly instructionCycles: number,
    private readonly flushCycles: number,
    private readonly storeOverlap: number,
  ) {}

  /** A read by the core that is set, charged to it. */
  read(address: number): void {
    if (!this.enabled) return;
    this.accesses++;
    this.cycles += this.instructionCycles + this.host.read(this.core, address);
  }

  /** A write by the core that is set, charged to it. */
  write(address: number): void {
    if (!this.enabled) return;
    this.accesses++;
    this.cycles += this.instructionCycles + this.host.write(this.core, address) * (1 - this.storeOverlap);
  }

  /** A locked read-modify-write by the core that is set, charged to it. */
  atomic(address: number): void {
    if (!this.enabled) return;
    this.accesses++;
    this.cycles += this.instructionCycles + this.host.atomic(this.core, address);
  }

  /** A `clflush` by the core that is set, charged to it. */
  flush(address: number): void {
    if (!this.enabled) return;
    this.host.flush(address);
    this.cycles += this.flushCycles;
  }

  /** Adds cycles that are no access. */
  spend(cycles: number): void {
    if (this.enabled) this.cycles += cycles;
  }

  /** Whole cycles since the last call, and starts again from zero. */
  take(): number {
    const whole = Math.round(this.cycles);
    this.cycles = 0;
    return whole;
  }
}
