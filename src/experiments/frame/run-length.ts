import type { HostRun } from "../../host/index.js";

/** How a run begins and how long it is, in transactions before and within the measurement. */
export type RunLength = Pick<HostRun, "agedTurns" | "warmup" | "transactions">;

/**
 * What a merged tree needs to become level. From fresh rings its throughput sinks by 12 % until some 60,000 transactions, since
 * neighbours in the address space become strangers only slowly; turned over three times outside simulated time, a host of quick runs begins at that
 * level (warm-up shows both). The stock tree is level at once.
 */
export const mergedTree = { turns: 3, warmup: 60_000 };
