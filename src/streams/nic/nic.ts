import type { RandomStream, Simulation, StateMachine } from "../../engine/index.js";
import { type Invalidation, type TranslationCache, type TranslationUnit, translationCache } from "../../iommu/index.js";
import { dataCredits, WireDirection } from "../../machine/index.js";
import { PacketSizes } from "../accounts.js";
import { type NicConfig, type NicCounts, type NicDriver, noNicCounts, wireBytes } from "./config.js";
import { Fifo } from "./fifo.js";
import { TranslationPort } from "./translation-port.js";

const FETCH_RECEIVE = 0;
const FETCH_TRANSMIT = 1;
const DATA_IN = 2;
const DATA_OUT = 3;
const REPORT_RECEIVE = 4;
const REPORT_TRANSMIT = 5;
/** Transfers of these kinds are posted writes, which keep their order. */
const posted = (kind: number): boolean => kind === DATA_IN || kind >= REPORT_RECEIVE;
const isRing = (kind: number): boolean => kind !== DATA_IN && kind !== DATA_OUT;

const FROM_WIRE = 0;
const AT_UNIT = 1;
const WALK_ENDED = 2;
const DONE = 3;
const TRANSLATED = 4;
const PUMP = 5;

/** So far ahead of the wire the card fetches what it sends. */
const sendAheadPs = 2_000_000;

/** Descriptors of one queue and direction: what the driver has posted, and what the card has fetched of it. */
class RingState {
  /** Addresses of buffers whose descriptors lie in memory, those being fetched included; and their bytes, less than 0 where the packet goes on. */
  readonly posted = new Fifo();
  readonly postedBytes = new Fifo();
  /** Those whose descriptors the card has. */
  readonly known = new Fifo();
  readonly knownBytes = new Fifo();
  fetching = 0;
  /** Packets in the card that wait for a descriptor of this ring. */
  awaited = 0;
  private next = 0;
  private reported = 0;
  /** Packets done and not reported. */
  done = 0;

  constructor(
    private readonly base: number,
    private readonly entries: number,
    private readonly descriptorBytes: number,
  ) {}

  /** Address of the next descriptors to fetch, or to report. */
  fetchAddress(count: number): number {
    const at = this.base + this.next * this.descriptorBytes;
    this.next = (this.next + count) % this.entries;
    return at;
  }

  reportAddress(count: number): number {
    const at = this.base + this.reported * this.descriptorBytes;
    this.reported = (this.reported + count) % this.entries;
    return at;
  }

  /** Whether there is something to fetch, and the card wants more of this ring. */
  wants(fetchBatch: number): boolean {
    return this.posted.length > this.fetching && this.known.length + this.fetching < 2 * fetchBatch;
  }

  /** Descriptors until the ring starts over. */
  get untilEnd(): number {
    return this.entries - this.next;
  }
}

/** Addresses of a queue's rings, as the device sees them, and their length. */
export interface QueueRings {
  receive: number;
  transmit: number;
  entries: number;
}

/**
 * A network card at work beside the cores: it fetches descriptors, writes packets that come in to the buffers they name, reads packets that
 * go out, and reports both, each transfer over its link and through the remapping unit. Writes keep their order, so one that waits for a
 * walk holds back all behind it; the link's credits then run out, the card's memory fills, and packets are lost.
 *
 * It works on the clock of the cores' simulation. What the driver does is {@link post}; what it hears is {@link NicDriver}.
 */
export class Nic implements StateMachine {
  /** What it did since the last reset. */
  counts: NicCounts = noNicCounts();
  /** Its way to the remapping unit; undefined where nothing is translated. */
  readonly port: TranslationPort | undefined;
  private readonly kinds: number;
  private readonly up: WireDirection;
  private readonly down: WireDirection;
  private readonly inSizes: PacketSizes;
  private readonly outSizes: PacketSizes;
  private readonly psPerTick: number;
  private readonly receive: RingState[];
  private readonly transmit: RingState[];
  /** A bit for each ring of which the card wants descriptors ({@link RingState.wants}), by queue, receive before transmit. */
  private readonly hungry: Int32Array;
  /** Descriptors of buffers to send that the card has, of all rings. */
  private toSend = 0;
  private readonly deviceTlb: TranslationCache | undefined;
  // Transfers.
  private readonly kind: Uint8Array;
  private readonly queue: Int32Array;
  private readonly address: Float64Array;
  private readonly bytes: Int32Array;
  private readonly count: Int32Array;
  private readonly issued: Float64Array;
  private readonly released: Uint8Array;
  private readonly translated: Uint8Array;
  private readonly free: number[];
  /** Writes that wait in the card for credits, and writes under way to memory, in order. */
  private readonly outgoing = new Fifo();
  private readonly inOrder = new Fifo();
  /** Writes whose translation request (ATS) waits for a tag, in order. */
  private readonly unasked = new Fifo();
  /** Queues of the packets that came and wait for a descriptor. */
  private readonly arrivals = new Fifo();
  private fifoUsed = 0;
  private headers: number;
  private data: number;
  private freeTags: number;
  private wireOutPs = 0;
  private nextSend = 0;
  private stalledSince = -1;
  private pumping = false;

