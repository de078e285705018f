import { Context, Direction, Kind, type Trace, type TraceAbout, TraceError } from "./trace.js";
import { TraceBuilder } from "./trace-builder.js";

/** What an import needs to know beyond the recording's own text. */
export interface ImportOptions {
  /** The file's name, for messages. */
  file: string;
  /** Frequency of the recording's clock in MHz, where its timestamps are counter values (trace clock x86-tsc). */
  clockMhz?: number;
  /** What goes into the trace's header; the rest is filled in from the recording. */
  about?: Partial<TraceAbout>;
}

/** An imported trace, and what could not be taken from the recording as it stands. */
export interface Imported {
  trace: Trace;
  /** Each a sentence: lost events, unmaps of what was mapped before the recording began, … */
  warnings: string[];
}

/**
 * Reads a recording of DMA-mapping requests:
 * - the kernel's own text for the tracepoints iommu:map and iommu:unmap, as `cat trace`, `trace-cmd report` and `perf script` print it,
 *   in the wording of Linux 3.14 and later. These tracepoints do not name the device: where one address is mapped twice at a time the
 *   recording holds several address spaces, and they are told apart as well as can be (a warning says how often it was a guess).
 *   A line written to trace_marker that says `phase NAME` begins a phase.
 * - comma-separated values with a header line that names the columns: t_ns, cpu, op (M or U), dev, iova_pfn (hexadecimal), pages, and where
 *   known bytes, dir (0, 1, 2), paddr_pfn (hexadecimal), kind (page, coh, sg), ctx (s, h or .) and phase. Lines with # are comments.
 * @throws TraceError naming the file, the line and what was expected.
 */
export function importTrace(text: string, options: ImportOptions): Imported {
  const lines = text.split(/\r?\n/);
  const first = lines.find((line) => line.trim() !== "" && !line.startsWith("#"));
  if (first === undefined)
    throw new TraceError(`${options.file}: is empty; expected a recording of DMA-mapping requests`);
  return first.startsWith("t_ns,") ? importColumns(lines, options) : importKernelText(lines, options);
}

/** Page numbers of a 64-bit address. */
const maxPfn = 0xfffffffffffff;

/** Pages of the largest range: 16 TiB. */
const maxPages = 0xffffffff;

/** A cursor over lines that turns a complaint into a TraceError with file and line. */
class Lines {
  number = 0;
  constructor(
    readonly file: string,
    readonly lines: readonly string[],
  ) {}

  fail(what: string): never {
    const line = this.lines[this.number - 1];
    const shown = line.length > 120 ? `${line.slice(0, 120)} …` : line;
    throw new TraceError(`${this.file}: line ${this.number}: ${what}\n  ${shown.trim()}`);
  }

  /** Runs `step` on every line. */
  each(step: (line: string) => void): void {
    for (const line of this.lines) {
      this.number++;
      try {
        step(line);
      } catch (error) {
        if (error instanceof TraceError && !error.message.startsWith(this.file)) this.fail(error.message);
        throw error;
      }
    }
  }
}

