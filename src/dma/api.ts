import type { Simulation, StateMachine } from "../engine/index.js";
import {
  dma32Pfn,
  type IovaAllocator,
  type IovaOperation,
  lockOf,
  noPfn,
  operation,
  roundUpPages,
} from "../iova/index.js";
import type { Machine, SpinLock } from "../machine/index.js";
import { type Invalidation, invalidationOf, SecondLevelPageTable } from "../vtd/index.js";
import { makeAllocator } from "./allocators.js";
import { ChargedMemory } from "./charged-memory.js";
import type { DmaCosts } from "./costs.js";
import { FlushQueue } from "./flush-queue.js";
import { InvalidationUnit } from "./iommu.js";
import { Ledger } from "./ledger.js";
import { type Line, loopEnd, type Programs, programsOf } from "./programs.js";
import * as S from "./steps.js";
import { TranslationWatch } from "./translation-watch.js";
import type { Variant } from "./variants.js";

/** Makes a lock of the kind under study, at an address or on a line of its own. */
export type LockMaker = (name: string, address: number | undefined, irqSave: boolean) => SpinLock;

/** How a domain's DMA API is set up. */
export interface DmaOptions {
  variant: Variant;
  /** Cores that map and unmap, numbered from 0; each is a CPU of the machine. */
  cores: number;
  costs: DmaCosts;
  makeLock: LockMaker;
  /** The device caches translations itself (ATS): each invalidation is followed by one to the device. */
  ats: boolean;
  /** The IOMMU's page walks snoop the CPU caches; if not, changed lines are flushed. */
  coherent: boolean;
  /** Slots of the deferred flush table (v4.3: 250). */
  flushEntries: number;
  /** The deferred flush timer (v4.3: 10 ms) and the kernel's tick, in cycles. */
  flushTimerCycles: number;
  tickCycles: number;
  /** Width of the addresses that the device can send, in bits: more than 32 tries below 4 GiB first, then above. */
  deviceBits: number;
  /** Ranges that may be live at once, for the size of the simulated memory. */
  maxRanges: number;
}

/** Hears that a core's operation is complete. */
export interface DmaClient {
  /** The result of a map stands in {@link DmaApi.resultPfn}. */
  dmaDone(core: number): void;
  /** The deferred flush timer has expired on this core: call {@link DmaApi.flush} when it next can run a softirq. */
  dmaTimer(core: number): void;
}

/** Totals since the last reset. */
export interface DmaCounts {
  maps: number;
  unmaps: number;
  failedMaps: number;
  flushes: number;
  timerFlushes: number;
  flushedEntries: number;
  /** Turns of the invalidation poll. */
  pollTurns: number;
  /** Table pages that unmaps collected and freed. */
  freedTables: number;
  /** Invalidations sent to the IOMMU, devices' included. */
  invalidations: number;
  /** Unmaps of addresses that were not mapped ("Driver unmaps unmapped page"). */
  strayUnmaps: number;
}

const RESUME = 0;
const TIMER = 1;
/** Kind GRANTED + lock: the core holds the lock. */
const GRANTED = 2;
/** Buckets of the wait and hold distributions: up to 2^31 cycles. */
const BUCKETS = 32;
const bucket = (cycles: number): number => 32 - Math.clz32(Math.min(cycles, 0x7fff_ffff));
const mostTables = 2304;
const relaxCycles = 10;

/** What one core is in the middle of. */
interface CoreState {
  program: readonly Line[];
  pc: number;
  phase: number;
  context: number;
  returnTo: readonly Line[];
  returnPc: number;
  returnContext: number;
  operation: IovaOperation;
  flushOperation: IovaOperation;
  /** Allocator step that waits to be acted upon. */
  pendingStep: number;
  holdsTree: boolean;
  pfn: number;
  pages: number;
  touched: number;
  frame: number;
  permission: number;
  tables: readonly number[];
  request: Invalidation;
  wait: number;
  queue: number;
  flushesSeen: number;
  /** Step that a lock is taken for, and that an uncontended acquisition is charged to. */
  lockStep: number;
}

