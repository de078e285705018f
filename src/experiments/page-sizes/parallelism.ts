import { type Basis, basisOf, Facts } from "../../facts/index.js";
import { pageBytes } from "../../pagetables/index.js";
import { runDmaStream, type StreamConfig } from "../../streams/index.js";
import { fitWhole, type WholeFit } from "./calibrate.js";
import { pageHost } from "./hosts.js";
import { fitPoints, measuredAt, type PageSetting } from "./published.js";
import { type RunSpec, streamOf } from "./stream.js";

/** The two quantities that no latency run shows, each fitted once to one Haswell point and kept for every host, size and direction. */
export interface ParallelismFit {
  tags: WholeFit;
  walkers: WholeFit;
}

/** Fits reads in flight (IOMMU off, 64 MiB) and parallel walks (4 KiB pages, 64 MiB) on Haswell 64-byte reads. About a second, once a memo. */
export function parallelism(basis: Basis = basisOf(Facts.published())): ParallelismFit {
  return basis.memo.of(basis, "parallelism", null, fitted);
}

function fitted(basis: Basis): ParallelismFit {
  const point = (page: PageSetting, tags: number, walkers: number): StreamConfig => {
    const spec: RunSpec = { ...fitRun, page, tags, walkers };
    return streamOf(pageHost("hsw", basis), spec);
  };
  const tags = fitWhole((n) => runDmaStream(point("off", n, 1)).gbps, measuredAt(basis.facts, fitPoints.tags), 256);
  const walkers = fitWhole(
    (n) => runDmaStream(point("4K", tags.value, n)).gbps,
    measuredAt(basis.facts, fitPoints.walkers),
    32,
  );
  return { tags, walkers };
}

const fitRun: RunSpec = {
  page: "off",
  direction: "read",
  dmaBytes: 64,
  windowBytes: 64 * 1024 * 1024,
  memoryBytes: pageBytes["1G"],
  devices: 1,
  tags: 1,
  walkers: 1,
  pattern: "random",
  warmth: "device",
  packets: 6000,
  seed: 1,
};
