import { bpftraceHeader } from "../../recordings/index.js";

/** Functions of the DMA API over an IOMMU whose first argument is the device (Linux 5.x to 6.18, drivers/iommu/dma-iommu.c). */
const functions = [
  "iommu_dma_map_page",
  "iommu_dma_map_phys",
  "iommu_dma_map_sg",
  "iommu_dma_map_resource",
  "iommu_dma_alloc",
  "iommu_dma_alloc_noncontiguous",
  "iommu_dma_unmap_page",
  "iommu_dma_unmap_phys",
  "iommu_dma_unmap_sg",
  "iommu_dma_unmap_resource",
  "iommu_dma_free",
  "iommu_dma_free_noncontiguous",
  "dma_iova_link",
  "dma_iova_unlink",
  "dma_iova_destroy",
];

/**
 * A bpftrace script that prints a line for each iommu:map and iommu:unmap, with the device whose call of the DMA API it belongs to.
 * @param available the kernel's list of functions that can be probed (available_filter_functions)
 * @param device only this device's
 */
export function bpftraceScript(available: string, device?: string): string {
  const there = new Set(available.split("\n").map((line) => line.split(" ", 1)[0]));
  const probed = functions.filter((name) => there.has(name));
  const each = (kind: string) => probed.map((name) => `${kind}:${name}`).join(",\n");
  const filter = device === undefined || probed.length === 0 ? "" : ` /@dev[tid] == "${device}"/`;
  const name = probed.length === 0 ? '"-"' : '@dev[tid] == "" ? "-" : @dev[tid]';
  const named =
    probed.length === 0
      ? ""
      : `
${each("kprobe")}
{
  @dev[tid] = str(((struct device *)arg0)->kobj.name);
}

${each("kretprobe")}
{
  delete(@dev[tid]);
}
`;
  return `// Run with: bpftrace FILE > recording.txt (as root; iommu-lab trace convert reads what it prints)
BEGIN
{
  printf("${bpftraceHeader}\\n");
}
${named}
tracepoint:iommu:map${filter}
{
  printf("map %llu %d %s 0x%llx 0x%llx %llu\\n", nsecs, cpu, ${name}, args->iova, args->paddr, args->size);
}

tracepoint:iommu:unmap${filter}
{
  printf("unmap %llu %d %s 0x%llx %llu %llu\\n", nsecs, cpu, ${name}, args->iova, args->size, args->unmapped_size);
}
`;
}
