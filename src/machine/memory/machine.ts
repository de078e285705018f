import { checkMachineConfig, directoryCores, lineBytes, type MachineConfig } from "../config.js";
import type { HostMachine } from "./host-machine.js";
import { PhysicalMemory, type Region, type RegionSpec } from "./regions.js";
import { SetAssociative } from "./set-associative.js";
import { SharedCache } from "./shared-cache.js";

/** What happened to an access; the order of the counters of {@link Machine.count}. */
export const accessKinds = [
  "l1",
  "l2",
  "l3",
  "snoop-clean",
  "transfer-socket",
  "cross-clean",
  "cross-dirty",
  "dram-local",
  "dram-remote",
  "upgrade-socket",
  "upgrade-cross",
  "write-back",
  "memory-write",
  "back-invalidation",
] as const;
/** Where an access was served, or a side effect that is counted with it. */
export type AccessKind = (typeof accessKinds)[number];

const L2 = 1;
const L3 = 2;
const SNOOP = 3;
const TRANSFER = 4;
const CROSS_CLEAN = 5;
const CROSS_DIRTY = 6;
const DRAM_LOCAL = 7;
const DRAM_REMOTE = 8;
const UPGRADE = 9;
const UPGRADE_CROSS = 10;
const WRITE_BACK = 11;
const MEMORY_WRITE = 12;
const BACK_INVALIDATION = 13;
const KINDS = 16;

// The directory: four words a line. Word 0: core-valid bits. Word 1: the state below. Words 2, 3: the line's slot in each L3, plus 1.
const OWNER = 0x3f; // core that holds the line exclusively or modified, plus 1; 0: none
const SOCKET_SHIFT = 6;
const SOCKET = 0xc0; // socket that holds it exclusively, plus 1; 0: shared between sockets, or nowhere
const L3_DIRTY = 0x100; // the owner socket's L3 is newer than memory

// What a core knows of a line, 16 bits: which way of its L1 and L2 holds it (plus 1; 0: none), and whether it may write or has written it.
const IN_L1 = 0x00f;
const IN_L2 = 0x0f0;
const OWN = 0x100; // mirrors the directory's owner
const DIRTY = 0x200;
const NOT_L1 = 0xffff & ~IN_L1;
const NOT_L2 = 0xffff & ~IN_L2;
const NOT_OWN = 0xffff & ~(OWN | DIRTY);

/** Where a line is: cores and sockets by number. */
export interface LineState {
  l1: number[];
  l2: number[];
  l3: number[];
  /** Cores that the directory thinks may hold it: all that do, and some that dropped a clean copy silently. */
  valid: number[];
  /** By core: modified, exclusive, shared or invalid. */
  mesi: ("M" | "E" | "S" | "I")[];
  /** Whether memory holds the newest value. */
  memoryIsCurrent: boolean;
}

/**
 * A host's coherent memory: private L1 and L2 a core, an inclusive L3 a socket with core-valid bits, MESI by directory.
 *
 * `read`, `write` and `atomic` take a logical CPU and an address, change the state of the caches at once and return the cost in core
 * cycles. They know no time: who contends for a line in time is the business of {@link ContendedLine} and of the locks. No access
 * allocates. The slow model in test/machine/reference.ts gives the same costs for the same stream, exactly.
 */
export class Machine implements HostMachine {
  readonly config: Readonly<MachineConfig>;
  /** Logical CPUs, numbered as Linux does: first threads of all cores, socket by socket, then their siblings. */
  readonly cpus: number;
  readonly cores: number;
  readonly memory: PhysicalMemory = new PhysicalMemory();
  private readonly coreOf: Int32Array;
  private readonly l1: SetAssociative;
  private readonly l2: SetAssociative;
  private readonly l3: SharedCache[];
  private dir: Int32Array = new Int32Array(0);
  /** By core: what it knows of each line. One small load answers every hit. */
  private readonly known: Uint16Array[];
  private readonly counters: Float64Array;
  private readonly footprint: Int32Array;
  private readonly footprintNext: Int32Array;
  private readonly l1Cycles: number;
  private readonly l2Cycles: number;
  private readonly l3Cycles: number;
  private readonly l3Ways: number;
  private readonly sockets: number;
  private readonly storeHitCycles: number;
  private readonly atomicCycles: number;
  private readonly coresPerSocket: number;