function finish(builder: TraceBuilder, options: ImportOptions, clock: string): Trace {
  if (builder.length === 0) throw new TraceError(`${options.file}: holds no map and no unmap; expected at least one`);
  const name = options.about?.name ?? (options.file.replace(/^.*\//, "").replace(/\..*$/, "") || "recording");
  return builder.build({
    name,
    title: name,
    source: `imported from ${options.file.replace(/^.*\//, "")}`,
    kernel: "unknown",
    mode: "unknown",
    clock,
    caveats: [],
    ...options.about,
  });
}

const kinds: Record<string, number> = { page: Kind.page, coh: Kind.coherent, sg: Kind.scatterlist, "": Kind.unknown };
const contexts: Record<string, number> = {
  s: Context.softirq,
  h: Context.hardirq,
  ".": Context.task,
  "": Context.unknown,
};

function importColumns(lines: readonly string[], options: ImportOptions): Imported {
  const at = new Lines(options.file, lines);
  const builder = new TraceBuilder();
  const required = ["t_ns", "cpu", "op", "dev", "iova_pfn", "pages"];
  let columns: Record<string, number> | undefined;
  let width = 0;
  let phase: string | undefined;
  at.each((line) => {
    if (line.trim() === "" || line.startsWith("#")) return;
    const cells = line.split(",");
    if (!columns) {
      columns = Object.fromEntries(cells.map((name, i) => [name.trim(), i]));
      width = cells.length;
      for (const name of required)
        if (!(name in columns)) at.fail(`has no column "${name}"; expected ${required.join(", ")}`);
      return;
    }
    if (cells.length !== width) at.fail(`has ${cells.length} columns; expected ${width}`);
    const index = columns;
    const cell = (name: string): string => (name in index ? cells[index[name]].trim() : "");
    const whole = (name: string, max: number, base = 10, fallback?: number): number => {
      const value = cell(name);
      if (value === "" && fallback !== undefined) return fallback;
      const number = (base === 16 ? /^[0-9a-f]+$/i : /^-?\d+$/).test(value) ? Number.parseInt(value, base) : Number.NaN;
      if (!Number.isSafeInteger(number) || number < (name === "t_ns" ? -Number.MAX_SAFE_INTEGER : 0) || number > max) {
        at.fail(
          `${name}: expected a ${base === 16 ? "hexadecimal" : "whole"} number of at most ${max} (got "${value}")`,
        );
      }
      return number;
    };
    const named = (name: string, known: Record<string, number>): number =>
      known[cell(name)] ??
      at.fail(`${name}: expected ${Object.keys(known).filter(Boolean).join(", ")} (got "${cell(name)}")`);
    const timeNs = whole("t_ns", Number.MAX_SAFE_INTEGER);
    if ("phase" in index && cell("phase") !== phase) builder.beginPhase((phase = cell("phase")), timeNs);
    const request = {
      timeNs,
      cpu: whole("cpu", 65535),
      device: builder.device(cell("dev") || at.fail('dev: expected a device, "0000:00:03.0" say')),
      iovaPfn: whole("iova_pfn", maxPfn, 16),
      context: named("ctx", contexts),
    };
    const pages = whole("pages", maxPages);
    if (pages === 0) at.fail("pages: expected at least 1");
    if (cell("op") === "M") {
      builder.map({
        ...request,
        pages,
        bytes: whole("bytes", 0xffffffff, 10, 0),
        direction: whole("dir", 2, 10, Direction.unknown),
        kind: named("kind", kinds),
        paddrPfn: whole("paddr_pfn", maxPfn, 16, -1),
      });
    } else if (cell("op") === "U") {
      const mapped = builder.mapAt(request.device, request.iovaPfn);
      if (mapped !== undefined && builder.pagesAt(mapped) !== pages) {
        at.fail(`unmaps ${pages} pages where ${builder.pagesAt(mapped)} are mapped`);
      }
      builder.unmap(request);
    } else at.fail(`op: expected M (map) or U (unmap) (got "${cell("op")}")`);
  });
  if (!columns) throw new TraceError(`${options.file}: expected a header line that names the columns`);
  return { trace: finish(builder, options, "t_ns of the recording"), warnings: [] };
}

/*
 * One event: task and pid (a task's name may hold spaces), CPU in brackets, perhaps the latency flags, the timestamp, the event, its text.
 *     ip-134     [001] .....  87046162774: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x00000001121d6000 size=4096
 *     ip-134     [001]    87.046162: map:   IOMMU: iova=0x00000000fffff000 paddr=0x00000001121d6000 size=4096
 *     ip   134 [001]    87.046162: iommu:map: IOMMU: iova=… (perf)
 */
const event =
  /\[(\d+)\]\s+(?:([.\w#]{4,6})\s+)?(\d+(?:\.\d+)?):\s+(?:iommu:)?(map|unmap|tracing_mark_write|print)(?:: ?|\s)\s*(.*)$/;
const range =
  /^IOMMU:\s*iova=0x([0-9a-f]+)(?:\s*-\s*0x([0-9a-f]+))?(?:\s+paddr=0x([0-9a-f]+))?\s+size=(0x[0-9a-f]+|\d+)/i;
const pageBytes = 4096;

function importKernelText(lines: readonly string[], options: ImportOptions): Imported {
  const at = new Lines(options.file, lines);
  const builder = new TraceBuilder();
  const counts = { lost: 0, unknown: 0, guessed: 0, resized: 0 };
  let origin: number | undefined;
  let integerClock: boolean | undefined;
  let anyEvent = false;

  const timestamp = (stamp: string): number => {
    const integer = !stamp.includes(".");
    if (integerClock !== undefined && integer !== integerClock)
      at.fail("mixes timestamps with and without decimals; expected one kind");
    integerClock = integer;
    if (integer && options.clockMhz === undefined) {
      at.fail(
        "has a counter value as its timestamp (trace clock x86-tsc, say); give the counter's frequency in MHz (clockMhz, --clock-mhz)",
      );
    }
    if (!integer) {
      // Seconds and decimals apart, so that no nanosecond is lost to rounding.
      const [seconds, decimals] = stamp.split(".");
      return Number(seconds) * 1e9 + Number(decimals.slice(0, 9).padEnd(9, "0"));
    }
    return Math.round((Number(stamp) * 1000) / options.clockMhz!);
  };

  /** The address space in which a range is free, else a new one. */
  const spaceFor = (iovaPfn: number, pages: number): number => {
    for (let space = 0; space < builder.devices.length; space++) {
      if (builder.overlapping(space, iovaPfn, pages) === undefined) return space;
    }
    return builder.device(`space ${builder.devices.length}`);
  };

  /** The space whose live range at this page was mapped first: devices complete roughly in the order in which they were asked. */
  const spaceOf = (iovaPfn: number): number => {
    let oldest = -1;
    let found = 0;
    for (let space = 0; space < builder.devices.length; space++) {
      const mapped = builder.mapAt(space, iovaPfn);
      if (mapped === undefined) continue;
      found++;
      if (oldest < 0 || mapped < builder.mapAt(oldest, iovaPfn)!) oldest = space;
    }
    if (found > 1) counts.guessed++;
    return oldest;
  };

  at.each((line) => {
    const lost = /LOST (\d+) (?:EVENTS|events)|\[(\d+) EVENTS DROPPED\]/.exec(line);
    if (lost) counts.lost += Number(lost[1] ?? lost[2]);
    const found = event.exec(line);
    if (!found) {
      if (/IOMMU:\s*iova=/.test(line)) at.fail("expected [CPU] timestamp: map|unmap: IOMMU: …");
      return;
    }
    const [, cpu, flags, stamp, name, rest] = found;
    if (name === "tracing_mark_write" || name === "print") {
      const phase = /\bphase\s+(\S+)/.exec(rest)?.[1];
      if (phase === undefined) return;
      const time = timestamp(stamp);
      origin ??= time;
      builder.beginPhase(phase, time - origin);
      return;
    }
    anyEvent = true;
    const parts = range.exec(rest);
    if (!parts) return at.fail("expected IOMMU: iova=0x… [- 0x…] [paddr=0x…] size=…");
    const iova = Number.parseInt(parts[1], 16);
    const size = Number(parts[4]);
    if (iova / pageBytes + size / pageBytes > maxPfn) at.fail("iova: expected an address of at most 64 bits");
    if (size === 0 || iova % pageBytes !== 0 || size % pageBytes !== 0) {
      at.fail(`expected iova and size in whole pages of ${pageBytes} bytes, and at least one`);
    }
    if (size / pageBytes > maxPages) at.fail(`size: expected at most ${maxPages} pages (got ${size / pageBytes})`);
    if (parts[2] !== undefined && Number.parseInt(parts[2], 16) !== iova + size)
      at.fail("the range's end is not iova + size");
    const time = timestamp(stamp);
    origin ??= time;
    const iovaPfn = iova / pageBytes;
    const pages = size / pageBytes;
    const context = flags === undefined ? Context.unknown : contextOf(flags);
    const common = { timeNs: time - origin, cpu: Number(cpu), context, iovaPfn };
    if (name === "map") {
      if (parts[3] === undefined) at.fail("a map has no paddr=0x…");
      const paddrPfn = Math.floor(Number.parseInt(parts[3], 16) / pageBytes);
      if (paddrPfn > maxPfn) at.fail("paddr: expected an address of at most 64 bits");
      const device = spaceFor(iovaPfn, pages);
      builder.map({ ...common, device, pages, bytes: 0, direction: Direction.unknown, kind: Kind.unknown, paddrPfn });
      return;
    }
    const device = spaceOf(iovaPfn);
    if (device < 0) {
      counts.unknown++;
      return;
    }
    if (builder.pagesAt(builder.mapAt(device, iovaPfn)!) !== pages) counts.resized++;
    builder.unmap({ ...common, device });
  });
  if (!anyEvent) {
    throw new TraceError(
      `${options.file}: holds no iommu:map or iommu:unmap event; expected the text of cat trace, trace-cmd report or perf script, or comma-separated values that begin with t_ns,`,
    );
  }
  const warnings: string[] = [];
  if (counts.lost > 0)
    warnings.push(`${counts.lost} events were lost while recording; record again with a larger buffer.`);
  if (counts.unknown > 0)
    warnings.push(`${counts.unknown} unmaps end maps made before the recording began; they are left out.`);
  if (counts.resized > 0)
    warnings.push(`${counts.resized} unmaps name another size than their map; each was taken to end its map.`);
  if (builder.devices.length > 1) {
    warnings.push(
      `The recording does not name devices; it holds at least ${builder.devices.length} address spaces, and ${counts.guessed} unmaps could belong to more than one of them.`,
    );
  }
  const clock = integerClock ? `a counter of ${options.clockMhz} MHz` : "the trace clock, in seconds with decimals";
  return { trace: finish(builder, options, clock), warnings };
}

/** Third of the latency flags: h or H in a hard interrupt, s in a soft one. */
function contextOf(flags: string): number {
  const flag = flags[2];
  return flag === "h" || flag === "H" || flag === "z" || flag === "Z"
    ? Context.hardirq
    : flag === "s"
      ? Context.softirq
      : Context.task;
}
