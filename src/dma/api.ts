import type { Behaviour, Processes, StateMachine } from "../engine/index.js";
import {
  type Invalidation,
  InvalidationUnit,
  type InvalidationWatch,
  invalidationOf,
  type WalkedTable,
} from "../iommu/index.js";
import {
  dma32Pfn,
  type FlushRings,
  type IovaAllocator,
  noPfn,
  Rcache6Allocator,
  ringTimeoutMs,
  roundUpPages,
} from "../iova/index.js";
import { ContendedLine, type HostMachine as Machine, type SpinLock } from "../machine/index.js";
import { dynamicDesign, EntryMemory, PAGE_BYTES, SecondLevelPageTable } from "../pagetables/index.js";
import { type AllocatorSetup, makeAllocator } from "./allocators.js";
import { BouncePool } from "./bounce.js";
import { ChargedMemory } from "./charged-memory.js";
import { Core } from "./core.js";
import { CycleAccounts } from "./cycle-accounts.js";
import { DepotWorks } from "./depot-works.js";
import { DmaIommu } from "./dma-iommu.js";
import { DynamicOneToOne } from "./dynamic-one-to-one.js";
import { RuledInvalidation } from "./flush-by-rule.js";
import { FlushQueue, FlushTimer } from "./flush-queue.js";
import type { DmaPrograms } from "./intel-iommu.js";
import { DmaLock } from "./locks.js";
import { listPages, MappedRanges } from "./mapped-ranges.js";
import { modernParts } from "./modern-parts.js";
import {
  copyBytesPerCycle,
  type DmaClient,
  type DmaCounts,
  DmaError,
  type DmaOptions,
  noCounts,
  type Segment,
} from "./options.js";
import { FlushOnWrap } from "./other-kernels.js";
import { PageReferences } from "./page-references.js";
import { programsFor } from "./programs.js";
import { DEVICE_LINES, QueuedInvalidation } from "./queued-invalidation.js";
import * as S from "./steps.js";
import { TranslationWatch } from "./translation-watch.js";
import { looksForDeviceTlbs, type Variant } from "./variants.js";
import { walkedEntries, walkedPageTable } from "./walked.js";

const mostTables = 2304;
/** Dynamic 1:1 has the tables of wherever buffers lie in memory. */
const mostDynamicTables = 8192;

/** Locks of a core's caches and table, at most: the queue nodes of each lie on a page of their own. */
const locksACore = 16;

const tableBytes = ({ variant }: Pick<DmaOptions, "variant">): number =>
  (variant.oneToOne ? mostDynamicTables : mostTables) * PAGE_BYTES;
const allocatorBytes = ({ variant, cores, maxRanges }: Pick<DmaOptions, "variant" | "cores" | "maxRanges">): number =>
  variant.linux
    ? Rcache6Allocator.bytes(cores, maxRanges * 1.25 + 32_768, 4096, variant.linux.largestCached)
    : Math.ceil(maxRanges * 1.25 + 32_768) * 64 + (2 << 20);

/** About how much of the machine's memory a {@link DmaApi} of these options takes. */
export function dmaBytes(options: Pick<DmaOptions, "variant" | "cores" | "maxRanges">): number {
  const { variant, cores } = options;
  const few = (cores + 4) * (FlushQueue.bytes + locksACore * PAGE_BYTES);
  return (
    tableBytes(options) +
    (variant.allocator === "none" ? 0 : allocatorBytes(options)) +
    (variant.holdsPages ? PageReferences.bytes : 0) +
    few
  );
}

/** Makes a lock of the domain. @returns its number */
type AddLock = (name: string, address: number | undefined, irqSave: boolean, spinStep: number) => number;

/** @throws DmaError for a device's own cache behind an IOMMU of which it is not simulated */
function checkAts({ ats, variant: { linux, name } }: DmaOptions): void {
  if (!ats || !linux || linux.driver === "vt-d") return;
  const whose = linux.driver === "amd" ? "AMD's IOMMU" : "an SMMU";
  throw new DmaError(
    `ats: true is not accepted for ${name}: how ${whose} has a device forget is not simulated; accepted are variants with VT-d.`,
  );
}