/**
 * The kernel's DMA API for one device's domain: allocator, page table, invalidation and their locks, in Linux's order ({@link programsOf}).
 *
 * A core starts an operation with {@link map}, {@link unmap} or {@link flush}; it then spends simulated time step by step, contends for
 * locks with the other cores, and `dmaDone` is called at the cycle in which the operation is complete. One operation a core at a time.
 */
export class DmaApi implements StateMachine {
  readonly ledger: Ledger;
  readonly memory: ChargedMemory;
  readonly allocator: IovaAllocator | undefined;
  readonly pageTable: SecondLevelPageTable;
  readonly watch = new TranslationWatch();
  readonly unit: InvalidationUnit;
  /** Locks in the order of the lock table: the allocator's, then the async lock(s), q_lock, device_domain_lock. */
  readonly locks: SpinLock[] = [];
  /** Result of each core's last map; {@link noPfn} where it failed. */
  readonly resultPfn: Float64Array;
  readonly counts: DmaCounts = {
    maps: 0,
    unmaps: 0,
    failedMaps: 0,
    flushes: 0,
    timerFlushes: 0,
    flushedEntries: 0,
    pollTurns: 0,
    freedTables: 0,
    invalidations: 0,
    strayUnmaps: 0,
  };
  private readonly programs: Programs;
  private readonly kinds: number;
  private readonly state: CoreState[];
  private readonly asked: Uint8Array;
  /** When each core asked for the lock it waits for, and since when each lock is held. */
  private readonly askedAt: Float64Array;
  private readonly heldSince: Float64Array;
  /** Waits and holds of each lock by power of two. */
  private readonly waits: Float64Array;
  private readonly holds: Float64Array;
  private readonly queues: FlushQueue[] = [];
  private readonly asyncLocks: number;
  private readonly qLock: number;
  private readonly deviceLock: number;
  private readonly spareOperations: IovaOperation[] = [];
  private timerGeneration = 0;
  private timerArmed = false;
  private readonly limits: number[];

  constructor(
    machine: Machine,
    private readonly simulation: Simulation,
    private readonly options: DmaOptions,
    private readonly client: DmaClient,
  ) {
    const { variant, cores, costs } = options;
    const host = {
      read: (core: number, address: number) => machine.read(core, address),
      write: (core: number, address: number) => machine.write(core, address),
      atomic: (core: number, address: number) => machine.atomic(core, address),
      flush: (_core: number, address: number) => {
        machine.flush(address);
        return costs.clflushCycles;
      },
    };
    this.memory = new ChargedMemory(host, costs.instructionCycles, costs.storeOverlap);
    this.ledger = new Ledger(cores);
    this.programs = programsOf(variant);
    this.kinds = simulation.attach(this);
    const tables = machine.region({ name: "second-level page tables", bytes: mostTables * 4096, home: "interleaved" });
    this.pageTable = new SecondLevelPageTable({ coherent: options.coherent, baseAddress: tables.base });
    this.unit = new InvalidationUnit(machine, simulation, costs, (what, now) => this.watch.invalidated(what, now));
    if (variant.allocator !== "none") {
      const bytes = Math.ceil(options.maxRanges * 1.25 + 32_768) * 64 + (2 << 20);
      const region = machine.region({ name: "IOVA allocator", bytes, home: "interleaved" });
      this.allocator = makeAllocator(variant.allocator, {
        memory: this.memory,
        base: region.base,
        cpus: cores,
        pools: variant.pools ?? 1,
        lazyFlush: variant.policy === "flush-on-wrap",
        uncharged: variant.uncharged,
      });
      for (const lock of this.allocator.locks) this.locks.push(options.makeLock(lock.name, lock.address, true));
    }
    const perCpu = variant.policy === "deferred-per-cpu";
    this.asyncLocks = this.locks.length;
    if (variant.policy === "deferred" || perCpu) {
      const bytes = FlushQueue.bytes;
      for (let i = 0; i < (perCpu ? cores : 1); i++) {
        const region = machine.region({ name: "deferred flush table", bytes, home: "interleaved" });
        this.queues.push(new FlushQueue(region.base));
        this.locks.push(
          options.makeLock(perCpu ? `deferred_flush[${i}].lock` : "async_umap_flush_lock", region.base, true),
        );
      }
    }
    this.qLock = this.locks.length;
    this.locks.push(options.makeLock("q_lock", undefined, false));
    this.deviceLock = this.locks.length;
    this.locks.push(options.makeLock("device_domain_lock", undefined, true));
    if (GRANTED + this.locks.length > 255)
      throw new Error(`${this.locks.length} locks are more than a state machine has events for`);
    this.asked = new Uint8Array(this.locks.length);
    this.askedAt = new Float64Array(cores);
    this.heldSince = new Float64Array(this.locks.length);
    this.waits = new Float64Array(this.locks.length * BUCKETS);
    this.holds = new Float64Array(this.locks.length * BUCKETS);
    this.resultPfn = new Float64Array(cores).fill(noPfn);
    this.state = Array.from({ length: cores }, (_, core) => newState(core));
    if (perCpu) for (let core = 0; core < cores; core++) this.state[core].queue = core;
    let mask = 1;
    for (let bit = 12; bit < Math.min(options.deviceBits, 48); bit++) mask *= 2;
    this.limits = mask - 1 > dma32Pfn ? [dma32Pfn, mask - 1] : [mask - 1];
  }

