import type { Account } from "./account.js";
import { Ends, type RecordedStep, type RecordingEnd, type StepSink } from "./steps.js";
import { Context, Kind, Op, type Trace, type TraceAbout } from "./trace.js";

const shift = 16;
const piece = 1 << shift;
const fewest = 1 << 8;

/**
 * Numbers in pieces of a typed array: nothing is copied and no room is left over as it grows, since millions of them are held at a time. Pieces
 * are so large that the system has their memory back when they are released; the first begins small.
 */
class Column<T extends Float64Array | Uint32Array | Uint16Array | Uint8Array> {
  length = 0;
  private readonly pieces: T[];
  private last: T;
  constructor(private readonly make: new (length: number) => T) {
    this.last = new make(fewest);
    this.pieces = [this.last];
  }

  push(value: number): void {
    const at = this.length & (piece - 1);
    if (at === 0 && this.length > 0) {
      this.last = new this.make(piece);
      this.pieces.push(this.last);
    } else if (at === this.last.length) {
      const grown = new this.make(2 * at);
      grown.set(this.last);
      this.last = this.pieces[0] = grown;
    }
    this.last[at] = value;
    this.length++;
  }

  get(i: number): number {
    return this.pieces[i >>> shift][i & (piece - 1)];
  }

  set(i: number, value: number): void {
    this.pieces[i >>> shift][i & (piece - 1)] = value;
  }

  /** Gives back the memory of what lies before: it has been read for the last time. */
  release(before: number): void {
    const whole = before >>> shift;
    for (let k = this.released; k < whole; k++) this.pieces[k] = new this.make(0);
    this.released = Math.max(this.released, whole);
  }
  private released = 0;
}

/** Of a map event or request: its length in bytes is this or more, which a trace does not hold. */
const manyBytes = 0xffffffff;

/**
 * Collects a recording's steps into a {@link Trace}: one operation a request. The map events of scatter-gather become one map, in the
 * place of the first; an unmap of a part is in the account alone, since the request lives on; a lost unmap is put in where it must have been.
 */
export class TraceCollector implements StepSink {
  private readonly steps = new Column(Uint8Array);
  private readonly timeNs = new Column(Float64Array);
  private readonly cpu = new Column(Uint16Array);
  private readonly context = new Column(Uint8Array);
  /** Of a map step: its map number; of an unmap step: the place in `ended` where its maps begin. */
  private readonly link = new Column(Uint32Array);
  private readonly ended = new Column(Uint32Array);
  // One element a map event.
  private readonly device = new Column(Uint16Array);
  private readonly iovaPfn = new Column(Float64Array);
  private readonly pages = new Column(Uint32Array);
  private readonly bytes = new Column(Uint32Array);
  private readonly direction = new Column(Uint8Array);
  private readonly kind = new Column(Uint8Array);
  private readonly paddrPfn = new Column(Float64Array);
  private finished: RecordingEnd | undefined;
  /** So many of `ended` are those of the steps; behind them stand the requests that are open at the end. */
  private endedBySteps = 0;

  /** Takes the next step. */
  step(step: RecordedStep): void {
    const map = step.op === Op.map;
    this.steps.push(map ? Op.map : step.ends === Ends.part ? 2 : Op.unmap);
    this.timeNs.push(step.timeNs);
    this.cpu.push(step.cpu);
    this.context.push(step.context);
    this.link.push(map ? step.map : this.ended.length);
    if (!map) {
      for (const one of step.ended) {
        this.ended.push(one);
        // A run that had no room in the space where it began was another's.
        this.device.set(one, step.device);
      }
      return;
    }
    this.device.push(step.device);
    this.iovaPfn.push(step.iovaPfn);
    this.pages.push(step.pages);
    this.bytes.push(Math.min(step.bytes, manyBytes));
    this.direction.push(step.direction);
    this.kind.push(step.kind);
    this.paddrPfn.push(step.paddrPfn);
  }

  /** The recording ends. */
  end(end: RecordingEnd): void {
    this.finished = end;
    this.endedBySteps = this.ended.length;
  }

  /** Operations so far, as steps. */
  get length(): number {
    return this.steps.length;
  }

  /** The account, once the recording is at its end. */
  get account(): Account {
    return this.finished!.account;
  }

  /** The trace, once the recording is at its end, and once only: what was collected is given back as the trace grows. */
  build(about: TraceAbout): Trace {
    const end = this.finished!;
    const maps = this.device.length;
    /** Per map event: −1 where it is a further part of a request. */
    const absorbed = new Uint8Array(maps);
    let operations = 0;
    for (let i = 0; i < this.steps.length; i++) {
      if (this.steps.get(i) === Op.map) operations++;
      if (this.steps.get(i) !== Op.unmap) continue;
      operations++;
      const first = this.link.get(i);
      const last = this.endedUntil(i);
      if (last - first > 1) {
        this.join(first, last, absorbed);
        operations -= last - first - 1;
      }
    }
    for (const { device, maps } of end.open) {
      const first = this.ended.length;
      for (const map of maps) {
        this.ended.push(map);
        this.device.set(map, device);
      }
      this.join(first, this.ended.length, absorbed);
      operations -= maps.length - 1;
    }
    const lostBy = new Map<number, number[]>();
    for (const [lost, by] of end.superseded) {
      const others = lostBy.get(by);
      if (others) others.push(lost);
      else lostBy.set(by, [lost]);
    }
    return this.fill(about, operations + end.superseded.length, absorbed, lostBy);
  }

