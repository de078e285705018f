/** The accounts of a stream's run: what is where, for how long, what was delivered when. Both ways of running a stream keep these. */

import type { TranslationUnit, TranslationUnitConfig } from "../iommu/index.js";
import {
  completionOverhead,
  type LinkConfig,
  linkGbps,
  readRequestBytes,
  tagsGbps,
  writeOverhead,
} from "../machine/index.js";
import type { LittleRow, StreamConfig, StreamDevice, StreamFault, StreamResult } from "./stream.js";

/** Stages and resources of a packet, as indexes of the accounts. */
export const stage = { tags: 0, up: 1, translate: 2, walkQueue: 3, walkers: 4, memory: 5, down: 6 } as const;
const stageNames: readonly LittleRow["resource"][] = [
  "tags",
  "uplink",
  "translation",
  "walk queue",
  "walkers",
  "memory",
  "downlink",
];
const batches = 10;
/** Student's t for 95 % and nine degrees of freedom. */
const t9 = 2.262;

/** Bytes on the wire of the packets of a device's link, and where it cuts a DMA. */
export class PacketSizes {
  readonly request: number;
  readonly boundary: number;
  /** A translation completion carries eight bytes. */
  readonly translationReply: number;
  /** A completion without data, for a request that was refused. */
  readonly refusal: number;
  private readonly around: number;
  private readonly piece: number;
  /** Where completions of requests of at most MPS are cut. */
  private readonly shortPiece: number;

  constructor(
    readonly link: LinkConfig,
    private readonly read: boolean,
  ) {
    this.request = readRequestBytes(link);
    this.boundary = read ? link.mrrs : link.mps;
    this.refusal = completionOverhead(link);
    this.translationReply = 8 + this.refusal;
    this.around = read ? this.refusal : writeOverhead(link);
    this.piece = link.completions === "rcb" ? link.rcb : link.mps;
    this.shortPiece = link.completions === "mps" ? link.mps : link.rcb;
  }

  /** Bytes of the next packet of a DMA that has `left` bytes to go from an address. */
  next(address: number, left: number): number {
    const low = address - Math.floor(address / 4096) * 4096;
    const room = this.boundary - (low % this.boundary);
    return left < room ? left : room;
  }

  /** Bytes on the wire of a packet's data: all completions of a read, or the write itself. */
  data(address: number, bytes: number): number {
    if (!this.read) return bytes + this.around;
    const low = address - Math.floor(address / 4096) * 4096;
    const piece = bytes > this.link.mps ? this.piece : this.shortPiece;
    const pieces = Math.floor((low + bytes - 1) / piece) - Math.floor(low / piece) + 1;
    return bytes + pieces * this.around;
  }
}

/** Latencies in bins of 1/64 octave. */
class LatencyHistogram {
  private readonly bins = new Uint32Array(64 * 40);
  count = 0;
  sum = 0;
  max = 0;

  add(ps: number): void {
    const ns = Math.floor(ps / 1000);
    this.count += 1;
    this.sum += ps;
    if (ps > this.max) this.max = ps;
    const octave = ns < 64 ? 0 : 26 - Math.clz32(ns);
    this.bins[octave * 64 + (ns >>> octave)] += 1;
  }

  /** The value that a share of the latencies does not exceed, nanoseconds. */
  quantile(share: number): number {
    let seen = 0;
    for (let bin = 0; bin < this.bins.length; bin++) {
      seen += this.bins[bin];
      if (seen >= share * this.count && seen > 0) {
        const octave = bin < 128 ? 0 : Math.floor(bin / 64) - 1;
        return bin < 128 ? bin : (bin - octave * 64) * (1 << octave);
      }
    }
    return 0;
  }
}

/** Sums taken at the start and at the end of the measured part. */
interface Snapshot {
  timePs: number;
  bytes: number;
  packets: number;
  merged: number;
  tlbHits: number;
  walkersArea: number;
  queueArea: number;
  tagsArea: number;
  wirePs: number;
  perDevice: number[];
  lookups: number;
  misses: number;
  walks: number;
  walkPs: number;
  reads: number;
  cacheReads: number;
  dramReads: number;
}

/** Walks that a unit can do in a nanosecond: so many at a time, and each begun so long after the one before. */
function walksANs({ walkers, walkIntervalPs = 0 }: TranslationUnitConfig, walkNs: number): number {
  return Math.min(walkers / walkNs, walkIntervalPs > 0 ? 1000 / walkIntervalPs : Number.POSITIVE_INFINITY);
}

