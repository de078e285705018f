import type * as Recordings from "../../src/recordings/index.js";

export const tells: RegExp;

export interface Reading {
  refused?: undefined;
  info: Recordings.TraceInfo;
  numbers: string;
  said: string[];
  disagree: string[];
}

export function readDamaged(recordings: typeof Recordings, text: string, piece: number): Reading | { refused: string };

export function saysMore(found: Pick<Reading, "said">, whole: Pick<Reading, "said">): boolean;
