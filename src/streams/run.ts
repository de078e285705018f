/**
 * Runs a stream fast. Every stage hands its packets on after a fixed time, so each has a ring in time order and no event queue is needed:
 * the next event is the earliest of a few heads. That trades generality for about four times the speed (npm run bench:pages);
 * `reference.ts` is the same model on the engine's event queue, and a test compares their results.
 *
 * At the same time: packets done first, then data ready, then walks, then arrivals; within a kind by device (in the order of names).
 */

import { KeyIndex, type TranslationCache, TranslationUnit, translationCache, walkMemory } from "../iommu/index.js";
import { dataCredits, WireDirection } from "../machine/index.js";
import { faultReason } from "../pagetables/index.js";
import { PacketSizes, StreamAccounts, stage } from "./accounts.js";
import { DmaAddresses } from "./addresses.js";
import { TranslationCheck } from "./check.js";
import type { StreamConfig, StreamDevice, StreamResult } from "./stream.js";

/** Packets and the times at which they are due, first in first out; times never decrease. */
class Ring {
  private readonly times: Float64Array;
  private readonly items: Int32Array;
  private readonly mask: number;
  private head = 0;
  private tail = 0;
  /** When the first one is due; Infinity when there is none. */
  first: number = Number.POSITIVE_INFINITY;

  constructor(capacity: number) {
    let size = 4;
    while (size < capacity + 1) size *= 2;
    this.times = new Float64Array(size);
    this.items = new Int32Array(size);
    this.mask = size - 1;
  }

  push(time: number, item: number): void {
    if (this.head === this.tail) this.first = time;
    this.times[this.tail] = time;
    this.items[this.tail] = item;
    this.tail = (this.tail + 1) & this.mask;
  }

  pop(): number {
    const item = this.items[this.head];
    this.head = (this.head + 1) & this.mask;
    this.first = this.head === this.tail ? Number.POSITIVE_INFINITY : this.times[this.head];
    return item;
  }

  get empty(): boolean {
    return this.head === this.tail;
  }

  /** The first item, without taking it. */
  peek(): number {
    return this.items[this.head];
  }
}

/** What a packet is: an ordinary request, a translation request (ATS), or a request with a translated address (ATS). */
const plain = 0;
const translationRequest = 1;
const translated = 2;

/** A device's state: its wires, credits, free tags and the DMA that it is cutting into packets. */
class DeviceState {
  readonly up: WireDirection;
  readonly down: WireDirection;
  readonly sizes: PacketSizes;
  readonly addresses: DmaAddresses;
  readonly deviceTlb: TranslationCache | undefined;
  readonly arrivals: Ring;
  readonly done: Ring;
  /** Packets in the order of their arrival at the unit, where that order has to be kept. */
  readonly order: Ring;
  readonly free: Int32Array;
  freeCount: number;
  dataCredits: number;
  /** When the card can send its next write. */
  nextWrite = 0;
  at = 0;
  left = 0;
  transfer = -1;

  constructor(
    readonly config: StreamDevice,
    stream: StreamConfig,
    unit: TranslationUnit | undefined,
    firstSlot: number,
    slots: number,
  ) {
    this.up = new WireDirection(config.link);
    this.down = new WireDirection(config.link);
    this.sizes = new PacketSizes(config.link, stream.direction === "read");
    this.addresses = addressesOf(stream, config.name);
    this.deviceTlb = deviceTlbOf(stream, config, unit);
    this.arrivals = new Ring(slots);
    this.done = new Ring(slots);
    this.order = new Ring(slots);
    this.free = Int32Array.from({ length: slots }, (_, i) => firstSlot + slots - 1 - i);
    this.freeCount = slots;
    this.dataCredits = config.postedData;
  }
}

/** Devices in the order of their names, which is the order in which they are served: never that of the configuration. */
export function devicesByName(devices: readonly StreamDevice[]): StreamDevice[] {
  const names = new Set(devices.map((device) => device.name));
  if (names.size !== devices.length) throw new RangeError("devices: two have the same name");
  return [...devices].sort((a, b) => (a.name < b.name ? -1 : 1));
}

/** The remapping units of a stream: none, one, or one a device. */
export function unitsOf(config: StreamConfig): TranslationUnit[] {
  const { translation, devices } = config;
  if (!translation) return [];
  const count = translation.units === "shared" ? 1 : devices.length;
  const units = Array.from(
    { length: count },
    () => new TranslationUnit(translation.unit, translation.table, walkMemory(translation.memory, translation.table)),
  );
  for (const [i, device] of devicesByName(devices).entries()) {
    const addresses = addressesOf(config, `${device.name}, before`);
    units[count === 1 ? 0 : i].prime(config.primed, () => addresses.take());
  }
  return units;
}

