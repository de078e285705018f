import type { Invalidation } from "../iommu/index.js";
import { type IovaOperation, noPfn, operation } from "../iova/index.js";
import type { Segment } from "./options.js";
import type { Line } from "./programs.js";

/** What one core is in the middle of. */
export interface CoreState {
  program: readonly Line[];
  pc: number;
  phase: number;
  context: number;
  returnTo: readonly Line[];
  returnPc: number;
  returnContext: number;
  operation: IovaOperation;
  /** Allocator step that waits to be acted upon. */
  pendingStep: number;
  /** Phase of an invalidation in the middle of an allocation (lazy_flush). */
  wrapPhase: number;
  /** The core holds the device list's lock over an invalidation of the device's translations. */
  holdsDevices: boolean;
  holdsTree: boolean;
  pfn: number;
  pages: number;
  touched: number;
  frame: number;
  /** A scatter list's pieces, where the map is of one. */
  segments: readonly Segment[] | undefined;
  permission: number;
  tables: readonly number[];
  request: Invalidation;
  wait: number;
  queue: number;
  /** Step that a lock is taken for, and that an uncontended acquisition is charged to. */
  lockStep: number;
}

/** A core that does nothing. */
export function newState(core: number): CoreState {
  return {
    program: [],
    pc: 0,
    phase: 0,
    context: 0,
    returnTo: [],
    returnPc: 0,
    returnContext: 0,
    operation: operation(core),
    pendingStep: 0,
    wrapPhase: 0,
    holdsDevices: false,
    holdsTree: false,
    pfn: noPfn,
    pages: 0,
    touched: 0,
    frame: 0,
    segments: undefined,
    permission: 0,
    tables: [],
    request: { kind: "global" },
    wait: -1,
    queue: 0,
    lockStep: 0,
  };
}
