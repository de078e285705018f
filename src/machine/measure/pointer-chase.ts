import type { RandomStream, Streams } from "../../engine/index.js";
import { lineBytes } from "../config.js";
import type { Machine } from "../memory/machine.js";

/** A pointer chase as a program would run it: each load's address stands in the line before. */
export interface ChaseSpec {
  cpu: number;
  /** Bytes of the lines that are chased through, one pointer a line. */
  bytes: number;
  /** The socket whose memory they are. */
  home: number;
  /** Draws the order of the lines: one random cycle through all of them, so that no stride helps. */
  streams: Streams;
}

/**
 * Measures the latency of a load as lmbench's lat_mem_rd does: chases once around to fill the caches, then once more on the clock.
 * @returns core cycles a load, averaged over one round
 */
export function pointerChase(machine: Machine, spec: ChaseSpec): number {
  const lines = Math.max(1, Math.floor(spec.bytes / lineBytes));
  const { base } = machine.region({ name: `chase of ${spec.bytes} bytes`, bytes: lines * lineBytes, home: spec.home });
  const next = randomCycle(lines, spec.streams.stream(`chase of ${lines} lines`));
  let at = 0;
  for (let i = 0; i < lines; i++) {
    machine.read(spec.cpu, base + at * lineBytes);
    at = next[at];
  }
  let cycles = 0;
  for (let i = 0; i < lines; i++) {
    cycles += machine.read(spec.cpu, base + at * lineBytes);
    at = next[at];
  }
  return cycles / lines;
}

/** A random permutation that is one cycle (Sattolo 1986): where each line points. */
export function randomCycle(n: number, random: RandomStream): Int32Array {
  const next = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i);
    const t = next[i];
    next[i] = next[j];
    next[j] = t;
  }
  return next;
}
