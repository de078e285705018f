import { checkMachineConfig, lineBytes, type MachineConfig } from "../config.js";
import type { HostMachine } from "./host-machine.js";
import { PhysicalMemory, type Region, type RegionSpec } from "./regions.js";

/** Ways of the store of private copies. */
const WAYS = 8;
/** Runs of loads that a core's prefetcher follows. */
const streams = 16;
/** Lines of a 4 KiB page: no prefetcher goes beyond. */
const pageLines = 64;
const wayBits = 3;

/**
 * The coherent memory of a host with many cores: clusters of cores (a CCX, a sub-NUMA cluster) with an L3 each, in one or two sockets.
 *
 * Coarser than {@link Machine}, so that 128 cores fit: a core's L1 and L2 are one store, and a line is in the L1, in the L2 or gone by how many
 * other lines the core has used since (its stack distance; the other work's ring is counted, not walked). A line that once was in an L3 stays there: what
 * the DMA code touches is a few MiB. Ownership is MESI by directory, with a bit a core. A line has one home, which serves one request after another.
 * What an access costs depends on how far away the copy is that answers it: the core, its cluster, its socket, the other socket, memory.
 */
export class ClusteredMachine implements HostMachine {
  /** Geometry and costs. */
  readonly config: Readonly<MachineConfig>;
  /** One CPU a core: siblings are left idle. */
  readonly cpus: number;
  /** Cores of all sockets. */
  readonly cores: number;
  /** One home for each line. */
  readonly homes = 1;
  /** The memory's regions. */
  readonly memory: PhysicalMemory = new PhysicalMemory();
  private readonly coresPerCluster: number;
  private readonly clustersPerSocket: number;
  private readonly otherClusterCycles: number;
  private readonly streamedLines: number;
  private readonly l1Lines: number;
  private readonly l2Lines: number;
  private readonly setMask: number;
  /** By core, set and way: the line, and the core's counts when it was last used. */
  private readonly tags: Int32Array;
  private readonly usedAt: Float64Array;
  private readonly otherAt: Float64Array;
  /** By core: lines brought in, and lines of its other work. */
  private readonly fills: Float64Array;
  private readonly others: Float64Array;
  /** Words of 32 cores that say who may hold a line. */
  private readonly words: number;
  private sharers: Int32Array = new Int32Array(0);
  /** Core that holds a line alone, plus 1; negative where it has written it. */
  private owner: Int16Array = new Int16Array(0);
  /** Clusters whose L3 holds it, and whether memory is older. */
  private inL3: Int32Array = new Int32Array(0);
  private dirty: Uint8Array = new Uint8Array(0);
  /** By core: the last line of each run that its prefetcher follows, and which of them is given up next. */
  private readonly runs: Int32Array;
  private readonly nextRun: Uint8Array;

  /** @throws MachineConfigError naming field, value and what is accepted */
  constructor(config: MachineConfig) {
    const c = checkMachineConfig(config);
    this.config = c;
    this.cores = c.sockets * c.coresPerSocket;
    this.cpus = this.cores;
    this.clustersPerSocket = c.clustersPerSocket ?? 1;
    this.coresPerCluster = c.coresPerSocket / this.clustersPerSocket;
    this.otherClusterCycles = c.otherClusterCycles ?? c.dirtySameSocketCycles;
    this.streamedLines = c.streamedLines ?? 1;
    this.runs = new Int32Array(this.streamedLines > 1 ? this.cores * streams : 0).fill(-1);
    this.nextRun = new Uint8Array(this.cores);
    this.l1Lines = (c.l1KiB * 1024) / lineBytes;
    this.l2Lines = (c.l2KiB * 1024) / lineBytes;
    let sets = 1;
    while (sets * WAYS < this.l2Lines) sets *= 2;
    this.setMask = sets - 1;
    this.tags = new Int32Array(this.cores * sets * WAYS).fill(-1);
    this.usedAt = new Float64Array(this.tags.length);
    this.otherAt = new Float64Array(this.tags.length);
    this.fills = new Float64Array(this.cores);
    this.others = new Float64Array(this.cores);
    this.words = Math.ceil(this.cores / 32);
  }

