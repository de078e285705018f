import { Context, Direction, Kind } from "../trace.js";

/** What a line of a recording is. */
export const Line: {
  readonly blank: 0;
  readonly map: 1;
  readonly unmap: 2;
  /** A marker that begins a phase. */
  readonly phase: 3;
  /** Says that events were lost. */
  readonly lost: 4;
  /** Something else that such texts hold: a comment, another event, a stack. */
  readonly other: 5;
  /** An event that cannot be read: `reason` says why. */
  readonly bad: 6;
  /** None of these: perhaps what is left of a line that was cut. */
  readonly unknown: 7;
} = { blank: 0, map: 1, unmap: 2, phase: 3, lost: 4, other: 5, bad: 6, unknown: 7 };

/** Who tells of a request. */
export const Layer: {
  /** The tracepoints iommu:map and iommu:unmap: the page table's view. A run of maps may be one request; the device is not named. */
  readonly iommu: 0;
  /** The tracepoints dma:*: the driver's view, with the device. */
  readonly dma: 1;
  /** A table of operations, with the device. */
  readonly table: 2;
} = { iommu: 0, dma: 1, table: 2 };

/**
 * One event as a line tells it. The reader uses one object for all lines.
 * Pages are of 4 KiB; addresses are page numbers, so that all 64 bits fit.
 */
export class MappingEvent {
  layer = 0;
  /** The time as it is written. */
  stamp = "";
  cpu = 0;
  context: number = Context.unknown;
  /** The device's name, or "" where the event does not name it. */
  device = "";
  pfn = 0;
  pages = 0;
  /** Of an unmap: pages that were unmapped in fact; −1 where the event does not say. */
  unmapped = -1;
  bytes = 0;
  direction: number = Direction.unknown;
  kind: number = Kind.unknown;
  paddrPfn = -1;
  /** Of a scatter list: what names it when it is unmapped (its physical addresses); "" otherwise. */
  list = "";
  /** Of a scatter list that is several ranges: all of them. */
  ranges: { pfn: number; pages: number }[] = [];
  /** A phase's name, or why a line cannot be read. */
  text = "";
  /** Whether the line holds, before this event, the beginning of another: it was cut. */
  afterCut = false;
  /** How many events were lost; 0 where that is not said. */
  count = 0;

  /** Forgets what an event may leave unsaid. */
  reset(): void {
    this.context = Context.unknown;
    this.device = "";
    this.unmapped = -1;
    this.bytes = 0;
    this.direction = Direction.unknown;
    this.kind = Kind.unknown;
    this.paddrPfn = -1;
    if (this.list !== "") this.list = "";
    if (this.ranges.length > 0) this.ranges = [];
  }
}

/** Why lines cannot be read: the sentence that a person is shown. */
export const reasons = {
  cut: "is cut off or damaged: expected [CPU] timestamp: map|unmap: IOMMU: iova=0x… [- 0x…] [paddr=0x…] size=…",
  wrapped:
    "was wrapped by a mail program or a terminal; expected an event on one line (send the file as an attachment)",
  noCpu:
    "does not name the CPU; record with perf record -C or -a and print with perf script -F comm,pid,cpu,time,event,trace --ns",
  comma: "has a timestamp with a decimal comma; expected a point, as the kernel and perf print it (LC_ALL=C)",
  graph: "stands in a comment of the function_graph tracer; record with: echo nop > /sys/kernel/tracing/current_tracer",
  noTime: "has no timestamp; print with perf script -F comm,pid,cpu,time,event,trace --ns",
  pages:
    "expected iova and size in whole pages of 4096 bytes, and at least one: an IOMMU with smaller pages is not read",
  end: "the range's end is not iova + size",
  paddr: "a map has no paddr=0x…",
  clocks:
    "mixes timestamps with and without decimals, or is more than 104 days from the first; expected one kind of clock",
  large: "expected an address of at most 64 bits and at most 16 TiB",
  long: "is longer than 1 MiB",
} as const;