  /**
   * @param config a checked host, e.g. `machineConfig("sandy-bridge-ep")`
   * @param room bytes that its regions will take, where that is known: without it, what is kept of each line is copied as regions come
   * @throws MachineConfigError naming field, value and what is accepted
   */
  constructor(
    config: MachineConfig,
    private readonly room = 0,
  ) {
    const c = checkMachineConfig(config);
    this.config = c;
    this.cores = c.sockets * c.coresPerSocket;
    this.cpus = this.cores * c.threadsPerCore;
    this.coreOf = Int32Array.from({ length: this.cpus }, (_, cpu) => cpu % this.cores);
    const sets = (kiB: number, ways: number) => (kiB * 1024) / lineBytes / ways;
    this.l1 = new SetAssociative(this.cores, sets(c.l1KiB, c.l1Ways), c.l1Ways);
    this.l2 = new SetAssociative(this.cores, sets(c.l2KiB, c.l2Ways), c.l2Ways);
    this.l3 = Array.from({ length: c.sockets }, () => new SharedCache(sets(c.l3KiB, c.l3Ways), c.l3Ways));
    this.known = Array.from({ length: this.cores }, () => new Uint16Array(0));
    this.counters = new Float64Array(this.cores * KINDS);
    this.l1Cycles = c.l1Cycles;
    this.l2Cycles = c.l2Cycles;
    this.l3Cycles = c.l3Cycles;
    this.l3Ways = c.l3Ways;
    this.sockets = c.sockets;
    this.storeHitCycles = c.storeHitCycles;
    this.atomicCycles = c.atomicCycles;
    this.coresPerSocket = c.coresPerSocket;
    this.footprint = new Int32Array(this.cores).fill(-1);
    this.footprintNext = new Int32Array(this.cores);
  }

  /** The core of a logical CPU; SMT siblings share it, its L1 and its L2. */
  core(cpu: number): number {
    const core = this.coreOf[cpu];
    if (core === undefined)
      throw new RangeError(`There is no CPU ${cpu}; this machine has CPUs 0 to ${this.cpus - 1}.`);
    return core;
  }

  /** The socket of a logical CPU. */
  socket(cpu: number): number {
    return (this.core(cpu) / this.coresPerSocket) | 0;
  }

  /** Each socket's L3 is home to what it can answer alone. */
  get homes(): number {
    return this.sockets;
  }

  homeOf(cpu: number): number {
    return this.socket(cpu);
  }

  /** Nanoseconds of a number of core cycles. */
  toNs(cycles: number): number {
    return cycles / this.config.gigahertz;
  }

  /** Whole core cycles of a duration in nanoseconds, halves up. */
  fromNs(ns: number): number {
    return Math.floor(ns * this.config.gigahertz + 0.5);
  }

  /**
   * Reserves memory. Only addresses in a region can be accessed.
   * @throws RangeError when the modelled memory (2 GiB) is used up, or the home is not a socket
   */
  region(spec: RegionSpec): Region {
    if (spec.home !== "interleaved" && !(spec.home >= 0 && spec.home < this.config.sockets))
      throw new RangeError(
        `Region "${spec.name}": home ${spec.home} is not a socket; accepted are 0 to ${this.config.sockets - 1}, or "interleaved".`,
      );
    const region = this.memory.reserve(spec, this.config.sockets);
    const words = (this.memory.bytes / lineBytes) * 4;
    if (words > this.dir.length) {
      const room = Math.ceil(this.room / lineBytes) * 4;
      const grown = new Int32Array(Math.max(words, words <= room ? room : this.dir.length * 2));
      grown.set(this.dir);
      this.dir = grown;
      for (let core = 0; core < this.cores; core++) {
        const known = new Uint16Array(grown.length / 4);
        known.set(this.known[core]);
        this.known[core] = known;
      }
    }
    return region;
  }

