/**
 * The model of a stream as an ordinary event-driven program on the engine's queue: what `dma-stream-run.ts` does with rings, in the words
 * of the hardware. Slower; it exists to be read, and to check the fast one (a test holds their results equal, field by field).
 */
import { HeapQueue, NONE } from "../engine/index.js";
import type { TranslationCache } from "../iommu/index.js";
import { dataCredits, PostedCredits, WireDirection } from "../machine/index.js";
import { faultReason } from "../pagetables/index.js";
import { PacketSizes, StreamAccounts, stage } from "./accounts.js";
import type { DmaAddresses } from "./addresses.js";
import { TranslationCheck } from "./check.js";
import { addressesOf, devicesByName, deviceTlbOf, slotsOf, unitsOf } from "./run.js";
import type { StreamConfig, StreamDevice, StreamResult } from "./stream.js";

interface Transfer {
  startedPs: number;
  left: number;
}

interface Packet {
  device: Device;
  address: number;
  bytes: number;
  transfer: Transfer;
  kind: "plain" | "translation request" | "translated";
  refused: boolean;
  translated: boolean;
  issuedPs: number;
  sincePs: number;
}

interface Device {
  index: number;
  config: StreamDevice;
  up: WireDirection;
  down: WireDirection;
  sizes: PacketSizes;
  addresses: DmaAddresses;
  tlb: TranslationCache | undefined;
  inFlight: number;
  credits: PostedCredits;
  at: number;
  left: number;
  transfer: Transfer;
  nextWrite: number;
  inOrder: Packet[];
}

interface Walk {
  key: number;
  address: number;
  packets: Packet[];
  sincePs: number;
  mapped: boolean;
}

/** Priorities of simultaneous events, spaced so that devices and walkers fit between: done, data ready, walk, arrival. */
const priority = { done: -128, ready: -90, readyFromDram: -89, walk: -80, arrival: -10 };

