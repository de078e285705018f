import { type DmaApi, type DmaClient, STEP_IDLE, STEP_STACK } from "../dma/index.js";
import {
  type Behaviour,
  type Process,
  type Processes,
  type RandomStream,
  type Simulation,
  type StateMachine,
  type Wait,
  waiting,
} from "../engine/index.js";
import type { HostMachine } from "../machine/index.js";
import { Fifo, type Nic, type NicDriver } from "../streams/index.js";
import type { PageSource } from "./pages.js";

/** A server of packets: each that comes in is taken by a core, and some are answered. Durations in core cycles. */
export interface PacketServerOptions {
  cores: number;
  /** Receive buffers of a queue. */
  ring: number;
  /** Bytes of a packet. */
  packetBytes: number;
  /** The stack's work for a packet that came in, and for one that goes out, without mapping. */
  receiveCycles: number;
  sendCycles: number;
  /** Lines that the stack touches for a packet. */
  stackLines: number;
  /** Share of packets that are answered by one of the same size. */
  answers: number;
  /** Bytes of a sent packet's header, mapped as a buffer of its own; 0: the packet is one buffer. */
  headerBytes: number;
  /** The last so many cores receive nothing: each keeps a number of packets of its own on their way out. */
  senders: number;
  sendersDepth: number;
  pollBudget: number;
  refillBatch: number;
  interruptGapCycles: number;
}

const STACK_DONE = 0;
const INTERRUPT = 1;

interface Core {
  idle: boolean;
  process: Process;
  flushDue: boolean;
  /** Buffers in the ring and under way to the wire: IOVA page and memory page, in turns; a header's memory page is less than 0. */
  ring: Fifo;
  sent: Fifo;
  /** Packets that the card has reported. */
  received: number;
  completed: number;
  missing: number;
  lastInterrupt: number;
  interruptPosted: boolean;
}

/** How often an address comes back. */
export interface AddressReuse {
  maps: number;
  /** Maps of an address that was mapped before. */
  again: number;
  /** Maps of other buffers between two of the same address: bucket b counts from 2^(b−1) up to 2^b; bucket 0 counts none. */
  between: number[];
}

/**
 * Cores that serve a card's packets: each polls its queue, unmaps what came in or went out, works, maps answers and fresh buffers, and gives
 * them to the card, which works beside them ({@link Nic}).
 */
export class PacketServer implements StateMachine, DmaClient, NicDriver {
  api!: DmaApi;
  nic!: Nic;
  receivePages!: PageSource;
  sendPages!: PageSource;
  headerPages!: PageSource;
  /** Packets served; of a core that only sends: sent, and their buffers given back. */
  served = 0;
  /** Answers that found no room, or no address. */
  droppedAnswers = 0;
  stopAt = Number.POSITIVE_INFINITY;
  reuse: AddressReuse = { maps: 0, again: 0, between: [] };
  private readonly lastMap = new Map<number, number>();
  private maps = 0;
  private readonly kinds: number;
  private readonly simulation: Simulation;
  private readonly cores: Core[];

  constructor(
    private readonly machine: HostMachine,
    processes: Processes,
    private readonly options: PacketServerOptions,
    private readonly random: RandomStream,
  ) {
    this.simulation = processes.sim;
    this.kinds = this.simulation.attach(this);
    this.cores = Array.from({ length: options.cores }, (_, core) => ({
      idle: true,
      process: processes.begin(`core ${core}`, () => this.run(core)),
      flushDue: false,
      ring: new Fifo(),
      sent: new Fifo(),
      received: 0,
      completed: 0,
      missing: 0,
      lastInterrupt: Number.NEGATIVE_INFINITY,
      interruptPosted: false,
    }));
  }

  /** Maps the receive buffers, outside simulated time, and gives them to the card. */
  fillRings(): void {
    const { cores, ring } = this.options;
    for (let i = 0; i < ring; i++)
      for (let core = 0; core < cores; core++) {
        const frame = this.receivePages.take(core, 1);
        const pfn = this.api.mapAtBoot(core, frame, 1, 2);
        this.cores[core].ring.push(pfn);
        this.cores[core].ring.push(frame);
        this.nic.post(core, "receive", pfn * 4096, 0);
      }
  }

  /** The cores that only send begin. */
  begin(): void {
    const { cores, senders } = this.options;
    for (let core = cores - senders; core < cores; core++) this.simulation.post(0, this.kinds + INTERRUPT, core);
  }

  received(queue: number, count: number): void {
    this.cores[queue].received += count;
    this.raise(queue);
  }

  sent(queue: number, count: number): void {
    this.cores[queue].completed += count;
    this.raise(queue);
  }

  dmaTimer(core: number): void {
    this.cores[core].flushDue = true;
    if (this.cores[core].idle) this.wake(core);
  }

  dispatch(kind: number, core: number): void {
    const c = this.cores[core];
    if (kind === STACK_DONE) {
      c.process.resume();
      return;
    }
    c.interruptPosted = false;
    c.lastInterrupt = this.simulation.now;
    if (c.idle) this.wake(core);
  }

  /** Counts afresh: the end of the warm-up. */
  reset(): void {
    this.reuse = { maps: 0, again: 0, between: [] };
    this.droppedAnswers = 0;
  }