/** Cycles from arming the timer of the deferred flush to its expiry. */
function timerDelay({ variant: { linux, policy }, flushTimerCycles, tickCycles }: DmaOptions): number {
  // One ring for all has a timer of a second in place of 10 ms.
  const longer = linux?.singleRing === "large" ? ringTimeoutMs.single / ringTimeoutMs.perCpu : 1;
  // The timer wheel of later kernels rounds up to the tick after (a timer of 10 ms fires after 11 ticks of 1 ms).
  return longer * flushTimerCycles + (policy === "lazy" || policy === "deferred-per-cpu" ? tickCycles : 0);
}

/** The tables of the deferred flush: one for all, or one for each CPU. */
function flushTables(
  count: number,
  { policy }: Variant,
  region: (name: string, bytes: number) => number,
  addLock: AddLock,
): FlushQueue[] {
  return Array.from({ length: count }, (_, i) => {
    const base = region("deferred flush table", FlushQueue.bytes);
    const name = policy === "deferred-per-cpu" ? `deferred_flush[${i}].lock` : "async_umap_flush_lock";
    return new FlushQueue(base, addLock(name, base, true, S.STEP_SPIN_ASYNC), i);
  });
}

/** Highest IOVA pages to try, in turn: below 4 GiB first, then all that the device and four levels of tables reach. */
function limitsOf(deviceBits: number): number[] {
  let pages = 1;
  for (let bit = 12; bit < Math.min(deviceBits, 48); bit++) pages *= 2;
  return pages - 1 > dma32Pfn ? [dma32Pfn, pages - 1] : [pages - 1];
}

/**
 * The kernel's DMA API for one device's domain: allocator, page table, invalidation and their locks.
 *
 * {@link map}, {@link unmap} and {@link flush} are the calls, each a program (`IntelIommu`) that a core's process runs by `yield*`:
 * it spends simulated time step by step, contends for locks with the other cores, and gives its result back. One call a core at a time.
 *
 * ```ts
 * processes.begin("core 0", function* () {
 *   const pfn = yield* api.map(0, frame, 1, 3);
 *   yield* api.unmap(0, pfn, 1);
 * });
 * ```
 */
export class DmaApi implements StateMachine {
  readonly accounts: CycleAccounts;
  readonly memory: ChargedMemory;
  readonly allocator: IovaAllocator | undefined;
  readonly pageTable: SecondLevelPageTable;
  /** The tables of dynamic 1:1, where the variant is that; `pageTable` is then empty. */
  readonly entries: EntryMemory | undefined;
  /** References on memory pages, where the variant holds them until the flush (strict-ish). */
  readonly references: PageReferences | undefined;
  readonly watch = new TranslationWatch();
  /** The device's translation hardware, where a run has it: it hears of each invalidation at the moment at which it is executed. */
  hardware: InvalidationWatch | undefined;
  readonly unit: InvalidationUnit;
  readonly counts: DmaCounts = noCounts();
  private readonly programs: DmaPrograms;
  private readonly cores: readonly Core[];
  private readonly queues: readonly FlushQueue[] = [];
  private readonly dmaLocks: DmaLock[] = [];
  private readonly limits: number[];
  private readonly mapped: MappedRanges;
  private readonly variant: Variant;
  private readonly rings: FlushRings | undefined;
  private readonly beside: object[];
  private readonly timer: FlushTimer;
  /** 1 for each core on which the flush timer has expired. */
  private readonly timerDue: Uint8Array;
  private readonly depots: DepotWorks | undefined;
  private readonly allocatorSetup: AllocatorSetup | undefined;

