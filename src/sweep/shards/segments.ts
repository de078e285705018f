import { randomBytes } from "node:crypto";
import { closeSync, fstatSync, openSync, readdirSync, readSync, rmSync, statSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import type { Row } from "../../experiments/index.js";
import { ReadError } from "../../files/index.js";
import { recordsIn, sumOf } from "./line.js";
import { rowsOf } from "./rows-text.js";
import { eventOf, type Head, HeadSchema, type PointEvent, segmentsIn } from "./segment.js";

/** A sign of life comes so often, in ms. */
export const beatMs = 15_000;
/** A process that was not heard of for so long counts as gone; if it is not, it does no harm. */
const goneMs = 4 * beatMs;

/** A point that a segment has. */
export interface Entry extends PointEvent {
  segment: Segment;
}

/** A point that failed in a segment. */
export interface Failure {
  segment: Segment;
  hash: string;
  message: string;
  at: number;
}

/** A segment as far as it was read. */
export class Segment {
  readonly entries: Entry[] = [];
  readonly failures: Failure[] = [];
  readonly reads = new Map<number, Readonly<Record<string, string>>>();
  head: Head | undefined;
  /** The points under way, when it was heard of last. */
  busy: readonly string[] = [];
  ended: "done" | "interrupted" | "failed" | undefined;
  /** When something was written last, by the clock of whoever keeps the files. */
  heardMs = 0;
  private at = 0;
  private rowBytes = 0;

  constructor(
    private readonly folder: string,
    readonly name: string,
  ) {}

  /** Reads what was added. A file that is gone, or cannot be read now, adds nothing. */
  refresh(): void {
    let handle: number | undefined;
    try {
      this.rowBytes = statSync(this.file("rows")).size;
      handle = openSync(this.file("log"), "r");
      const { size, mtimeMs } = fstatSync(handle);
      this.heardMs = mtimeMs;
      if (size <= this.at) return;
      const bytes = Buffer.allocUnsafe(size - this.at);
      const got = readSync(handle, bytes, 0, bytes.length, this.at);
      const { records, length } = recordsIn(bytes.subarray(0, got));
      this.at += length;
      for (const record of records) this.take(record);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "EACCES")
        throw new ReadError(`${this.file("log")}: this user may not read it.`);
    } finally {
      if (handle !== undefined) closeSync(handle);
    }
  }

  /** The text of a point's rows; undefined where it is damaged, or not there. */
  text(entry: PointEvent, handle: number): string | undefined {
    const bytes = Buffer.allocUnsafe(entry.l);
    try {
      if (readSync(handle, bytes, 0, entry.l, entry.o) !== entry.l) return undefined;
    } catch {
      return undefined;
    }
    return sumOf(bytes) === entry.h ? bytes.toString("utf8") : undefined;
  }

  /** Whether the rows of an entry are there, as far as the file's length tells. */
  reaches({ o, l }: PointEvent): boolean {
    return o + l <= this.rowBytes;
  }

  file(kind: "log" | "rows"): string {
    return join(segmentsIn(this.folder), `${this.name}.${kind}`);
  }

  private take(record: unknown): void {
    if (!this.head) {
      this.head = HeadSchema.safeParse(record).data;
      return;
    }
    const event = eventOf(record);
    if (!event) return;
    if ("p" in event) this.entries.push({ ...event, segment: this });
    else if ("reads" in event) this.reads.set(event.r, event.reads);
    else if ("f" in event) this.failures.push({ segment: this, hash: event.f, message: event.e, at: event.t });
    else if ("b" in event) this.busy = event.b;
    else this.ended = event.end;
  }
}

/** The segments of a sweep's folder. */
export class Segments {
  private readonly known = new Map<string, Segment>();

  constructor(private readonly folder: string) {}

  /**
   * Reads what was added since the last time.
   * @param wanted which are of interest, by their heads (default: all); those that are not are read to their heads alone
   * @throws ReadError where the folder, or a file in it, may not be read
   */
  refresh(wanted: (segment: Segment) => boolean = () => true): Segment[] {
    for (const name of namesIn(segmentsIn(this.folder))) {
      const segment = this.known.get(name) ?? new Segment(this.folder, name);
      this.known.set(name, segment);
      if (!segment.head || wanted(segment)) segment.refresh();
    }
    return [...this.known.values()].filter(({ head }) => head !== undefined);
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(".log"))
      .map((name) => name.slice(0, -4))
      .sort();
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === "ENOENT") return [];
    const why = code === "EACCES" ? "this user may not read it" : message;
    throw new ReadError(`${folder}: ${why}.`);
  }
}

/**
 * The time by the clock that dates a folder's files: on a shared folder the server's, so that no two machines need clocks that agree. Where nothing
 * can be written it is this machine's.
 */
export function clockOf(folder: string): number {
  const file = join(segmentsIn(folder), `.clock.${randomBytes(8).toString("hex")}.tmp`);
  try {
    writeFileSync(file, "", { flag: "wx" });
    return statSync(file).mtimeMs;
  } catch {
    return Date.now();
  } finally {
    removed(file);
  }
}

/** Removes a file of this process's own, where it is. */
export function removed(file: string): void {
  try {
    rmSync(file, { force: true });
  } catch {
    // Where it cannot be removed it could not be written either.
  }
}

/** Whether a segment's process works: it has not ended, and was heard of lately. @param now see {@link clockOf} */
export function isAlive({ head, ended, heardMs }: Segment, now: number): boolean {
  if (ended !== undefined || head === undefined || now - heardMs > goneMs) return false;
  return head.host !== hostname() || isProcess(head.pid);
}

function isProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/**
 * Reads the rows of entries, segment by segment; of several entries of a point the first in the segments' order counts that is whole.
 * @returns of each point that is whole its rows and the entry that has them, by the point's name
 */
export function readRows(entries: Iterable<Entry>): Map<string, { rows: Row[]; entry: Entry }> {
  const found = new Map<string, { rows: Row[]; entry: Entry }>();
  eachText(entries, (entry, text) => {
    const rows = text === undefined || found.has(entry.p) ? undefined : rowsOf(text);
    if (rows) found.set(entry.p, { rows, entry });
  });
  return found;
}

/** Reads the texts of entries' rows, in the order in which they lie in their files. */
export function eachText(entries: Iterable<Entry>, take: (entry: Entry, text: string | undefined) => void): void {
  const bySegment = new Map<Segment, Entry[]>();
  for (const entry of entries) {
    const own = bySegment.get(entry.segment) ?? [];
    bySegment.set(entry.segment, own);
    own.push(entry);
  }
  for (const [segment, own] of bySegment) {
    let handle: number | undefined;
    try {
      handle = openSync(segment.file("rows"), "r");
    } catch {
      for (const entry of own) take(entry, undefined);
      continue;
    }
    try {
      for (const entry of own) take(entry, segment.text(entry, handle));
    } finally {
      closeSync(handle);
    }
  }
}