  /** A load. Returns its cost in core cycles. @throws RangeError for an address outside every region, or a CPU that does not exist */
  read(cpu: number, address: number): number {
    const core = this.coreOf[cpu];
    const line = address >>> 6;
    const known = this.known[core];
    if (known === undefined) throw this.noCpu();
    const k = known[line];
    if ((k & IN_L1) !== 0) {
      this.l1.use(core, line, (k & IN_L1) - 1);
      this.counters[core * KINDS]++;
      return this.l1Cycles;
    }
    return this.readBeyondL1(core, line, address);
  }

  /** A store: the core must own the line alone. Returns its cost in core cycles, until the line has come and the store is done. */
  write(cpu: number, address: number): number {
    const core = this.coreOf[cpu];
    const line = address >>> 6;
    const known = this.known[core];
    if (known === undefined) throw this.noCpu();
    const k = known[line];
    if ((k & IN_L1) !== 0 && (k & OWN) !== 0) {
      this.l1.use(core, line, (k & IN_L1) - 1);
      known[line] = k | DIRTY;
      this.counters[core * KINDS]++;
      return this.storeHitCycles;
    }
    return this.own(core, line, address);
  }

  /** A locked read-modify-write: gets the line as a store does, then pays for the locked instruction. Returns core cycles. */
  atomic(cpu: number, address: number): number {
    const core = this.coreOf[cpu];
    const line = address >>> 6;
    const known = this.known[core];
    if (known === undefined) throw this.noCpu();
    const k = known[line];
    if ((k & IN_L1) !== 0 && (k & OWN) !== 0) {
      this.l1.use(core, line, (k & IN_L1) - 1);
      known[line] = k | DIRTY;
      this.counters[core * KINDS]++;
      return this.l1Cycles + this.atomicCycles;
    }
    return this.own(core, line, address) + this.atomicCycles;
  }

  /** How far an access by this CPU would have to go: 0 stays in its core, 1 in its socket, 2 beyond. It changes nothing. */
  reach(cpu: number, address: number, forWriting: boolean): 0 | 1 | 2 {
    const core = this.core(cpu);
    const line = address >>> 6;
    const d = line * 4;
    const state = this.dir[d + 1];
    const k = this.known[core][line];
    if ((k & (IN_L1 | IN_L2)) !== 0 && (!forWriting || (k & OWN) !== 0)) return 0;
    const socket = (core / this.coresPerSocket) | 0;
    const alone = (state & SOCKET) === (socket + 1) << SOCKET_SHIFT;
    return this.dir[d + 2 + socket] !== 0 && (!forWriting || alone) ? 1 : 2;
  }

  /**
   * What other work of this CPU's core does to its caches between two operations: reads the next `lines` lines of a ring of
   * `footprintLines` lines of its own, one by one. Returns the cost in core cycles, which a caller may leave out of its clock when that
   * work's time is already counted.
   */
  touchFootprint(cpu: number, lines: number): number {
    const core = this.core(cpu);
    if (this.footprint[core] < 0) {
      const home = (core / this.coresPerSocket) | 0;
      const bytes = this.config.footprintLines * lineBytes;
      this.footprint[core] = this.region({ name: `other work of core ${core}`, bytes, home }).base >>> 6;
    }
    const first = this.footprint[core];
    const ring = this.config.footprintLines;
    const known = this.known[core];
    let next = this.footprintNext[core];
    let cost = 0;
    let hits = 0;
    for (let i = 0; i < lines; i++) {
      const line = first + next;
      if (++next === ring) next = 0;
      const k = known[line];
      if ((k & IN_L1) !== 0) {
        this.l1.use(core, line, (k & IN_L1) - 1);
        hits++;
      } else cost += this.readBeyondL1(core, line, line << 6);
    }
    this.footprintNext[core] = next;
    this.counters[core * KINDS] += hits;
    return cost + hits * this.l1Cycles;
  }