/** Runs a stream on the engine's event queue. The result equals that of `runDmaStream`. @public */
export function runDmaStreamReference(config: StreamConfig): StreamResult {
  const read = config.direction === "read";
  const units = unitsOf(config);
  const keepsOrder = !read || (config.translation !== null && !config.translation.hitUnderMiss);
  const walkersEach = config.translation?.unit.walkers ?? 0;
  const { host } = config;
  const residentFrom =
    read && host.dramExtraPs > 0
      ? config.windowStart + Math.max(0, config.windowBytes - host.residentBytes)
      : Number.NEGATIVE_INFINITY;
  const names = devicesByName(config.devices);
  const unitOf = (device: Device) => units[units.length === 1 ? 0 : device.index];
  const devices = names.map(
    (device, index): Device => ({
      index,
      config: device,
      up: new WireDirection(device.link),
      down: new WireDirection(device.link),
      sizes: new PacketSizes(device.link, read),
      addresses: addressesOf(config, device.name),
      tlb: deviceTlbOf(config, device, units[units.length === 1 ? 0 : index]),
      inFlight: 0,
      credits: new PostedCredits(device.postedHeaders, device.postedData),
      at: 0,
      left: 0,
      transfer: { startedPs: 0, left: 0 },
      nextWrite: 0,
      inOrder: [],
    }),
  );
  const accounts = new StreamAccounts(config, names, units);
  accounts.wireBusyPs = () => devices.reduce((sum, device) => sum + (read ? device.down : device.up).busyPs, 0);
  const check = config.check && config.translation ? new TranslationCheck(config.translation.table) : undefined;
  const pending: Map<number, Walk>[] = units.map(() => new Map());
  const queues: Walk[][] = units.map(() => []);
  const walkers: (Walk | undefined)[] = new Array(walkersEach * units.length).fill(undefined);

  const nextWalk = units.map(() => 0);

  const queue = new HeapQueue();
  const actions: (() => void)[] = [];
  let now = 0;
  const at = (time: number, order: number, action: () => void): void => {
    actions.push(action);
    queue.push(time, 0, 0, actions.length - 1, order);
  };

  const move = (packet: Packet, from: number, to: number): void => {
    accounts.leave(from, now, packet.sincePs);
    accounts.enter(to, now);
    packet.sincePs = now;
  };

  const issue = (device: Device): void => {
    while (device.inFlight < slotsOf(device.config, config.direction)) {
      if (device.left === 0) {
        if (accounts.stopping) return;
        device.at = device.addresses.take();
        device.left = config.dmaBytes;
        device.transfer = { startedPs: now, left: config.dmaBytes };
      }
      const bytes = device.sizes.next(device.at, device.left);
      if (!read && !device.credits.take(dataCredits(bytes))) return;
      const packet: Packet = {
        device,
        address: device.at,
        bytes,
        transfer: device.transfer,
        kind: "plain",
        refused: false,
        translated: false,
        issuedPs: now,
        sincePs: now,
      };
      device.inFlight += 1;
      device.at += bytes;
      device.left -= bytes;
      accounts.enter(stage.tags, now);
      if (device.tlb) {
        const known = device.tlb.find(unitOf(device).pageKey(packet.address), 0) >= 0;
        if (known) accounts.tlbHits += 1;
        packet.kind = known ? "translated" : "translation request";
      }
      send(packet);
    }
  };

  const send = (packet: Packet): void => {
    const { device } = packet;
    const request = read || packet.kind === "translation request";
    const wire = request ? device.sizes.request : device.sizes.data(packet.address, packet.bytes);
    accounts.enter(stage.up, now);
    packet.sincePs = now;
    let from = now;
    if (!read) {
      from = Math.max(now, device.nextWrite);
      device.nextWrite = from + (device.config.writeIntervalPs ?? 0);
    }
    at(device.up.send(from, wire) + host.toUnitPs, priority.arrival + device.index, () => arrive(packet));
  };

  const arrive = (packet: Packet): void => {
    const { device, address } = packet;
    move(packet, stage.up, stage.translate);
    if (keepsOrder && packet.kind !== "translation request") device.inOrder.push(packet);
    if (units.length === 0 || packet.kind === "translated") {
      translationKnown(packet);
      return;
    }
    const u = units.length === 1 ? 0 : device.index;
    const found = units[u].lookup(address);
    if (found >= 0) {
      check?.check(address, found);
      translationKnown(packet);
      return;
    }
    const key = units[u].pageKey(address);
    const underWay = pending[u].get(key);
    if (underWay) {
      accounts.merged += 1;
      underWay.packets.push(packet);
      return;
    }
    const walk: Walk = { key, address, packets: [packet], sincePs: now, mapped: false };
    pending[u].set(key, walk);
    for (let w = u * walkersEach; w < (u + 1) * walkersEach; w++) {
      if (walkers[w]) continue;
      startWalk(w, walk);
      return;
    }
    accounts.enter(stage.walkQueue, now);
    queues[u].push(walk);
  };

  const startWalk = (walker: number, walk: Walk): void => {
    const { durationPs, leafBytes } = units[Math.floor(walker / walkersEach)].walk(walk.address);
    accounts.enter(stage.walkers, now);
    walk.sincePs = now;
    walk.mapped = leafBytes > 0;
    walkers[walker] = walk;
    const u = Math.floor(walker / walkersEach);
    const begin = Math.max(now, nextWalk[u]);
    nextWalk[u] = begin + (config.translation?.unit.walkIntervalPs ?? 0);
    at(begin + durationPs, priority.walk + walker, () => walkDone(walker, walk));
  };

  const walkDone = (walker: number, walk: Walk): void => {
    const u = Math.floor(walker / walkersEach);
    accounts.leave(stage.walkers, now, walk.sincePs);
    walkers[walker] = undefined;
    if (walk.mapped) units[u].fill(walk.address);
    pending[u].delete(walk.key);
    for (const packet of walk.packets) {
      if (!walk.mapped) {
        packet.refused = true;
        const reason = read ? faultReason.read : faultReason.write;
        accounts.fault(packet.device.config.name, packet.address, reason, now);
      }
      check?.check(packet.address, walk.mapped ? packet.address : -1);
      translationKnown(packet);
    }
    const next = queues[u].shift();
    if (!next) return;
    accounts.leave(stage.walkQueue, now, next.sincePs);
    startWalk(walker, next);
  };

  const translationKnown = (packet: Packet): void => {
    const { device } = packet;
    if (packet.kind === "translation request") {
      move(packet, stage.translate, stage.down);
      const sent = device.down.send(now, device.sizes.translationReply);
      at(sent + host.toDevicePs, priority.done + device.index, () => finish(packet));
      return;
    }
    packet.translated = true;
    if (!keepsOrder) {
      toMemory(packet);
      return;
    }
    while (device.inOrder.length > 0 && device.inOrder[0].translated) toMemory(device.inOrder.shift() as Packet);
  };

  const toMemory = (packet: Packet): void => {
    move(packet, stage.translate, stage.memory);
    const fromDram = packet.address < residentFrom;
    const takes = host.memoryPs + (fromDram ? host.dramExtraPs : 0);
    at(now + takes, fromDram ? priority.readyFromDram : priority.ready, () => dataReady(packet));
  };

  const dataReady = (packet: Packet): void => {
    const { device } = packet;
    move(packet, stage.memory, stage.down);
    let sent = Math.max(now, device.down.freePs);
    if (read) {
      const data = packet.refused ? device.sizes.refusal : device.sizes.data(packet.address, packet.bytes);
      sent = device.down.send(now, data);
    } else deliver(packet);
    at(sent + host.toDevicePs, priority.done + device.index, () => finish(packet));
  };

  const deliver = (packet: Packet): void => {
    accounts.deliver(packet.device.index, packet.refused ? 0 : packet.bytes);
    packet.transfer.left -= packet.bytes;
    if (packet.transfer.left === 0) accounts.complete(now, packet.transfer.startedPs);
  };

  const finish = (packet: Packet): void => {
    const { device } = packet;
    accounts.leave(stage.down, now, packet.sincePs);
    if (packet.kind === "translation request" && !packet.refused) {
      const key = unitOf(device).pageKey(packet.address);
      device.tlb?.insert(key, 0, key);
      packet.kind = "translated";
      send(packet);
      return;
    }
    if (read || packet.kind === "translation request") deliver(packet);
    accounts.leave(stage.tags, now, packet.issuedPs);
    if (!read) device.credits.give(dataCredits(packet.bytes));
    device.inFlight -= 1;
    issue(device);
  };

  for (const device of devices) issue(device);
  for (;;) {
    const slot = queue.pop(Number.POSITIVE_INFINITY);
    if (slot === NONE) break;
    now = queue.time[slot];
    actions[queue.data[slot]]();
  }
  if (check) accounts.checked = check.checked;
  return accounts.result(now);
}
