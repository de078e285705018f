import type { Account } from "./account.js";

/** What an operation of a trace does. */
export const Op: { readonly map: 0; readonly unmap: 1 } = { map: 0, unmap: 1 };

/** Which way the data goes; the numbers are Linux's `enum dma_data_direction`. */
export const Direction: {
  readonly bidirectional: 0;
  readonly toDevice: 1;
  readonly fromDevice: 2;
  readonly unknown: 3;
} = { bidirectional: 0, toDevice: 1, fromDevice: 2, unknown: 3 };

/** Which call of the DMA API asked: dma_map_page (or _single), dma_alloc_coherent, dma_map_sg. */
export const Kind: { readonly page: 0; readonly coherent: 1; readonly scatterlist: 2; readonly unknown: 3 } = {
  page: 0,
  coherent: 1,
  scatterlist: 2,
  unknown: 3,
};

/** What the CPU was doing when it asked. */
export const Context: { readonly task: 0; readonly softirq: 1; readonly hardirq: 2; readonly unknown: 3 } = {
  task: 0,
  softirq: 1,
  hardirq: 2,
  unknown: 3,
};

/** A device (strictly: a DMA address space) of a trace. */
export interface TraceDevice {
  /** Its PCI address, or a name where the recording does not say which device it was. */
  id: string;
  driver: string;
  /** What it is, in words; an empty string where the recording does not say. */
  model: string;
}

/** A stretch of a trace, from its first operation up to the next phase. */
export interface TracePhase {
  name: string;
  /** When it began, in ns from the first event; negative when it began before the first operation. */
  timeNs: number;
  /** Index of the first operation at or after its beginning; equal to the next phase's when nothing was mapped in it. */
  firstOp: number;
  description: string;
}

/** Where a trace comes from and how far it can be trusted. */
export interface TraceAbout {
  /** Short name: "igb". */
  name: string;
  title: string;
  /** The machine, the kernel and how it was recorded, in words. */
  source: string;
  kernel: string;
  /** Invalidation policy of the recorded kernel: strict, lazy, or unknown. */
  mode: "strict" | "lazy" | "unknown";
  /** The clock behind the times. */
  clock: string;
  /** What a reader must not conclude from it. */
  caveats: string[];
}

/**
 * A recorded (or generated) sequence of dma_map and dma_unmap requests, column by column: element `i` of every array belongs to
 * operation `i`, in the order in which the operations happened. A page is 4 KiB, a pfn is a page number.
 *
 * Every unmap ends a map of the same trace (`partner`), and ranges of one device that are live at the same time never overlap.
 */
export interface Trace {
  readonly about: TraceAbout;
  /** What the reading of it can vouch for. */
  readonly account: Account;
  readonly devices: readonly TraceDevice[];
  readonly phases: readonly TracePhase[];
  /** Number of operations. */
  readonly length: number;
  /** Number of operations that are maps. */
  readonly maps: number;
  /** Time from the first event, in ns. */
  readonly timeNs: Float64Array;
  readonly cpu: Uint16Array;
  /** `Op.map` or `Op.unmap`. */
  readonly op: Uint8Array;
  /** Index into `devices`. */
  readonly device: Uint16Array;
  /** First page of the I/O virtual range that the recorded kernel's allocator chose. */
  readonly iovaPfn: Float64Array;
  /** Length of the range in pages. */
  readonly pages: Uint32Array;
  /** Length given to the DMA API in bytes; 0 where the recording does not say. */
  readonly bytes: Uint32Array;
  /** A value of `Direction`. */
  readonly direction: Uint8Array;
  /** A value of `Kind`. */
  readonly kind: Uint8Array;
  /** A value of `Context`. */
  readonly context: Uint8Array;
  /** Index into `phases`. */
  readonly phase: Uint8Array;
  /** First physical page behind the range; of an unmap, that of the map it ends. */
  readonly paddrPfn: Float64Array;
  /** For an unmap, the index of the map it ends; for a map, the index of the unmap that ends it, or −1 when none does. */
  readonly partner: Int32Array;
}

