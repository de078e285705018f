import type { Simulation, StateMachine } from "../engine/index.js";
import type { HostMachine as Machine } from "../machine/index.js";
import { type Invalidation, InvalidationQueue } from "./invalidation-queue.js";

/** How long the IOMMU takes over an invalidation. */
export interface IommuTiming {
  /** From the write of the tail register to the status word in memory, with nothing before it, in cycles. */
  invalidationCycles: number;
  /** The same for an invalidation of a device's translation cache: the request crosses the link and the device answers. */
  deviceInvalidationCycles: number;
  /** Share of that time for which the unit can take up no other descriptor, 0 to 1. */
  serialShare: number;
}

/** Hears of what the hardware has invalidated. */
export interface InvalidationWatch {
  /** An invalidation was executed at this time. */
  invalidated(what: Invalidation, now: number): void;
}

/** Bytes of a status word; sixteen share a line. */
const STATUS_BYTES = 4;

/**
 * The hardware side of one IOMMU's invalidation queue: descriptors are executed in ring order, each occupies the unit for a share of its
 * latency, and its wait descriptor then writes a status word, which takes the line away from whoever polls it.
 */
export class InvalidationUnit implements StateMachine {
  readonly queue: InvalidationQueue;
  private readonly kinds: number;
  private readonly statusBase: number;
  private freeAt = 0;
  private lastStatus = 0;

  constructor(
    private readonly machine: Machine,
    private readonly simulation: Simulation,
    private readonly timing: IommuTiming,
    private readonly watch: InvalidationWatch,
  ) {
    const ring = machine.region({ name: "invalidation queue", bytes: 256 * 16, home: 0 });
    this.queue = new InvalidationQueue({ baseAddress: ring.base });
    this.statusBase = machine.region({ name: "invalidation status words", bytes: 256 * STATUS_BYTES, home: 0 }).base;
    this.kinds = simulation.attach(this);
  }

  /** Address of a wait descriptor's status word. */
  statusAddress(wait: number): number {
    return this.statusBase + wait * STATUS_BYTES;
  }

  /**
   * Puts an invalidation and its wait descriptor into the ring; the caller holds the queue's lock and writes the tail register now.
   * @returns the wait descriptor's slot, or -1 where the ring is full
   */
  submit(request: Invalidation): number {
    if (!this.queue.hasRoom) return -1;
    const wait = this.queue.submit(request);
    const { now } = this.simulation;
    const latency = request.kind === "device" ? this.timing.deviceInvalidationCycles : this.timing.invalidationCycles;
    const start = Math.max(now, this.freeAt);
    this.freeAt = start + Math.round(latency * this.timing.serialShare);
    // Status words are written in ring order.
    this.lastStatus = Math.max(this.lastStatus, start + latency);
    this.simulation.post(this.lastStatus - now, this.kinds, wait);
    return wait;
  }

  /** The status word of a wait descriptor is written. */
  dispatch(_kind: number, wait: number): void {
    const what = this.queue.execute();
    this.machine.deviceWrite(this.statusAddress(wait));
    this.watch.invalidated(what, this.simulation.now);
  }
}