/** The addresses of a device's DMAs. */
export function addressesOf(config: StreamConfig, name: string): DmaAddresses {
  return new DmaAddresses(config.windowStart, config.windowBytes, config.dmaBytes, config.pattern, config.seed, name);
}

/** A device's own translation cache, filled with what its first translations leave there; undefined where it has none. */
export function deviceTlbOf(
  config: StreamConfig,
  device: StreamDevice,
  unit?: TranslationUnit,
): TranslationCache | undefined {
  const entries = device.deviceTlbEntries;
  if (!unit || entries === 0) return undefined;
  const tlb = translationCache({ entries, ways: entries, replacement: "lru" });
  const addresses = addressesOf(config, `${device.name}, before`);
  for (let i = 0; i < Math.max(config.primed, config.primed > 0 ? 8 * entries : 0); i++) {
    const key = unit.pageKey(addresses.take());
    if (tlb.find(key, 0) < 0) tlb.insert(key, 0, key);
  }
  return tlb;
}

/** Packets that a device can have in flight: read tags, or posted header credits. */
export function slotsOf(device: StreamDevice, direction: "read" | "write"): number {
  const [field, slots] = direction === "read" ? ["tags", device.tags] : ["postedHeaders", device.postedHeaders];
  if (!Number.isInteger(slots) || (slots as number) < 1)
    throw new RangeError(`${field}: ${slots}; at least 1 is needed`);
  return slots as number;
}

class StreamRun {
  private readonly read: boolean;
  private readonly inOrder: boolean;
  private readonly devices: DeviceState[];
  private readonly units: TranslationUnit[];
  private readonly accounts: StreamAccounts;
  private readonly check: TranslationCheck | undefined;
  private readonly slotDevice: Int32Array;
  private readonly slotAddress: Float64Array;
  private readonly slotBytes: Int32Array;
  private readonly slotTransfer: Int32Array;
  private readonly slotKind: Uint8Array;
  private readonly slotRefused: Uint8Array;
  private readonly slotReleased: Uint8Array;
  private readonly slotIssued: Float64Array;
  private readonly slotSince: Float64Array;
  private readonly slotNext: Int32Array;
  private readonly transferPackets: Int32Array;
  private readonly transferStart: Float64Array;
  private readonly freeTransfers: number[];
  private readonly ready: Ring;
  private readonly readyFromDram: Ring;
  private readonly residentFrom: number;
  // Walks: one record for each page that some packet waits for.
  private readonly waiting: KeyIndex[];
  private readonly queues: Ring[];
  private readonly walkKey: Float64Array;
  private readonly walkAddress: Float64Array;
  private readonly walkSince: Float64Array;
  private readonly walkHead: Int32Array;
  private readonly walkTail: Int32Array;
  private readonly freeWalks: number[];
  private readonly walkersEach: number;
  private readonly walkerDue: Float64Array;
  private readonly walkerWalk: Int32Array;
  private readonly walkerMapped: Uint8Array;
  private readonly nextWalk: Float64Array;
  private readonly walkIntervalPs: number;
  private nextWalker = -1;
  private nextWalkDue = Number.POSITIVE_INFINITY;

