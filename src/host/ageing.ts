import type { RandomStream } from "../engine/index.js";

/** What ageing needs of a host: its queues' rings and sent buffers, mapped and unmapped at once. */
export interface AgeingHost<B> {
  cores: number;
  /** Receive buffers that one turn replaces, over all queues. */
  ringBuffers: number;
  /** Maps of a transaction on either side. */
  receiveMaps(): number;
  transmitMaps(): number;
  /** Takes the oldest receive buffer of a core's queue; the map that replaces it. */
  takeReceived(core: number): B | undefined;
  mapReceive(core: number): void;
  /** Takes the sent buffers of a core's queue that are complete; maps one more. */
  takeSent(core: number): B | undefined;
  mapTransmit(core: number): void;
  /** Gives back a buffer's address. */
  free(core: number, buffer: B): void;
  /** Unmaps that wait together for their addresses to be given back: 1 strict, 250 in v4.3's deferred mode. */
  batch: number;
  /** Whether each core has a batch of its own. */
  batchPerCore: boolean;
}

/** How the traffic of {@link age} goes; data/workload says why, and over which ranges it is swept. */
export interface AgeingTraffic {
  /** How often each receive buffer is replaced. */
  turns: number;
  /** A poll finds from none to so many packets, each number as likely. */
  packets: number;
  /** Maps and unmaps that a core makes before the next core has its turn. */
  stretch: number;
  /** The cores have their turns one after the other; otherwise the next one is drawn. */
  inTurn: boolean;
  /** Without a receive ring: sent buffers a core that make a turn. */
  sentBuffers: number;
}

const CLEAN = 0;
const RECEIVE = 1;
const REFILL = 2;
const TRANSMIT = 3;

/**
 * Traffic without time: what long uptime does to the address space, before a measurement begins.
 *
 * Rings that the driver has just filled are contiguous, queue by queue, as they never are again. Here every core does what a loaded host's
 * cores do (clean sent buffers, take packets, refill, send), a few maps and unmaps at a time, as the lock lets them in. The allocator and
 * the page table really run; only nothing is charged.
 */
export function age<B>(host: AgeingHost<B>, traffic: AgeingTraffic, random: RandomStream): void {
  new Ageing(host, traffic, random).run();
}

/** A core's place in its round. */
interface AgeingCore {
  mode: number;
  unmaps: number;
  refills: number;
  ready: number;
  sends: number;
}

/** One ageing under way. Hot path: methods, which are compiled once; closures would be compiled again for each host. */
class Ageing<B> {
  private readonly waiting: B[][];
  private readonly cores: AgeingCore[];
  private replaced = 0;

  constructor(
    private readonly host: AgeingHost<B>,
    private readonly traffic: AgeingTraffic,
    private readonly random: RandomStream,
  ) {
    this.waiting = Array.from({ length: host.batchPerCore ? host.cores : 1 }, () => []);
    this.cores = Array.from({ length: host.cores }, () => ({ mode: CLEAN, unmaps: 0, refills: 0, ready: 0, sends: 0 }));
  }

  run(): void {
    const { host, random } = this;
    const { turns, stretch, inTurn, sentBuffers } = this.traffic;
    const { cores } = host;
    const wanted = turns * (host.ringBuffers > 0 ? host.ringBuffers : sentBuffers * cores);
    let core = cores - 1;
    let left = 0;
    while (this.replaced < wanted) {
      if (left === 0) {
        core = inTurn ? (core + 1) % cores : random.below(cores);
        left = stretch;
      }
      left--;
      this.turn(core);
    }
    for (const [owner, queue] of this.waiting.entries()) this.drain(owner, queue);
  }

  /** The next map or unmap of a core, or the end of its round. */
  private turn(core: number): void {
    const { host } = this;
    const s = this.cores[core];
    if (s.mode === CLEAN) {
      const sent = host.takeSent(core);
      if (sent !== undefined) {
        this.unmap(core, sent);
        return;
      }
      const packets = this.random.below(this.traffic.packets + 1);
      s.ready += packets;
      for (let i = 0; i < packets; i++) s.unmaps += host.receiveMaps();
      s.mode = RECEIVE;
    }
    if (s.mode === RECEIVE) {
      const received = s.unmaps > 0 ? host.takeReceived(core) : undefined;
      if (received !== undefined) {
        s.unmaps--;
        s.refills++;
        this.unmap(core, received);
        return;
      }
      s.unmaps = 0;
      s.mode = REFILL;
    }
    if (s.mode === REFILL) {
      if (s.refills > 0) {
        s.refills--;
        this.replaced++;
        host.mapReceive(core);
        return;
      }
      s.mode = TRANSMIT;
      if (s.ready > 0) {
        s.ready--;
        s.sends = host.transmitMaps();
      }
    }
    if (s.sends > 0) {
      s.sends--;
      if (host.ringBuffers === 0) this.replaced++;
      host.mapTransmit(core);
      return;
    }
    s.mode = CLEAN;
    // A driver that maps nothing (neither side) has nothing to age.
    if (host.ringBuffers === 0 && host.transmitMaps() === 0) this.replaced++;
  }

  private unmap(core: number, buffer: B): void {
    const { batch, batchPerCore } = this.host;
    const queue = this.waiting[batchPerCore ? core : 0];
    if (queue.length >= batch) this.drain(core, queue);
    queue.push(buffer);
    if (batch === 1) this.drain(core, queue);
  }

  private drain(core: number, queue: B[]): void {
    for (const buffer of queue) this.host.free(core, buffer);
    queue.length = 0;
  }
}