  /** Where a line is and who owns it, for tests and pictures. */
  lineState(address: number): LineState {
    const line = address >>> 6;
    const d = line * 4;
    const state = this.dir[d + 1];
    if (state === undefined) throw this.outside(address);
    const owner = (state & OWNER) - 1;
    const cores = (has: (core: number) => boolean) => Array.from({ length: this.cores }, (_, core) => core).filter(has);
    const l1 = cores((core) => (this.known[core][line] & IN_L1) !== 0);
    const l2 = cores((core) => (this.known[core][line] & IN_L2) !== 0);
    const dirty = this.ownerIsDirty(line, state);
    const ownedAs = dirty ? "M" : "E";
    return {
      l1,
      l2,
      l3: this.l3.map((_, socket) => socket).filter((socket) => this.dir[d + 2 + socket] !== 0),
      valid: cores((core) => (this.dir[d] & (1 << core)) !== 0),
      mesi: cores(() => true).map((core) =>
        l1.includes(core) || l2.includes(core) ? (core === owner ? ownedAs : "S") : "I",
      ),
      memoryIsCurrent: !dirty && (state & L3_DIRTY) === 0,
    };
  }

  /** How often something happened, on one CPU's core or on all of them. */
  count(kind: AccessKind, cpu?: number): number {
    const k = accessKinds.indexOf(kind);
    if (cpu !== undefined) return this.counters[this.core(cpu) * KINDS + k];
    let sum = 0;
    for (let core = 0; core < this.cores; core++) sum += this.counters[core * KINDS + k];
    return sum;
  }

  /** Sets every counter to zero; the caches stay as they are. */
  resetCounters(): void {
    this.counters.fill(0);
  }

  /**
   * A device or IOMMU reads a line over the root complex of `deviceSocket`: it snoops, sees the newest copy, and changes no state.
   * Returns the cost in core cycles from the root complex on: an agent on the ring pays what a core pays beyond its private caches.
   */
  deviceRead(address: number): number {
    const c = this.config;
    const line = address >>> 6;
    const d = line * 4;
    const state = this.dir[d + 1];
    if (state === undefined) throw this.outside(address);
    const here = c.deviceSocket;
    const owner = state & OWNER;
    const modified = this.ownerIsDirty(line, state);
    const dirty = modified || (state & L3_DIRTY) !== 0;
    if (this.dir[d + 2 + here] !== 0) {
      if (modified) return c.dirtySameSocketCycles;
      return owner !== 0 ? c.cleanSnoopCycles : c.l3Cycles;
    }
    if (c.sockets > 1 && this.dir[d + 3 - here] !== 0)
      return dirty ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
    return this.memory.home(line) === here ? c.dramLocalCycles : c.dramRemoteCycles;
  }

  /**
   * A device writes a whole line: every cached copy elsewhere is invalidated. With DDIO the line ends up modified in the L3 of
   * `deviceSocket`, in one of `ddioWays` ways if it was not there; without, in memory. Returns core cycles until it is visible.
   */
  deviceWrite(address: number): number {
    const c = this.config;
    const line = address >>> 6;
    const d = line * 4;
    const state = this.dir[d + 1];
    if (state === undefined) throw this.outside(address);
    const here = c.deviceSocket;
    const slotHere = this.dir[d + 2 + here];
    const slotThere = c.sockets > 1 ? this.dir[d + 3 - here] : 0;
    let cost = c.l3Cycles;
    const modified = this.ownerIsDirty(line, state);
    const dirty = modified || (state & L3_DIRTY) !== 0;
    if (slotThere !== 0) cost = dirty ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
    else if (slotHere !== 0 && modified) cost = c.dirtySameSocketCycles;
    else if (slotHere !== 0 && this.dir[d] !== 0) cost = c.cleanSnoopCycles;
    this.invalidateCores(line, this.dir[d]);
    this.dir[d] = 0;
    this.dir[d + 1] = 0;
    if (slotThere !== 0) this.dropSlot(1 - here, line);
    if (c.ddioWays === 0) {
      if (slotHere !== 0) this.dropSlot(here, line);
      return Math.max(cost, this.memory.home(line) === here ? c.dramLocalCycles : c.dramRemoteCycles);
    }
    if (slotHere !== 0) this.l3[here].use(slotHere - 1);
    else this.fillL3(here, line, c.ddioWays, here * this.coresPerSocket);
    this.dir[d + 1] = ((here + 1) << SOCKET_SHIFT) | L3_DIRTY;
    return cost;
  }