  /** The only home. */
  homeOf(): number {
    return 0;
  }

  /** The core of a CPU. @throws RangeError for a CPU that there is not */
  core(cpu: number): number {
    if (!(cpu >= 0 && cpu < this.cores))
      throw new RangeError(`There is no CPU ${cpu}; this machine has CPUs 0 to ${this.cores - 1}.`);
    return cpu;
  }

  /** The socket of a CPU. */
  socket(cpu: number): number {
    return (this.core(cpu) / this.config.coresPerSocket) | 0;
  }

  /** The cluster of a CPU, counted over all sockets. */
  cluster(cpu: number): number {
    return (cpu / this.coresPerCluster) | 0;
  }

  /** Reserves memory. @throws RangeError when the modelled memory (2 GiB) is used up, or the home is not a socket */
  region(spec: RegionSpec): Region {
    const { sockets } = this.config;
    if (spec.home !== "interleaved" && !(spec.home >= 0 && spec.home < sockets))
      throw new RangeError(
        `Region "${spec.name}": home ${spec.home} is not a socket; accepted are 0 to ${sockets - 1}, or "interleaved".`,
      );
    const region = this.memory.reserve(spec, sockets);
    const lines = this.memory.bytes / lineBytes;
    if (lines > this.owner.length) {
      const room = Math.max(lines, Math.ceil(this.owner.length * 1.5));
      this.sharers = grown(this.sharers, new Int32Array(room * this.words));
      this.owner = grown(this.owner, new Int16Array(room));
      this.inL3 = grown(this.inL3, new Int32Array(room));
      this.dirty = grown(this.dirty, new Uint8Array(room));
    }
    return region;
  }

  /** A load; returns its cost in core cycles. */
  read(cpu: number, address: number): number {
    const line = address >>> 6;
    const { config } = this;
    const at = this.find(cpu, line);
    if (at >= 0) {
      const distance = this.distance(cpu, at);
      if (distance < this.l2Lines) {
        this.use(cpu, at);
        return distance < this.l1Lines ? config.l1Cycles : config.l2Cycles;
      }
      this.forget(cpu, at);
    }
    const streamed = this.streamedLines > 1 && this.follows(cpu, line);
    const cost = this.fetch(cpu, line);
    this.share(cpu, line);
    return streamed ? Math.max(config.l2Cycles, Math.round(cost / this.streamedLines)) : cost;
  }

  /** A store: the core must own the line alone. Returns its cost in core cycles. */
  write(cpu: number, address: number): number {
    const line = address >>> 6;
    const at = this.find(cpu, line);
    if (at >= 0) {
      const distance = this.distance(cpu, at);
      const owner = this.owner[line];
      if ((owner === cpu + 1 || owner === -cpu - 1) && distance < this.l2Lines) {
        this.owner[line] = -cpu - 1;
        this.use(cpu, at);
        return distance < this.l1Lines ? this.config.storeHitCycles : this.config.l2Cycles;
      }
      if (distance >= this.l2Lines) this.forget(cpu, at);
    }
    return this.own(cpu, line);
  }

  /** A locked read-modify-write; returns its cost in core cycles. */
  atomic(cpu: number, address: number): number {
    const cost = this.write(cpu, address);
    const { l1Cycles, atomicCycles, storeHitCycles } = this.config;
    return atomicCycles + (cost === storeHitCycles ? l1Cycles : cost);
  }

  /** How far an access would have to go: 0 stays in its core, 2 asks the line's home. It changes nothing. */
  reach(cpu: number, address: number, forWriting: boolean): 0 | 1 | 2 {
    const line = address >>> 6;
    const at = this.find(cpu, line);
    const owner = this.owner[line];
    const mine = owner === cpu + 1 || owner === -cpu - 1;
    if (at >= 0 && this.distance(cpu, at) < this.l2Lines && (!forWriting || mine)) return 0;
    return 2;
  }

  /** Other work of the core: so many lines of its ring. Returns what they cost, which a caller may leave out. */
  touchFootprint(cpu: number, lines: number): number {
    this.others[cpu] += lines;
    return lines * this.config.l2Cycles;
  }

