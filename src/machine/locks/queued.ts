import { lineBytes } from "../config.js";
import type { HostMachine as Machine } from "../memory/host-machine.js";
import { ContendedLine } from "./contended-line.js";
import { queueNodes } from "./mcs.js";
import { CpuQueue, type LockOptions, type LockSimulation, SpinLock } from "./spin-lock.js";

const TRY_PENDING = 1;
const ENQUEUE = 2;
const LINK = 3;
const AT_HEAD = 4;
const CLAIM_PENDING = 5;
const CLAIM_HEAD = 6;
const EXCHANGE_TAIL = 7;

/**
 * The queued spinlock of Linux from v4.2 (kernel/locking/qspinlock.c): locked byte, pending bit and tail in one word.
 *
 * Free: one compare-and-exchange. Held: the first waiter sets the pending bit and spins on the word. Later ones queue as in an MCS lock,
 * each on a node of its own; only the head of the queue spins on the word too. So at most two CPUs read the word again when it is
 * released, however many wait. The head tells its successor before it enters its section.
 */
export class QueuedLock extends SpinLock {
  private readonly word: ContendedLine;
  private readonly nodes: number;
  /** CPUs in the queue, head first. */
  private readonly queue: CpuQueue;
  /** When a CPU's successor begins to link itself; and when the link is there (-1: not yet written). */
  private readonly linkFrom: Float64Array;
  private readonly linkedAt: Float64Array;
  private readonly previous: Int32Array;
  private locked = false;
  private pending = -1;
  /** The pending CPU has begun to claim the lock. */
  private pendingClaims = false;
  /** The head of the queue spins on the word. */
  private headSpins = false;

  constructor(machine: Machine, simulation: LockSimulation, options: LockOptions) {
    super(machine, simulation, options);
    this.word = new ContendedLine(machine, this.address, options.onWord);
    this.nodes = queueNodes(machine, options);
    this.queue = new CpuQueue(machine.cpus);
    this.linkFrom = new Float64Array(machine.cpus);
    this.linkedAt = new Float64Array(machine.cpus).fill(-1);
    this.previous = new Int32Array(machine.cpus).fill(-1);
  }

  private get free(): boolean {
    return !this.locked && this.pending < 0 && this.queue.length === 0;
  }

  protected enter(cpu: number): void {
    const { now } = this.simulation;
    const done = this.word.atomic(cpu, now);
    if (this.free) {
      this.locked = true;
      this.grant(cpu, done, false);
      return;
    }
    this.rereadWord(done);
    const queued = this.pending >= 0 || this.queue.length > 0;
    this.simulation.post(done - now, this.base + (queued ? ENQUEUE : TRY_PENDING), cpu);
  }

  protected override step(kind: number, cpu: number): void {
    const { machine, simulation, word } = this;
    const { now } = simulation;
    switch (kind) {
      case TRY_PENDING: {
        if (this.pending >= 0 || this.queue.length > 0) {
          // The compare-and-exchange finds another CPU there before it.
          const done = word.atomic(cpu, now);
          this.rereadWord(done);
          simulation.post(done - now, this.base + ENQUEUE, cpu);
        } else if (!this.locked) {
          this.locked = true;
          this.grant(cpu, word.atomic(cpu, now), true);
        } else {
          this.pending = cpu;
          word.atomic(cpu, now);
        }
        break;
      }
      case ENQUEUE: {
        // queued_spin_lock_slowpath: initialize the node, then exchange the tail.
        const ready = now + machine.write(cpu, this.node(cpu));
        simulation.post(ready - now, this.base + EXCHANGE_TAIL, cpu);
        break;
      }
      case EXCHANGE_TAIL: {
        const done = word.atomic(cpu, now);
        this.rereadWord(done);
        const n = this.queue.length;
        const previous = n > 0 ? this.queue.at(n - 1) : -1;
        this.previous[cpu] = previous;
        this.linkedAt[cpu] = -1;
        this.queue.push(cpu);
        if (previous >= 0) this.linkFrom[previous] = done;
        simulation.post(done - now, this.base + (previous < 0 ? AT_HEAD : LINK), cpu);
        break;
      }
      case LINK: {
        const previous = this.previous[cpu];
        // The predecessor may have needed the link already, and waited for it.
        if (previous < 0) break;
        this.link(previous, cpu);
        // It fetches its node again if it spins there; the head spins on the word, and fetches the node when it looks for the link.
        if (this.queue.at(0) !== previous) machine.read(previous, this.node(previous));
        break;
      }
      case AT_HEAD: {
        const seen = word.read(cpu, now);
        if (!this.locked && this.pending < 0) simulation.post(seen - now, this.base + CLAIM_HEAD, cpu);
        else this.headSpins = true;
        break;
      }
      case CLAIM_PENDING: {
        const done = word.write(cpu, now);
        this.storesDone[cpu] = done;
        this.pending = -1;
        this.pendingClaims = false;
        this.locked = true;
        if (this.headSpins) word.read(this.queue.at(0), done);
        this.grant(cpu, now + machine.config.storeHitCycles, true);
        break;
      }
      case CLAIM_HEAD: {
        this.locked = true;
        this.queue.shift();
        if (this.queue.length === 0) {
          this.grant(cpu, word.atomic(cpu, now), true);
          break;
        }
        // The new holder tells its successor that it is the head now, then enters its section; both stores drain behind it.
        const done = word.write(cpu, now);
        const next = this.queue.at(0);
        const read = Math.max(now, this.link(cpu, next)) + machine.read(cpu, this.node(cpu));
        const told = Math.max(done, read) + machine.write(cpu, this.node(next));
        this.storesDone[cpu] = told;
        this.grant(cpu, read + 2 * machine.config.storeHitCycles, true);
        simulation.post(told + machine.read(next, this.node(next)) - now, this.base + AT_HEAD, next);
        break;
      }
    }
  }

  /** The successor of `cpu` links itself into that node and then spins on its own; returns when the link is there. */
  private link(cpu: number, next: number): number {
    if (this.linkedAt[cpu] >= 0) return this.linkedAt[cpu];
    this.linkedAt[cpu] = this.linkFrom[cpu] + this.machine.write(next, this.node(cpu));
    this.machine.read(next, this.node(next));
    this.previous[next] = -1;
    return this.linkedAt[cpu];
  }

  protected leave(cpu: number, now: number): number {
    const stored = this.word.store(cpu, this.storeFrom(cpu, now));
    this.locked = false;
    const { pending, word } = this;
    if (pending >= 0 && !this.pendingClaims) {
      this.pendingClaims = true;
      const seen = word.read(pending, stored);
      if (this.headSpins) word.read(this.queue.at(0), stored);
      this.simulation.post(seen - now, this.base + CLAIM_PENDING, pending);
    } else if (this.headSpins) {
      this.headSpins = false;
      const head = this.queue.at(0);
      this.simulation.post(word.read(head, stored) - now, this.base + CLAIM_HEAD, head);
    }
    return this.machine.config.storeHitCycles;
  }

  /** Those who spin on the word fetch it again after somebody else's access to it. */
  private rereadWord(from: number): void {
    if (this.pending >= 0 && !this.pendingClaims) this.word.read(this.pending, from);
    if (this.headSpins) this.word.read(this.queue.at(0), from);
  }

  private node(cpu: number): number {
    return this.nodes + cpu * lineBytes;
  }
}
