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
import { dma32Pfn } from "../iova/index.js";
import type { HostMachine } from "../machine/index.js";
import { Fifo, type Nic, type NicDriver } from "../streams/index.js";
import { ServerCores, type ServerLoad, variedWork } from "./cores.js";
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

/** So many pages below 4 GiB, from where addresses are handed out downwards, lie in an array; others, memory's own among them, in a map. */
const nearPages = 1 << 17;

/** The number of each page's last map, from 1 on. */
class LastMaps {
  private readonly near = new Int32Array(nearPages);
  private readonly others = new Map<number, number>();

  /** Notes a map of a page. @returns the one before it; 0 where there was none */
  exchange(pfn: number, map: number): number {
    const at = dma32Pfn - pfn;
    if (at >= 0 && at < nearPages) {
      const before = this.near[at];
      this.near[at] = map;
      return before;
    }
    const before = this.others.get(pfn) ?? 0;
    this.others.set(pfn, map);
    return before;
  }
}

const STACK_DONE = 0;
const INTERRUPT = 1;

/** A core's queue of the card. */
interface Queue {
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
export class PacketServer implements StateMachine, NicDriver, ServerLoad {
  api!: DmaApi;
  nic!: Nic;
  receivePages!: PageSource;
  sendPages!: PageSource;
  headerPages!: PageSource;
  /** Packets served; of a core that only sends: sent, and their buffers given back. */
  done = 0;
  /** Answers that found no room, or no address. */
  droppedAnswers = 0;
  stopAt = Number.POSITIVE_INFINITY;
  /** Each a process; the DMA API tells them when its flush is due. */
  readonly cores: ServerCores;
  reuse: AddressReuse = { maps: 0, again: 0, between: [] };
  private readonly lastMap = new LastMaps();
  private maps = 0;
  private readonly kinds: number;
  private readonly simulation: Simulation;
  private readonly queues: Queue[];

  constructor(
    private readonly machine: HostMachine,
    processes: Processes,
    private readonly options: PacketServerOptions,
    private readonly random: RandomStream,
  ) {
    this.simulation = processes.sim;
    this.kinds = this.simulation.attach(this);
    this.queues = Array.from({ length: options.cores }, () => ({
      ring: new Fifo(),
      sent: new Fifo(),
      received: 0,
      completed: 0,
      missing: 0,
      lastInterrupt: Number.NEGATIVE_INFINITY,
      interruptPosted: false,
    }));
    this.cores = new ServerCores(processes, options.cores, this.kinds + STACK_DONE, "asleep", (core) => this.run(core));
  }

  /** Maps the receive buffers, outside simulated time, and gives them to the card. */
  fillRings(): void {
    const { cores, ring } = this.options;
    for (let i = 0; i < ring; i++)
      for (let core = 0; core < cores; core++) {
        const frame = this.receivePages.take(core, 1);
        const pfn = this.api.mapAtBoot(core, frame, 1, 2);
        this.queues[core].ring.push(pfn);
        this.queues[core].ring.push(frame);
        this.nic.post(core, "receive", pfn * 4096, 0);
      }
  }

  /** The cores that only send begin. */
  begin(): void {
    const { cores, senders } = this.options;
    for (let core = cores - senders; core < cores; core++) this.simulation.post(0, this.kinds + INTERRUPT, core);
  }

  received(queue: number, count: number): void {
    this.queues[queue].received += count;
    this.raise(queue);
  }

  sent(queue: number, count: number): void {
    this.queues[queue].completed += count;
    this.raise(queue);
  }

  dispatch(kind: number, core: number): void {
    if (kind === STACK_DONE) {
      this.cores.resume(core);
      return;
    }
    const queue = this.queues[core];
    queue.interruptPosted = false;
    queue.lastInterrupt = this.simulation.now;
    this.cores.wake(core);
  }

  /** Counts afresh: the end of the warm-up. */
  reset(): void {
    this.reuse = { maps: 0, again: 0, between: [] };
    this.droppedAnswers = 0;
  }

  private raise(core: number): void {
    const queue = this.queues[core];
    if (!this.cores.isAsleep(core) || queue.interruptPosted) return;
    queue.interruptPosted = true;
    const due = Math.max(this.simulation.now, queue.lastInterrupt + this.options.interruptGapCycles);
    this.simulation.post(due - this.simulation.now, this.kinds + INTERRUPT, core);
  }

