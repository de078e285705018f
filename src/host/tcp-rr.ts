import type { DmaApi } from "../dma/index.js";
import {
  type Behaviour,
  type Processes,
  type RandomStream,
  type Simulation,
  type StateMachine,
  type Wait,
  waiting,
} from "../engine/index.js";
import type { HostMachine as Machine } from "../machine/index.js";
import { type AgeingHost, type AgeingTraffic, age } from "./ageing.js";
import { ServerCores, type ServerLoad } from "./cores.js";
import { type ExposureMeter, NOBODYS, OWNER_READS, SOMEBODY_ELSES } from "./exposure.js";
import type { DriverProfile } from "./nic.js";
import { type PageSource, PagesInTurn } from "./pages.js";

/** The TCP_RR workload of one host with one NIC. Durations in core cycles. */
export interface TcpRrOptions {
  threads: number;
  cores: number;
  /** Receive/transmit queue pairs of the NIC; queue q interrupts core q mod cores. */
  queues: number;
  profile: DriverProfile;
  /** Everything of a transaction that is not DMA mapping, on this host. */
  stackCycles: number;
  /** Share of the stack's work that runs when the packet is received (softirq); the rest runs in the thread. */
  receiveShare: number;
  /** Stack work varies uniformly by this share up and down. */
  workSpread: number;
  /** Lines that the stack touches in a transaction. */
  stackLines: number;
  /** Receive buffers of a queue. */
  rxRing: number;
  /** Maps a transaction on the receive and the transmit side, where the profile maps that side; fractions are drawn. */
  rxMaps: number;
  txMaps: number;
  /** Share of buffers that straddle a page boundary and so take two pages. */
  twoPageShare: number;
  /** From handing the answer to the NIC until the peer's next request is in this host's memory: the mean. */
  peerCycles: number;
  /** What an answer occupies the link for; 0 where the link is no limit. */
  wireCycles: number;
  /** From handing a buffer to the NIC until it reports the buffer sent. */
  transmitCycles: number;
  /** Shortest time between two interrupts of a queue (interrupt moderation). */
  interruptGapCycles: number;
  /** Packets that one poll takes at most (NAPI's weight). */
  pollBudget: number;
  /** Receive buffers are replaced in batches of this size. */
  refillBatch: number;
  /** Sent buffers complete in the order sent, or in arbitrary order. */
  shuffleCompletions: boolean;
  /** Received pages stay mapped and go round a pool (page_pool). */
  recycles: boolean;
  /** A connection's packets arrive in the queue of its thread's core (as flow steering has it), or in a queue drawn once (a plain hash). */
  flows: Flows;
}

/** Which queue a connection's packets arrive in: that of its thread's core, or any. */
export type Flows = "steered" | "hashed";

/** A mapped buffer. */
interface Buffer {
  pfn: number;
  frame: number;
  pages: number;
  /** Sent buffers: when the NIC reports it. */
  doneAt: number;
}

const STACK_DONE = 0;
const ARRIVE = 1;
const INTERRUPT = 2;
const SENT = 3;
const LEFT = 4;

/** First-in first-out of plain values, without shifting arrays. */
class Fifo<T> {
  private items: T[] = [];
  private head = 0;
  get length(): number {
    return this.items.length - this.head;
  }
  push(item: T): void {
    this.items.push(item);
  }
  peek(): T | undefined {
    return this.items[this.head];
  }
  shift(): T {
    const item = this.items[this.head++];
    if (this.head > 64 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }
  at(i: number): T {
    return this.items[this.head + i];
  }
  /** Exchanges the first item with one of the first `n`. */
  swapFirst(n: number): void {
    const first = this.items[this.head];
    this.items[this.head] = this.items[this.head + n];
    this.items[this.head + n] = first;
  }
}

interface Queue {
  core: number;
  /** Threads whose request lies in the receive ring. */
  arrived: Fifo<number>;
  sent: Fifo<Buffer>;
  ring: Fifo<Buffer>;
  /** Buffers that the ring lacks because a map failed. */
  missing: number;
  /** Pages that have gone round the pool. */
  turns: number;
  lastInterrupt: number;
  interruptPosted: boolean;
}

/** A whole number of maps with this mean: a fraction is drawn. */
function drawCount(mean: number, random: RandomStream): number {
  const whole = Math.floor(mean);
  return mean > whole && random.chance(mean - whole) ? whole + 1 : whole;
}

/** A host's rings and sent buffers as {@link age} turns them over. */
class RingTraffic implements AgeingHost<Buffer> {
  readonly cores: number;
  readonly ringBuffers: number;

  constructor(
    private readonly host: TcpRr,
    private readonly options: TcpRrOptions,
    private readonly queues: readonly Queue[],
    readonly batch: number,
    readonly batchPerCore: boolean,
    private readonly random: RandomStream,
  ) {
    this.cores = options.cores;
    this.ringBuffers = options.profile.receive ? options.rxRing * queues.length : 0;
  }

