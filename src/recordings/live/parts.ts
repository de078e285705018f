import type { OpenRequest } from "../steps.js";
import type { Piece, Pieces } from "./pieces.js";
import type { LiveRanges } from "./ranges.js";

/** Above this share of wrong answers among the requests that ended, what is open at the end is not put together. */
const mostWrong = 0.01;
/** So many maps that looked like further parts and were none, and none that was: the recording's requests are one map each. */
const enoughApart = 20;

/** What is still mapped at the end of a recording. */
export interface OpenParts {
  /** Requests of several map events. */
  requests: OpenRequest[];
  /** Map events that may be further parts of requests, and count as requests of their own: how many fewer requests there may be. */
  doubtful: number;
}

/**
 * Tells which map events are parts of one request before an unmap says so.
 *
 * A scatter list is mapped in one call: a CPU maps range after range, each where the one before ended, and does nothing else between. A map that
 * continues the one before it in this way seems to be a further part. That is a guess (addresses may ascend by chance), and every request that is
 * unmapped says whether it was right: what is still mapped at the end is put together where the guess was right for what was unmapped, and is a
 * number of doubtful maps where it was not, or where nothing was unmapped that could tell.
 */
export class PartsOfRequests {
  // By CPU: its latest event, where it was a map: which, where it ended, and in which space.
  private readonly maps: number[] = [];
  private readonly ends: number[] = [];
  private readonly spaces: number[] = [];
  /** Of the parts of requests that were unmapped: guessed; guessed of a map that was none; not guessed. */
  private right = 0;
  private wrong = 0;
  private missed = 0;

  constructor(private readonly pieces: Pieces) {}

  /** A CPU maps. @returns the map event that this one seems to continue, −1 for none */
  map(cpu: number, map: number, space: number, start: number, end: number): number {
    const follows = this.ends[cpu] === start && this.spaces[cpu] === space ? this.maps[cpu] : -1;
    this.maps[cpu] = map;
    this.ends[cpu] = end;
    this.spaces[cpu] = space;
    return follows;
  }

  /** What a CPU is mapping goes to another space. */
  move(cpu: number, space: number): void {
    this.spaces[cpu] = space;
  }

  /** A CPU does something else: a list that it was mapping is at its end. */
  otherwise(cpu: number): void {
    this.ends[cpu] = -1;
  }

  /** A request was unmapped, its map events by ascending address. */
  ended(run: readonly Piece[]): void {
    for (let i = 0; i < run.length; i++) {
      const { follows } = run[i];
      if (follows >= 0 && i > 0 && run[i - 1].map === follows) this.right++;
      else if (follows >= 0) this.wrong++;
      else if (i > 0) this.missed++;
    }
  }

  /** What is still mapped. @param without map events whose unmaps must have been lost */
  open(spaces: readonly LiveRanges[], without: ReadonlySet<number>): OpenParts {
    const { maps, starts, ends, follows } = this.pieces;
    const requests: OpenRequest[] = [];
    let guessed = 0;
    let abutting = 0;
    spaces.forEach((live, device) => {
      let before = -1;
      let request: number[] = [];
      const put = (): void => {
        if (request.length > 1) requests.push({ device, maps: request });
        guessed += Math.max(0, request.length - 1);
      };
      for (const slot of live.slots()) {
        if (without.has(maps[slot])) continue;
        const abuts = before >= 0 && ends[before] === starts[slot] && maps[before] < maps[slot];
        if (abuts) abutting++;
        if (abuts && follows[slot] === maps[before]) request.push(maps[slot]);
        else {
          put();
          request = [maps[slot]];
        }
        before = slot;
      }
      put();
    });
    const { right, wrong, missed } = this;
    if (right > 0 && wrong + missed <= mostWrong * (right + wrong + missed)) return { requests, doubtful: 0 };
    if (right + missed === 0 && wrong >= enoughApart) return { requests: [], doubtful: 0 };
    return { requests: [], doubtful: missed > 0 ? abutting : guessed };
  }
}
