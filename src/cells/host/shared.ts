/**
 * Words of memory that the executor's main thread and its helper thread share: read and written with `Atomics`, so that either knows where
 * the other stands while the other cannot answer.
 */

/** Places in the shared array. */
export const Word = {
  /** Bytes of output that the main thread has posted and the helper has not yet written to the socket. */
  pending: 0,
  /** Not 0 while an interrupt is under way: callbacks of timers then wait for its end instead of beginning. */
  interrupting: 1,
  /** Modules that are being loaded on the main thread, one inside the other: not to be torn. */
  loading: 2,
  /** How often the main thread has been terminated. */
  terminations: 3,
  /** Always 0; a thread that waits for its termination waits here. */
  never: 4,
  /** 1 while a synchronous question waits for its answer, 2 when it is there. */
  asking: 5,
  /** Not 0 until what came after an interrupt has been looked at as well. */
  settling: 6,
} as const;

/** Makes the shared words. */
export const createShared = (): Int32Array => new Int32Array(new SharedArrayBuffer(4 * 8));