  receiveMaps(): number {
    return this.options.profile.receive ? drawCount(this.options.rxMaps, this.random) : 0;
  }

  transmitMaps(): number {
    return this.options.profile.transmit ? drawCount(this.options.txMaps, this.random) : 0;
  }

  takeReceived(core: number): Buffer | undefined {
    const { ring } = this.queues[core];
    return ring.length > 0 ? ring.shift() : undefined;
  }

  mapReceive(core: number): void {
    this.host.mapAtOnce(core, this.queues[core].ring);
  }

  takeSent(core: number): Buffer | undefined {
    const { sent } = this.queues[core];
    return sent.length > 0 ? sent.shift() : undefined;
  }

  mapTransmit(core: number): void {
    this.host.mapAtOnce(core, this.queues[core].sent);
  }

  free(core: number, buffer: Buffer): void {
    this.host.unmapAtOnce(core, buffer);
  }
}

/**
 * TCP_RR: `threads` connections, each sends one request and waits for its one-byte answer. This host answers; the peer is a delay.
 *
 * Each core is a process. A core alternates between the softirq's poll of its queues and the threads that have a request. In the poll it cleans sent buffers
 * (unmap), takes received packets (unmap, stack), and refills the ring (map); in the thread it does the rest of the stack's work, maps
 * the answer and hands it over. With more than enough threads the cores are never idle, and throughput is what they can do.
 */
export class TcpRr implements StateMachine, ServerLoad {
  /** Transactions answered since the beginning. */
  done = 0;
  /** Each a process; the DMA API tells them when its flush is due. */
  readonly cores: ServerCores;
  private readonly kinds: number;
  private readonly simulation: Simulation;
  /** Of each core, the runnable threads whose request is in memory. */
  private readonly ready: Fifo<number>[];
  private readonly queues: Queue[];
  /** The queue in which each connection's packets arrive. */
  private readonly queueOf: Int32Array;
  /** Set before the first event: the DMA API that this host uses. */
  api!: DmaApi;
  /** Where buffers get their pages from. */
  pages: PageSource = new PagesInTurn();
  /** Told whose unmapped pages are, where somebody wants to know. */
  exposure: ExposureMeter | undefined;
  /** Nothing is translated: what was unmapped stays in the device's reach. */
  open = false;
  /** When the link has sent all answers so far. */
  private wireFree = 0;
  /** Received buffers that each thread still reads. */
  private readonly reading: Buffer[][];
  /** The simulation stops when so many transactions are complete. */
  stopAt = Number.POSITIVE_INFINITY;

  constructor(
    private readonly machine: Machine,
    processes: Processes,
    private readonly options: TcpRrOptions,
    /** Draws what the load leaves to chance; while the drivers boot, what they do. */
    public random: RandomStream,
    flows: RandomStream,
  ) {
    this.simulation = processes.sim;
    this.kinds = this.simulation.attach(this);
    const { cores, queues } = options;
    this.queueOf = Int32Array.from({ length: options.threads }, (_, thread) =>
      options.flows === "steered" ? thread % queues : flows.below(queues),
    );
    this.reading = Array.from({ length: options.threads }, () => []);
    this.queues = Array.from({ length: queues }, (_, q) => ({
      core: q % cores,
      arrived: new Fifo<number>(),
      sent: new Fifo<Buffer>(),
      ring: new Fifo<Buffer>(),
      missing: 0,
      turns: 0,
      lastInterrupt: Number.NEGATIVE_INFINITY,
      interruptPosted: false,
    }));
    this.ready = Array.from({ length: cores }, () => new Fifo<number>());
    this.cores = new ServerCores(processes, cores, this.kinds + STACK_DONE, "asleep", (core) => this.run(core));
  }

  /** Fills the receive rings, outside simulated time, as the driver does when the link comes up. */
  fillRings(): void {
    if (!this.options.profile.receive) return;
    for (const queue of this.queues)
      for (let i = 0; i < this.options.rxRing; i++) this.mapAtOnce(queue.core, queue.ring);
  }

  /**
   * Leaves the address space as long traffic does, outside simulated time: every receive buffer is replaced a number of times.
   * @param batch unmaps whose addresses are given back together, for all cores or for each
   */
  age(traffic: AgeingTraffic, batch: number, batchPerCore: boolean, random: RandomStream): void {
    age(new RingTraffic(this, this.options, this.queues, batch, batchPerCore, random), traffic, random);
  }

  /** Maps a buffer outside simulated time. */
  mapAtOnce(core: number, into: Fifo<Buffer>): void {
    const pages = this.drawPages();
    const frame = this.takePages(core, pages);
    into.push({ pfn: this.api.mapAtBoot(core, frame, pages, 3), frame, pages, doneAt: 0 });
  }

