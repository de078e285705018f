import type { Simulation, StateMachine } from "../engine/index.js";
import { InvalidationUnit, invalidationOf } from "../iommu/index.js";
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
import { SecondLevelPageTable } from "../pagetables/index.js";
import { makeAllocator } from "./allocators.js";
import { ChargedMemory } from "./charged-memory.js";
import { type CoreState, newState } from "./core-state.js";
import { CycleAccounts } from "./cycle-accounts.js";
import { Execution, type Resumable } from "./execution.js";
import { FlushQueue } from "./flush-queue.js";
import { checkPages, listPages, MappedRanges } from "./mapped-ranges.js";
import type { DmaClient, DmaCounts, DmaOptions, Segment } from "./options.js";
import { type Line, loopEnd, type Programs, programsOf } from "./programs.js";
import { QueuedInvalidation } from "./queued-invalidation.js";
import * as S from "./steps.js";
import { TranslationWatch } from "./translation-watch.js";

// Phases of an allocator operation ({@link DmaApi.drive}): run it to its next lock event, act on that event, flush when a pool wraps.
const ADVANCE = 1;
const ACT = 2;
const FLUSH_ON_WRAP = 10;
const mostTables = 2304;

/**
 * The kernel's DMA API for one device's domain: allocator, page table, invalidation and their locks, in Linux's order ({@link programsOf}).
 *
 * A core starts an operation with {@link map}, {@link unmap} or {@link flush}; it then spends simulated time step by step, contends for
 * locks with the other cores, and `dmaDone` is called at the cycle in which the operation is complete. One operation a core at a time.
 */
export class DmaApi implements StateMachine, Resumable {
  readonly accounts: CycleAccounts;
  readonly memory: ChargedMemory;
  readonly allocator: IovaAllocator | undefined;
  readonly pageTable: SecondLevelPageTable;
  readonly watch = new TranslationWatch();
  readonly unit: InvalidationUnit;
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
  private readonly queues: FlushQueue[] = [];
  private readonly asyncLocks: number;
  private readonly execution: Execution;
  private readonly invalidation: QueuedInvalidation;
  private readonly spareOperations: IovaOperation[] = [];
  private timerGeneration = 0;
  private timerArmed = false;
  private readonly limits: number[];
  private readonly mapped: MappedRanges;

