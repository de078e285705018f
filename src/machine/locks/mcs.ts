import { lineBytes } from "../config.js";
import type { HostMachine as Machine } from "../memory/host-machine.js";
import { ContendedLine } from "./contended-line.js";
import { type LockOptions, type LockSimulation, SpinLock } from "./spin-lock.js";

const LINK = 1;

/**
 * The queue lock of Mellor-Crummey and Scott (1991; kernel/locking/mcs_spinlock.h): every waiter spins on a line of its own.
 *
 * An exchange on the tail word puts a CPU's node at the end of the queue; it links itself into its predecessor's node and spins on its own.
 * A release reads the link and writes the successor's node: two line transfers, however many wait.
 */
export class McsLock extends SpinLock {
  private readonly tail: ContendedLine;
  private readonly nodes: number;
  private readonly next: Int32Array;
  private readonly previous: Int32Array;
  /** When a CPU's successor begins to link itself; and when the link is there (-1: not yet written). */
  private readonly linkFrom: Float64Array;
  private readonly linkedAt: Float64Array;
  private last = -1;

  constructor(machine: Machine, simulation: LockSimulation, options: LockOptions) {
    super(machine, simulation, options);
    this.tail = new ContendedLine(machine, this.address, options.onWord);
    this.nodes = queueNodes(machine, options);
    this.next = new Int32Array(machine.cpus).fill(-1);
    this.previous = new Int32Array(machine.cpus).fill(-1);
    this.linkFrom = new Float64Array(machine.cpus);
    this.linkedAt = new Float64Array(machine.cpus).fill(-1);
  }

  protected enter(cpu: number): void {
    const { now } = this.simulation;
    const ready = now + this.machine.write(cpu, this.node(cpu));
    const done = this.tail.atomic(cpu, ready);
    const previous = this.last;
    this.last = cpu;
    this.next[cpu] = -1;
    this.linkedAt[cpu] = -1;
    if (previous < 0) {
      this.grant(cpu, done, false);
      return;
    }
    this.next[previous] = cpu;
    this.previous[cpu] = previous;
    this.linkFrom[previous] = done;
    this.simulation.post(done - now, this.base + LINK, cpu);
  }

  protected override step(_kind: number, cpu: number): void {
    const previous = this.previous[cpu];
    // The predecessor may have needed the link already, and waited for it.
    if (previous < 0) return;
    this.link(previous);
    // It fetches its node again if it spins there; a holder does when it looks for the link.
    if (this.holder !== previous) this.machine.read(previous, this.node(previous));
  }

  protected leave(cpu: number, now: number): number {
    const { machine } = this;
    let at = now + machine.read(cpu, this.node(cpu));
    const next = this.next[cpu];
    if (next < 0) {
      // Nobody is behind: the tail goes back to empty.
      this.last = -1;
      return this.tail.atomic(cpu, this.storeFrom(cpu, at)) - now;
    }
    if (this.linkedAt[cpu] < 0 || this.linkedAt[cpu] > at) {
      // The exchange of the tail fails, and the holder spins until its successor has linked itself.
      at = this.tail.atomic(cpu, this.storeFrom(cpu, at));
      const linked = this.link(cpu);
      at = (at > linked ? at : linked) + machine.read(cpu, this.node(cpu));
    }
    const told = this.storeFrom(cpu, at) + machine.write(cpu, this.node(next));
    this.grant(next, told + machine.read(next, this.node(next)), true);
    return at + machine.config.storeHitCycles - now;
  }

  /** The successor of `cpu` links itself into that node and then spins on its own; returns when the link is there. */
  private link(cpu: number): number {
    if (this.linkedAt[cpu] >= 0) return this.linkedAt[cpu];
    const next = this.next[cpu];
    this.linkedAt[cpu] = this.linkFrom[cpu] + this.machine.write(next, this.node(cpu));
    this.machine.read(next, this.node(next));
    this.previous[next] = -1;
    return this.linkedAt[cpu];
  }

  private node(cpu: number): number {
    return this.nodes + cpu * lineBytes;
  }
}

/** A line for each CPU's queue node. */
export function queueNodes(machine: Machine, options: LockOptions): number {
  const bytes = machine.cpus * lineBytes;
  return machine.region({ name: `queue nodes of lock ${options.name}`, bytes, home: options.home ?? 0 }).base;
}