  private *run(core: number): Behaviour {
    yield waiting;
    const queue = this.queues[core];
    for (;;) {
      if (this.cores.takesFlush(core)) yield* this.api.flush(core);
      else if (queue.received > 0 || queue.completed > 0) yield* this.poll(core, queue);
      else if (this.sendsMore(core, queue)) yield* this.answer(core, queue);
      else yield this.cores.sleep(core);
    }
  }

  /** Whether a core that only sends has room for one more. */
  private sendsMore(core: number, queue: Queue): boolean {
    const { cores, senders, sendersDepth, headerBytes } = this.options;
    return core >= cores - senders && queue.sent.length / 2 < sendersDepth * (headerBytes > 0 ? 2 : 1);
  }

  /** The drivers' poll: what was sent, what came in, fresh buffers. */
  private *poll(core: number, queue: Queue): Behaviour {
    const { pollBudget, refillBatch } = this.options;
    for (; queue.completed > 0; queue.completed--) {
      const pfn = queue.sent.shift();
      const frame = queue.sent.shift();
      yield* this.api.unmap(core, pfn, 1);
      if (frame < 0) this.headerPages.give(core, -frame, 1);
      else this.sendPages.give(core, frame, 1);
      if (core >= this.options.cores - this.options.senders) this.serve();
    }
    let refill = queue.missing;
    queue.missing = 0;
    for (let polled = 0; polled < pollBudget && queue.received > 0 && queue.ring.length > 0; polled++) {
      queue.received--;
      const pfn = queue.ring.shift();
      const frame = queue.ring.shift();
      yield* this.api.unmap(core, pfn, 1);
      yield this.work(core, this.options.receiveCycles);
      this.receivePages.give(core, frame, 1);
      if (this.random.chance(this.options.answers)) yield* this.answer(core, queue);
      this.serve();
      if (++refill >= refillBatch) {
        yield* this.refill(core, queue, refill);
        refill = 0;
      }
    }
    if (refill > 0) yield* this.refill(core, queue, refill);
  }

  private serve(): void {
    this.done++;
    if (this.done >= this.stopAt) this.simulation.stop();
  }

  private *refill(core: number, queue: Queue, count: number): Behaviour {
    for (let i = 0; i < count; i++) {
      const frame = this.receivePages.take(core, 1);
      const pfn = yield* this.api.map(core, frame, 1, 2);
      if (pfn < 0) {
        this.receivePages.give(core, frame, 1);
        queue.missing++;
        continue;
      }
      this.mapped(pfn);
      queue.ring.push(pfn);
      queue.ring.push(frame);
      this.nic.post(core, "receive", pfn * 4096, 0);
    }
  }

  /** Maps a packet's header and data, and hands both to the card. */
  private *answer(core: number, queue: Queue): Behaviour {
    const { packetBytes, headerBytes, ring, sendCycles } = this.options;
    if (queue.sent.length / 2 + 2 > ring) {
      this.droppedAnswers++;
      return;
    }
    yield this.work(core, sendCycles);
    if (headerBytes > 0 && !(yield* this.send(core, queue, this.headerPages, -headerBytes))) return;
    yield* this.send(core, queue, this.sendPages, packetBytes - headerBytes);
  }

  private *send(core: number, queue: Queue, pages: PageSource, bytes: number): Behaviour<boolean> {
    const frame = pages.take(core, 1);
    const pfn = yield* this.api.map(core, frame, 1, 1);
    if (pfn < 0) {
      pages.give(core, frame, 1);
      this.droppedAnswers++;
      return false;
    }
    this.mapped(pfn);
    queue.sent.push(pfn);
    queue.sent.push(pages === this.headerPages ? -frame : frame);
    this.nic.post(core, "transmit", pfn * 4096, bytes);
    return true;
  }

  private work(core: number, cycles: number): Wait {
    const { stackLines } = this.options;
    if (stackLines > 0) this.machine.touchFootprint(core, stackLines);
    return this.cores.work(core, Math.round(variedWork(cycles, this.random)));
  }

  /** A buffer was mapped at this page: when was it before? */
  private mapped(pfn: number): void {
    const { reuse } = this;
    reuse.maps++;
    const before = this.lastMap.exchange(pfn, ++this.maps);
    if (before === 0) return;
    reuse.again++;
    const bucket = 32 - Math.clz32(this.maps - before - 1);
    reuse.between[bucket] = (reuse.between[bucket] ?? 0) + 1;
  }
}