  /** Starts a map of `pages` pages from memory page `frame` on a core. */
  map(core: number, frame: number, pages: number, permission: number): void {
    const s = this.state[core];
    s.frame = frame;
    s.touched = pages;
    s.pages = roundUpPages(pages);
    s.permission = permission;
    this.start(core, this.programs.map, S.CONTEXT_MAP);
  }

  /** Starts an unmap. `pages` is what the driver says; the tree of v4.3 knows better and does not look at it. */
  unmap(core: number, pfn: number, pages: number): void {
    const s = this.state[core];
    s.pfn = pfn;
    s.touched = pages;
    s.pages = roundUpPages(pages);
    this.start(core, this.programs.unmap, S.CONTEXT_UNMAP);
  }

  /** Starts the deferred flush that the timer asked for (`flush_unmaps_timeout`). */
  flush(core: number): void {
    this.counts.timerFlushes++;
    this.start(core, this.programs.timer, S.CONTEXT_FLUSH);
  }

  /** Maps at once, outside simulated time: the boot. @returns the IOVA page, or the memory page where nothing is translated */
  mapAtBoot(core: number, frame: number, pages: number, permission: number): number {
    if (!this.allocator) return frame;
    for (const limit of this.limits) {
      const pfn = this.allocator.allocate(roundUpPages(pages), limit, core);
      if (pfn === noPfn) continue;
      this.pageTable.map(pfn, frame, pages, permission);
      this.watch.mapped(pfn, pages, this.simulation.now);
      return pfn;
    }
    throw new Error(`the IOVA space is exhausted at boot, at a request for ${pages} pages`);
  }

  /** Unmaps at once, outside simulated time. */
  unmapAtBoot(core: number, pfn: number, pages: number): void {
    if (!this.allocator) return;
    const rounded = roundUpPages(pages);
    this.pageTable.freeTables(this.pageTable.unmap(pfn, rounded));
    this.watch.cleared(pfn, rounded);
    this.watch.invalidated(invalidationOf(0, pfn, rounded, true), this.simulation.now);
    this.allocator.free(pfn, rounded, core);
  }

  /** Forgets the counts, times and lock statistics so far: the end of the warm-up. */
  reset(): void {
    const { now } = this.simulation;
    this.ledger.reset(now);
    this.watch.reset(now);
    for (const lock of this.locks) lock.statistics.reset();
    this.waits.fill(0);
    this.holds.fill(0);
    for (const name of Object.keys(this.counts) as (keyof DmaCounts)[]) this.counts[name] = 0;
  }

  /** How long acquisitions of each lock waited and held, by power of two of cycles: bucket b counts 2^(b−1) to 2^b. */
  lockTimes(): { lock: string; waits: number[]; holds: number[] }[] {
    return this.locks.map((lock, i) => ({
      lock: lock.statistics.columns().name,
      waits: [...this.waits.subarray(i * BUCKETS, (i + 1) * BUCKETS)],
      holds: [...this.holds.subarray(i * BUCKETS, (i + 1) * BUCKETS)],
    }));
  }

  /** Ranges that are unmapped and wait in the deferred tables. */
  get deferred(): number {
    return this.queues.reduce((sum, queue) => sum + queue.entries.length, 0);
  }