  constructor(
    machine: Machine,
    private readonly simulation: Simulation,
    private readonly options: DmaOptions,
    private readonly client: DmaClient,
  ) {
    const { variant, cores, costs } = options;
    this.mapped = new MappedRanges(variant.allocator);
    this.memory = new ChargedMemory(machine, costs.instructionCycles, costs.clflushCycles, costs.storeOverlap);
    this.state = Array.from({ length: cores }, (_, core) => newState(core));
    this.accounts = new CycleAccounts(cores);
    const execution = new Execution(simulation, this.accounts, this.state, this);
    this.execution = execution;
    const addLock = (name: string, address: number | undefined, irqSave: boolean, spinStep: number): number =>
      execution.addLock(options.makeLock(name, address, irqSave), spinStep);
    this.programs = programsOf(variant);
    this.kinds = simulation.attach(this);
    const tables = machine.region({ name: "second-level page tables", bytes: mostTables * 4096, home: "interleaved" });
    this.pageTable = new SecondLevelPageTable({ coherent: options.coherent, baseAddress: tables.base });
    this.unit = new InvalidationUnit(machine, simulation, costs, this.watch);
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
      for (const { name, address } of this.allocator.locks) addLock(name, address, true, S.STEP_SPIN_TREE);
    }
    const perCpu = variant.policy === "deferred-per-cpu";
    this.asyncLocks = this.allocator?.locks.length ?? 0;
    if (variant.policy === "deferred" || perCpu) {
      const bytes = FlushQueue.bytes;
      for (let i = 0; i < (perCpu ? cores : 1); i++) {
        const region = machine.region({ name: "deferred flush table", bytes, home: "interleaved" });
        this.queues.push(new FlushQueue(region.base));
        const name = perCpu ? `deferred_flush[${i}].lock` : "async_umap_flush_lock";
        addLock(name, region.base, true, S.STEP_SPIN_ASYNC);
      }
    }
    this.invalidation = new QueuedInvalidation({
      execution,
      unit: this.unit,
      memory: this.memory,
      costs,
      counts: this.counts,
      queueLock: addLock("q_lock", undefined, false, S.STEP_SPIN_QI),
      deviceLock: addLock("device_domain_lock", undefined, true, S.STEP_SPIN_DEVICES),
    });
    this.resultPfn = new Float64Array(cores).fill(noPfn);
    if (perCpu) for (let core = 0; core < cores; core++) this.state[core].queue = core;
    let mask = 1;
    for (let bit = 12; bit < Math.min(options.deviceBits, 48); bit++) mask *= 2;
    this.limits = mask - 1 > dma32Pfn ? [dma32Pfn, mask - 1] : [mask - 1];
  }

  /**
   * Starts a map of `pages` pages from memory page `frame` on a core.
   * @throws DmaError where `pages` is no whole number from 1 to 2^31
   */
  map(core: number, frame: number, pages: number, permission: number): void {
    this.startMap(core, frame, pages, permission, undefined);
  }

  /** Starts a map of a scatter list on a core: one range for the sum of its pieces, as `intel_map_sg` takes it. */
  mapList(core: number, list: readonly Segment[], permission: number): void {
    for (const { pages } of list) checkPages(pages);
    this.startMap(core, list.length > 0 ? list[0].frame : 0, listPages(list), permission, list);
  }

  private startMap(core: number, frame: number, pages: number, permission: number, list?: readonly Segment[]): void {
    checkPages(pages);
    const s = this.state[core];
    s.frame = frame;
    s.segments = list;
    s.touched = pages;
    s.pages = roundUpPages(pages);
    s.permission = permission;
    this.start(core, this.programs.map, S.CONTEXT_MAP);
  }

  /**
   * Starts an unmap. `pages` is what the driver says; the tree of v4.3 knows better and does not look at it. Every other allocator takes
   * the length from here, rounded as the map rounded it.
   * @throws DmaError where `pages` is no whole number from 1 to 2^31; and, when simulated time comes to it and before anything is changed,
   *   where Linux would free a range twice or other mappings' pages
   */
  unmap(core: number, pfn: number, pages: number): void {
    checkPages(pages);
    const s = this.state[core];
    s.pfn = pfn;
    s.touched = pages;
    s.pages = roundUpPages(pages);
    this.start(core, this.programs.unmap, S.CONTEXT_UNMAP);
  }

  /** Starts an unmap of a scatter list, whose length is the sum of its pieces (v4.3's `intel_unmap_sg` passes the first address only). */
  unmapList(core: number, pfn: number, list: readonly Segment[]): void {
    this.unmap(core, pfn, listPages(list));
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
      this.mapped.add(pfn, roundUpPages(pages));
      return pfn;
    }
    throw new Error(`the IOVA space is exhausted at boot, at a request for ${pages} pages`);
  }

  /** Unmaps at once, outside simulated time. */
  unmapAtBoot(core: number, pfn: number, pages: number): void {
    if (!this.allocator) return;
    const rounded = roundUpPages(pages);
    this.mapped.strike(pfn, rounded);
    this.pageTable.freeTables(this.pageTable.unmap(pfn, rounded));
    this.watch.cleared(pfn, rounded);
    this.watch.invalidated(invalidationOf(0, pfn, rounded, true), this.simulation.now);
    this.allocator.free(pfn, rounded, core);
  }

  /** Forgets the counts, times and lock statistics so far: the end of the warm-up. */
  reset(): void {
    this.execution.reset();
    this.watch.reset(this.simulation.now);
    for (const name of Object.keys(this.counts) as (keyof DmaCounts)[]) this.counts[name] = 0;
  }

  /** Locks in the order of the lock table: the allocator's, then the async lock(s), q_lock, device_domain_lock. */
  get locks(): SpinLock[] {
    return this.execution.locks;
  }

  /** How long acquisitions of each lock waited and held, by power of two of cycles: bucket b counts 2^(b−1) to 2^b. */
  lockTimes(): { lock: string; waits: number[]; holds: number[] }[] {
    return this.execution.lockTimes();
  }

  /** Ranges that are unmapped and wait in the deferred tables. */
  get deferred(): number {
    return this.queues.reduce((sum, queue) => sum + queue.entries.length, 0);
  }

  /** The deferred flush timer expires, unless a flush came first. */
  dispatch(_kind: number, core: number, generation: number): void {
    if (generation !== this.timerGeneration || !this.timerArmed) return;
    this.timerArmed = false;
    this.client.dmaTimer(core);
  }

  private start(core: number, program: readonly Line[], context: number): void {
    const s = this.state[core];
    s.program = program;
    s.pc = 0;
    s.phase = 0;
    s.context = context;
    this.memory.enabled = true;
    this.resume(core);
  }

  /** Executes lines of a core's program until it has to wait for time or for a lock. */
  resume(core: number): void {
    const s = this.state[core];
    const { options, memory, pageTable, simulation, execution, invalidation } = this;
    const { costs } = options;
    memory.core = core;
    for (;;) {
      switch (s.program[s.pc]) {
        case "map: api":
          s.pc++;
          this.counts.maps++;
          this.resultPfn[core] = s.frame;
          execution.spend(core, S.STEP_MAP_API, costs.apiCycles);
          return;
        case "unmap: api":
          s.pc++;
          this.counts.unmaps++;
          execution.spend(core, S.STEP_UNMAP_API, costs.apiCycles);
          return;
        case "map: allocate": {
          const op = s.operation;
          if (s.phase === 0) {
            op.pages = s.pages;
            op.limit = this.limits[0];
            this.allocator!.beginAllocate(op);
            s.phase = ADVANCE;
          }
          if (!this.drive(core, op, S.STEP_ALLOCATE)) return;
          if (op.pfn === noPfn && op.limit !== this.limits[this.limits.length - 1]) {
            op.limit = this.limits[this.limits.length - 1];
            this.allocator!.beginAllocate(op);
            s.phase = ADVANCE;
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
          if (s.segments === undefined) {
            pageTable.map(s.pfn, s.frame, s.touched, s.permission, memory);
            memory.spend(costs.pteMapCycles);
          } else {
            let pfn = s.pfn;
            for (const { frame, pages } of s.segments) {
              pageTable.map(pfn, frame, pages, s.permission, memory);
              memory.spend(costs.pteMapCycles);
              pfn += pages;
            }
          }
          this.watch.mapped(s.pfn, s.touched, simulation.now);
          this.mapped.add(s.pfn, s.pages);
          s.pc++;
          execution.spend(core, S.STEP_PTE_WRITE, memory.take());
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
            s.phase = ADVANCE;
          }
          if (!this.drive(core, op, S.STEP_FIND)) return;
          s.pc++;
          if (!op.found) {
            // "Driver unmaps unmapped page at PFN …": v4.3 warns and returns.
            this.counts.strayUnmaps++;
            s.tables = [];
            s.pc = s.holdsTree ? s.program.indexOf("drop tree lock") : s.program.length - 1;
          } else if (this.options.variant.allocator === "rbtree") {
            s.pfn = op.lo;
            s.pages = op.hi - op.lo + 1;
          }
          break;
        }
        case "unmap: clear entries": {
          this.mapped.strike(s.pfn, s.pages);
          s.tables = pageTable.unmap(s.pfn, s.pages, memory);
          this.watch.cleared(s.pfn, s.pages);
          memory.spend(costs.pteClearCycles);
          s.pc++;
          execution.spend(core, S.STEP_PTE_CLEAR, memory.take());
          return;
        }
        case "unmap: invalidate":
          if (s.phase === 0) s.request = invalidationOf(0, s.pfn, s.pages, s.tables.length === 0);
          if (!invalidation.submitAndWait(core, s)) return;
          s.pc++;
          break;
        case "unmap: invalidate device":
          if (options.ats && !invalidation.invalidateDevice(core, s, s.pfn, s.pages)) return;
          s.pc++;
          break;
        case "unmap: free": {
          const op = s.operation;
          if (s.phase === 0) {
            op.pfn = s.pfn;
            op.pages = s.pages;
            this.allocator!.beginFree(op);
            s.phase = ADVANCE;
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
          execution.acquire(core, 0, s.context === S.CONTEXT_FLUSH ? S.STEP_FREE : S.STEP_FIND);
          return;
        case "drop tree lock":
          s.pc++;
          s.holdsTree = false;
          execution.release(core, 0, S.STEP_FREE);
          return;
        case "take async lock":
          s.pc++;
          execution.acquire(core, this.asyncLocks + s.queue, S.STEP_APPEND);
          return;
        case "drop async lock":
          s.pc++;
          execution.release(core, this.asyncLocks + s.queue, S.STEP_APPEND);
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
          execution.spend(core, S.STEP_APPEND, memory.take());
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
          if (!invalidation.submitAndWait(core, s)) return;
          s.pc++;
          break;
        case "flush: next entry": {
          const queue = this.queues[s.queue];
          if (queue.cursor < queue.entries.length) {
            for (const line of queue.lines(queue.cursor)) memory.read(line);
            s.pc++;
            this.counts.flushedEntries++;
            execution.spend(core, S.STEP_FREE, memory.take());
            return;
          }
          // As the thread words it there is no whole flush, which would count itself.
          if (options.variant.treeLockHeld && queue.entries.length > 0) this.counts.flushes++;
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
          if (!invalidation.submitAndWait(core, s)) return;
          s.pc++;
          break;
        case "flush: invalidate entry in device": {
          const { pfn, pages } = this.entry(s);
          if (options.ats && !invalidation.invalidateDevice(core, s, pfn, pages)) return;
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
            s.phase = ADVANCE;
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
    this.accounts.enter(core, S.STEP_STACK, S.CONTEXT_NONE, now);
    this.client.dmaDone(core);
  }

  /** Runs an allocator's operation to its next lock event, and acts on that. @returns whether the operation is complete */
  private drive(core: number, op: IovaOperation, step: number): boolean {
    const s = this.state[core];
    const { execution } = this;
    for (;;) {
      if (s.phase === ADVANCE) {
        s.pendingStep = this.allocator!.advance(op);
        s.phase = ACT;
        const cycles = this.memory.take();
        if (cycles > 0) {
          execution.spend(core, step, cycles);
          return false;
        }
      }
      if (s.phase === ACT) {
        const next = s.pendingStep;
        if (next === 0) {
          s.phase = 0;
          return true;
        }
        if (next < 0 && step === S.STEP_ALLOCATE && op.flushes > 0 && this.options.variant.policy === "flush-on-wrap") {
          // lazy_flush: called under the pool's lock, before the range is handed out.
          op.flushes = 0;
          s.request = { kind: "global" };
          s.phase = FLUSH_ON_WRAP;
          this.counts.flushes++;
          s.wrapPhase = 0;
        } else {
          s.phase = ADVANCE;
          if (s.holdsTree) continue;
          if (next > 0) execution.acquire(core, lockOf(next), step);
          else execution.release(core, lockOf(next), step);
          return false;
        }
      }
      if (s.phase === FLUSH_ON_WRAP) {
        s.phase = s.wrapPhase;
        const finished = this.invalidation.submitAndWait(core, s);
        s.wrapPhase = s.phase;
        s.phase = finished ? ACT : FLUSH_ON_WRAP;
        if (!finished) return false;
      }
    }
  }

  private freeTables(core: number, tables: readonly number[]): void {
    this.pageTable.freeTables(tables);
    this.counts.freedTables += tables.length;
    this.execution.spend(core, S.STEP_FREE_TABLES, tables.length * this.options.costs.apiCycles);
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
    simulation.post(at - simulation.now, this.kinds, core, this.timerGeneration);
  }
}
