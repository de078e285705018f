import { type Account, cleanAccount } from "../account.js";
import { Fuser } from "../live/fuser.js";
import { Matcher } from "../live/matcher.js";
import type { StepSink } from "../steps.js";
import { TraceError } from "../trace.js";
import { Clock } from "./clock.js";
import { TableReader } from "./columns-line.js";
import { Line, MappingEvent, reasons } from "./event.js";
import { foreignBytes, foreignText } from "./foreign.js";
import { bpftraceHeader, type LineOptions, readKernelLine } from "./kernel-line.js";

/** How a recording's text is read. */
export interface ReadOptions {
  /** The file's name, for messages. */
  file: string;
  /** Frequency of the recording's clock in MHz, where its timestamps are counter values (trace clock x86-tsc). */
  clockMhz?: number;
  /** The recording is refused where a greater share of its events cannot be read, 0 to 1 (default 0.01). */
  mostUnreadable?: number;
}

const longestLine = 1 << 20;
const keptLines = 200;
/** So many maps without an unmap are told: a driver's beginning has few. */
const manyMaps = 100;

/**
 * Reads a recording's text as it comes, in constant memory: bytes in, steps out.
 *
 * A line that looks like an event and cannot be read is counted, remembered with its number, and left out.
 * @example
 * const reader = new TextReader({ file: "trace.txt" }, sink);
 * for await (const chunk of chunks) reader.push(chunk);
 * reader.end();
 */
export class TextReader {
  readonly account: Account = cleanAccount();
  private readonly decoder = new TextDecoder();
  private readonly event = new MappingEvent();
  private readonly clock: Clock;
  private readonly matcher: Matcher;
  private readonly fuser: Fuser;
  private readonly lineOptions: LineOptions;
  private readonly tally = new Map<string, { count: number; line: number; shown: string }>();
  private readonly first: string[] = [];
  private table: TableReader | undefined;
  private rest = "";
  private overlong = false;
  private anyText = false;
  private started = false;
  private backwards = 0;
  private latest = Number.NEGATIVE_INFINITY;
  private lastBad = "";
  private overwritten = 0;
  /** Places where events were lost and it is not said how many: one at least. */
  private lostUncounted = 0;
  private mapEvents = 0;
  private unmapEvents = 0;
  /** Lines that are no event, no comment and nothing that stands between events; and the first of them. */
  private unknowns = 0;
  private firstUnknown = "";
  /** Scatter lists whose parts do not follow one another; and the first one's line. */
  private scattered = 0;
  private firstScattered = 0;

  constructor(
    private readonly options: ReadOptions,
    sink: StepSink,
  ) {
    this.clock = new Clock(options.clockMhz);
    this.matcher = new Matcher(sink, this.account);
    this.fuser = new Fuser(this.matcher);
    this.lineOptions = { latency: false, bpftrace: false };
  }

  /** The recording's clock, in words. */
  get clockName(): string {
    return this.table ? "t_ns of the recording" : this.clock.name;
  }

  /** Events so far. */
  get events(): number {
    return this.account.events;
  }

  /** Takes the next bytes. @throws TraceError for a file that is no such text */
  push(bytes: Uint8Array): void {
    if (!this.started && bytes.length > 0) {
      this.started = true;
      const foreign = foreignBytes(bytes);
      if (foreign) throw new TraceError(`${this.options.file}: ${foreign}`);
    }
    this.pushText(this.decoder.decode(bytes, { stream: true }));
  }