  dispatch(kind: number, core: number, data: number): void {
    if (kind === RESUME) this.run(core);
    else if (kind === TIMER) {
      if (data !== this.timerGeneration || !this.timerArmed) return;
      this.timerArmed = false;
      this.client.dmaTimer(core);
    } else {
      const lock = kind - GRANTED;
      const { now } = this.simulation;
      this.asked[lock]--;
      this.heldSince[lock] = now;
      this.waits[lock * BUCKETS + bucket(now - this.askedAt[core])]++;
      const s = this.state[core];
      this.ledger.enter(core, s.lockStep, s.context, now);
      this.run(core);
    }
  }

  private start(core: number, program: readonly Line[], context: number): void {
    const s = this.state[core];
    s.program = program;
    s.pc = 0;
    s.phase = 0;
    s.context = context;
    this.memory.enabled = true;
    this.run(core);
  }

  /** The core is busy with `step` for some cycles, and goes on then. */
  private spend(core: number, step: number, cycles: number): void {
    this.ledger.enter(core, step, this.state[core].context, this.simulation.now);
    this.simulation.post(cycles, this.kinds + RESUME, core);
  }

  private acquire(core: number, lock: number, step: number): void {
    const s = this.state[core];
    const contended = this.locks[lock].holder >= 0 || this.asked[lock] > 0;
    s.lockStep = step;
    this.asked[lock]++;
    this.askedAt[core] = this.simulation.now;
    this.ledger.enter(core, contended ? this.spinStep(lock) : step, s.context, this.simulation.now);
    this.locks[lock].acquire(core, this.kinds + GRANTED + lock);
  }

  private spinStep(lock: number): number {
    if (lock < this.asyncLocks) return S.STEP_SPIN_TREE;
    if (lock < this.qLock) return S.STEP_SPIN_ASYNC;
    return lock === this.qLock ? S.STEP_SPIN_QI : S.STEP_SPIN_DEVICES;
  }

  private release(core: number, lock: number, step: number): void {
    this.spend(core, step, this.drop(core, lock));
  }

  /** Gives a lock back; returns the cycles that takes. */
  private drop(core: number, lock: number): number {
    this.holds[lock * BUCKETS + bucket(this.simulation.now - this.heldSince[lock])]++;
    return this.locks[lock].release(core);
  }