  private wake(core: number): void {
    this.cores[core].idle = false;
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    this.cores[core].process.resume();
  }

  private raise(core: number): void {
    const c = this.cores[core];
    if (!c.idle || c.interruptPosted) return;
    c.interruptPosted = true;
    const due = Math.max(this.simulation.now, c.lastInterrupt + this.options.interruptGapCycles);
    this.simulation.post(due - this.simulation.now, this.kinds + INTERRUPT, core);
  }

  private *run(core: number): Behaviour {
    yield waiting;
    const c = this.cores[core];
    for (;;) {
      if (c.flushDue) {
        c.flushDue = false;
        yield* this.api.flush(core);
      } else if (c.received > 0 || c.completed > 0) yield* this.poll(core, c);
      else if (this.sendsMore(core, c)) yield* this.answer(core, c);
      else yield this.sleep(core);
    }
  }

  /** Whether a core that only sends has room for one more. */
  private sendsMore(core: number, c: Core): boolean {
    const { cores, senders, sendersDepth, headerBytes } = this.options;
    return core >= cores - senders && c.sent.length / 2 < sendersDepth * (headerBytes > 0 ? 2 : 1);
  }

  private sleep(core: number): Wait {
    this.cores[core].idle = true;
    this.api.accounts.enter(core, STEP_IDLE, 0, this.simulation.now);
    return waiting;
  }

  /** The drivers' poll: what was sent, what came in, fresh buffers. */
  private *poll(core: number, c: Core): Behaviour {
    const { pollBudget, refillBatch } = this.options;
    for (; c.completed > 0; c.completed--) {
      const pfn = c.sent.shift();
      const frame = c.sent.shift();
      yield* this.api.unmap(core, pfn, 1);
      if (frame < 0) this.headerPages.give(core, -frame, 1);
      else this.sendPages.give(core, frame, 1);
      if (core >= this.options.cores - this.options.senders) this.serve();
    }
    let refill = c.missing;
    c.missing = 0;
    for (let polled = 0; polled < pollBudget && c.received > 0 && c.ring.length > 0; polled++) {
      c.received--;
      const pfn = c.ring.shift();
      const frame = c.ring.shift();
      yield* this.api.unmap(core, pfn, 1);
      yield this.work(core, this.options.receiveCycles);
      this.receivePages.give(core, frame, 1);
      if (this.random.chance(this.options.answers)) yield* this.answer(core, c);
      this.serve();
      if (++refill >= refillBatch) {
        yield* this.refill(core, c, refill);
        refill = 0;
      }
    }
    if (refill > 0) yield* this.refill(core, c, refill);
  }

  private serve(): void {
    this.served++;
    if (this.served >= this.stopAt) this.simulation.stop();
  }

  private *refill(core: number, c: Core, count: number): Behaviour {
    for (let i = 0; i < count; i++) {
      const frame = this.receivePages.take(core, 1);
      const pfn = yield* this.api.map(core, frame, 1, 2);
      if (pfn < 0) {
        this.receivePages.give(core, frame, 1);
        c.missing++;
        continue;
      }
      this.mapped(pfn);
      c.ring.push(pfn);
      c.ring.push(frame);
      this.nic.post(core, "receive", pfn * 4096, 0);
    }
  }

  /** Maps a packet's header and data, and hands both to the card. */
  private *answer(core: number, c: Core): Behaviour {
    const { packetBytes, headerBytes, ring, sendCycles } = this.options;
    if (c.sent.length / 2 + 2 > ring) {
      this.droppedAnswers++;
      return;
    }
    yield this.work(core, sendCycles);
    if (headerBytes > 0 && !(yield* this.send(core, c, this.headerPages, -headerBytes))) return;
    yield* this.send(core, c, this.sendPages, packetBytes - headerBytes);
  }

  private *send(core: number, c: Core, pages: PageSource, bytes: number): Behaviour<boolean> {
    const frame = pages.take(core, 1);
    const pfn = yield* this.api.map(core, frame, 1, 1);
    if (pfn < 0) {
      pages.give(core, frame, 1);
      this.droppedAnswers++;
      return false;
    }
    this.mapped(pfn);
    c.sent.push(pfn);
    c.sent.push(pages === this.headerPages ? -frame : frame);
    this.nic.post(core, "transmit", pfn * 4096, bytes);
    return true;
  }

  private work(core: number, cycles: number): Wait {
    const { stackLines } = this.options;
    if (stackLines > 0) this.machine.touchFootprint(core, stackLines);
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    this.simulation.post(Math.round(cycles * (0.75 + this.random.uniform() / 2)), this.kinds + STACK_DONE, core);
    return waiting;
  }

  /** A buffer was mapped at this page: when was it before? */
  private mapped(pfn: number): void {
    const { reuse } = this;
    reuse.maps++;
    const before = this.lastMap.get(pfn);
    this.lastMap.set(pfn, ++this.maps);
    if (before === undefined) return;
    reuse.again++;
    const bucket = 32 - Math.clz32(this.maps - before - 1);
    reuse.between[bucket] = (reuse.between[bucket] ?? 0) + 1;
  }
}