  /** A device writes a whole line, and takes it from all caches. Returns core cycles until it is visible. */
  deviceWrite(address: number): number {
    const line = address >>> 6;
    const { config } = this;
    const cost = Math.max(config.l3Cycles, this.invalidate(line, -1, config.deviceSocket));
    this.owner[line] = 0;
    if (config.ddioWays === 0) {
      this.inL3[line] = 0;
      this.dirty[line] = 0;
    } else {
      this.inL3[line] = 1 << (config.deviceSocket * this.clustersPerSocket);
      this.dirty[line] = 1;
    }
    return cost;
  }

  /** The line leaves all caches. */
  flush(address: number): void {
    const line = address >>> 6;
    this.invalidate(line, -1, 0);
    this.owner[line] = 0;
    this.inL3[line] = 0;
    this.dirty[line] = 0;
  }

  /**
   * Whether a load that misses goes on a run of ascending lines within a page, so that the prefetcher has asked for the line already: as many
   * of a run are under way at once as {@link MachineConfig.streamedLines} says (Little's law; that a line was asked for in vain costs nobody
   * anything here). Of what no core has had since a device wrote it, nothing is gained: it was fetched too early, or is memory's.
   */
  private follows(cpu: number, line: number): boolean {
    const { runs, nextRun } = this;
    if (this.owner[line] === 0 && !this.anySharer(line)) return false;
    const first = cpu * streams;
    for (let run = first; run < first + streams; run++)
      if (runs[run] === line - 1 && line % pageLines !== 0) {
        runs[run] = line;
        return true;
      }
    runs[first + nextRun[cpu]] = line;
    nextRun[cpu] = (nextRun[cpu] + 1) % streams;
    return false;
  }

  /** What it costs to get a line that the core's own caches have not, from the nearest that has it. */
  private fetch(cpu: number, line: number): number {
    const { config } = this;
    const held = Math.abs(this.owner[line]) - 1;
    if (held === cpu) return config.l3Cycles;
    if (held >= 0) {
      if (this.owner[line] < 0) this.dirty[line] = 1;
      const at = this.find(held, line);
      if (at >= 0 && this.distance(held, at) < this.l2Lines) return this.between(cpu, this.cluster(held), true);
      return this.between(cpu, this.cluster(held), false);
    }
    const l3 = this.inL3[line];
    const mine = this.cluster(cpu);
    if ((l3 & (1 << mine)) !== 0) return config.l3Cycles;
    const socket = (mine / this.clustersPerSocket) | 0;
    if ((l3 & this.socketMask(socket)) !== 0) return this.otherClusterCycles;
    if (l3 !== 0) return this.dirty[line] !== 0 ? config.dirtyCrossSocketCycles : config.cleanCrossSocketCycles;
    return this.memory.home(line) === socket ? config.dramLocalCycles : config.dramRemoteCycles;
  }

  /** From another core's caches, or from the L3 of a cluster. */
  private between(cpu: number, cluster: number, fromCore: boolean): number {
    const { config } = this;
    const mine = this.cluster(cpu);
    if (mine === cluster) return fromCore ? config.dirtySameSocketCycles : config.l3Cycles;
    const same = ((mine / this.clustersPerSocket) | 0) === ((cluster / this.clustersPerSocket) | 0);
    return same ? this.otherClusterCycles : config.dirtyCrossSocketCycles;
  }

  /** The core reads a line that it has fetched: it is shared, or exclusively its own where nobody else has it. */
  private share(cpu: number, line: number): void {
    const alone = this.owner[line] === 0 && !this.anySharer(line) && this.inL3[line] === 0;
    const held = Math.abs(this.owner[line]) - 1;
    if (held >= 0) this.inL3[line] |= 1 << this.cluster(held);
    this.owner[line] = alone || held === cpu ? this.owner[line] || cpu + 1 : 0;
    this.sharers[line * this.words + (cpu >>> 5)] |= 1 << (cpu & 31);
    this.inL3[line] |= 1 << this.cluster(cpu);
    this.fill(cpu, line);
  }

