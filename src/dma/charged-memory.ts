import type { DmaCosts } from "./costs.js";
import { type StoreBufferSize, StoreBuffers } from "./store-buffer.js";

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

/** A store that takes fewer cycles found its line in the core's own L1. */
const lineCycles = 5;

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
  private readonly buffers: StoreBuffers;

  /**
   * @param host what an access costs
   * @param clock simulated time, which stands still while a piece runs
   * @param cores how many cores have a store buffer
   * @param costs instructions around each access, what a `clflush` costs the core, and how stores drain
   */
  constructor(
    private readonly host: HostMemory,
    private readonly clock: { readonly now: number },
    cores: number,
    private readonly costs: Pick<DmaCosts, "instructionCycles" | "clflushCycles" | "storesBuffered" | "storesAtOnce">,
  ) {
    const size: StoreBufferSize = { depth: costs.storesBuffered, atOnce: costs.storesAtOnce };
    this.buffers = new StoreBuffers(cores, size);
  }

  /** A read by the core that is set, charged to it. */
  read(address: number): void {
    if (!this.enabled) return;
    this.accesses++;
    this.cycles += this.costs.instructionCycles + this.host.read(this.core, address);
  }

  /** A write by the core that is set: it goes into the store buffer, and only its instructions are charged, or the wait for a place. */
  write(address: number): void {
    if (!this.enabled) return;
    this.accesses++;
    this.cycles += this.costs.instructionCycles;
    const latency = this.host.write(this.core, address);
    this.cycles += this.buffers.store(this.core, this.now, latency, latency < lineCycles);
  }

  /** A locked read-modify-write by the core that is set, charged to it; it waits for the stores before it. */
  atomic(address: number): void {
    if (!this.enabled) return;
    this.accesses++;
    this.drain();
    this.cycles += this.costs.instructionCycles + this.host.atomic(this.core, address);
  }

  /** A `clflush` by the core that is set, charged to it, between two fences (clflush_cache_range). */
  flush(address: number): void {
    if (!this.enabled) return;
    this.drain();
    this.host.flush(address);
    this.cycles += this.costs.clflushCycles;
  }

  /** The core that is set waits until all that it has stored is visible: a fence, or an uncached access. */
  drain(): void {
    if (this.enabled) this.cycles = Math.max(this.cycles, this.buffers.drained(this.core) - this.clock.now);
  }

  /** From when on all that a core has stored is visible. */
  drained(core: number): number {
    return this.buffers.drained(core);
  }

  private get now(): number {
    return this.clock.now + this.cycles;
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
