import { dma32Pfn, MagazineAllocator, noPfn, RbTreeAllocator, roundUpPages } from "../iova/index.js";
import { ioApic } from "./requests.js";
import { Op, type Trace, TraceError } from "./trace.js";

/**
 * The same requests in the same order, with the addresses that another allocator gives them: one allocator for each device, 32-bit
 * addresses, sizes rounded up to a power of two (v4.3 intel_alloc_iova).
 * @param allocator "rbtree", the tree of Linux v4.3, or "magazines", with the per-CPU caches of v4.9
 * @throws TraceError when a request does not fit into the address space.
 */
export function readdress(trace: Trace, allocator: "rbtree" | "magazines"): Trace {
  const cpus = trace.cpu.reduce((most, cpu) => Math.max(most, cpu), 0) + 1;
  const spaces = trace.devices.map(() => {
    const space = allocator === "rbtree" ? new RbTreeAllocator({ cpus }) : new MagazineAllocator({ cpus });
    space.reserve(...ioApic);
    return space;
  });
  const iovaPfn = new Float64Array(trace.length);
  const pages = new Uint32Array(trace.length);
  for (let op = 0; op < trace.length; op++) {
    const space = spaces[trace.device[op]];
    if (trace.op[op] === Op.map) {
      pages[op] = roundUpPages(trace.pages[op]);
      iovaPfn[op] = space.allocate(pages[op], dma32Pfn, trace.cpu[op]);
      if (iovaPfn[op] === noPfn)
        throw new TraceError(`operation ${op}: no room for ${pages[op]} pages in the address space.`);
    } else {
      const mapped = trace.partner[op];
      pages[op] = pages[mapped];
      iovaPfn[op] = iovaPfn[mapped];
      space.free(iovaPfn[op], pages[op], trace.cpu[op]);
    }
  }
  return { ...trace, iovaPfn, pages };
}
