import { Simulation, type Streams } from "../../engine/index.js";
import type { LineListener } from "../locks/contended-line.js";
import { type LockKind, makeLock } from "../locks/index.js";
import type { LockStatRow } from "../locks/lock-statistics.js";
import type { Machine } from "../memory/machine.js";

/** CPUs that think, take a lock, work, and give it back. */
export interface LockLoad {
  kind: LockKind;
  /** The CPUs that take part, by number. */
  cpus: readonly number[];
  /** Mean cycles between two sections of a CPU, exponentially distributed. */
  thinkCycles: number;
  /** Mean cycles of a section, exponentially distributed unless `fixedSection`. */
  sectionCycles: number;
  fixedSection?: boolean;
  /** Sections to run after the warm-up (a tenth of them). */
  sections: number;
  streams: Streams;
  irqSave?: boolean;
  /** Ticket locks only: cycles that each other waiter adds to a hand-off, as in a lock's options. */
  handoffCycles?: number;
  /** Hears every access to the lock's word, for a timeline. */
  onWord?: LineListener;
  /** Hears what each CPU does and when. */
  onState?: (cpu: number, state: "think" | "wait" | "hold", at: number) => void;
}

/** What the load did. */
export interface LockLoadResult {
  /** Sections a second. */
  throughput: number;
  /** Mean cycles from one section's last cycle to the next one's first, when somebody was waiting. */
  handOffCycles: number;
  /** CPUs that wait, averaged over time. */
  meanWaiters: number;
  statistics: LockStatRow;
  events: number;
}

const THINK_OVER = 0;
const GRANTED = 1;
const SECTION_OVER = 2;

/** Runs a load on a lock in simulated time. */
export function runLockLoad(machine: Machine, load: LockLoad): LockLoadResult {
  const simulation = new Simulation();
  const thinks = load.streams.stream("think times");
  const works = load.streams.stream("section times");
  const lock = makeLock(load.kind, machine, simulation, {
    name: load.kind,
    irqSave: load.irqSave ?? false,
    ...(load.onWord ? { onWord: load.onWord } : {}),
    handoffCycles: load.handoffCycles,
    arbiter: load.streams.stream("order of waiters"),
  });
  const whole = (x: number) => Math.floor(x + 0.5);
  const warmUp = Math.ceil(load.sections / 10);
  let waiting = 0;
  let done = 0;
  let from = 0;
  let released = -1;
  let handOffs = 0;
  let handOffCycles = 0;
  const base = simulation.attach({
    dispatch(kind, cpu) {
      const { now } = simulation;
      if (kind === THINK_OVER) {
        waiting++;
        load.onState?.(cpu, "wait", now);
        lock.acquire(cpu, base + GRANTED);
      } else if (kind === GRANTED) {
        waiting--;
        load.onState?.(cpu, "hold", now);
        if (released >= 0) {
          handOffs++;
          handOffCycles += now - released;
        }
        const section = load.fixedSection ? load.sectionCycles : works.exponential(load.sectionCycles);
        simulation.post(whole(section), base + SECTION_OVER, cpu);
      } else {
        released = waiting > 0 ? now : -1;
        const cost = lock.release(cpu);
        load.onState?.(cpu, "think", now);
        if (++done === warmUp) {
          from = now;
          lock.statistics.reset();
          handOffs = 0;
          handOffCycles = 0;
        }
        if (done === warmUp + load.sections) simulation.stop();
        simulation.post(cost + whole(thinks.exponential(load.thinkCycles)), base + THINK_OVER, cpu);
      }
    },
  });
  for (const cpu of load.cpus) {
    load.onState?.(cpu, "think", 0);
    simulation.post(whole(thinks.exponential(load.thinkCycles)), base + THINK_OVER, cpu);
  }
  const { events } = simulation.run();
  const elapsed = simulation.now - from;
  return {
    throughput: (load.sections * machine.config.gigahertz * 1e9) / elapsed,
    handOffCycles: handOffs > 0 ? handOffCycles / handOffs : 0,
    meanWaiters: lock.statistics.columns().waittimeTotal / elapsed,
    statistics: lock.statistics.columns(),
    events,
  };
}

/**
 * The published model of a ticket lock (record H12): a Markov chain over the number k of cores that hold the lock or wait for it. They come
 * at rate (n − k) / think and leave at rate 1 / (section + c·k / 2), c being the line time: a hand-off waits for half of the k copies.
 * @param cores n
 * @param thinkCycles mean cycles between sections
 * @param sectionCycles mean cycles of a section
 * @param lineCycles c, cycles a waiter to hand out the lock's line
 * @returns sections a cycle
 */
export function ticketLockModel(cores: number, thinkCycles: number, sectionCycles: number, lineCycles: number): number {
  const leave = (k: number) => 1 / (sectionCycles + (lineCycles * k) / 2);
  let weight = 1;
  let sum = 1;
  let flow = 0;
  for (let k = 1; k <= cores; k++) {
    weight *= (cores - k + 1) / thinkCycles / leave(k);
    sum += weight;
    flow += weight * leave(k);
  }
  return flow / sum;
}