  /** Unmaps one outside simulated time. */
  unmapAtOnce(core: number, { pfn, frame, pages }: Buffer): void {
    this.api.unmapAtBoot(core, pfn, pages);
    this.pages.give(core, frame, pages);
  }

  /** What {@link fillRings} and {@link age} change, beside the DMA API: for whoever copies a host that is ready into another one. */
  get booted(): object[] {
    return [this.queues, this.pages];
  }

  /** Every thread's first request, spread over one peer delay. */
  begin(): void {
    for (let thread = 0; thread < this.options.threads; thread++)
      this.simulation.post(
        this.random.below(Math.max(1, Math.round(this.options.peerCycles))),
        this.kinds + ARRIVE,
        thread,
      );
  }

  dispatch(kind: number, actor: number): void {
    switch (kind) {
      case STACK_DONE:
        this.cores.resume(actor);
        return;
      case ARRIVE: {
        const queue = this.queueOf[actor];
        this.queues[queue].arrived.push(actor);
        this.raise(queue);
        return;
      }
      case SENT:
        this.raise(actor);
        return;
      case LEFT:
        this.answered();
        return;
      default: {
        const queue = this.queues[actor];
        queue.interruptPosted = false;
        this.cores.wake(queue.core);
      }
    }
  }

  /** The NIC has news on a queue. A busy core sees it at its next poll; an idle one is interrupted, not too often. */
  private raise(index: number): void {
    const queue = this.queues[index];
    if (!this.cores.isAsleep(queue.core) || queue.interruptPosted) return;
    queue.interruptPosted = true;
    const due = Math.max(this.simulation.now, queue.lastInterrupt + this.options.interruptGapCycles);
    this.simulation.post(due - this.simulation.now, this.kinds + INTERRUPT, index);
  }

  /** Spends stack time on a core, touching the lines that the stack touches. Their latency is part of the stack's cycles already. */
  private stack(core: number, share: number): Wait {
    const { stackCycles, workSpread, stackLines } = this.options;
    const cycles = stackCycles * share * (1 + workSpread * (2 * this.random.uniform() - 1));
    if (stackLines > 0) this.machine.touchFootprint(core, Math.round(stackLines * share));
    return this.cores.work(core, Math.round(cycles));
  }

  private drawPages(): number {
    return this.options.twoPageShare > 0 && this.random.chance(this.options.twoPageShare) ? 2 : 1;
  }

  private takePages(core: number, pages: number): number {
    const frame = this.pages.take(core, pages);
    this.exposure?.turned(frame, pages, SOMEBODY_ELSES, this.simulation.now);
    return frame;
  }

  private unmapped({ pfn, pages }: Buffer): void {
    if (!this.open) return;
    for (let page = pfn; page < pfn + pages; page++) this.exposure?.began(page, this.simulation.now);
  }

  /** The owner of a buffer's pages is done with them. */
  private givePages(core: number, { frame, pages }: Buffer): void {
    if (!this.pages.give(core, frame, pages)) return;
    this.exposure?.turned(frame, pages, NOBODYS, this.simulation.now);
  }

  private sentReady(queue: Queue): boolean {
    const first = queue.sent.peek();
    return first !== undefined && first.doneAt <= this.simulation.now;
  }

  /** The queue of this core that a poll should look at now. */
  private due(core: number): Queue | undefined {
    const { cores, interruptGapCycles } = this.options;
    for (let q = core; q < this.queues.length; q += cores) {
      const queue = this.queues[q];
      if (queue.lastInterrupt + interruptGapCycles > this.simulation.now) continue;
      if (queue.arrived.length > 0 || this.sentReady(queue)) return queue;
    }
    return undefined;
  }

  /** What a core does, for ever: the timer's flush, the softirq, the threads; and sleeps where there is nothing to do. */
  private *run(core: number): Behaviour {
    yield waiting;
    const ready = this.ready[core];
    for (;;) {
      if (this.cores.takesFlush(core)) {
        yield* this.api.flush(core);
        continue;
      }
      const queue = this.due(core);
      if (queue !== undefined) yield* this.poll(core, queue);
      else if (ready.length > 0) yield* this.answer(core, ready.shift());
      else yield this.sleep(core);
    }
  }

  private sleep(core: number): Wait {
    const asleep = this.cores.sleep(core);
    for (let q = core; q < this.queues.length; q += this.options.cores)
      if (this.queues[q].arrived.length > 0 || this.sentReady(this.queues[q])) this.raise(q);
    return asleep;
  }