  /** Takes the next text. */
  pushText(text: string): void {
    let from = 0;
    for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
      const line = this.rest === "" ? text.slice(from, end) : this.rest + text.slice(from, end);
      this.rest = "";
      from = end + 1;
      if (this.overlong) this.overlong = false;
      else this.line(line);
    }
    if (from < text.length && !this.overlong) this.rest += from === 0 ? text : text.slice(from);
    if (this.rest.length > longestLine) {
      this.account.lines++;
      this.unreadable(reasons.long, this.rest.slice(0, 200));
      this.rest = "";
      this.overlong = true;
    }
  }

  /** The text is at its end. @throws TraceError where it holds no event, or too many that cannot be read */
  end(): void {
    this.pushText(this.decoder.decode());
    if (this.rest !== "") this.line(this.rest);
    this.rest = "";
    const cut = this.lastBad !== "" && this.lastBad !== reasons.pages ? 1 : 0;
    this.fuser.finish();
    this.judge(cut);
    this.matcher.end(this.clockName);
  }

  private line(text: string): void {
    const line = text.charCodeAt(text.length - 1) === 13 ? text.slice(0, -1) : text;
    // Lines that end with a carriage return alone.
    if (line.includes("\r")) for (const one of line.split("\r")) this.oneLine(one);
    else this.oneLine(line);
  }

  private oneLine(text: string): void {
    const { account } = this;
    account.lines++;
    let line = text;
    if (account.lines === 1 && line.charCodeAt(0) === 0xfeff) line = line.slice(1);
    if (account.lines <= keptLines) this.first.push(line);
    if (line === bpftraceHeader) this.lineOptions.bpftrace = true;
    if (!this.anyText && line.charCodeAt(0) !== 35 && line.trim() !== "") {
      this.anyText = true;
      if (TableReader.isHeader(line)) this.table = new TableReader();
    }
    try {
      this.read(line);
    } catch (error) {
      if (error instanceof TraceError && !error.message.startsWith(`${this.options.file}: `))
        throw new TraceError(`${this.options.file}: line ${account.lines}: ${error.message}\n  ${shorten(line)}`);
      throw error;
    }
  }

  private read(line: string): void {
    const event = this.event;
    const what = this.table ? this.table.read(line, event) : readKernelLine(line, event, this.lineOptions);
    switch (what) {
      case Line.blank:
        return;
      case Line.other:
        if (line.charCodeAt(0) === 35) this.comment(line);
        return;
      case Line.unknown:
        this.unknowns++;
        if (this.unknowns === 1) this.firstUnknown = `line ${this.account.lines}: ${shorten(line)}`;
        return;
      case Line.lost:
        this.account.lost += Math.max(1, event.count);
        if (event.count === 0) this.lostUncounted++;
        this.fuser.lose(Math.max(1, event.count));
        return;
      case Line.bad:
        this.lastBad = event.text;
        this.unreadable(event.text, line);
        return;
      default:
        if (event.afterCut) this.unreadable(reasons.cut, line);
        this.take(what, line);
    }
  }

  private take(what: number, line: string): void {
    const { event, account } = this;
    let timeNs: number;
    if (this.table) {
      timeNs = this.table.timeNs;
      if (event.text !== "") {
        const phase = Object.assign(new MappingEvent(), { text: event.text });
        this.fuser.take(Line.phase, phase, timeNs);
      }
    } else {
      timeNs = this.clock.ns(event.stamp);
      if (Number.isNaN(timeNs)) {
        this.lastBad = reasons.clocks;
        this.unreadable(reasons.clocks, line);
        return;
      }
    }
    this.lastBad = "";
    if (event.ranges.length > 1 && event.pfn !== event.paddrPfn) {
      this.scattered++;
      if (this.scattered === 1) this.firstScattered = account.lines;
    }
    if (what === Line.map) this.mapEvents++;
    else if (what === Line.unmap) this.unmapEvents++;
    if (timeNs < this.latest) this.backwards++;
    else this.latest = timeNs;
    this.fuser.take(what, event, timeNs);
  }

  private comment(line: string): void {
    const entries = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(line);
    if (entries) this.overwritten += Math.max(0, Number(entries[2]) - Number(entries[1]));
  }

  private unreadable(reason: string, line: string): void {
    this.account.unreadable++;
    this.fuser.lose(1);
    const known = this.tally.get(reason);
    if (known) known.count++;
    else if (this.tally.size < 50) this.tally.set(reason, { count: 1, line: this.account.lines, shown: shorten(line) });
    const { events, unreadable } = this.account;
    if (events === 0 && unreadable > 10_000 && this.matcher.maps === 0) this.refuse(this.worst(), unreadable);
  }

  /** The reason that most lines were refused for. */
  private worst(): string {
    let worst = "";
    for (const [reason, { count }] of this.tally)
      if (worst === "" || count > this.tally.get(worst)!.count) worst = reason;
    return worst;
  }

  private refuse(reason: string, unreadable: number): never {
    const { line, shown } = this.tally.get(reason)!;
    const { account, options } = this;
    const share = ((100 * unreadable) / (unreadable + account.events)).toFixed(1);
    const limit = `${100 * (options.mostUnreadable ?? 0.01)} %`;
    const many =
      unreadable > 1 || account.events > 0
        ? ` (${unreadable} lines with an event cannot be read, ${share} % of them; at most ${limit} may be, see --most-unreadable)`
        : "";
    throw new TraceError(`${options.file}: line ${line}: ${reason}${many}\n  ${shown}`);
  }

  private judge(cut: number): void {
    const { account, options } = this;
    const most = options.mostUnreadable ?? 0.01;
    const unreadable = account.unreadable - cut;
    const events = account.events + account.emptyUnmaps + account.unmatchedUnmaps;
    if (events === 0) this.refuseEmpty();
    // One damaged line is nothing to lose a short recording for; an IOMMU with other pages is.
    const pages = this.tally.get(reasons.pages)?.count ?? 0;
    const allowed = Math.max(pages > 0 ? 0 : 1, most * (events + unreadable));
    if (unreadable > allowed) this.refuse(this.worst(), unreadable);
    if (cut > 0)
      account.notes.push("The last line is truncated and could not be read; the recording may be incomplete.");
    for (const [reason, { count, line, shown }] of this.tally) {
      const others = count > 1 ? ` (and ${count - 1} more)` : "";
      if (unreadable > 0)
        account.notes.push(`Line ${line}${others} could not be read: ${reason.split(":")[0]}: ${shown}`);
    }
    if (this.lineOptions.latency)
      account.notes.push(
        "The recording is in the latency format: its times are whole microseconds (echo 0 > /sys/kernel/tracing/options/latency-format gives finer ones).",
      );
    if (this.backwards > 0)
      account.notes.push(
        `${this.backwards === 1 ? "One event is earlier than one before it" : `${this.backwards} events are earlier than one before them`}; the order of the lines was kept. Were texts of several CPUs joined?`,
      );
    if (this.lostUncounted > 0)
      account.notes.push(
        `How many events were lost is not said ${this.lostUncounted === 1 ? "in one place" : `in ${this.lostUncounted} places`}: one is counted, and there may be more.`,
      );
    if (this.mapEvents === 0)
      account.notes.push(
        "The recording holds unmaps and not a single map: was the event iommu:map (or dma:dma_map_*) enabled?",
      );
    if (this.unmapEvents === 0 && this.mapEvents >= manyMaps)
      account.notes.push(
        "The recording holds maps and not a single unmap: was the event iommu:unmap (or dma:dma_unmap_*) enabled?",
      );
    if (this.unknowns > 0)
      account.notes.push(
        `${this.unknowns === 1 ? "One line is" : `${this.unknowns} lines are`} no event and no comment (${this.firstUnknown}); if it is what is left of a line that was cut, a request is missing.`,
      );
    if (this.scattered > 0)
      account.notes.push(
        `${this.scattered === 1 ? "One scatter list has parts that do" : `${this.scattered} scatter lists have parts that do`} not follow one another (line ${this.firstScattered}): each is taken for a request of its own, as where parts are bounced; it is none where a number was damaged.`,
      );
    if (this.overwritten > 0)
      account.notes.push(
        `The trace's buffer was too small: the first ${this.overwritten} entries were overwritten (lost) before it was read.`,
      );
    if (this.fuser.passedThrough > 0)
      account.notes.push(
        `${this.fuser.passedThrough} DMA maps have their physical address as their DMA address: those devices are in passthrough, nothing is translated for them, and they are left out.`,
      );
  }

  private refuseEmpty(): never {
    const { file } = this.options;
    if (this.fuser.passedThrough > 0)
      throw new TraceError(
        `${file}: every DMA address is the physical one: the devices are in passthrough (iommu=pt), where no address is allocated. Boot with iommu.passthrough=0 and record again.`,
      );
    const foreign = foreignText(this.first);
    if (foreign && this.account.unreadable === 0) throw new TraceError(`${file}: ${foreign}`);
    if (this.account.unreadable > 0) this.refuse(this.worst(), this.account.unreadable);
    if (this.table) throw new TraceError(`${file}: holds no map and no unmap; expected at least one`);
    if (!this.anyText && this.first.every((line) => line.trim() === ""))
      throw new TraceError(`${file}: is empty; expected a recording of DMA-mapping requests`);
    throw new TraceError(
      `${file}: ${foreign ?? "holds no iommu:map or iommu:unmap event and no dma:* event; expected the text of cat trace, trace-cmd report, perf script or our bpftrace script, or comma-separated values that begin with t_ns,"}`,
    );
  }
}

function shorten(line: string): string {
  const printable = [...line.trim().slice(0, 130)]
    .map((letter) => (letter < " " || letter === "\x7f" ? "." : letter))
    .join("");
  return line.trim().length > 120 ? `${printable.slice(0, 120)} …` : printable;
}