  /** Executes lines until the core has to wait for time or for a lock. */
  private run(core: number): void {
    const s = this.state[core];
    const { options, memory, pageTable, simulation } = this;
    const { costs } = options;
    memory.core = core;
    for (;;) {
      switch (s.program[s.pc]) {
        case "map: api":
          s.pc++;
          this.counts.maps++;
          this.resultPfn[core] = s.frame;
          this.spend(core, S.STEP_MAP_API, costs.apiCycles);
          return;
        case "unmap: api":
          s.pc++;
          this.counts.unmaps++;
          this.spend(core, S.STEP_UNMAP_API, costs.apiCycles);
          return;
        case "map: allocate": {
          const op = s.operation;
          if (s.phase === 0) {
            op.pages = s.pages;
            op.limit = this.limits[0];
            s.flushesSeen = op.flushes;
            this.allocator!.beginAllocate(op);
            s.phase = 1;
          }
          if (!this.drive(core, op, S.STEP_ALLOCATE)) return;
          if (op.pfn === noPfn && op.limit !== this.limits[this.limits.length - 1]) {
            op.limit = this.limits[this.limits.length - 1];
            this.allocator!.beginAllocate(op);
            s.phase = 1;
            break;
          }
          s.pfn = op.pfn;
          this.resultPfn[core] = op.pfn;
          s.pc++;
          if (op.pfn === noPfn) {
            this.counts.failedMaps++;
            s.pc = s.program.length - 1;
          }
          break;
        }
        case "map: write entries": {
          pageTable.map(s.pfn, s.frame, s.touched, s.permission, memory);
          this.watch.mapped(s.pfn, s.touched, simulation.now);
          memory.spend(costs.pteMapCycles);
          s.pc++;
          this.spend(core, S.STEP_PTE_WRITE, memory.take());
          return;
        }
        case "unmap: find": {
          if (!this.allocator!.findsOnUnmap) {
            s.pc++;
            break;
          }
          const op = s.operation;
          if (s.phase === 0) {
            op.pfn = s.pfn;
            this.allocator!.beginFind(op);
            s.phase = 1;
          }
          if (!this.drive(core, op, S.STEP_FIND)) return;
          s.pc++;
          if (!op.found) {
            // "Driver unmaps unmapped page at PFN …": v4.3 warns and returns.
            this.counts.strayUnmaps++;
            if (s.holdsTree) throw new Error(`unmap of IOVA page ${s.pfn}, which is not mapped, under the tree lock`);
            s.pc = s.program.length - 1;
          } else if (this.options.variant.allocator === "rbtree") {
            s.pfn = op.lo;
            s.pages = op.hi - op.lo + 1;
          }
          break;
        }
        case "unmap: clear entries": {
          s.tables = pageTable.unmap(s.pfn, s.pages, memory);
          this.watch.cleared(s.pfn, s.pages);
          memory.spend(costs.pteClearCycles);
          s.pc++;
          this.spend(core, S.STEP_PTE_CLEAR, memory.take());
          return;
        }
        case "unmap: invalidate":
          if (s.phase === 0) s.request = invalidationOf(0, s.pfn, s.pages, s.tables.length === 0);
          if (!this.submitAndWait(core)) return;
          s.pc++;
          break;
        case "unmap: invalidate device":
          if (!this.invalidateDevice(core, s.pfn, s.pages)) return;
          s.pc++;
          break;
        case "unmap: free": {
          const op = s.operation;
          if (s.phase === 0) {
            op.pfn = s.pfn;
            op.pages = s.pages;
            this.allocator!.beginFree(op);
            s.phase = 1;
          }
          if (!this.drive(core, op, S.STEP_FREE)) return;
          s.pc++;
          break;
        }
        case "unmap: free tables":
          s.pc++;
          if (s.tables.length === 0) break;
          this.freeTables(core, s.tables);
          return;
        case "take tree lock":
          s.pc++;
          s.holdsTree = true;
          this.acquire(core, 0, s.context === S.CONTEXT_FLUSH ? S.STEP_FREE : S.STEP_FIND);
          return;
        case "drop tree lock":
          s.pc++;
          s.holdsTree = false;
          this.release(core, 0, S.STEP_FREE);
          return;
        case "take async lock":
          s.pc++;
          this.acquire(core, this.asyncLocks + s.queue, S.STEP_APPEND);
          return;
        case "drop async lock":
          s.pc++;
          this.release(core, this.asyncLocks + s.queue, S.STEP_APPEND);
          return;
        case "flush if full":
          s.pc++;
          if (this.queues[this.ownQueue(core)].entries.length < options.flushEntries) break;
          this.call(core);
          break;
        case "flush":
          s.pc++;
          this.call(core);
          break;
        case "unmap: append":
          s.pc++;
          this.append(core);
          this.spend(core, S.STEP_APPEND, memory.take());
          return;
        case "flush: invalidate all":
          if (s.phase === 0) {
            if (this.queues[s.queue].entries.length === 0) {
              s.pc++;
              break;
            }
            this.timerArmed = false;
            this.counts.flushes++;
            s.request = { kind: "global" };
          }
          if (!this.submitAndWait(core)) return;
          s.pc++;
          break;
        case "flush: next entry": {
          const queue = this.queues[s.queue];
          if (queue.cursor < queue.entries.length) {
            for (const line of queue.lines(queue.cursor)) memory.read(line);
            s.pc++;
            this.counts.flushedEntries++;
            this.spend(core, S.STEP_FREE, memory.take());
            return;
          }
          for (const { operation: op } of queue.entries) this.spareOperations.push(op);
          queue.entries.length = 0;
          queue.cursor = 0;
          this.timerArmed = false;
          s.pc = loopEnd(s.program, s.pc);
          break;
        }
        case "flush: invalidate entry":
          if (s.phase === 0) {
            const { pfn, pages } = this.entry(s);
            s.request = invalidationOf(0, pfn, pages, true);
          }
          if (!this.submitAndWait(core)) return;
          s.pc++;
          break;
        case "flush: invalidate entry in device": {
          const { pfn, pages } = this.entry(s);
          if (!this.invalidateDevice(core, pfn, pages)) return;
          s.pc++;
          break;
        }
        case "flush: free": {
          const { operation: op, pfn, pages } = this.entry(s);
          if (s.phase === 0) {
            op.cpu = core;
            op.pfn = pfn;
            op.pages = pages;
            this.allocator!.beginFree(op);
            s.phase = 1;
          }
          if (!this.drive(core, op, S.STEP_FREE)) return;
          s.pc++;
          break;
        }
        case "flush: free tables": {
          const { tables } = this.entry(s);
          s.pc++;
          if (tables.length === 0) break;
          this.freeTables(core, tables);
          return;
        }
        case "flush: loop":
          this.queues[s.queue].cursor++;
          s.pc = s.program.indexOf("flush: next entry");
          break;
        case "flush: next queue":
          s.queue = s.queue + 1 < this.queues.length ? s.queue + 1 : -1;
          if (s.queue >= 0) s.pc = 0;
          else {
            s.queue = this.ownQueue(core);
            s.pc++;
          }
          break;
        case "return":
          s.program = s.returnTo;
          s.pc = s.returnPc;
          s.context = s.returnContext;
          break;
        default:
          this.finish(core);
          return;
      }
    }
  }

