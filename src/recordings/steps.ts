import type { Account } from "./account.js";
import type { TraceAbout, TraceDevice, TracePhase } from "./trace.js";

/** How an unmap ends what was mapped. */
export const Ends: {
  readonly whole: 0;
  /** A part of one request: the rest stays mapped, and the request lives on. */
  readonly part: 1;
  /** No unmap was recorded, but the range was mapped anew: put in by the reader. */
  readonly lost: 2;
} = { whole: 0, part: 1, lost: 2 };

/**
 * One step of a recording that streams: a map event, or an unmap with the map events that it ends.
 *
 * Map events are numbered 0, 1, 2 … in their order. A request of scatter-gather is several of them, which only its unmap tells: `ended`
 * names them all. The object is the reader's own and changes with the next step; copy what is to be kept.
 */
export interface RecordedStep {
  op: number;
  /** From the first event, in ns. */
  timeNs: number;
  cpu: number;
  /** A value of `Context`. */
  context: number;
  /** Index into the devices that the end of the recording names; of recordings that do not name them, into address spaces. */
  device: number;
  iovaPfn: number;
  /** Pages of the map event; of an unmap, the pages that it ends. */
  pages: number;
  /** Of a map: length in bytes, 0 unknown. */
  bytes: number;
  direction: number;
  kind: number;
  paddrPfn: number;
  /** Number of the map event; of an unmap, of the first map event that it ends. */
  map: number;
  /** Of an unmap: a value of `Ends`. */
  ends: number;
  /** Of an unmap: the numbers of the map events that it ends, by ascending address; one for a part. */
  ended: number[];
  /** Of an unmap: when and on which CPU its first map event was made. */
  mappedNs: number;
  mappedCpu: number;
}

/** A step with nothing in it. */
export function blankStep(): RecordedStep {
  return {
    op: 0,
    timeNs: 0,
    cpu: 0,
    context: 0,
    device: 0,
    iovaPfn: 0,
    pages: 0,
    bytes: 0,
    direction: 0,
    kind: 0,
    paddrPfn: 0,
    map: 0,
    ends: 0,
    ended: [],
    mappedNs: 0,
    mappedCpu: 0,
  };
}

/** A request of several map events that is still mapped when the recording ends. */
export interface OpenRequest {
  /** As in the steps. */
  device: number;
  /** The map events by number, by ascending address; two at least. */
  maps: number[];
}

/** What is known only when a recording has been read to its end. */
export interface RecordingEnd {
  /** The devices, or the address spaces that were told apart. */
  devices: TraceDevice[];
  /** For each device index that the steps used, the device that it turned out to be. */
  deviceOf: number[];
  /** Map events whose unmap was lost, each with the map event that took its range; both by number. */
  superseded: [lost: number, by: number][];
  /** Requests of several map events that no unmap has ended. */
  open: OpenRequest[];
  /** firstOp counts steps. */
  phases: TracePhase[];
  /** Requests still mapped. */
  live: number;
  clock: string;
  account: Account;
}

/** Takes a recording's steps as they come. */
export interface StepSink {
  /** The header, before the first step, where the recording has one (a trace file). */
  header?(about: TraceAbout): void;
  /** Takes the next step. */
  step(step: RecordedStep): void;
  /** The recording ends. */
  end(end: RecordingEnd): void;
}
