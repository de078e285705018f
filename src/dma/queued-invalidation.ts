import type { InvalidationUnit } from "../iommu/index.js";
import type { ChargedMemory } from "./charged-memory.js";
import type { CoreState } from "./core-state.js";
import type { DmaCosts } from "./costs.js";
import type { Execution } from "./execution.js";
import type { DmaCounts } from "./options.js";
import { STEP_QI_POLL, STEP_QI_SUBMIT } from "./steps.js";

// Phases of qi_submit_sync; a caller starts one in phase START and finds it there again when it is complete.
const START = 0;
const LOCKED = 1;
const WRITTEN = 2;
const POLL = 3;
const DROP = 4;
const FULL = 5;
const RETAKE = 6;
const DONE = 7;
const RELEASED = 8;
/** The device list's lock has been given back. */
const LIST_RELEASED = 9;

/** What an invalidation needs: who executes it, the hardware, what it costs, and the numbers of two locks. */
export interface InvalidationParts {
  execution: Execution;
  unit: InvalidationUnit;
  memory: ChargedMemory;
  costs: DmaCosts;
  counts: DmaCounts;
  /** The queue's lock, `q_lock`. */
  queueLock: number;
  /** The lock of the list of devices that cache translations, `device_domain_lock`. */
  deviceLock: number;
}

/** What a core does to have a translation forgotten: Linux v4.3's `qi_submit_sync`, and `iommu_flush_dev_iotlb` around it. */
export class QueuedInvalidation {
  constructor(private readonly parts: InvalidationParts) {}

  /**
   * Submits the core's request: descriptors and tail under `q_lock`, then the poll, which drops and retakes the lock each turn.
   * @returns whether the invalidation is complete; if not, the core will be resumed and calls again
   */
  submitAndWait(core: number, s: CoreState): boolean {
    const { execution, unit, memory, costs, counts, queueLock } = this.parts;
    for (;;) {
      switch (s.phase) {
        case START:
          s.phase = LOCKED;
          execution.acquire(core, queueLock, STEP_QI_SUBMIT);
          return false;
        case LOCKED:
          if (!unit.queue.hasRoom) {
            s.phase = FULL;
            continue;
          }
          s.phase = WRITTEN;
          memory.write(unit.queue.slotAddress(unit.queue.nextSlot));
          memory.write(unit.statusAddress(unit.queue.nextSlot));
          memory.spend(costs.tailWriteCycles);
          execution.spend(core, STEP_QI_SUBMIT, memory.take());
          return false;
        case WRITTEN:
          s.wait = unit.submit(s.request);
          counts.invalidations++;
          s.phase = POLL;
          continue;
        case POLL: {
          memory.read(unit.statusAddress(s.wait));
          counts.pollTurns++;
          if (unit.queue.isDone(s.wait)) {
            unit.queue.reclaim(s.wait);
            s.phase = DONE;
          } else {
            memory.spend(costs.faultReadCycles);
            s.phase = DROP;
          }
          execution.spend(core, STEP_QI_POLL, memory.take());
          return false;
        }
        case DROP:
          s.phase = RETAKE;
          execution.spend(core, STEP_QI_POLL, execution.drop(core, queueLock) + costs.relaxCycles);
          return false;
        case FULL:
          // No room: drop the lock, relax, try again.
          s.phase = START;
          execution.spend(core, STEP_QI_POLL, execution.drop(core, queueLock) + costs.relaxCycles);
          return false;
        case RETAKE:
          s.phase = POLL;
          execution.acquire(core, queueLock, STEP_QI_POLL);
          return false;
        case DONE:
          s.phase = RELEASED;
          execution.release(core, queueLock, STEP_QI_POLL);
          return false;
        default:
          s.phase = START;
          return true;
      }
    }
  }

  /** Has a device forget its own copy of a translation: the global device list's lock is held over the wait. @returns as above */
  invalidateDevice(core: number, s: CoreState, pfn: number, pages: number): boolean {
    const { execution, deviceLock } = this.parts;
    if (s.phase === START && !s.holdsDevices) {
      s.holdsDevices = true;
      let order = 0;
      for (let covered = 1; covered < pages; covered *= 2) order++;
      s.request = { kind: "device", device: 0, pfn, order };
      execution.acquire(core, deviceLock, STEP_QI_SUBMIT);
      return false;
    }
    if (s.phase === LIST_RELEASED) {
      s.phase = START;
      s.holdsDevices = false;
      return true;
    }
    if (!this.submitAndWait(core, s)) return false;
    s.phase = LIST_RELEASED;
    execution.release(core, deviceLock, STEP_QI_POLL);
    return false;
  }
}