/** One operation of a trace with names instead of numbers: for tables and for reading. */
export interface TraceOp {
  index: number;
  timeNs: number;
  cpu: number;
  op: "map" | "unmap";
  device: string;
  iovaPfn: number;
  pages: number;
  bytes: number;
  direction: string;
  kind: string;
  context: string;
  phase: string;
  paddrPfn: number;
  /** Index of the map that this unmap ends or of the unmap that ends this map; −1 for none. */
  partner: number;
}

const nameOf = (names: Readonly<Record<string, number>>, value: number): string =>
  Object.keys(names).find((name) => names[name] === value) ?? "unknown";

/**
 * Operation `index` of a trace as an object.
 * @throws RangeError when there is no such operation.
 * @public
 */
export function traceOp(trace: Trace, index: number): TraceOp {
  if (!Number.isInteger(index) || index < 0 || index >= trace.length) {
    throw new RangeError(
      `operation ${index}: the trace "${trace.about.name}" has operations 0 to ${trace.length - 1}.`,
    );
  }
  return {
    index,
    timeNs: trace.timeNs[index],
    cpu: trace.cpu[index],
    op: trace.op[index] === Op.map ? "map" : "unmap",
    device: trace.devices[trace.device[index]].id,
    iovaPfn: trace.iovaPfn[index],
    pages: trace.pages[index],
    bytes: trace.bytes[index],
    direction: nameOf(Direction, trace.direction[index]),
    kind: nameOf(Kind, trace.kind[index]),
    context: nameOf(Context, trace.context[index]),
    phase: trace.phases[trace.phase[index]].name,
    paddrPfn: trace.paddrPfn[index],
    partner: trace.partner[index],
  };
}

/** A trace that could not be read: the message names the file, the line or field, and what was expected. */
export class TraceError extends Error {
  override name = "TraceError";
}

/**
 * The phase with this name.
 * @returns its index, its first operation and the operation after its last one
 * @throws TraceError naming the phases there are.
 */
export function phaseRange(trace: Trace, name: string): { index: number; first: number; end: number } {
  const index = trace.phases.findIndex((phase) => phase.name === name);
  if (index < 0) {
    const known = trace.phases.map((phase) => phase.name).join(", ");
    throw new TraceError(`the trace "${trace.about.name}" has no phase "${name}"; it has ${known}.`);
  }
  return { index, first: trace.phases[index].firstOp, end: trace.phases[index + 1]?.firstOp ?? trace.length };
}

/** What may be set on a finished trace: its description, its devices' names, and its phases. */
export interface TraceDescription {
  about?: Partial<TraceAbout>;
  /** Driver and model by device id. */
  devices?: readonly TraceDevice[];
  /** The phases, in order of their first operation. */
  phases?: readonly TracePhase[];
}

/** The same trace under another description. @throws TraceError when the phases are out of order or a device is not in the trace. @public */
export function describeTrace(trace: Trace, description: TraceDescription): Trace {
  const { about, devices = trace.devices, phases = trace.phases } = description;
  for (const { id } of devices) {
    if (!trace.devices.some((device) => device.id === id)) {
      throw new TraceError(
        `devices: "${id}" is not in the trace; it has ${trace.devices.map((d) => d.id).join(", ")}.`,
      );
    }
  }
  const phase = new Uint8Array(trace.length);
  phases.forEach(({ name, firstOp }, i) => {
    if (!(firstOp >= (i === 0 ? 0 : phases[i - 1].firstOp) && firstOp <= trace.length)) {
      throw new TraceError(
        `phases: "${name}" begins with operation ${firstOp}, expected them in order and at most ${trace.length}.`,
      );
    }
    phase.fill(i, firstOp);
  });
  return {
    ...trace,
    about: { ...trace.about, ...about },
    devices: trace.devices.map((device) => devices.find(({ id }) => id === device.id) ?? device),
    phases,
    phase,
  };
}