  /**
   * @param unit the remapping unit, or undefined where nothing is translated
   * @param gigahertz ticks of the simulation a nanosecond
   */
  constructor(
    private readonly config: NicConfig,
    private readonly simulation: Simulation,
    gigahertz: number,
    unit: TranslationUnit | undefined,
    rings: readonly QueueRings[],
    private readonly driver: NicDriver,
    private readonly random: RandomStream,
  ) {
    this.kinds = simulation.attach(this);
    this.psPerTick = 1000 / gigahertz;
    this.up = new WireDirection(config.link);
    this.down = new WireDirection(config.link);
    this.inSizes = new PacketSizes(config.link, false);
    this.outSizes = new PacketSizes(config.link, true);
    const ring = (base: number, entries: number) => new RingState(base, entries, config.descriptorBytes);
    this.receive = rings.map(({ receive, entries }) => ring(receive, entries));
    this.transmit = rings.map(({ transmit, entries }) => ring(transmit, entries));
    this.hungry = new Int32Array(Math.ceil((2 * config.queues) / 32));
    const slots = 2 * config.tags + 2 * config.postedHeaders + Math.ceil(config.fifoBytes / 64) + 16;
    this.kind = new Uint8Array(slots);
    this.queue = new Int32Array(slots);
    this.address = new Float64Array(slots);
    this.bytes = new Int32Array(slots);
    this.count = new Int32Array(slots);
    this.issued = new Float64Array(slots);
    this.released = new Uint8Array(slots);
    this.translated = new Uint8Array(slots);
    this.free = Array.from({ length: slots }, (_, i) => slots - 1 - i);
    this.headers = config.postedHeaders;
    this.data = config.postedData;
    this.freeTags = config.tags;
    if (unit) {
      this.port = new TranslationPort(unit, simulation, this.psPerTick, slots, this.kinds + WALK_ENDED, (slot) =>
        this.known(slot),
      );
      if (config.deviceTlbEntries > 0)
        this.deviceTlb = translationCache({
          entries: config.deviceTlbEntries,
          ways: config.deviceTlbEntries,
          replacement: "lru",
        });
    }
  }

  private get nowPs(): number {
    return this.simulation.now * this.psPerTick;
  }

  private at(timePs: number, kind: number, actor: number): void {
    const delay = Math.ceil(timePs / this.psPerTick) - this.simulation.now;
    this.simulation.post(delay > 0 ? delay : 0, this.kinds + kind, actor);
  }

  /** Packets begin to come in. */
  start(): void {
    if (this.config.offered > 0) this.simulation.post(this.gap(), this.kinds + FROM_WIRE);
  }

  /** Ticks until the next packet: half to one and a half of the mean. */
  private gap(): number {
    const { gbps, packetBytes, offered } = this.config;
    const meanPs = ((packetBytes + wireBytes) * 8000) / (gbps * offered);
    return Math.max(1, Math.round((meanPs * (0.5 + this.random.uniform())) / this.psPerTick));
  }

  /**
   * The driver has put a buffer into a ring, and tells the card.
   * @param address of the buffer, as the device sees it
   * @param bytes to send from it, less than 0 where the packet goes on in the next buffer; of no meaning for receiving
   */
  post(queue: number, direction: "receive" | "transmit", address: number, bytes: number): void {
    const kind = direction === "receive" ? FETCH_RECEIVE : FETCH_TRANSMIT;
    const ring = this.ringOf(queue, kind);
    ring.posted.push(address);
    ring.postedBytes.push(bytes);
    this.look(ring, queue, kind);
    this.pump();
  }