  /**
   * What clflush does to the caches: the line is written back if it is modified, and leaves all of them.
   * How long the instruction takes is the caller's to charge.
   */
  flush(address: number): void {
    const line = address >>> 6;
    const d = line * 4;
    const state = this.dir[d + 1];
    if (state === undefined) throw this.outside(address);
    // A write-back belongs to nobody's count but the machine's: it is booked on the first core.
    if ((state & L3_DIRTY) !== 0 || this.ownerIsDirty(line, state)) this.counters[MEMORY_WRITE]++;
    this.invalidateCores(line, this.dir[d]);
    this.dir[d] = 0;
    this.dir[d + 1] = 0;
    for (let socket = 0; socket < this.config.sockets; socket++)
      if (this.dir[d + 2 + socket] !== 0) this.dropSlot(socket, line);
  }

  private readBeyondL1(core: number, line: number, address: number): number {
    const counters = this.counters;
    const known = this.known[core];
    const k = known[line];
    if ((k & IN_L2) !== 0) {
      this.l2.use(core, line, ((k & IN_L2) >> 4) - 1);
      this.fillL1(core, known, line);
      counters[core * KINDS + L2]++;
      return this.l2Cycles;
    }
    const dir = this.dir;
    const d = line * 4;
    const state = dir[d + 1];
    if (state === undefined) throw this.outside(address);
    const socket = (core / this.coresPerSocket) | 0;
    const slot = dir[d + 2 + socket];
    const bit = 1 << core;
    let cost: number;
    if (slot !== 0) {
      this.l3[socket].use(slot - 1);
      const owner = state & OWNER;
      if (owner === 0 || owner === core + 1) {
        cost = this.l3Cycles;
        counters[core * KINDS + L3]++;
        // Nobody else can hold it: the reader gets it exclusively and may write later without asking.
        if ((dir[d] & ~bit) === 0 && (state & SOCKET) !== 0) {
          dir[d + 1] = (state & ~OWNER) | (core + 1);
          known[line] |= OWN;
        }
      } else if (this.disown(line, owner - 1)) {
        cost = this.config.dirtySameSocketCycles;
        counters[core * KINDS + TRANSFER]++;
        dir[d + 1] = (state & ~OWNER) | L3_DIRTY;
      } else {
        cost = this.config.cleanSnoopCycles;
        counters[core * KINDS + SNOOP]++;
        dir[d + 1] = state & ~OWNER;
      }
      dir[d] |= bit;
    } else {
      if (this.sockets > 1 && dir[d + 3 - socket] !== 0) {
        const modified = (state & OWNER) !== 0 && this.disown(line, (state & OWNER) - 1);
        if (modified || (state & L3_DIRTY) !== 0) {
          cost = this.config.dirtyCrossSocketCycles;
          counters[core * KINDS + CROSS_DIRTY]++;
          counters[core * KINDS + MEMORY_WRITE]++;
        } else {
          cost = this.config.cleanCrossSocketCycles;
          counters[core * KINDS + CROSS_CLEAN]++;
        }
        dir[d + 1] = 0;
      } else {
        cost = this.fromMemory(core, socket, line);
        dir[d + 1] = ((socket + 1) << SOCKET_SHIFT) | (core + 1);
        known[line] |= OWN;
      }
      this.fillL3(socket, line, this.l3Ways, core);
      dir[d] |= bit;
    }
    this.fillL2(core, known, line);
    this.fillL1(core, known, line);
    return cost;
  }

