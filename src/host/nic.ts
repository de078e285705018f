/**
 * What a NIC's driver maps: at boot, and for each packet.
 *
 * At boot a driver maps, for each queue, a ring of descriptors to send, a ring to receive, and a buffer for every receive descriptor but
 * one. These are the thread's "tens of thousands of static dma_maps". Whether they really stay depends on the driver: one that reuses
 * its receive pages (igb) never unmaps them, one that does not (vmxnet3) replaces each as a packet arrives.
 */

/** A NIC as its driver sets it up. */
export interface NicSetup {
  /** Pairs of a transmit and a receive queue. */
  queues: number;
  /** Descriptors of a receive ring; one is always left empty. */
  rxRing: number;
  /** Descriptors of a transmit ring. */
  txRing: number;
  /** Bytes of a descriptor (igb, ixgbe: 16). */
  descriptorBytes?: number;
}

/** A map that a driver makes when the link comes up. */
export interface BootMap {
  pages: number;
  kind: "ring" | "buffer";
  queue: number;
}

/**
 * The maps of one NIC at boot, in the driver's order: the rings of all queues, then each queue's receive buffers.
 * With 8 queues, receive rings of 4096 and transmit rings of 256 this is the recorded igb, map for map: 8 ranges of 16 pages and
 * 32,768 of one.
 * @throws RangeError naming the field that is not a whole number of at least 1
 */
export function nicBootMaps(nic: NicSetup): BootMap[] {
  const descriptorBytes = nic.descriptorBytes ?? 16;
  for (const [field, value] of Object.entries({
    queues: nic.queues,
    rxRing: nic.rxRing,
    txRing: nic.txRing,
    descriptorBytes,
  }))
    if (!Number.isInteger(value) || value < 1)
      throw new RangeError(`${field}: expected a whole number of at least 1, got ${value}`);
  const maps: BootMap[] = [];
  const ringPages = (entries: number): number => Math.ceil((entries * descriptorBytes) / 4096);
  for (let queue = 0; queue < nic.queues; queue++) maps.push({ pages: ringPages(nic.txRing), kind: "ring", queue });
  for (let queue = 0; queue < nic.queues; queue++) maps.push({ pages: ringPages(nic.rxRing), kind: "ring", queue });
  for (let queue = 0; queue < nic.queues; queue++)
    for (let i = 1; i < nic.rxRing; i++) maps.push({ pages: 1, kind: "buffer", queue });
  return maps;
}

/** Which buffers a driver maps and unmaps for each packet. */
export interface DriverProfile {
  name: DriverProfileName;
  title: string;
  /** Transmit buffers: mapped when sent, unmapped when the NIC reports them sent. */
  transmit: boolean;
  /** Receive buffers: unmapped when a packet is in them, and replaced by a new map. If not, the page is reused and stays mapped. */
  receive: boolean;
  about: string;
}

/** What a driver maps for each packet: both directions, what is sent only, or what is received only. */
export type DriverProfileName = "both" | "transmit" | "receive";

/** The profiles: two recorded, and the one that stands for many drivers of 2015. */
export const driverProfiles: readonly DriverProfile[] = [
  {
    name: "both",
    title: "maps both directions",
    transmit: true,
    receive: true,
    about: "An assumption about drivers of 2015 that neither reuse receive pages nor copy what they send.",
  },
  {
    name: "transmit",
    title: "maps transmit buffers only",
    transmit: true,
    receive: false,
    about: "As the recorded igb: receive pages are reused and stay mapped.",
  },
  {
    name: "receive",
    title: "maps receive buffers only",
    transmit: false,
    receive: true,
    about:
      "As the recorded vmxnet3 under one-byte transactions: what is sent is copied into a buffer that stays mapped.",
  },
];

/** A profile by name. */
export function driverProfile(name: DriverProfileName): DriverProfile {
  const profile = driverProfiles.find((p) => p.name === name);
  if (!profile)
    throw new Error(`There is no driver profile "${name}"; there are ${driverProfiles.map((p) => p.name).join(", ")}.`);
  return profile;
}
