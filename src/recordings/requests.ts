import { dma32Pfn } from "../iova/index.js";
import { Op, type Trace, TraceError } from "./trace.js";

/** The window of the I/O APIC, which VT-d keeps out of every address space (v4.3 dmar_init_reserved_ranges), as pfns. */
export const ioApic = [0xfee00, 0xfeeff] as const;

/** The device of a trace that makes the most requests, as an index into `devices`. */
export function busiestDevice(trace: Trace): number {
  const count = new Array<number>(trace.devices.length).fill(0);
  for (let op = 0; op < trace.length; op++) count[trace.device[op]]++;
  return count.indexOf(Math.max(...count));
}

/**
 * One device's requests as a trace of the allocator fixtures' format: their order, their sizes and which unmap ends which map. The
 * addresses are for an allocator to choose; as for any 32-bit request, the limit is the 4 GiB boundary.
 * @throws TraceError naming the devices there are
 */
export function requestsOf(trace: Trace, device: number): string {
  if (!Number.isInteger(device) || device < 0 || device >= trace.devices.length)
    throw new TraceError(`there is no device ${device}; the devices are 0 to ${trace.devices.length - 1}.`);
  const cpus = trace.cpu.reduce((most, cpu) => Math.max(most, cpu), 0) + 1;
  const lines = [`i cpus ${cpus}`, `r ${ioApic[0]} ${ioApic[1]}`];
  const ids = new Map<number, number>();
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    if (trace.op[op] === Op.map) {
      ids.set(op, ids.size);
      lines.push(`m ${trace.pages[op]} ${dma32Pfn} ${trace.cpu[op]}`);
    } else lines.push(`u ${ids.get(trace.partner[op])} ${trace.cpu[op]}`);
  }
  return `${lines.join("\n")}\n`;
}