/** Keeps the accounts of one run. Times in picoseconds, whole numbers. */
export class StreamAccounts {
  readonly level: Float64Array = new Float64Array(7);
  private readonly last = new Float64Array(7);
  private readonly area = new Float64Array(7);
  private readonly stay = new Float64Array(7);
  private readonly arrivals = new Float64Array(7);
  private readonly histogram = new LatencyHistogram();
  private readonly deviceBytes: Float64Array;
  private readonly batchGbps: number[] = [];
  private batchBytes = 0;
  private batchPs = 0;
  private nextMark: number;
  private marks = 0;
  private delivered = 0;
  private from: Snapshot | undefined;
  private to: Snapshot | undefined;
  /** No further DMA is to be started. */
  stopping = false;
  bytes = 0;
  packets = 0;
  merged = 0;
  tlbHits = 0;
  checked = 0;
  faults = 0;
  readonly firstFaults: StreamFault[] = [];
  /** Busy time of the wires that carry data. */
  wireBusyPs: () => number = () => 0;

  constructor(
    private readonly config: StreamConfig,
    readonly devices: readonly StreamDevice[],
    private readonly units: readonly TranslationUnit[],
  ) {
    this.deviceBytes = new Float64Array(devices.length);
    this.nextMark = config.warmup;
    if (config.warmup === 0) this.mark(0);
  }

  /** Something arrives at a resource. */
  enter(resource: number, nowPs: number): void {
    this.area[resource] += this.level[resource] * (nowPs - this.last[resource]);
    this.last[resource] = nowPs;
    this.level[resource] += 1;
    this.arrivals[resource] += 1;
  }

  /** Something that arrived at a resource at `sincePs` leaves it. */
  leave(resource: number, nowPs: number, sincePs: number): void {
    this.area[resource] += this.level[resource] * (nowPs - this.last[resource]);
    this.last[resource] = nowPs;
    this.level[resource] -= 1;
    this.stay[resource] += nowPs - sincePs;
  }

  /** A packet's data arrived where it belongs. */
  deliver(device: number, bytes: number): void {
    this.bytes += bytes;
    this.packets += 1;
    this.deviceBytes[device] += bytes;
  }

  /** The last packet of a DMA arrived. */
  complete(nowPs: number, sincePs: number): void {
    this.delivered += 1;
    if (this.from && !this.to) this.histogram.add(nowPs - sincePs);
    if (this.delivered === this.nextMark) this.mark(nowPs);
  }

  fault(device: string, address: number, reason: number, timePs: number): void {
    this.faults += 1;
    if (this.firstFaults.length < 8) this.firstFaults.push({ device, address, reason, timePs });
  }

  /** The start of the measured part, the end of a batch, or the end of it all. */
  private mark(nowPs: number): void {
    if (this.marks === 0) this.from = this.snapshot(nowPs);
    else if (nowPs > this.batchPs)
      this.batchGbps.push(((this.bytes - this.batchBytes) * 8000) / (nowPs - this.batchPs));
    this.batchBytes = this.bytes;
    this.batchPs = nowPs;
    this.marks += 1;
    if (this.marks > batches) {
      this.to = this.snapshot(nowPs);
      this.stopping = true;
      return;
    }
    const { warmup, transfers } = this.config;
    this.nextMark = Math.max(this.delivered + 1, warmup + Math.round((transfers * this.marks) / batches));
  }

  private snapshot(nowPs: number): Snapshot {
    const areaOf = (resource: number): number =>
      this.area[resource] + this.level[resource] * (nowPs - this.last[resource]);
    const sum = (pick: (unit: TranslationUnit) => number): number =>
      this.units.reduce((total, unit) => total + pick(unit), 0);
    return {
      timePs: nowPs,
      bytes: this.bytes,
      packets: this.packets,
      merged: this.merged,
      tlbHits: this.tlbHits,
      walkersArea: areaOf(stage.walkers),
      queueArea: areaOf(stage.walkQueue),
      tagsArea: areaOf(stage.tags),
      wirePs: this.wireBusyPs(),
      perDevice: [...this.deviceBytes],
      lookups: sum((unit) => unit.counters.lookups),
      misses: sum((unit) => unit.counters.misses),
      walks: sum((unit) => unit.counters.walks),
      walkPs: sum((unit) => unit.counters.walkPs),
      reads: sum((unit) => unit.counters.walksByDepth.reduce((total, n, depth) => total + n * depth, 0)),
      cacheReads: sum((unit) => unit.memory.cacheReads),
      dramReads: sum((unit) => unit.memory.dramReads),
    };
  }

