import type { Quantities } from "../ignorance/ensemble.js";

/**
 * The three readings of "a third of the performance back", in percent, each from the throughputs of one host without an IOMMU, with the
 * tree of v4.3, and with merged nodes. The plain one comes first.
 */
export const readings: Readonly<
  Record<
    "gap" | "gain" | "level",
    {
      /** What is read, in words. */
      title: string;
      /** The reading in percent, of the throughputs of one host. */
      of(q: Quantities): number;
    }
  >
> = {
  gap: {
    title: "share of the loss that comes back",
    of: (q) =>
      (100 * (q["merged-deferred: throughput"] - q["deferred: throughput"])) /
      (q["off: throughput"] - q["deferred: throughput"]),
  },
  gain: {
    title: "gain over the tree of v4.3",
    of: (q) => 100 * (q["merged-deferred: throughput"] / q["deferred: throughput"] - 1),
  },
  level: {
    title: "throughput, as a share of no IOMMU",
    of: (q) => (100 * q["merged-deferred: throughput"]) / q["off: throughput"],
  },
};