  /** The hardware obeys an invalidation: the remapping unit's caches, or the card's own. */
  invalidated(what: Invalidation): void {
    this.port?.invalidate(what);
    if (what.kind !== "device" || !this.deviceTlb) return;
    let pages = 1;
    for (let order = 0; order < what.order; order++) pages *= 2;
    const first = Math.floor(what.pfn / pages) * pages;
    if (pages === 1) this.deviceTlb.invalidate(first, 0);
    else this.deviceTlb.dropRange(first, first + pages - 1, 1);
  }

  /** Counts afresh: the end of the warm-up. */
  reset(): void {
    this.counts = noNicCounts();
    this.port?.reset();
  }

  /** An event of the card's is due. */
  dispatch(kind: number, actor: number): void {
    switch (kind) {
      case FROM_WIRE:
        this.fromWire();
        return;
      case AT_UNIT:
        this.atUnit(actor);
        return;
      case WALK_ENDED:
        (this.port as TranslationPort).walkEnded(actor);
        return;
      case DONE:
        this.done(actor);
        return;
      case TRANSLATED:
        this.translatedFor(actor);
        return;
      default:
        this.pumping = false;
        this.pump();
    }
  }

  private fromWire(): void {
    const { config, counts } = this;
    this.simulation.post(this.gap(), this.kinds + FROM_WIRE);
    counts.arrived++;
    const queue = this.random.below(config.receivingQueues ?? config.queues);
    const ring = this.receive[queue];
    if (ring.known.length + ring.posted.length <= ring.awaited) counts.lostWithoutBuffer++;
    else if (this.fifoUsed + config.packetBytes > config.fifoBytes) counts.lostInCard++;
    else {
      this.fifoUsed += config.packetBytes;
      ring.awaited++;
      this.arrivals.push(queue);
    }
    this.pump();
  }

  /** Starts whatever can start: translation requests, fetches, data in, reports, data out. */
  private pump(): void {
    const { config } = this;
    this.askForWrites();
    this.fetchAll();
    while (this.arrivals.length > 0 && this.free.length > config.tags) {
      const ring = this.receive[this.arrivals.peek()];
      if (ring.known.length === 0) break;
      const queue = this.arrivals.shift();
      ring.awaited--;
      ring.knownBytes.shift();
      const address = ring.known.shift();
      this.look(ring, queue, FETCH_RECEIVE);
      this.write(DATA_IN, queue, address, config.packetBytes, 1);
      ring.done++;
      if (ring.done >= config.writeBackBatch || this.arrivals.length === 0) this.report(ring, queue, REPORT_RECEIVE);
    }
    this.sendWrites();
    this.fetchData();
  }

  private ringOf(queue: number, kind: number): RingState {
    return (kind === FETCH_RECEIVE ? this.receive : this.transmit)[queue];
  }

  /** A ring has changed: notes whether it wants descriptors now. */
  private look(ring: RingState, queue: number, kind: number): void {
    const bit = 2 * queue + kind;
    if (ring.wants(this.config.fetchBatch)) this.hungry[bit >> 5] |= 1 << (bit & 31);
    else this.hungry[bit >> 5] &= ~(1 << (bit & 31));
  }

  /** Fetches for every ring that wants descriptors, queue by queue. It is asked at each event: so it looks at those alone. */
  private fetchAll(): void {
    const { hungry } = this;
    for (let word = 0; word < hungry.length; word++)
      for (let rest = hungry[word]; rest !== 0 && this.freeTags > 0; rest &= rest - 1) {
        const bit = 32 * word + 31 - Math.clz32(rest & -rest);
        const kind = bit & 1;
        this.fetch(this.ringOf(bit >> 1, kind), bit >> 1, kind);
      }
  }

  private fetch(ring: RingState, queue: number, kind: number): void {
    const { fetchBatch, descriptorBytes } = this.config;
    while (ring.wants(fetchBatch) && this.freeTags > 0) {
      const count = Math.min(fetchBatch, ring.posted.length - ring.fetching, ring.untilEnd);
      ring.fetching += count;
      const slot = this.take(kind, queue, ring.fetchAddress(count), count * descriptorBytes, count);
      this.freeTags--;
      this.translate(slot);
    }
    this.look(ring, queue, kind);
  }

  private report(ring: RingState, queue: number, kind: number): void {
    const { writeBackBatch, descriptorBytes } = this.config;
    while (ring.done > 0) {
      const count = Math.min(ring.done, writeBackBatch);
      ring.done -= count;
      this.write(kind, queue, ring.reportAddress(count), count * descriptorBytes, count);
    }
  }

