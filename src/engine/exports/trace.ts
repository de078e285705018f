import type { Clock } from "../clock.js";

/** A record of Chrome's trace event format, the part of it that is used here. Times are microseconds. */
interface TraceRecord {
  ph: "X" | "i" | "C" | "M";
  name: string;
  pid: number;
  tid: number;
  ts?: number;
  dur?: number;
  s?: "t";
  args?: Record<string, unknown>;
}

/**
 * A recording of what happened when, which ui.perfetto.dev and chrome://tracing open: spans, instants and counters on named tracks.
 * The format is the JSON array of the "Trace Event Format" (Google); one track is a thread of it (a core, a lock, a link).
 */
export class EventTrace {
  private readonly records: TraceRecord[] = [];
  private readonly tracks = new Map<string, number>();
  /** Records that came after the limit, and were dropped. */
  dropped = 0;

  /**
   * @param clock turns ticks into microseconds
   * @param title names the recording in the viewer
   * @param limit most records kept: a trace is for a few thousand operations, not for a whole sweep
   */
  constructor(
    private readonly clock: Clock,
    readonly title: string = "iommu-lab",
    private readonly limit: number = 1_000_000,
  ) {}

  /** Something that lasted. @param start and duration in ticks */
  span(track: string, name: string, start: number, duration: number, args?: Record<string, unknown>): void {
    this.add(
      { ph: "X", name, pid: 1, tid: this.trackId(track), ts: this.micros(start), dur: this.micros(duration) },
      args,
    );
  }

  /** Something that happened at one time. */
  instant(track: string, name: string, at: number, args?: Record<string, unknown>): void {
    this.add({ ph: "i", name, pid: 1, tid: this.trackId(track), ts: this.micros(at), s: "t" }, args);
  }

  /** The value of a counter from `at` on: a queue's length. */
  counter(name: string, at: number, value: number): void {
    this.add({ ph: "C", name, pid: 1, tid: 0, ts: this.micros(at) }, { value });
  }

  /** The file's text. */
  toJson(): string {
    const meta: TraceRecord[] = [{ ph: "M", name: "process_name", pid: 1, tid: 0, args: { name: this.title } }];
    for (const [track, tid] of this.tracks) {
      meta.push({ ph: "M", name: "thread_name", pid: 1, tid, args: { name: track } });
      meta.push({ ph: "M", name: "thread_sort_index", pid: 1, tid, args: { sort_index: tid } });
    }
    const lines = [...meta, ...this.records].map((record) => JSON.stringify(record));
    const other = JSON.stringify({
      tick: this.clock.unit,
      ticksPerSecond: this.clock.ticksPerSecond,
      dropped: this.dropped,
    });
    return `{"displayTimeUnit":"ns","otherData":${other},"traceEvents":[\n${lines.join(",\n")}\n]}\n`;
  }

  private add(record: TraceRecord, args: Record<string, unknown> | undefined): void {
    if (this.records.length >= this.limit) this.dropped++;
    else this.records.push(args ? { ...record, args } : record);
  }

  private trackId(track: string): number {
    let id = this.tracks.get(track);
    if (id === undefined) this.tracks.set(track, (id = this.tracks.size + 1));
    return id;
  }

  private micros(ticks: number): number {
    return this.clock.toNs(ticks) / 1000;
  }
}