  /** Gets a line for writing when the L1 does not hold it exclusively. */
  private own(core: number, line: number, address: number): number {
    const c = this.config;
    const dir = this.dir;
    const counters = this.counters;
    const d = line * 4;
    const state = dir[d + 1];
    if (state === undefined) throw this.outside(address);
    const known = this.known[core];
    const k = known[line];
    const inL1 = (k & IN_L1) !== 0;
    const inL2 = !inL1 && (k & IN_L2) !== 0;
    if (inL1) this.l1.use(core, line, (k & IN_L1) - 1);
    else if (inL2) {
      this.l2.use(core, line, ((k & IN_L2) >> 4) - 1);
      if ((k & OWN) !== 0) {
        known[line] = k | DIRTY;
        this.fillL1(core, known, line);
        counters[core * KINDS + L2]++;
        return this.l2Cycles;
      }
    }
    const socket = (core / this.coresPerSocket) | 0;
    const slot = dir[d + 2 + socket];
    const slotThere = this.sockets > 1 ? dir[d + 3 - socket] : 0;
    const others = dir[d] & ~(1 << core);
    const held = inL1 || inL2;
    let cost: number;
    if (slot !== 0) {
      this.l3[socket].use(slot - 1);
      if ((state & SOCKET) === 0) {
        cost = c.cleanCrossSocketCycles;
        counters[core * KINDS + UPGRADE_CROSS]++;
      } else if (this.ownerIsDirty(line, state)) {
        cost = c.dirtySameSocketCycles;
        counters[core * KINDS + TRANSFER]++;
      } else if (others !== 0) {
        cost = c.cleanSnoopCycles;
        counters[core * KINDS + (held ? UPGRADE : SNOOP)]++;
      } else {
        cost = c.l3Cycles;
        counters[core * KINDS + (held ? UPGRADE : L3)]++;
      }
    } else if (slotThere !== 0) {
      const dirty = (state & L3_DIRTY) !== 0 || this.ownerIsDirty(line, state);
      cost = dirty ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
      counters[core * KINDS + (dirty ? CROSS_DIRTY : CROSS_CLEAN)]++;
    } else cost = this.fromMemory(core, socket, line);
    if (others !== 0) this.invalidateCores(line, others);
    if (slotThere !== 0) this.dropSlot(1 - socket, line);
    dir[d] = 1 << core;
    dir[d + 1] = ((socket + 1) << SOCKET_SHIFT) | (core + 1);
    known[line] |= OWN | DIRTY;
    if (slot === 0) this.fillL3(socket, line, this.l3Ways, core);
    if (!held) this.fillL2(core, known, line);
    if (!inL1) this.fillL1(core, known, line);
    return cost;
  }

  private fromMemory(core: number, socket: number, line: number): number {
    if (this.memory.home(line) === socket) {
      this.counters[core * KINDS + DRAM_LOCAL]++;
      return this.config.dramLocalCycles;
    }
    this.counters[core * KINDS + DRAM_REMOTE]++;
    return this.config.dramRemoteCycles;
  }

  private fillL1(core: number, known: Uint16Array, line: number): void {
    known[line] |= this.l1.fill(core, line) + 1;
    const victim = this.l1.victim;
    if (victim < 0) return;
    const k = known[victim];
    known[victim] = k & NOT_L1;
    if ((k & DIRTY) === 0) return;
    // A modified line leaves the L1 for the L2: a use of it there, or a new place.
    if ((k & IN_L2) !== 0) this.l2.use(core, victim, ((k & IN_L2) >> 4) - 1);
    else this.fillL2(core, known, victim);
  }