  private take(kind: number, queue: number, address: number, bytes: number, count: number): number {
    const slot = this.free.pop() as number;
    this.kind[slot] = kind;
    this.queue[slot] = queue;
    this.address[slot] = address;
    this.bytes[slot] = bytes;
    this.count[slot] = count;
    this.issued[slot] = this.nowPs;
    this.released[slot] = 0;
    this.translated[slot] = 0;
    if (isRing(kind)) this.counts.ringTransfers++;
    else this.counts.bufferTransfers++;
    return slot;
  }

  /** A write, behind all writes before it. */
  private write(kind: number, queue: number, address: number, bytes: number, count: number): void {
    const slot = this.take(kind, queue, address, bytes, count);
    this.outgoing.push(slot);
    if (!this.deviceTlb) return;
    this.unasked.push(slot);
    this.askForWrites();
  }

  /**
   * Translates writes, in order, as long as there are tags: a translation request is answered like a read, and holds a tag until it is. A
   * read's request goes under the tags that the read holds already.
   */
  private askForWrites(): void {
    while (this.unasked.length > 0 && this.freeTags > 0) {
      this.freeTags--;
      this.translate(this.unasked.shift());
    }
  }

  /** With ATS the card asks first; without, a read is sent at once, and a write when its turn comes. */
  private translate(slot: number): void {
    const { deviceTlb } = this;
    if (!deviceTlb) {
      this.sendRead(slot);
      return;
    }
    const page = Math.floor(this.address[slot] / 4096);
    const frame = deviceTlb.find(page, 0);
    if (frame >= 0) {
      this.counts.deviceTlbHits++;
      this.port?.check(this.address[slot], frame);
      this.goOn(slot);
      return;
    }
    this.counts.translationRequests++;
    this.at(this.up.send(this.nowPs, this.outSizes.request) + this.config.toUnitPs, AT_UNIT, slot);
  }

  private sendRead(slot: number): void {
    const { link, toUnitPs } = this.config;
    const requests = Math.ceil(this.bytes[slot] / link.mrrs);
    this.at(this.up.send(this.nowPs, requests * this.outSizes.request) + toUnitPs, AT_UNIT, slot);
  }

  /** Writes leave in order, as long as there are credits. */
  private sendWrites(): void {
    const { outgoing, inSizes, config } = this;
    while (outgoing.length > 0) {
      const slot = outgoing.peek();
      if (this.deviceTlb && this.translated[slot] === 0) break;
      const headers = Math.ceil(this.bytes[slot] / config.link.mps);
      const data = dataCredits(this.bytes[slot]);
      if (this.headers < headers || this.data < data) {
        if (this.stalledSince < 0) this.stalledSince = this.nowPs;
        return;
      }
      if (this.stalledSince >= 0) {
        this.counts.stalledPs += this.nowPs - this.stalledSince;
        this.stalledSince = -1;
      }
      outgoing.shift();
      this.headers -= headers;
      this.data -= data;
      if (this.kind[slot] === DATA_IN) this.fifoUsed -= this.bytes[slot];
      this.at(this.up.send(this.nowPs, this.wireBytesOf(slot, inSizes)) + config.toUnitPs, AT_UNIT, slot);
    }
  }

  /** Bytes on the link of all packets of a transfer's data. */
  private wireBytesOf(slot: number, sizes: PacketSizes): number {
    const { link } = this.config;
    const piece = sizes === this.inSizes ? link.mps : link.mrrs;
    let total = 0;
    let at = this.address[slot];
    for (let left = this.bytes[slot]; left > 0; ) {
      const bytes = Math.min(left, piece - (at % piece));
      total += sizes.data(at, bytes);
      at += bytes;
      left -= bytes;
    }
    return total;
  }