  /** @param client told when the deferred flush timer expires */
  constructor(
    machine: Machine,
    private readonly processes: Processes,
    options: DmaOptions,
    client: DmaClient,
  ) {
    const { variant, costs } = options;
    const { sim } = processes;
    checkAts(options);
    this.variant = variant;
    this.mapped = new MappedRanges(variant.allocator);
    this.memory = new ChargedMemory(machine, sim, options.cores, costs);
    this.accounts = new CycleAccounts(options.cores);
    const addLock: AddLock = (name, address, irqSave, spinStep) =>
      this.dmaLocks.push(new DmaLock(() => options.makeLock(name, address, irqSave), spinStep, !variant.linux)) - 1;
    const coreParts = {
      processes,
      accounts: this.accounts,
      memory: this.memory,
      locks: this.dmaLocks,
      kinds: sim.attach(this),
    };
    this.cores = Array.from({ length: options.cores }, (_, core) => new Core(core, coreParts));
    this.timerDue = new Uint8Array(options.cores);
    const tables = variant.policy === "deferred-per-cpu" ? options.cores : 1;
    this.timer = new FlushTimer(sim, timerDelay(options), options.tickCycles, tables, (core) => {
      this.timerDue[core] = 1;
      client.dmaTimer(core);
    });
    const region = (name: string, bytes: number): number => machine.region({ name, bytes, home: "interleaved" }).base;
    const baseAddress = region("second-level page tables", tableBytes(options));
    this.pageTable = new SecondLevelPageTable({ coherent: options.coherent, baseAddress });
    this.entries = variant.oneToOne && new EntryMemory(dynamicDesign(variant.oneToOne), baseAddress / PAGE_BYTES);
    this.unit = new InvalidationUnit(machine, sim, costs, {
      invalidated: (what: Invalidation, now: number) => {
        this.hardware?.invalidated(what, now);
        this.watch.invalidated(what, now);
      },
    });
    if (variant.holdsPages) this.references = new PageReferences(region("struct pages", PageReferences.bytes));
    if (variant.allocator !== "none") {
      this.allocatorSetup = {
        memory: this.memory,
        base: region("IOVA allocator", allocatorBytes(options)),
        cpus: options.cores,
        pools: variant.pools ?? 1,
        lazyFlush: variant.policy === "flush-on-wrap",
        release: variant.linux?.release,
        largestCached: variant.linux?.largestCached,
        onArm: (bin, cpu) => this.depots?.arm(bin, cpu),
        uncharged: variant.uncharged,
      };
      this.allocator = makeAllocator(variant.allocator, this.allocatorSetup);
      // The allocator numbers its locks from 0.
      for (const { name, address } of this.allocator.locks) addLock(name, address, true, S.STEP_SPIN_TREE);
    }
    this.depots =
      this.allocator instanceof Rcache6Allocator
        ? new DepotWorks(sim, this.allocator, options.tickCycles, options.cores, (core) => client.dmaTimer(core))
        : undefined;
    if (variant.policy === "deferred" || variant.policy === "deferred-per-cpu")
      this.queues = flushTables(tables, variant, region, addLock);
    // What every program works with, of whatever release.
    const common = { unit: this.unit, memory: this.memory, costs, counts: this.counts, ats: options.ats, clock: sim };
    const invalidationParts = {
      ...common,
      q_lock: addLock("q_lock", undefined, false, S.STEP_SPIN_QI),
      device_domain_lock: addLock("device_domain_lock", undefined, true, S.STEP_SPIN_DEVICES),
      devices: machine.region({ name: "list of devices", bytes: DEVICE_LINES * 64, home: 0 }).base,
      looksForDeviceTlbs: looksForDeviceTlbs(variant),
    };
    const invalidation = variant.flush
      ? new RuledInvalidation(invalidationParts, variant.flush)
      : new QueuedInvalidation(invalidationParts);
    this.limits = limitsOf(options.deviceBits);
    const domain = {
      ...common,
      variant,
      pageTable: this.pageTable,
      references: this.references,
      entries: this.entries,
      coherent: options.coherent,
      watch: this.watch,
      mapped: this.mapped,
      invalidation,
      queues: this.queues,
      flushEntries: options.flushEntries,
      timer: this.timer,
      limits: this.limits,
    };
    const modern = modernParts(variant, {
      ...common,
      cores: options.cores,
      microsecond: Math.round(options.tickCycles / 1000),
      copyBytesPerCycle: options.copyBytesPerCycle ?? copyBytesPerCycle,
      addLock,
      region,
      line: (address) => new ContendedLine(machine, address),
    });
    this.rings = modern?.queue?.rings;
    this.beside = [this.memory, domain, ...(modern ? [modern] : [])];
    const programs = programsFor(domain, this.allocator, modern);
    if (programs instanceof FlushOnWrap)
      for (const core of this.cores) core.lazyFlush = () => programs.lazy_flush(core);
    this.programs = programs;
  }

  /**
   * Maps `pages` pages from memory page `frame` on, on a core.
   * @returns the IOVA page; {@link noPfn} where no address is free; the memory page where nothing is translated
   * @throws DmaError where `pages` is no whole number from 1 to 2^31
   */
  map(core: number, frame: number, pages: number, permission: number): Behaviour<number> {
    return this.programs.intel_map_page(this.cores[core], frame, pages, permission);
  }