  private little(endPs: number): LittleRow[] {
    return stageNames.map((resource, i) => {
      const area = this.area[i] + this.level[i] * (endPs - this.last[i]);
      const occupancy = area / endPs;
      const ratePerNs = (this.arrivals[i] * 1000) / endPs;
      const residenceNs = this.arrivals[i] === 0 ? 0 : this.stay[i] / this.arrivals[i] / 1000;
      const product = ratePerNs * residenceNs;
      const scale = Math.max(occupancy, product);
      return {
        resource,
        occupancy,
        ratePerNs,
        residenceNs,
        gap: scale === 0 ? 0 : Math.abs(occupancy - product) / scale,
      };
    });
  }

  /** Closes the accounts. @param endPs when the last packet was done */
  result(endPs: number): StreamResult {
    const { config, devices, units } = this;
    const from = this.from ?? this.snapshot(0);
    const to = this.to ?? this.snapshot(endPs);
    const time = Math.max(1, to.timePs - from.timePs);
    const over = (key: Exclude<keyof Snapshot, "perDevice">): number => to[key] - from[key];
    const transfers = this.histogram.count;
    const gbps = (over("bytes") * 8000) / time;
    const n = this.batchGbps.length;
    const mean = this.batchGbps.reduce((sum, value) => sum + value, 0) / Math.max(1, n);
    const variance =
      this.batchGbps.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / Math.max(1, n - 1);
    const half = n < 2 ? 0 : (t9 * Math.sqrt(variance)) / Math.sqrt(n);
    const walkNs = over("walks") === 0 ? 0 : over("walkPs") / over("walks") / 1000;
    const walksADma = over("walks") / Math.max(1, transfers);
    const unloaded = this.unloadedPs();
    const packetBytes = over("bytes") / Math.max(1, over("packets"));
    const missShare = over("packets") === 0 ? 0 : over("walks") / over("packets");
    const read = config.direction === "read";
    return {
      gbps,
      low: gbps - half,
      high: gbps + half,
      latencyNs: {
        mean: transfers === 0 ? 0 : this.histogram.sum / transfers / 1000,
        p50: this.histogram.quantile(0.5),
        p99: this.histogram.quantile(0.99),
        max: this.histogram.max / 1000,
      },
      perDevice: Object.fromEntries(
        devices.map((device, i) => [device.name, ((to.perDevice[i] - from.perDevice[i]) * 8000) / time]),
      ),
      transfers,
      packets: over("packets"),
      lookups: over("lookups"),
      misses: over("misses"),
      merged: over("merged"),
      walks: over("walks"),
      walkReads: over("reads"),
      walkDepthMean: over("walks") === 0 ? 0 : over("reads") / over("walks"),
      walkNs,
      cacheReads: over("cacheReads"),
      dramReads: over("dramReads"),
      // A walk that waits for its turn to begin is not under way yet.
      walkersBusy: over("walkPs") / time,
      walkQueue: Math.max(0, (over("queueArea") + over("walkersArea") - over("walkPs")) / time),
      tagsBusy: over("tagsArea") / time,
      deviceTlbHits: over("tlbHits"),
      linkBusyShare: over("wirePs") / time / devices.length,
      iotlbUsed: units.reduce((sum, unit) => sum + unit.occupancy, 0),
      counters: units.map((unit) => unit.counters),
      roof: {
        link: devices.reduce((sum, device) => sum + linkGbps(device.link, config.direction, config.dmaBytes), 0),
        tags: devices.reduce(
          (sum, device) =>
            sum +
            tagsGbps(read ? device.tags : device.postedHeaders, packetBytes, unloaded / 1000 + missShare * walkNs),
          0,
        ),
        walkers:
          walksADma === 0
            ? Number.POSITIVE_INFINITY
            : (units.reduce((sum, unit) => sum + walksANs(unit.config, walkNs), 0) / walksADma) * config.dmaBytes * 8,
      },
      faults: this.faults,
      firstFaults: this.firstFaults,
      checked: this.checked,
      little: this.little(endPs),
      whole: {
        bytes: this.bytes,
        endPs,
        unloadedPs: unloaded,
        packets: this.packets,
        walks: units.reduce((sum, unit) => sum + unit.counters.walks, 0),
        walkPs: units.reduce((sum, unit) => sum + unit.counters.walkPs, 0),
      },
    };
  }

  /** From issue to done of a packet that meets nobody, hits everywhere and finds its data in the cache: fixed times alone. */
  private unloadedPs(): number {
    const { toUnitPs, memoryPs, toDevicePs } = this.config.host;
    return toUnitPs + memoryPs + toDevicePs;
  }
}