  private fillL2(core: number, known: Uint16Array, line: number): void {
    known[line] |= (this.l2.fill(core, line) + 1) << 4;
    const victim = this.l2.victim;
    if (victim < 0) return;
    const k = known[victim];
    known[victim] = k & NOT_L2;
    if ((k & DIRTY) === 0 || (k & IN_L1) !== 0) return;
    // The last private copy of a modified line: written back to the L3, which now knows that the core has it no more.
    known[victim] = 0;
    const d = victim * 4;
    this.dir[d + 1] = (this.dir[d + 1] & ~OWNER) | L3_DIRTY;
    this.dir[d] &= ~(1 << core);
    this.counters[core * KINDS + WRITE_BACK]++;
  }

  /** The core is no longer the owner; it keeps its copies. Returns whether it had modified the line. */
  private disown(line: number, core: number): boolean {
    const known = this.known[core];
    const k = known[line];
    known[line] = k & NOT_OWN;
    return (k & DIRTY) !== 0;
  }

  private ownerIsDirty(line: number, state: number): boolean {
    const owner = state & OWNER;
    return owner !== 0 && (this.known[owner - 1][line] & DIRTY) !== 0;
  }

  /** Gives a line a slot in a socket's L3; the line that makes room leaves every private cache of the socket too. */
  private fillL3(socket: number, line: number, ways: number, core: number): void {
    const l3 = this.l3[socket];
    const slot = l3.victimSlot(line, ways);
    const victim = l3.tags[slot];
    if (victim >= 0) {
      const dir = this.dir;
      const d = victim * 4;
      const mine = this.socketMask(socket);
      const state = dir[d + 1];
      const held = dir[d] & mine;
      const dirty = (state & L3_DIRTY) !== 0 || this.ownerIsDirty(victim, state);
      if (held !== 0) this.counters[core * KINDS + BACK_INVALIDATION] += this.invalidateCores(victim, held);
      dir[d] &= ~mine;
      dir[d + 2 + socket] = 0;
      if (state >>> SOCKET_SHIFT === 0) {
        // Shared between sockets: memory is current, the other socket keeps its copy and does not learn that it is alone.
      } else if ((state & SOCKET) === (socket + 1) << SOCKET_SHIFT) {
        if (dirty) this.counters[core * KINDS + MEMORY_WRITE]++;
        dir[d + 1] = 0;
      }
    }
    l3.put(slot, line);
    this.dir[line * 4 + 2 + socket] = slot + 1;
  }

  private dropSlot(socket: number, line: number): void {
    const slot = this.dir[line * 4 + 2 + socket] - 1;
    this.l3[socket].clear(slot);
    this.dir[line * 4 + 2 + socket] = 0;
  }

  /** Removes a line from the private caches of the cores in `mask`; returns how many of them held it. */
  private invalidateCores(line: number, mask: number): number {
    let removed = 0;
    for (let rest = mask; rest !== 0; rest &= rest - 1) {
      const core = 31 - Math.clz32(rest & -rest);
      const k = this.known[core][line];
      this.known[core][line] = 0;
      if ((k & IN_L1) !== 0) this.l1.remove(core, line, (k & IN_L1) - 1);
      if ((k & IN_L2) !== 0) this.l2.remove(core, line, ((k & IN_L2) >> 4) - 1);
      if ((k & (IN_L1 | IN_L2)) !== 0) removed++;
    }
    return removed;
  }

  private socketMask(socket: number): number {
    const n = this.coresPerSocket;
    return n >= directoryCores ? -1 : ((1 << n) - 1) << (socket * n);
  }

  private outside(address: number): RangeError {
    return new RangeError(
      `Address ${address} lies in no region of the machine's memory (${this.memory.bytes} bytes are reserved); reserve it with region().`,
    );
  }

  private noCpu(): RangeError {
    return new RangeError(`There is no such CPU; this machine has CPUs 0 to ${this.cpus - 1}.`);
  }
}