  constructor(private readonly config: StreamConfig) {
    const byName = devicesByName(config.devices);
    const slots = byName.map((device) => slotsOf(device, config.direction));
    const total = slots.reduce((sum, n) => sum + n, 0);
    let first = 0;
    this.units = unitsOf(config);
    this.slotDevice = new Int32Array(total);
    this.devices = byName.map((device, i) => {
      const unit = this.units[this.units.length === 1 ? 0 : i];
      const state = new DeviceState(device, config, unit, first, slots[i]);
      this.slotDevice.fill(i, first, first + slots[i]);
      first += slots[i];
      return state;
    });
    this.read = config.direction === "read";
    this.inOrder = !this.read || (config.translation !== null && !config.translation.hitUnderMiss);
    this.accounts = new StreamAccounts(config, byName, this.units);
    this.accounts.wireBusyPs = () =>
      this.devices.reduce((sum, device) => sum + (this.read ? device.down : device.up).busyPs, 0);
    this.check = config.check && config.translation ? new TranslationCheck(config.translation.table) : undefined;
    this.slotAddress = new Float64Array(total);
    this.slotBytes = new Int32Array(total);
    this.slotTransfer = new Int32Array(total);
    this.slotKind = new Uint8Array(total);
    this.slotRefused = new Uint8Array(total);
    this.slotReleased = new Uint8Array(total);
    this.slotIssued = new Float64Array(total);
    this.slotSince = new Float64Array(total);
    this.slotNext = new Int32Array(total);
    const transfers = total + byName.length + 1;
    this.transferPackets = new Int32Array(transfers);
    this.transferStart = new Float64Array(transfers);
    this.freeTransfers = Array.from({ length: transfers }, (_, i) => transfers - 1 - i);
    this.ready = new Ring(total);
    this.readyFromDram = new Ring(total);
    const { residentBytes, dramExtraPs } = config.host;
    this.residentFrom =
      dramExtraPs === 0 || !this.read ? -1 : config.windowStart + Math.max(0, config.windowBytes - residentBytes);
    this.waiting = this.units.map(() => new KeyIndex(total));
    this.queues = this.units.map(() => new Ring(total));
    this.walkKey = new Float64Array(total);
    this.walkAddress = new Float64Array(total);
    this.walkSince = new Float64Array(total);
    this.walkHead = new Int32Array(total);
    this.walkTail = new Int32Array(total);
    this.freeWalks = Array.from({ length: total }, (_, i) => total - 1 - i);
    this.walkersEach = config.translation?.unit.walkers ?? 0;
    const walkers = this.walkersEach * this.units.length;
    this.walkerDue = new Float64Array(walkers).fill(Number.POSITIVE_INFINITY);
    this.walkerWalk = new Int32Array(walkers);
    this.walkerMapped = new Uint8Array(walkers);
    this.nextWalk = new Float64Array(this.units.length);
    this.walkIntervalPs = config.translation?.unit.walkIntervalPs ?? 0;
  }

  run(): StreamResult {
    const { devices, ready, readyFromDram } = this;
    const count = devices.length;
    let now = 0;
    for (let d = 0; d < count; d++) this.issue(d, 0);
    for (;;) {
      let best = Number.POSITIVE_INFINITY;
      let kind = -1;
      let device = 0;
      for (let d = 0; d < count; d++) {
        const due = devices[d].done.first;
        if (due < best) {
          best = due;
          kind = 0;
          device = d;
        }
      }
      if (ready.first < best) {
        best = ready.first;
        kind = 1;
      }
      if (readyFromDram.first < best) {
        best = readyFromDram.first;
        kind = 2;
      }
      if (this.nextWalkDue < best) {
        best = this.nextWalkDue;
        kind = 3;
      }
      for (let d = 0; d < count; d++) {
        const due = devices[d].arrivals.first;
        if (due < best) {
          best = due;
          kind = 4;
          device = d;
        }
      }
      if (kind < 0) break;
      now = best;
      if (kind === 0) this.finish(devices[device].done.pop(), now);
      else if (kind === 1) this.dataReady(ready.pop(), now);
      else if (kind === 2) this.dataReady(readyFromDram.pop(), now);
      else if (kind === 3) this.walkDone(this.nextWalker, now);
      else this.arrive(devices[device].arrivals.pop(), now);
    }
    if (this.check) this.accounts.checked = this.check.checked;
    return this.accounts.result(now);
  }

  /** Sends packets while a tag or credit is free. */
  private issue(d: number, now: number): void {
    const device = this.devices[d];
    while (device.freeCount > 0) {
      if (device.left === 0) {
        if (this.accounts.stopping) return;
        device.at = device.addresses.take();
        device.left = this.config.dmaBytes;
        device.transfer = this.freeTransfers.pop() as number;
        this.transferPackets[device.transfer] = 1;
        this.transferStart[device.transfer] = now;
      }
      const bytes = device.sizes.next(device.at, device.left);
      if (!this.read) {
        const credits = dataCredits(bytes);
        if (device.dataCredits < credits) return;
        device.dataCredits -= credits;
      }
      const slot = device.free[--device.freeCount];
      this.slotAddress[slot] = device.at;
      this.slotBytes[slot] = bytes;
      this.slotTransfer[slot] = device.transfer;
      this.slotRefused[slot] = 0;
      this.slotReleased[slot] = 0;
      this.slotIssued[slot] = now;
      // A transfer holds one count of its own until its last packet is cut.
      this.transferPackets[device.transfer] += 1;
      device.at += bytes;
      device.left -= bytes;
      if (device.left === 0) this.transferPackets[device.transfer] -= 1;
      this.accounts.enter(stage.tags, now);
      this.slotKind[slot] = plain;
      if (device.deviceTlb && this.units.length > 0) {
        const key = this.unitOf(d).pageKey(device.at - bytes);
        if (device.deviceTlb.find(key, 0) >= 0) {
          this.accounts.tlbHits += 1;
          this.slotKind[slot] = translated;
        } else this.slotKind[slot] = translationRequest;
      }
      this.send(slot, device, now);
    }
  }