  /** Maps a scatter list on a core: one range for the sum of its pieces, as `intel_map_sg` takes it. */
  mapList(core: number, list: readonly Segment[], permission: number): Behaviour<number> {
    return this.programs.intel_map_sg(this.cores[core], list, permission);
  }

  /** Maps a transfer piece by piece with the two-step API of 6.16, into one range; {@link unmapList} ends it. */
  mapInSteps(core: number, list: readonly Segment[], permission: number): Behaviour<number> {
    if (!(this.programs instanceof DmaIommu)) throw new Error("The two-step API came with Linux 6.16.");
    return this.programs.dma_iova_link_all(this.cores[core], list, permission);
  }

  /**
   * Unmaps. `pages` is what the driver says; the tree of v4.3 knows better and does not look at it. Every other allocator takes
   * the length from here, rounded as the map rounded it.
   * @throws DmaError where `pages` is no whole number from 1 to 2^31; and, when simulated time comes to it and before anything is changed,
   *   where Linux would free a range twice or other mappings' pages
   */
  unmap(core: number, pfn: number, pages: number): Behaviour {
    return this.programs.intel_unmap(this.cores[core], pfn, pages);
  }

  /** Unmaps a scatter list, whose length is the sum of its pieces (v4.3's `intel_unmap_sg` passes the first address only). */
  unmapList(core: number, pfn: number, list: readonly Segment[]): Behaviour {
    return this.unmap(core, pfn, listPages(list));
  }

  /** Simulated time begins: what the boot has armed counts from now. A copy of a host that has booted has its marks, and needs the timers. */
  begin(): void {
    this.depots?.begin();
    const core = this.programs instanceof DmaIommu ? this.programs.armedAtBoot : undefined;
    if (core !== undefined) this.timer.arm(core);
  }

  /** What a timer has asked for on this core: the deferred flush (`flush_unmaps_timeout`), or a depot's trimming. */
  flush(core: number): Behaviour {
    const due = this.depots?.take(core) ?? [];
    if (due.length === 0) {
      this.timerDue[core] = 0;
      return this.programs.flush_unmaps_timeout(this.cores[core]);
    }
    return this.timersOf(core, due);
  }

  private *timersOf(core: number, due: readonly number[]): Behaviour {
    if (this.timerDue[core] === 1) {
      this.timerDue[core] = 0;
      yield* this.programs.flush_unmaps_timeout(this.cores[core]);
    }
    yield* (this.depots as DepotWorks).run(this.cores[core], due);
  }

  /** Maps at once, outside simulated time: the boot. @returns the IOVA page, or the memory page where nothing is translated */
  mapAtBoot(core: number, frame: number, pages: number, permission: number): number {
    if (!this.allocator) return frame;
    if (this.programs instanceof DynamicOneToOne) return this.programs.map_at_boot(core, frame, pages, permission);
    if (this.programs instanceof BouncePool) return this.programs.map_at_boot(core, pages, permission);
    const length = this.lengthOf(pages);
    for (const limit of this.limits) {
      const pfn = this.allocator.allocate(length, limit, core);
      if (pfn === noPfn) continue;
      this.pageTable.map(pfn, frame, pages, permission);
      for (let page = frame; page < frame + pages; page++) this.references?.get(page);
      this.watch.mapped(pfn, pages, this.processes.sim.now);
      this.mapped.add(pfn, length);
      return pfn;
    }
    throw new Error(`the IOVA space is exhausted at boot, at a request for ${pages} pages`);
  }

  /** Unmaps at once, outside simulated time. */
  unmapAtBoot(core: number, pfn: number, pages: number): void {
    if (!this.allocator) return;
    if (this.programs instanceof DynamicOneToOne) {
      this.programs.unmap_at_boot(core, pfn, pages);
      return;
    }
    if (this.programs instanceof BouncePool) {
      this.programs.unmap_at_boot(pfn);
      return;
    }
    const rounded = this.lengthOf(pages);
    this.mapped.strike(pfn, rounded);
    for (let page = pfn; this.references && page < pfn + rounded; page++) {
      const leaf = this.pageTable.lookup(page);
      if (leaf) this.references.put(leaf.pfn);
    }
    this.pageTable.freeTables(this.pageTable.unmap(pfn, rounded));
    this.watch.cleared(pfn, rounded);
    this.watch.invalidated(invalidationOf(0, pfn, rounded, true), this.processes.sim.now);
    this.allocator.free(pfn, rounded, core);
  }

