import type { HostRun } from "../../host/index.js";

/** How a run begins and how long it is, in transactions before and within the measurement. */
export type RunLength = Pick<HostRun, "agedTurns" | "warmup" | "transactions">;

/**
 * What a merged tree needs to become level. From fresh rings its throughput sinks by 12 % until some 60,000 transactions, since
 * neighbours in the address space become strangers only slowly; turned over three times outside simulated time, a host of quick runs begins at that
 * level (warm-up shows both). The stock tree is level at once.
 */
export const mergedTree = { turns: 3, warmup: 60_000 };

/** How many ageings the replications of a point share: with fewer, all of a point's runs could hang on how one host happened to age. */
const ageings = 4;

/** The seed of the ageing of a replication whose first one has this seed. */
export const agedSeedOf = (first: number, replication: number): number => first + (replication % ageings);