  private unitOf(d: number): TranslationUnit {
    return this.units[this.units.length === 1 ? 0 : d];
  }

  private send(slot: number, device: DeviceState, now: number): void {
    const wire =
      this.read || this.slotKind[slot] === translationRequest
        ? device.sizes.request
        : device.sizes.data(this.slotAddress[slot], this.slotBytes[slot]);
    this.accounts.enter(stage.up, now);
    this.slotSince[slot] = now;
    let from = now;
    if (!this.read) {
      from = Math.max(now, device.nextWrite);
      device.nextWrite = from + (device.config.writeIntervalPs ?? 0);
    }
    device.arrivals.push(device.up.send(from, wire) + this.config.host.toUnitPs, slot);
  }

  /** A packet reaches the remapping unit. */
  private arrive(slot: number, now: number): void {
    const { accounts, slotSince } = this;
    accounts.leave(stage.up, now, slotSince[slot]);
    accounts.enter(stage.translate, now);
    slotSince[slot] = now;
    const kind = this.slotKind[slot];
    const d = this.slotDevice[slot];
    if (this.inOrder && kind !== translationRequest) this.devices[d].order.push(now, slot);
    if (this.units.length === 0 || kind === translated) {
      this.translationKnown(slot, now);
      return;
    }
    const u = this.units.length === 1 ? 0 : d;
    const unit = this.units[u];
    const address = this.slotAddress[slot];
    const found = unit.lookup(address);
    if (found >= 0) {
      this.check?.check(address, found);
      this.translationKnown(slot, now);
      return;
    }
    const key = unit.pageKey(address);
    const walk = this.waiting[u].get(key);
    this.slotNext[slot] = -1;
    if (walk >= 0) {
      accounts.merged += 1;
      this.slotNext[this.walkTail[walk]] = slot;
      this.walkTail[walk] = slot;
      return;
    }
    const fresh = this.freeWalks.pop() as number;
    this.walkKey[fresh] = key;
    this.walkAddress[fresh] = address;
    this.walkHead[fresh] = slot;
    this.walkTail[fresh] = slot;
    this.waiting[u].add(key, fresh);
    for (let w = u * this.walkersEach; w < (u + 1) * this.walkersEach; w++) {
      if (this.walkerDue[w] === Number.POSITIVE_INFINITY) {
        this.startWalk(w, fresh, now);
        return;
      }
    }
    accounts.enter(stage.walkQueue, now);
    this.walkSince[fresh] = now;
    this.queues[u].push(now, fresh);
  }

  private startWalk(walker: number, walk: number, now: number): void {
    const u = Math.floor(walker / this.walkersEach);
    const { durationPs, leafBytes } = this.units[u].walk(this.walkAddress[walk]);
    const begin = Math.max(now, this.nextWalk[u]);
    this.nextWalk[u] = begin + this.walkIntervalPs;
    const due = begin + durationPs;
    this.accounts.enter(stage.walkers, now);
    this.walkSince[walk] = now;
    this.walkerWalk[walker] = walk;
    this.walkerMapped[walker] = leafBytes > 0 ? 1 : 0;
    this.walkerDue[walker] = due;
    if (due < this.nextWalkDue || (due === this.nextWalkDue && walker < this.nextWalker)) {
      this.nextWalkDue = due;
      this.nextWalker = walker;
    }
  }

