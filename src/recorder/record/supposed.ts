import type { RecordingSystem } from "./system.js";

/** What Linux of this release has, on x86 with an IOMMU. */
const release = "6.18";

const events: Record<string, string[]> = {
  "events/iommu": ["map", "unmap"],
  "events/dma": ["phys", "sg"]
    .flatMap((kind) => [`dma_map_${kind}`, `dma_unmap_${kind}`])
    .concat(["", "_pages", "_sgt"].flatMap((kind) => [`dma_alloc${kind}`, `dma_free${kind}`])),
};

const functions = ["map_phys", "unmap_phys", "map_sg", "unmap_sg", "alloc", "free"]
  .concat("alloc_noncontiguous", "free_noncontiguous")
  .map((name) => `iommu_dma_${name}`)
  .concat("dma_iova_link", "dma_iova_unlink", "dma_iova_destroy");

const absent = (): never => {
  throw new Error("there is no tracefs on this machine");
};

/**
 * A machine with an ordinary kernel and every recorder, for a plan where this one's tracefs cannot be seen: to be printed, not to be carried out.
 * @param tracefsRoot where tracefs is taken to be mounted
 */
export function supposedSystem(tracefsRoot = "/sys/kernel/tracing"): RecordingSystem {
  const files: Record<string, string> = {
    trace_clock: "[local] global counter uptime perf mono mono_raw boot x86-tsc",
    available_filter_functions: functions.join("\n"),
  };
  return {
    tracefs: {
      root: tracefsRoot,
      read: (path) => files[path],
      list: (path) => events[path] ?? [],
      write: absent,
      makeInstance: absent,
      removeInstance: absent,
      pipe: absent,
    },
    kernel: release,
    root: true,
    tools: ["trace-cmd", "perf", "bpftrace"],
  };
}