  /** Reads what goes out next, queue by queue, not too far ahead of the wire. */
  private fetchData(): void {
    const { config } = this;
    // Once round all queues with nothing to send ends where it began.
    for (let tried = 0; this.toSend > 0 && tried < config.queues; ) {
      const queue = this.nextSend;
      const ring = this.transmit[queue];
      if (ring.known.length === 0) {
        tried++;
        this.nextSend = (queue + 1) % config.queues;
        continue;
      }
      if (this.wireOutPs > this.nowPs + sendAheadPs) {
        if (!this.pumping) {
          this.pumping = true;
          // A tick at least: rounding must not bring it back to now.
          const delay = Math.ceil((this.wireOutPs - sendAheadPs) / this.psPerTick) - this.simulation.now;
          this.simulation.post(delay > 1 ? delay : 1, this.kinds + PUMP);
        }
        return;
      }
      const goesOn = ring.knownBytes.peek() < 0;
      const bytes = Math.abs(ring.knownBytes.peek());
      const tags = Math.ceil(bytes / config.link.mrrs);
      if (this.freeTags < tags) return;
      tried = 0;
      ring.knownBytes.shift();
      // The buffers of one packet follow one another.
      if (!goesOn) this.nextSend = (queue + 1) % config.queues;
      this.freeTags -= tags;
      this.wireOutPs = Math.max(this.wireOutPs, this.nowPs) + ((bytes + (goesOn ? 0 : wireBytes)) * 8000) / config.gbps;
      const address = ring.known.shift();
      this.toSend--;
      this.look(ring, queue, FETCH_TRANSMIT);
      this.translate(this.take(DATA_OUT, queue, address, bytes, goesOn ? 0 : 1));
    }
  }

  /** A transfer, or its translation request, reaches the remapping unit. */
  private atUnit(slot: number): void {
    const kind = this.kind[slot];
    const carriesData = posted(kind) && (!this.deviceTlb || this.translated[slot] === 1);
    if (carriesData) this.inOrder.push(slot);
    if (!this.port || this.translated[slot] === 1) this.known(slot);
    else if (this.port.ask(slot, this.address[slot], isRing(kind) ? 0 : 1)) this.known(slot);
  }

  /** A translation is known at the unit. */
  private known(slot: number): void {
    const { config } = this;
    if (this.deviceTlb && this.translated[slot] === 0) {
      const sent = this.down.send(this.nowPs, this.outSizes.translationReply);
      this.at(sent + config.toDevicePs, TRANSLATED, slot);
      return;
    }
    if (!posted(this.kind[slot])) {
      const ready = this.nowPs + config.memoryPs;
      const left = this.down.send(ready, this.wireBytesOf(slot, this.outSizes));
      this.at(left + config.toDevicePs, DONE, slot);
      return;
    }
    this.released[slot] = 1;
    const { inOrder } = this;
    while (inOrder.length > 0 && this.released[inOrder.peek()] === 1)
      this.at(this.nowPs + config.memoryPs + config.toDevicePs, DONE, inOrder.shift());
  }

  /** The card has a translation of its own (ATS), and goes on with it. */
  private translatedFor(slot: number): void {
    const page = Math.floor(this.address[slot] / 4096);
    const frame = this.port?.unit.table.frame(this.address[slot]) ?? -1;
    if (frame >= 0) this.deviceTlb?.insert(page, 0, frame);
    this.goOn(slot);
    this.askForWrites();
  }

  private goOn(slot: number): void {
    this.translated[slot] = 1;
    if (posted(this.kind[slot])) {
      this.freeTags++;
      this.sendWrites();
    } else this.sendRead(slot);
  }

  /** A read's data is in the card, or a write in memory and its credits back. */
  private done(slot: number): void {
    const { config, counts } = this;
    const kind = this.kind[slot];
    const queue = this.queue[slot];
    const count = this.count[slot];
    const bytes = this.bytes[slot];
    counts.transferPs += this.nowPs - this.issued[slot];
    this.free.push(slot);
    if (posted(kind)) {
      this.headers += Math.ceil(bytes / config.link.mps);
      this.data += dataCredits(bytes);
    } else this.freeTags += kind === DATA_OUT ? Math.ceil(bytes / config.link.mrrs) : 1;
    switch (kind) {
      case FETCH_RECEIVE:
      case FETCH_TRANSMIT: {
        const ring = this.ringOf(queue, kind);
        ring.fetching -= count;
        if (kind === FETCH_TRANSMIT) this.toSend += count;
        for (let i = 0; i < count; i++) {
          ring.known.push(ring.posted.shift());
          ring.knownBytes.push(ring.postedBytes.shift());
        }
        break;
      }
      case DATA_IN:
        counts.received++;
        counts.receivedBytes += bytes;
        break;
      case DATA_OUT: {
        const ring = this.transmit[queue];
        counts.sent += count;
        counts.sentBytes += bytes;
        ring.done++;
        if (ring.done >= config.writeBackBatch || ring.known.length + ring.fetching === 0)
          this.report(ring, queue, REPORT_TRANSMIT);
        break;
      }
      case REPORT_RECEIVE:
        this.driver.received(queue, count);
        break;
      default:
        this.driver.sent(queue, count);
    }
    this.pump();
  }
}
