/**
 * A segment: what one process has to say about a sweep's points, in two files that it alone writes, and only at their end.
 *
 * NAME.log has a line an event: the process at the beginning, each point that is done or failed, a sign of life now and then, the end. NAME.rows
 * has the rows; the log says where, and their sum. Whoever reads takes whole lines and rows whose sum is right, and nothing else. So there are no
 * locks, and none of a dead machine can be in the way; what a killed process leaves half written counts as not written.
 */
import { randomBytes } from "node:crypto";
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import type { Row } from "../../experiments/index.js";
import { makeFolder, writeFailure } from "../../files/index.js";
import { lineOf, sumOf } from "./line.js";
import { rowsText } from "./rows-text.js";
import type { Shard } from "./shard.js";

/** The folder of the segments, in a sweep's folder. */
export const segmentsIn = (folder: string): string => join(folder, "shards");

const Hash = z.string().regex(/^[0-9a-f]{20}$/);
const Text = z.string().max(4000);
const Time = z.number().min(0);

/** The process that writes. */
export const HeadSchema = z.object({
  segment: z.literal(1),
  shard: z.object({ index: z.int().min(1), count: z.int().min(1) }),
  host: Text,
  pid: z.int(),
  /** Points at a time. */
  jobs: z.int().min(1),
  node: Text,
  /** The code that computes, and all the data beside it. */
  code: Text,
  data: Text,
  began: Time,
});
export type Head = z.output<typeof HeadSchema>;

/** A point's rows: where, how many bytes, their sum, which set of reads; `s` is null where they were taken from a store. */
export interface PointEvent {
  p: string;
  s: number | null;
  /** By the writer's clock, in ms. */
  t: number;
  o: number;
  l: number;
  h: string;
  r: number;
}

/** What the other lines say. Times are in ms of the writer's clock, seconds those of the computation. */
const EventSchema = z.union([
  /** A set of reads: records and files of the facts, each with the hash of its content. */
  z.object({ r: z.int().min(0), reads: z.record(z.string(), z.string()) }),
  /** A point that failed, and why. */
  z.object({ f: Hash, e: Text, s: z.number().min(0), t: Time }),
  /** A sign of life, with the points under way. */
  z.object({ b: z.array(Hash), t: Time }),
  /** The end, and how it came. */
  z.object({ end: z.enum(["done", "interrupted", "failed"]), t: Time }),
]);

/** The event of a line; undefined where it is none of ours. Points come by the hundred thousand: looked at by hand, which zod would take longer for. */
export function eventOf(record: unknown): PointEvent | z.output<typeof EventSchema> | undefined {
  const { p, s, t, o, l, h, r } = record as PointEvent;
  if (p === undefined) return EventSchema.safeParse(record).data;
  const whole = [t, o, l, r].every((value) => Number.isSafeInteger(value) && value >= 0) && l >= 2;
  const told = typeof p === "string" && /^[0-9a-f]{20}$/.test(p) && typeof h === "string";
  return whole && told && (s === null || (typeof s === "number" && s >= 0)) ? (record as PointEvent) : undefined;
}

/** How long what is written may wait until it is brought to the disk, or the server: so much work is lost at most with a machine. */
const syncEveryMs = 5000;

/** Writes a segment. Every method throws a StoreError where that is not possible; then nothing more may be written. */
export class SegmentWriter {
  readonly name: string;
  private readonly log: number;
  private readonly rows: number;
  private offset = 0;
  private readonly readSets = new Map<string, number>();
  private synced = performance.now();

  constructor(
    private readonly folder: string,
    head: Pick<Head, "shard" | "jobs" | "code" | "data">,
  ) {
    const { index, count }: Shard = head.shard;
    this.name = `${index}-of-${count}.${randomBytes(8).toString("hex")}`;
    try {
      makeFolder(segmentsIn(folder));
      this.rows = openSync(this.file("rows"), "ax");
      this.log = openSync(this.file("log"), "ax");
    } catch (error) {
      throw writeFailure(segmentsIn(folder), error);
    }
    this.say({
      segment: 1,
      host: hostname().slice(0, 250),
      pid: process.pid,
      node: process.version,
      began: Date.now(),
      ...head,
    });
    this.sync();
  }

  /** A point is done. @param seconds null where its rows were taken from a store */
  point(hash: string, rows: readonly Row[], reads: Readonly<Record<string, string>>, seconds: number | null): void {
    const text = Buffer.from(`${rowsText(rows)}\n`);
    this.write(this.rows, "rows", text);
    const length = text.length - 1;
    const r = this.readSet(reads);
    const h = sumOf(text.subarray(0, length));
    this.say({ p: hash, s: rounded(seconds), t: Date.now(), o: this.offset, l: length, h, r });
    this.offset += text.length;
    if (performance.now() - this.synced > syncEveryMs) this.sync();
  }

  failure(hash: string, message: string, seconds: number): void {
    this.say({ f: hash, e: message.slice(0, 2000), s: rounded(seconds), t: Date.now() });
  }

  beat(busy: Iterable<string>): void {
    this.say({ b: [...busy], t: Date.now() });
    this.sync();
  }

  end(how: "done" | "interrupted" | "failed"): void {
    this.say({ end: how, t: Date.now() });
    this.sync();
  }

  close(): void {
    closeSync(this.log);
    closeSync(this.rows);
  }

  private readSet(reads: Readonly<Record<string, string>>): number {
    const key = JSON.stringify(reads);
    const known = this.readSets.get(key);
    if (known !== undefined) return known;
    const r = this.readSets.size;
    this.readSets.set(key, r);
    this.say({ r, reads });
    return r;
  }

  private say(record: object): void {
    this.write(this.log, "log", Buffer.from(lineOf(record)));
  }

  private write(handle: number, kind: "log" | "rows", bytes: Buffer): void {
    try {
      for (let at = 0; at < bytes.length; ) at += writeSync(handle, bytes, at);
    } catch (error) {
      throw writeFailure(this.file(kind), error);
    }
  }

  private sync(): void {
    try {
      // The rows first: what the log tells of is there.
      fdatasyncSync(this.rows);
      fdatasyncSync(this.log);
    } catch (error) {
      throw writeFailure(this.file("log"), error);
    }
    this.synced = performance.now();
  }

  private file(kind: "log" | "rows"): string {
    return join(segmentsIn(this.folder), `${this.name}.${kind}`);
  }
}

const rounded = <T extends number | null>(seconds: T): T =>
  (seconds === null ? null : Math.round(seconds * 1e4) / 1e4) as T;