  /** A walk ends: its translation is cached, everyone who waited goes on, and the walker takes the next page in the queue. */
  private walkDone(walker: number, now: number): void {
    const u = Math.floor(walker / this.walkersEach);
    const walk = this.walkerWalk[walker];
    const mapped = this.walkerMapped[walker] === 1;
    this.accounts.leave(stage.walkers, now, this.walkSince[walk]);
    this.walkerDue[walker] = Number.POSITIVE_INFINITY;
    this.nextWalkDue = Number.POSITIVE_INFINITY;
    for (let w = 0; w < this.walkerDue.length; w++) {
      if (this.walkerDue[w] < this.nextWalkDue) {
        this.nextWalkDue = this.walkerDue[w];
        this.nextWalker = w;
      }
    }
    if (mapped) this.units[u].fill(this.walkAddress[walk]);
    this.waiting[u].remove(this.walkKey[walk]);
    for (let slot = this.walkHead[walk]; slot >= 0; ) {
      const next = this.slotNext[slot];
      const address = this.slotAddress[slot];
      if (!mapped) {
        this.slotRefused[slot] = 1;
        const reason = this.read ? faultReason.read : faultReason.write;
        this.accounts.fault(this.devices[this.slotDevice[slot]].config.name, address, reason, now);
      }
      this.check?.check(address, mapped ? address : -1);
      this.translationKnown(slot, now);
      slot = next;
    }
    this.freeWalks.push(walk);
    if (!this.queues[u].empty) {
      const next = this.queues[u].pop();
      this.accounts.leave(stage.walkQueue, now, this.walkSince[next]);
      this.startWalk(walker, next, now);
    }
  }

  /** A packet's translation is known; where order is kept, it leaves only behind those that came before it. */
  private translationKnown(slot: number, now: number): void {
    if (this.slotKind[slot] === translationRequest) {
      const device = this.devices[this.slotDevice[slot]];
      this.stageChange(slot, stage.translate, stage.down, now);
      const sent = device.down.send(now, device.sizes.translationReply);
      device.done.push(sent + this.config.host.toDevicePs, slot);
      return;
    }
    if (!this.inOrder) {
      this.toMemory(slot, now);
      return;
    }
    this.slotReleased[slot] = 1;
    const { order } = this.devices[this.slotDevice[slot]];
    while (!order.empty && this.slotReleased[order.peek()] === 1) this.toMemory(order.pop(), now);
  }

  private stageChange(slot: number, from: number, to: number, now: number): void {
    this.accounts.leave(from, now, this.slotSince[slot]);
    this.accounts.enter(to, now);
    this.slotSince[slot] = now;
  }

  private toMemory(slot: number, now: number): void {
    this.stageChange(slot, stage.translate, stage.memory, now);
    const { memoryPs, dramExtraPs } = this.config.host;
    if (this.slotAddress[slot] < this.residentFrom) this.readyFromDram.push(now + memoryPs + dramExtraPs, slot);
    else this.ready.push(now + memoryPs, slot);
  }

  /** Read data is at the root complex, or a write is committed. */
  private dataReady(slot: number, now: number): void {
    const device = this.devices[this.slotDevice[slot]];
    this.stageChange(slot, stage.memory, stage.down, now);
    let left = device.down.freePs > now ? device.down.freePs : now;
    if (this.read) {
      const { sizes } = device;
      const bytes =
        this.slotRefused[slot] === 1 ? sizes.refusal : sizes.data(this.slotAddress[slot], this.slotBytes[slot]);
      left = device.down.send(now, bytes);
    } else this.deliver(slot, now);
    device.done.push(left + this.config.host.toDevicePs, slot);
  }

  private deliver(slot: number, now: number): void {
    this.accounts.deliver(this.slotDevice[slot], this.slotRefused[slot] === 1 ? 0 : this.slotBytes[slot]);
    const transfer = this.slotTransfer[slot];
    if (--this.transferPackets[transfer] === 0) {
      this.freeTransfers.push(transfer);
      this.accounts.complete(now, this.transferStart[transfer]);
    }
  }

  /** The device has a completion, a translation, or a credit back. */
  private finish(slot: number, now: number): void {
    const d = this.slotDevice[slot];
    const device = this.devices[d];
    this.accounts.leave(stage.down, now, this.slotSince[slot]);
    if (this.slotKind[slot] === translationRequest && this.slotRefused[slot] === 0) {
      const key = this.unitOf(d).pageKey(this.slotAddress[slot]);
      device.deviceTlb?.insert(key, 0, key);
      this.slotKind[slot] = translated;
      this.send(slot, device, now);
      return;
    }
    if (this.read || this.slotKind[slot] === translationRequest) this.deliver(slot, now);
    this.accounts.leave(stage.tags, now, this.slotIssued[slot]);
    if (!this.read) device.dataCredits += dataCredits(this.slotBytes[slot]);
    device.free[device.freeCount++] = slot;
    this.issue(d, now);
  }
}

/**
 * Runs a stream from an idle machine until `warmup + transfers` DMAs are complete and everything in flight is done.
 * The same configuration gives the same result, whatever the order of its devices.
 * @throws RangeError naming the field that cannot be used
 */
export function runDmaStream(config: StreamConfig): StreamResult {
  return new StreamRun(config).run();
}