  /** The softirq's poll of a queue, in the drivers' order: completed transmissions, received packets, the refill. */
  private *poll(core: number, queue: Queue): Behaviour {
    const { pollBudget, refillBatch, shuffleCompletions } = this.options;
    queue.lastInterrupt = this.simulation.now;
    let polled = 0;
    let refill = queue.missing;
    queue.missing = 0;
    while (this.sentReady(queue)) {
      if (shuffleCompletions) queue.sent.swapFirst(this.completedAhead(queue));
      const buffer = queue.sent.shift();
      const { pfn, frame, pages } = buffer;
      this.exposure?.unmaps(pfn, frame, pages, NOBODYS);
      yield* this.api.unmap(core, pfn, pages);
      this.unmapped(buffer);
      this.givePages(core, buffer);
    }
    do {
      while (queue.arrived.length > 0 && polled < pollBudget) {
        polled++;
        refill += yield* this.receive(core, queue);
        if (refill >= refillBatch) break;
      }
      for (; refill > 0; refill--) {
        const pages = this.drawPages();
        const frame = this.takePages(core, pages);
        const pfn = yield* this.api.map(core, frame, pages, 2);
        const buffer = { pfn, frame, pages, doneAt: 0 };
        if (pfn >= 0) queue.ring.push(buffer);
        else {
          // A map that failed is tried again at the next poll.
          queue.missing++;
          this.givePages(core, buffer);
        }
      }
    } while (queue.arrived.length > 0 && polled < pollBudget);
  }

  /** Takes a packet: unmaps its buffers, does the stack's share, and makes its thread runnable. @returns buffers that the ring lacks */
  private *receive(core: number, queue: Queue): Behaviour<number> {
    const { profile, rxMaps, receiveShare, cores } = this.options;
    const thread = queue.arrived.shift();
    const maps = profile.receive ? drawCount(rxMaps, this.random) : 0;
    let taken = 0;
    if (this.options.recycles) {
      // The page stays mapped: it is back in the ring before the ring has turned.
      for (let i = 0; i < maps; i++) yield* this.api.recycle(core, queue.turns++);
    }
    for (; !this.options.recycles && taken < maps && queue.ring.length > 0; taken++) {
      const buffer = queue.ring.shift();
      this.exposure?.unmaps(buffer.pfn, buffer.frame, buffer.pages, OWNER_READS);
      yield* this.api.unmap(core, buffer.pfn, buffer.pages);
      this.unmapped(buffer);
      this.reading[thread].push(buffer);
    }
    yield this.stack(core, receiveShare);
    this.ready[thread % cores].push(thread);
    this.cores.wake(thread % cores);
    return taken;
  }

  /** A thread answers its request: the stack's other share, the answer's maps, and the NIC has it. The peer will ask again. */
  private *answer(core: number, thread: number): Behaviour {
    const { receiveShare, profile, txMaps, transmitCycles, peerCycles } = this.options;
    yield this.stack(core, 1 - receiveShare);
    for (const buffer of this.reading[thread]) this.givePages(core, buffer);
    this.reading[thread].length = 0;
    const maps = profile.transmit ? drawCount(txMaps, this.random) : 0;
    const index = thread % this.queues.length;
    const wire = this.wire();
    for (let i = 0; i < maps; i++) {
      const pages = this.drawPages();
      const frame = this.takePages(core, pages);
      const pfn = yield* this.api.map(core, frame, pages, 1);
      const buffer = { pfn, frame, pages, doneAt: this.simulation.now + wire + transmitCycles };
      // A transmission whose map failed is dropped.
      if (pfn >= 0) this.queues[index].sent.push(buffer);
      else this.givePages(core, buffer);
    }
    if (maps > 0) this.simulation.post(wire + transmitCycles, this.kinds + SENT, index);
    this.simulation.post(wire + Math.round(peerCycles * (0.5 + this.random.uniform())), this.kinds + ARRIVE, thread);
    // An answer counts when it has left, or those that wait for the link would count as answered.
    if (wire > 0) this.simulation.post(wire, this.kinds + LEFT, thread);
    else this.answered();
  }

  private answered(): void {
    this.done++;
    if (this.done >= this.stopAt) this.simulation.stop();
  }

  /** Sends an answer over the link, behind those before it. @returns when it has left, as whole cycles from now */
  private wire(): number {
    const { now } = this.simulation;
    this.wireFree = Math.max(this.wireFree, now) + this.options.wireCycles;
    return Math.round(this.wireFree - now);
  }

  /** A random one among the sent buffers that are complete, as its distance from the first. */
  private completedAhead(queue: Queue): number {
    return this.random.below(Math.min(16, Math.max(1, this.countReady(queue))));
  }

  private countReady(queue: Queue): number {
    let n = 0;
    while (n < 16 && n < queue.sent.length && queue.sent.at(n).doneAt <= this.simulation.now) n++;
    return n;
  }
}
