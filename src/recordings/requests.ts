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

/** How requests are written for an allocator. */
export interface RequestOptions {
  /** Let the clock of the allocators that have one (lazy, fq6) advance with the recording's time. */
  time?: boolean;
}

/**
 * One device's requests as a trace of the allocator fixtures' format: their order, their sizes and which unmap ends which map. The
 * addresses are for an allocator to choose; as for any 32-bit request, the limit is the 4 GiB boundary. The pools' table is made large
 * enough for what the recording maps at a time (see {@link poolEntries}).
 * @throws TraceError naming the devices there are
 */
export function requestsOf(trace: Trace, device: number, { time = false }: RequestOptions = {}): string {
  if (!Number.isInteger(device) || device < 0 || device >= trace.devices.length)
    throw new TraceError(`there is no device ${device}; the devices are 0 to ${trace.devices.length - 1}.`);
  const cpus = trace.cpu.reduce((most, cpu) => Math.max(most, cpu), 0) + 1;
  const lines = [`i cpus ${cpus}`, `i entries ${poolEntries(trace, device)}`, `r ${ioApic[0]} ${ioApic[1]}`];
  const ids = new Map<number, number>();
  let nowUs = 0;
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    const us = Math.floor(trace.timeNs[op] / 1000);
    if (time && us > nowUs) {
      if (ids.size > 0) lines.push(`w ${us - nowUs}`);
      nowUs = us;
    }
    if (trace.op[op] === Op.map) {
      ids.set(op, ids.size);
      lines.push(`m ${trace.pages[op]} ${dma32Pfn} ${trace.cpu[op]}`);
    } else lines.push(`u ${ids.get(trace.partner[op])} ${trace.cpu[op]}`);
  }
  return `${lines.join("\n")}\n`;
}

const fewestEntries = 4096;
const mostEntries = 1 << 24;

/**
 * How large the pools' table is, in what a device maps at a time. An assumption: Linux's tables are what a platform has, whatever its devices map
 * (65,536 to 4,194,304 entries of sparc, record K29; for the recorded igb 1 to 64 times; the report replays them all), and no x86 had one. Each of
 * the 16 pools must find room in its own part, and requests are spread over the CPUs unevenly. In this range no map of the recorded drivers fails;
 * what moves is the flushes of the lazy pools, from two for each three maps (igb, 1) to none (16).
 */
export const poolRoom: { readonly value: number; readonly low: number; readonly high: number } = {
  value: 4,
  low: 1,
  high: 16,
};

/**
 * Entries of the pools' table (lib/iommu-common) for a device's requests: a power of two of at least {@link poolRoom} times the pages that are
 * mapped at a time.
 * @param room how many times as large, where it is not what is assumed
 */
export function poolEntries(trace: Trace, device: number, room: number = poolRoom.value): number {
  let pages = 0;
  let most = 0;
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    pages += trace.op[op] === Op.map ? trace.pages[op] : -trace.pages[op];
    if (pages > most) most = pages;
  }
  let entries = fewestEntries;
  while (entries < room * most && entries < mostEntries) entries *= 2;
  return entries;
}