  private ownQueue(core: number): number {
    return this.queues.length > 1 ? core : 0;
  }

  private call(core: number): void {
    const s = this.state[core];
    s.returnTo = s.program;
    s.returnPc = s.pc;
    s.returnContext = s.context;
    s.program = this.programs.flush;
    s.pc = 0;
    s.context = S.CONTEXT_FLUSH;
    s.queue = 0;
  }

  private entry(s: CoreState) {
    const queue = this.queues[s.queue];
    return queue.entries[queue.cursor];
  }

  private finish(core: number): void {
    const s = this.state[core];
    const { now } = this.simulation;
    if (s.context === S.CONTEXT_UNMAP && this.allocator) {
      const stale = this.watch.returned(s.pfn, s.pages, now);
      if (stale > 0 && this.options.variant.policy === "strict")
        throw new Error(`a translation of IOVA page ${s.pfn} survived its strict unmap`);
    }
    this.ledger.enter(core, S.STEP_STACK, S.CONTEXT_NONE, now);
    this.client.dmaDone(core);
  }

  /** Runs an allocator's operation to its next lock event, and acts on that. @returns whether the operation is complete */
  private drive(core: number, op: IovaOperation, step: number): boolean {
    const s = this.state[core];
    for (;;) {
      if (s.phase === 1) {
        s.pendingStep = this.allocator!.advance(op);
        s.phase = 2;
        const cycles = this.memory.take();
        if (cycles > 0) {
          this.spend(core, step, cycles);
          return false;
        }
      }
      if (s.phase === 2) {
        const next = s.pendingStep;
        if (next === 0) {
          s.phase = 0;
          return true;
        }
        if (next < 0 && step === S.STEP_ALLOCATE && op.flushes > 0 && this.options.variant.policy === "flush-on-wrap") {
          // lazy_flush: called under the pool's lock, before the range is handed out.
          op.flushes = 0;
          s.request = { kind: "global" };
          s.phase = 10;
          this.counts.flushes++;
          this.flushPhase[core] = 0;
        } else {
          s.phase = 1;
          if (s.holdsTree) continue;
          if (next > 0) this.acquire(core, lockOf(next), step);
          else this.release(core, lockOf(next), step);
          return false;
        }
      }
      if (s.phase === 10) {
        s.phase = this.flushPhase[core];
        const finished = this.submitAndWait(core);
        this.flushPhase[core] = s.phase;
        s.phase = finished ? 2 : 10;
        if (!finished) return false;
      }
    }
  }

  private readonly flushPhase: number[] = [];

