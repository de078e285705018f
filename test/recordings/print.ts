import { Context, Direction, Kind, Op, type Trace } from "../../src/recordings/index.js";

/** The operations of a trace as the texts that tools print. */
export type Form = keyof typeof forms;

const hex = (pfn: number, digits = 16): string =>
  `0x${(pfn === 2 ** 52 ? 0 : pfn).toString(16)}000`.replace(
    "0x",
    `0x${"0".repeat(Math.max(0, digits - 3 - pfn.toString(16).length))}`,
  );
const short = (pfn: number): string => (pfn === 0 ? "0" : `${pfn.toString(16)}000`);
const directions: Record<number, string> = {
  [Direction.bidirectional]: "BIDIRECTIONAL",
  [Direction.toDevice]: "TO_DEVICE",
  [Direction.fromDevice]: "FROM_DEVICE",
  [Direction.unknown]: "NONE",
};
const flags = (context: number, width: 4 | 5): string =>
  ({ [Context.task]: "....", [Context.softirq]: "..s1", [Context.hardirq]: "d.h1", [Context.unknown]: "...." })[
    context
  ]! + (width === 5 ? "." : "");

const seconds = (ns: number, decimals: 6 | 9): string => {
  const at = 1_000_000_000 + Math.round(ns);
  const whole = Math.floor(at / 1e9);
  return `${whole}.${String(at - whole * 1e9)
    .padStart(9, "0")
    .slice(0, decimals)}`;
};
const cpuOf = (cpu: number): string => `[${String(cpu).padStart(3, "0")}]`;

/** The page table's event: with or without the range's end and the device. */
function iommu(trace: Trace, i: number, { end = true, dev = false } = {}): string {
  const { iovaPfn, pages, paddrPfn } = trace;
  const device = dev ? `dev=${trace.devices[trace.device[i]].id} ` : "";
  const range = end ? `${hex(iovaPfn[i])} - ${hex(iovaPfn[i] + pages[i])}` : hex(iovaPfn[i]);
  const size = pages[i] * 4096;
  return trace.op[i] === Op.map
    ? `map: IOMMU: ${device}iova=${range} paddr=${hex(Math.max(0, paddrPfn[i]))} size=${size}`
    : `unmap: IOMMU: ${device}iova=${range} size=${size} unmapped_size=${size}`;
}

/** The driver's event. */
function dma(trace: Trace, i: number): string {
  const { id } = trace.devices[trace.device[i]];
  const bytes = trace.bytes[i] || trace.pages[i] * 4096;
  const offset = Math.ceil(bytes / 4096) === trace.pages[i] ? 0 : Math.min(4095, trace.pages[i] * 4096 - bytes);
  const address = (trace.iovaPfn[i] * 4096 + offset).toString(16);
  const dir = directions[trace.direction[i]];
  const map = trace.op[i] === Op.map;
  if (trace.kind[i] === Kind.coherent)
    return `${map ? "dma_alloc" : "dma_free"}: ${id} dir=${dir} dma_addr=${address} size=${bytes} virt_addr=00000000f00dcafe ${map ? "flags=GFP_KERNEL " : ""}attrs=`;
  return map
    ? `dma_map_page: ${id} dir=${dir} dma_addr=${address} size=${bytes} phys_addr=${short(Math.max(0, trace.paddrPfn[i]))} attrs=SKIP_CPU_SYNC`
    : `dma_unmap_page: ${id} dir=${dir} dma_addr=${address} size=${bytes} attrs=SKIP_CPU_SYNC`;
}

const ftrace = (trace: Trace, i: number, text: string): string =>
  `          lab-77      ${cpuOf(trace.cpu[i])} ${flags(trace.context[i], 5)} ${seconds(trace.timeNs[i], 9)}: ${text}\n`;

/** One line (or two) for operation i, by form; and whether the form names devices. */
export const forms = {
  "cat trace": {
    named: false,
    line: (t: Trace, i: number) =>
      `          lab-77      ${cpuOf(t.cpu[i])} ${flags(t.context[i], 5)} ${seconds(t.timeNs[i], 6)}: ${iommu(t, i)}\n`,
  },
  "cat trace of Linux 4": {
    named: false,
    line: (t: Trace, i: number) =>
      `   lab-77    ${cpuOf(t.cpu[i])} ${flags(t.context[i], 4)} ${seconds(t.timeNs[i], 6)}: ${iommu(t, i, { end: false })}\n`,
  },
  "trace-cmd report -t": {
    named: false,
    line: (t: Trace, i: number) =>
      `   lab-77    ${cpuOf(t.cpu[i])}  ${seconds(t.timeNs[i], 9)}: ${iommu(t, i).replace(": ", ":                ")}\n`,
  },
  "perf script --ns": {
    named: false,
    line: (t: Trace, i: number) =>
      `lab    77 ${cpuOf(t.cpu[i])}  ${seconds(t.timeNs[i], 9)}:       iommu:${iommu(t, i)}\n`,
  },
  "dev= fields": { named: true, line: (t: Trace, i: number) => ftrace(t, i, iommu(t, i, { dev: true })) },
  "dma:*": { named: true, line: (t: Trace, i: number) => ftrace(t, i, dma(t, i)) },
  "iommu:* and dma:*": {
    named: true,
    line: (t: Trace, i: number) => ftrace(t, i, iommu(t, i)) + ftrace(t, i, dma(t, i)),
  },
  "our bpftrace script": {
    named: true,
    line: (t: Trace, i: number) => {
      const [what, size] = [t.op[i] === Op.map ? "map" : "unmap", t.pages[i] * 4096];
      const start = `${what} ${1_000_000_000 + t.timeNs[i]} ${t.cpu[i]} ${t.devices[t.device[i]].id} ${hex(t.iovaPfn[i], 1)}`;
      return t.op[i] === Op.map
        ? `${start} ${hex(Math.max(0, t.paddrPfn[i]), 1)} ${size}\n`
        : `${start} ${size} ${size}\n`;
    },
  },
};

/** The first operations of a trace as text. */
export function print(trace: Trace, form: Form, operations = trace.length): string {
  const lines = form === "our bpftrace script" ? ["# iommu-lab bpftrace 1\n"] : ["# tracer: nop\n#\n"];
  for (let i = 0; i < operations; i++) lines.push(forms[form].line(trace, i));
  return lines.join("");
}