  /**
   * Unmaps outside simulated time, and leaves the range in the core's ring, as a measurement finds it that begins in the middle of traffic.
   * @returns false, and nothing is done, where there is no ring or it is full
   */
  queueAtBoot(core: number, pfn: number, pages: number): boolean {
    return this.programs instanceof DmaIommu && this.programs.queueAtBoot(core, pfn, pages);
  }

  /** A received page goes round its pool, without an unmap and a map. @param turn how many have gone round this core's pool */
  recycle(core: number, turn: number): Behaviour {
    if (!(this.programs instanceof DmaIommu)) throw new Error("Only Linux ≥ 4.15 has a page_pool here.");
    return this.programs.page_pool_recycle(this.cores[core], turn);
  }

  /**
   * What maps and unmaps at boot change, and what these parts refer to that is not theirs: for whoever copies a host that has booted into
   * another one.
   */
  get booted(): { parts: object[]; beside: object[] } {
    const { allocator, pageTable, entries, references, watch, mapped, rings, programs, beside } = this;
    const parts = [allocator, pageTable, entries, references, watch, mapped, rings, programs];
    return { parts: parts.filter((part) => part !== undefined), beside };
  }

  /**
   * An allocator made as this domain's was, that no memory hears: for whoever lets long traffic go over it outside simulated time.
   * @param onArm hears that a depot's work is armed
   * @returns undefined where the domain has no allocator of Linux ≥ 4.15
   */
  twin(onArm: (bin: number) => void): Rcache6Allocator | undefined {
    if (!(this.allocator instanceof Rcache6Allocator) || this.allocatorSetup === undefined) return undefined;
    return makeAllocator("rcache6", { ...this.allocatorSetup, memory: null, onArm }) as Rcache6Allocator;
  }

  /** Long traffic has used up the addresses below 4 GiB: they are not tried again. */
  giveUpLow(): void {
    if (this.programs instanceof DmaIommu) this.programs.giveUpLow();
  }

  /** The highest page that the device reaches. */
  get highest(): number {
    return this.limits[this.limits.length - 1];
  }

  /** Pages that a range takes: v4.3's driver rounds them up, later ones leave that to the allocator. */
  private lengthOf(pages: number): number {
    return this.variant.linux ? pages : roundUpPages(pages);
  }

  /** The table of this domain as the hardware walks it; undefined where nothing is translated. */
  walked(): WalkedTable | undefined {
    if (!this.allocator) return undefined;
    return this.entries ? walkedEntries(this.entries) : walkedPageTable(this.pageTable);
  }

  /** Table pages in use, those of them that map nothing, and present leaves. */
  tableUse(): { tables: number; empty: number; leaves: number } {
    if (!this.entries) {
      const { tableCount, emptyTables, leafCount } = this.pageTable;
      return { tables: tableCount, empty: emptyTables, leaves: leafCount };
    }
    const { leaves, emptyTables } = this.entries.statistics();
    return { tables: this.entries.tableCount, empty: emptyTables, leaves };
  }

  /** Forgets the counts, times and lock statistics so far: the end of the warm-up. */
  reset(): void {
    this.accounts.reset(this.processes.sim.now);
    for (const lock of this.dmaLocks) lock.reset();
    this.watch.reset(this.processes.sim.now);
    for (const name of Object.keys(this.counts) as (keyof DmaCounts)[]) this.counts[name] = 0;
  }

  /** Locks in the order of the lock table: the allocator's, then the async lock(s), q_lock, device_domain_lock. */
  get locks(): SpinLock[] {
    return this.dmaLocks.flatMap(({ made }) => made ?? []);
  }

  /** How long acquisitions of each lock waited and held, by power of two of cycles: bucket b counts 2^(b−1) to 2^b. */
  lockTimes(): { lock: string; waits: number[]; holds: number[] }[] {
    return this.dmaLocks.flatMap((lock) => (lock.made ? [lock.times()] : []));
  }

  /** Ranges that are unmapped and wait in the deferred tables. */
  get deferred(): number {
    if (this.rings) return this.rings.queued;
    return this.queues.reduce((sum, queue) => sum + queue.entries.length, 0);
  }

  /** An event of a core's is due. */
  dispatch(kind: number, core: number, lock: number): void {
    this.cores[core].dispatch(kind, lock);
  }
}
