/** Stretches of a recording as loads for the simulated host. */
import type { RecordedLoad } from "../../host/index.js";
import { Op, type Trace } from "../../recordings/index.js";

/** How stretches are chosen. */
export interface StretchOptions {
  /** Operations of a stretch that are simulated, its warm-up included. */
  operations: number;
  /** Operations before it that are made outside simulated time. */
  before: number;
  /** How many stretches, spread evenly over the device's unmaps. */
  count: number;
  /** Cores of the host: a recording with more CPUs has several of them on one core. */
  cores: number;
}

/** Stretches of one device's requests. */
export interface Stretches {
  loads: RecordedLoad[];
  /** When each begins, in ns of the recording. */
  beginsNs: number[];
  /** CPUs that made the requests. */
  cpus: number;
  /** Cores that make them. */
  cores: number;
}

/** Memory pages below this are told apart as they are; others are folded into it. */
const frames = 16_777_216;

/**
 * Cuts a device's requests into stretches, each with what is mapped when it begins. They are spread over the unmaps, so that the boot, in which a
 * driver only maps, has no more of them than its share of what comes and goes.
 */
export function stretchesOf(trace: Trace, device: number, options: StretchOptions): Stretches {
  // In columns: they are as long as the recording.
  let ops = new Int32Array(trace.length);
  let unmaps = new Int32Array(trace.length);
  const counts = [0, 0];
  const cpuSet = new Set<number>();
  for (let op = 0; op < trace.length; op++) {
    if (trace.device[op] !== device) continue;
    if (trace.op[op] === Op.unmap) unmaps[counts[1]++] = counts[0];
    ops[counts[0]++] = op;
    cpuSet.add(trace.cpu[op]);
  }
  ops = ops.subarray(0, counts[0]);
  unmaps = unmaps.subarray(0, counts[1]);
  const cpus = [...cpuSet].sort((a, b) => a - b);
  const cores = Math.max(1, Math.min(options.cores, cpus.length));
  const coreOf = new Map(cpus.map((cpu, i) => [cpu, i % cores]));
  const beginsNs: number[] = [];
  const length = Math.min(options.operations, ops.length);
  if (length === 0) return { loads: [], beginsNs, cpus: cpus.length, cores };
  const firsts = new Set<number>();
  for (let k = 0; k < options.count; k++) {
    const middle = unmaps.length > 0 ? unmaps[Math.floor(((k + 0.5) * unmaps.length) / options.count)] : 0;
    firsts.add(Math.max(0, Math.min(ops.length - length, middle - Math.floor(length / 2))));
  }
  const loads: RecordedLoad[] = [];
  let last = -1;
  for (const first of [...firsts].sort((a, b) => a - b)) {
    // Stretches do not overlap: an overlapping one would count twice.
    if (last >= 0 && first < last + length) continue;
    last = first;
    beginsNs.push(trace.timeNs[ops[first]]);
    loads.push(stretch(trace, ops, first, length, Math.min(options.before, first), coreOf, cores));
  }
  return { loads, beginsNs, cpus: cpus.length, cores };
}

function stretch(
  trace: Trace,
  ops: Int32Array,
  first: number,
  length: number,
  before: number,
  coreOf: ReadonlyMap<number, number>,
  cores: number,
): RecordedLoad {
  const from = first - before;
  const to = first + length;
  const place = new Map<number, number>();
  const held: { pages: number; core: number; frame: number }[] = [];
  const frameOf = (op: number): number => {
    const { paddrPfn } = trace;
    // Without physical addresses each map has memory of its own.
    return paddrPfn[op] > 0 ? paddrPfn[op] % frames : (1 + 37 * op) % frames;
  };
  for (let k = 0; k < from; k++) {
    const op = ops[k];
    if (trace.op[op] !== Op.map) continue;
    const ended = trace.partner[op];
    if (ended >= 0 && ended < ops[from]) continue;
    place.set(op, -1 - held.length);
    held.push({ pages: trace.pages[op], core: coreOf.get(trace.cpu[op])!, frame: frameOf(op) });
  }
  const load = {
    cores,
    timeNs: [] as number[],
    core: [] as number[],
    pages: [] as number[],
    maps: [] as number[],
    frame: [] as number[],
    held,
    before,
    warmup: Math.floor(length / 4),
  };
  let now = 0;
  for (let k = from; k < to; k++) {
    const op = ops[k];
    now = Math.max(now, trace.timeNs[op]);
    load.timeNs.push(now);
    load.core.push(coreOf.get(trace.cpu[op])!);
    const map = trace.op[op] === Op.map;
    if (map) place.set(op, load.timeNs.length - 1);
    load.pages.push(map ? trace.pages[op] : 0);
    load.maps.push(map ? 0 : place.get(trace.partner[op])!);
    load.frame.push(map ? frameOf(op) : 0);
  }
  return load;
}