  /** An unmap looks ahead for where its list ends, never back. */
  private releaseSteps(before: number): void {
    for (const column of [this.steps, this.timeNs, this.cpu, this.context, this.link]) column.release(before);
  }

  private releaseMaps(before: number): void {
    const { device, iovaPfn, pages, bytes, direction, kind, paddrPfn } = this;
    for (const column of [device, iovaPfn, pages, bytes, direction, kind, paddrPfn]) column.release(before);
  }

  private endedUntil(step: number): number {
    for (let i = step + 1; i < this.steps.length; i++) if (this.steps.get(i) !== Op.map) return this.link.get(i);
    return this.endedBySteps;
  }

  /** Several map events that one unmap ended become one request, in the place of the first in time. */
  private join(first: number, last: number, absorbed: Uint8Array): void {
    let head = this.ended.get(first);
    let pages = 0;
    let bytes = 0;
    for (let i = first; i < last; i++) {
      const map = this.ended.get(i);
      pages += this.pages.get(map);
      bytes += this.bytes.get(map);
      absorbed[map] = 1;
      head = Math.min(head, map);
    }
    absorbed[head] = 0;
    const lowest = this.ended.get(first);
    this.iovaPfn.set(head, this.iovaPfn.get(lowest));
    this.paddrPfn.set(head, this.paddrPfn.get(lowest));
    this.pages.set(head, pages);
    this.bytes.set(head, Math.min(bytes, manyBytes));
    this.kind.set(head, Kind.scatterlist);
  }

  private fill(about: TraceAbout, length: number, absorbed: Uint8Array, lostBy: Map<number, number[]>): Trace {
    const { deviceOf, devices, phases, account } = this.finished!;
    const trace = {
      about,
      account,
      devices,
      phases: phases.map((phase) => ({ ...phase })),
      length,
      maps: 0,
      timeNs: new Float64Array(length),
      cpu: new Uint16Array(length),
      op: new Uint8Array(length),
      device: new Uint16Array(length),
      iovaPfn: new Float64Array(length),
      pages: new Uint32Array(length),
      bytes: new Uint32Array(length),
      direction: new Uint8Array(length),
      kind: new Uint8Array(length),
      context: new Uint8Array(length),
      phase: new Uint8Array(length),
      paddrPfn: new Float64Array(length),
      partner: new Int32Array(length).fill(-1),
    };
    const opOf = new Int32Array(this.device.length);
    let phase = 0;
    let op = 0;
    const unmap = (map: number, timeNs: number, cpu: number, context: number): void => {
      const of = opOf[map];
      for (const column of columnsOfMap) trace[column][op] = trace[column][of];
      trace.op[op] = Op.unmap;
      trace.timeNs[op] = timeNs;
      trace.cpu[op] = cpu;
      trace.context[op] = context;
      trace.partner[op] = of;
      trace.partner[of] = op;
      trace.phase[op++] = phase;
    };
    for (let i = 0; i < this.steps.length; i++) {
      if ((i & (piece - 1)) === 0) this.releaseSteps(i);
      while (phase + 1 < phases.length && phases[phase + 1].firstOp <= i) trace.phases[++phase].firstOp = op;
      const what = this.steps.get(i);
      if (what === Op.unmap) {
        let head = this.ended.get(this.link.get(i));
        if (absorbed[head] === 1) {
          // The first by address is not the first in time: look for the one that was kept.
          const last = this.endedUntil(i);
          for (let k = this.link.get(i); k < last; k++) if (absorbed[this.ended.get(k)] === 0) head = this.ended.get(k);
        }
        unmap(head, this.timeNs.get(i), this.cpu.get(i), this.context.get(i));
      }
      if (what !== Op.map) continue;
      const map = this.link.get(i);
      if ((map & (piece - 1)) === 0) this.releaseMaps(map);
      for (const lost of lostBy.get(map) ?? []) unmap(lost, this.timeNs.get(i), this.cpu.get(i), Context.unknown);
      if (absorbed[map] === 1) continue;
      opOf[map] = op;
      trace.maps++;
      trace.op[op] = Op.map;
      trace.timeNs[op] = this.timeNs.get(i);
      trace.cpu[op] = this.cpu.get(i);
      trace.context[op] = this.context.get(i);
      trace.device[op] = deviceOf[this.device.get(map)];
      trace.iovaPfn[op] = this.iovaPfn.get(map);
      trace.pages[op] = this.pages.get(map);
      const bytes = this.bytes.get(map);
      trace.bytes[op] = bytes >= manyBytes ? 0 : bytes;
      trace.direction[op] = this.direction.get(map);
      trace.kind[op] = this.kind.get(map);
      trace.paddrPfn[op] = this.paddrPfn.get(map);
      trace.phase[op++] = phase;
    }
    for (; phase + 1 < phases.length; ) trace.phases[++phase].firstOp = op;
    return trace;
  }
}

/** What an unmap has from its map. */
const columnsOfMap = ["device", "iovaPfn", "pages", "bytes", "direction", "kind", "paddrPfn"] as const;
