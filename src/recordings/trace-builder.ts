import { cleanAccount } from "./account.js";
import { Op, type Trace, type TraceAbout, type TraceDevice, TraceError, type TracePhase } from "./trace.js";

/** A map as an importer or a generator states it. */
export interface MapRequest {
  timeNs: number;
  cpu: number;
  device: number;
  iovaPfn: number;
  pages: number;
  bytes: number;
  direction: number;
  kind: number;
  context: number;
  paddrPfn: number;
}

/** Live ranges are found by the block of 64 pages they touch: quick for rings of single pages, and small for a range of gigabytes. */
const blockPages = 64;

/** The numbers of the blocks that a range touches. */
function* blocksOf(iovaPfn: number, pages: number): Generator<number> {
  const last = Math.floor((iovaPfn + pages - 1) / blockPages);
  for (let block = Math.floor(iovaPfn / blockPages); block <= last; block++) yield block;
}

/** Ranges of more pages (256 MiB) are few: they are kept in a list of their own. */
const largePages = 65_536;

/**
 * Builds a trace operation by operation, and finds which unmap ends which map.
 * Refuses a map that overlaps a live one of the same device, and an unmap of what is not mapped.
 * @public
 */
export class TraceBuilder {
  readonly devices: TraceDevice[] = [];
  readonly phases: TracePhase[] = [];
  private readonly rows: (MapRequest & { op: number; phase: number; partner: number })[] = [];
  /** By device: first page of a live range → the operation that mapped it. */
  private readonly live: Map<number, number>[] = [];
  /** By device: block number → the operations whose live ranges touch the block. */
  private readonly blocks: Map<number, number[]>[] = [];
  /** By device: the operations that mapped its large live ranges. */
  private readonly large: Set<number>[] = [];

  /** Number of operations so far. */
  get length(): number {
    return this.rows.length;
  }

  /** The index of a device, which is added when it is new. */
  device(id: string, driver = "", model = ""): number {
    const known = this.devices.findIndex((device) => device.id === id);
    if (known >= 0) return known;
    this.live.push(new Map());
    this.blocks.push(new Map());
    this.large.push(new Set());
    return this.devices.push({ id, driver, model }) - 1;
  }

  /** Begins a phase with the next operation. */
  beginPhase(name: string, timeNs: number, description = ""): void {
    this.phases.push({ name, timeNs, firstOp: this.rows.length, description });
  }

  /** The operation that mapped the live range which begins at this page, or undefined. */
  mapAt(device: number, iovaPfn: number): number | undefined {
    return this.live[device].get(iovaPfn);
  }

  /** The pages of an operation's range. */
  pagesAt(op: number): number {
    return this.rows[op].pages;
  }

  /** The operation whose live range holds a page of [iovaPfn, iovaPfn + pages), or undefined. */
  overlapping(device: number, iovaPfn: number, pages: number): number | undefined {
    const overlaps = (op: number) =>
      this.rows[op].iovaPfn < iovaPfn + pages && iovaPfn < this.rows[op].iovaPfn + this.rows[op].pages;
    for (const op of pages > largePages ? this.live[device].values() : this.large[device]) {
      if (overlaps(op)) return op;
    }
    if (pages > largePages) return undefined;
    for (const block of blocksOf(iovaPfn, pages)) {
      const op = this.blocks[device].get(block)?.find(overlaps);
      if (op !== undefined) return op;
    }
    return undefined;
  }

  /** Adds a map. @throws TraceError when it overlaps a live range of the device. */
  map(request: MapRequest): number {
    const { device, iovaPfn, pages } = request;
    const other = this.overlapping(device, iovaPfn, pages);
    if (other !== undefined) {
      throw new TraceError(
        `maps page 0x${iovaPfn.toString(16)} of ${this.devices[device].id}, which operation ${other} has mapped already`,
      );
    }
    const op = this.rows.push({ ...request, op: Op.map, phase: this.phase(), partner: -1 }) - 1;
    this.live[device].set(iovaPfn, op);
    if (pages > largePages) this.large[device].add(op);
    else
      for (const block of blocksOf(iovaPfn, pages)) {
        const inBlock = this.blocks[device].get(block);
        if (inBlock) inBlock.push(op);
        else this.blocks[device].set(block, [op]);
      }
    return op;
  }

  /** Adds the unmap of the live range that begins at this page. @throws TraceError when there is none. */
  unmap(request: { timeNs: number; cpu: number; context: number; device: number; iovaPfn: number }): number {
    const { device, iovaPfn } = request;
    const mapped = this.live[device].get(iovaPfn);
    if (mapped === undefined) {
      throw new TraceError(`unmaps page 0x${iovaPfn.toString(16)} of ${this.devices[device].id}, which is not mapped`);
    }
    const of = this.rows[mapped];
    const op = this.rows.push({ ...of, ...request, op: Op.unmap, phase: this.phase(), partner: mapped }) - 1;
    of.partner = op;
    this.live[device].delete(iovaPfn);
    if (of.pages > largePages) this.large[device].delete(mapped);
    else
      for (const block of blocksOf(iovaPfn, of.pages)) {
        const inBlock = this.blocks[device].get(block)!;
        if (inBlock.length === 1) this.blocks[device].delete(block);
        else inBlock.splice(inBlock.indexOf(mapped), 1);
      }
    return op;
  }

  private phase(): number {
    if (this.phases.length === 0) this.beginPhase("recording", 0);
    return this.phases.length - 1;
  }

  /** The finished trace. */
  build(about: TraceAbout): Trace {
    const { rows } = this;
    if (this.phases.length === 0) this.beginPhase("recording", 0);
    return {
      about,
      account: cleanAccount({ events: rows.length }),
      devices: this.devices,
      phases: this.phases,
      length: rows.length,
      maps: rows.reduce((count, row) => count + (row.op === Op.map ? 1 : 0), 0),
      timeNs: Float64Array.from(rows, (row) => row.timeNs),
      cpu: Uint16Array.from(rows, (row) => row.cpu),
      op: Uint8Array.from(rows, (row) => row.op),
      device: Uint16Array.from(rows, (row) => row.device),
      iovaPfn: Float64Array.from(rows, (row) => row.iovaPfn),
      pages: Uint32Array.from(rows, (row) => row.pages),
      bytes: Uint32Array.from(rows, (row) => row.bytes),
      direction: Uint8Array.from(rows, (row) => row.direction),
      kind: Uint8Array.from(rows, (row) => row.kind),
      context: Uint8Array.from(rows, (row) => row.context),
      phase: Uint8Array.from(rows, (row) => row.phase),
      paddrPfn: Float64Array.from(rows, (row) => row.paddrPfn),
      partner: Int32Array.from(rows, (row) => row.partner),
    };
  }
}