  /**
   * `qi_submit_sync`: descriptors and tail under `q_lock`, then the poll, which drops and retakes the lock each turn.
   * @returns whether the invalidation is complete
   */
  private submitAndWait(core: number): boolean {
    const s = this.state[core];
    const { unit, memory, options } = this;
    const { costs } = options;
    for (;;) {
      switch (s.phase) {
        case 0:
          s.phase = 1;
          this.acquire(core, this.qLock, S.STEP_QI_SUBMIT);
          return false;
        case 1:
          if (!unit.queue.hasRoom) {
            s.phase = 5;
            continue;
          }
          s.phase = 2;
          memory.write(unit.queue.slotAddress(unit.queue.nextSlot));
          memory.write(unit.statusAddress(unit.queue.nextSlot));
          memory.spend(costs.tailWriteCycles);
          this.spend(core, S.STEP_QI_SUBMIT, memory.take());
          return false;
        case 2:
          s.wait = unit.submit(s.request);
          this.counts.invalidations++;
          s.phase = 3;
          continue;
        case 3: {
          memory.read(unit.statusAddress(s.wait));
          this.counts.pollTurns++;
          if (unit.queue.isDone(s.wait)) {
            unit.queue.reclaim(s.wait);
            s.phase = 7;
          } else {
            memory.spend(costs.faultReadCycles);
            s.phase = 4;
          }
          this.spend(core, S.STEP_QI_POLL, memory.take());
          return false;
        }
        case 4:
          s.phase = 6;
          this.spend(core, S.STEP_QI_POLL, this.drop(core, this.qLock) + relaxCycles);
          return false;
        case 5:
          // No room: drop the lock, relax, try again.
          s.phase = 0;
          this.spend(core, S.STEP_QI_POLL, this.drop(core, this.qLock) + relaxCycles);
          return false;
        case 6:
          s.phase = 3;
          this.acquire(core, this.qLock, S.STEP_QI_POLL);
          return false;
        case 7:
          s.phase = 8;
          this.release(core, this.qLock, S.STEP_QI_POLL);
          return false;
        default:
          s.phase = 0;
          return true;
      }
    }
  }

  /** `iommu_flush_dev_iotlb`: the global device list's lock is held over the wait. @returns whether it is complete */
  private invalidateDevice(core: number, pfn: number, pages: number): boolean {
    const s = this.state[core];
    if (!this.options.ats) return true;
    if (s.phase === 0 && !this.deviceHeld[core]) {
      this.deviceHeld[core] = true;
      let order = 0;
      for (let covered = 1; covered < pages; covered *= 2) order++;
      s.request = { kind: "device", device: 0, pfn, order };
      this.acquire(core, this.deviceLock, S.STEP_QI_SUBMIT);
      return false;
    }
    if (s.phase === 9) {
      s.phase = 0;
      this.deviceHeld[core] = false;
      return true;
    }
    if (!this.submitAndWait(core)) return false;
    s.phase = 9;
    this.release(core, this.deviceLock, S.STEP_QI_POLL);
    return false;
  }

  private readonly deviceHeld: boolean[] = [];

  private freeTables(core: number, tables: readonly number[]): void {
    this.pageTable.freeTables(tables);
    this.counts.freedTables += tables.length;
    this.spend(core, S.STEP_FREE_TABLES, tables.length * this.options.costs.apiCycles);
  }

  /** `add_unmap`, the part after the flush. */
  private append(core: number): void {
    const s = this.state[core];
    const { memory, options, simulation } = this;
    const queue = this.queues[s.queue];
    for (const line of queue.lines(queue.entries.length)) memory.write(line);
    memory.write(queue.base);
    queue.entries.push({ operation: s.operation, pfn: s.pfn, pages: s.pages, tables: s.tables });
    s.operation = this.spareOperations.pop() ?? operation(core);
    s.operation.cpu = core;
    if (this.timerArmed) return;
    this.timerArmed = true;
    this.timerGeneration = (this.timerGeneration + 1) | 0;
    const tick = options.tickCycles;
    const at = (Math.floor(simulation.now / tick) + Math.ceil(options.flushTimerCycles / tick)) * tick;
    simulation.post(at - simulation.now, this.kinds + TIMER, core, this.timerGeneration);
  }
}

function newState(core: number): CoreState {
  return {
    program: [],
    pc: 0,
    phase: 0,
    context: 0,
    returnTo: [],
    returnPc: 0,
    returnContext: 0,
    operation: operation(core),
    flushOperation: operation(core),
    pendingStep: 0,
    holdsTree: false,
    pfn: noPfn,
    pages: 0,
    touched: 0,
    frame: 0,
    permission: 0,
    tables: [],
    request: { kind: "global" },
    wait: -1,
    queue: 0,
    flushesSeen: 0,
    lockStep: 0,
  };
}