  private own(cpu: number, line: number): number {
    const held = this.find(cpu, line) >= 0;
    const { l3Cycles } = this.config;
    const fetched = held ? l3Cycles : this.fetch(cpu, line);
    const cost = Math.max(fetched, this.invalidate(line, cpu, this.socket(cpu)));
    this.owner[line] = -cpu - 1;
    this.sharers[line * this.words + (cpu >>> 5)] |= 1 << (cpu & 31);
    this.inL3[line] = 1 << this.cluster(cpu);
    this.dirty[line] = 1;
    if (held) this.use(cpu, this.find(cpu, line));
    else this.fill(cpu, line);
    return cost;
  }

  /** Takes a line out of every core's caches but one's. @returns cycles until the furthest copy is gone */
  private invalidate(line: number, except: number, socket: number): number {
    const { config, words, coresPerCluster, clustersPerSocket } = this;
    let cost = 0;
    for (let word = 0; word < words; word++) {
      const index = line * words + word;
      let rest = this.sharers[index];
      while (rest !== 0) {
        const bit = rest & -rest;
        rest ^= bit;
        const core = word * 32 + 31 - Math.clz32(bit);
        if (core === except) continue;
        this.sharers[index] &= ~bit;
        const at = this.find(core, line);
        if (at >= 0) this.tags[at] = -1;
        const cluster = (core / coresPerCluster) | 0;
        let far = config.cleanCrossSocketCycles;
        if (except >= 0 && cluster === this.cluster(except)) far = config.cleanSnoopCycles;
        else if (((cluster / clustersPerSocket) | 0) === socket) far = this.otherClusterCycles;
        if (far > cost) cost = far;
      }
    }
    return cost;
  }

  private anySharer(line: number): boolean {
    for (let word = 0; word < this.words; word++) if (this.sharers[line * this.words + word] !== 0) return true;
    return false;
  }

  private socketMask(socket: number): number {
    const n = this.clustersPerSocket;
    return n >= 32 ? -1 : ((1 << n) - 1) << (socket * n);
  }

  // The store of private copies.

  private find(core: number, line: number): number {
    const first = ((core * (this.setMask + 1) + (line & this.setMask)) << wayBits) | 0;
    const { tags } = this;
    for (let at = first; at < first + WAYS; at++) if (tags[at] === line) return at;
    return -1;
  }

  /** Lines that the core has used since it last used this one: what would have to fit into a cache for it to be still there. */
  private distance(core: number, at: number): number {
    const others = this.others[core] - this.otherAt[at];
    const ring = this.config.footprintLines;
    return this.fills[core] - this.usedAt[at] + (others < ring ? others : ring);
  }

  private use(core: number, at: number): void {
    // A line that comes up again from behind others counts as one of them.
    if (this.distance(core, at) >= this.l1Lines) this.fills[core]++;
    this.usedAt[at] = this.fills[core];
    this.otherAt[at] = this.others[core];
  }

  private fill(core: number, line: number): void {
    const first = ((core * (this.setMask + 1) + (line & this.setMask)) << wayBits) | 0;
    const { tags, usedAt } = this;
    let at = first;
    for (let way = first; way < first + WAYS; way++) {
      if (tags[way] < 0) {
        at = way;
        break;
      }
      if (usedAt[way] < usedAt[at]) at = way;
    }
    if (tags[at] >= 0) this.forget(core, at);
    tags[at] = line;
    this.fills[core]++;
    usedAt[at] = this.fills[core];
    this.otherAt[at] = this.others[core];
  }

  /** A private copy goes, silently or back to its cluster's L3. */
  private forget(core: number, at: number): void {
    const line = this.tags[at];
    this.tags[at] = -1;
    this.sharers[line * this.words + (core >>> 5)] &= ~(1 << (core & 31));
    if (Math.abs(this.owner[line]) === core + 1) {
      if (this.owner[line] < 0) this.dirty[line] = 1;
      this.owner[line] = 0;
      this.inL3[line] |= 1 << this.cluster(core);
    }
  }
}

function grown<A extends { set(from: A): void }>(from: A, to: A): A {
  to.set(from);
  return to;
}
