import { type Behaviour, Processes, ready, Simulation, type Wait } from "../engine/index.js";
import type { Invalidation } from "../iommu/index.js";
import { dynamicDesign, EntryMemory, SecondLevelPageTable } from "../pagetables/index.js";
import { makeAllocator } from "./allocators.js";
import { ChargedMemory } from "./charged-memory.js";
import { Core } from "./core.js";
import type { DmaCosts } from "./costs.js";
import { CycleAccounts } from "./cycle-accounts.js";
import { RuledInvalidation } from "./flush-by-rule.js";
import { FlushQueue } from "./flush-queue.js";
import { MappedRanges } from "./mapped-ranges.js";
import { modernParts } from "./modern-parts.js";
import { noCounts } from "./options.js";
import { PageReferences } from "./page-references.js";
import { programsFor } from "./programs.js";
import { QueuedInvalidation } from "./queued-invalidation.js";
import { type Context, contexts, steps } from "./steps.js";
import { TranslationWatch } from "./translation-watch.js";
import { looksForDeviceTlbs, variant as variantByName } from "./variants.js";

/** A stretch of a call: what runs, and under which locks. */
export interface CallStep {
  /** The call that it belongs to: a flush runs inside the unmap that fills the table. */
  within: Context;
  /** The step as tables name it: the function of Linux v4.3. */
  step: string;
  /** Locks that are held, in the order in which they were taken. */
  locks: readonly string[];
}

/** Notes what a program asks of its core; nothing takes time. */
class DryCore extends Core {
  readonly noted: CallStep[] = [];
  lockNames: readonly string[] = [];
  private held: string[] = [];

  override enter(context: number): void {
    this.context = context;
  }

  override leave(): void {}

  override spend(): Wait {
    const last = this.noted.at(-1);
    const step: CallStep = { within: contexts[this.context], step: steps[this.present].name, locks: [...this.held] };
    if (JSON.stringify(last) !== JSON.stringify(step)) this.noted.push(step);
    return ready;
  }

  override settle(): Wait {
    return ready;
  }

  override acquire(lock: number): Wait {
    this.held.push(this.lockNames[lock]);
    return ready;
  }

  override release(lock: number): Wait {
    this.spend();
    this.held = this.held.filter((name) => name !== this.lockNames[lock]);
    return ready;
  }
}

/** What nothing costs. */
const free: DmaCosts = {
  apiCycles: 0,
  pteMapCycles: 0,
  pteClearCycles: 0,
  instructionCycles: 0,
  storesBuffered: 1,
  storesAtOnce: 1,
  invalidationCycles: 0,
  deviceInvalidationCycles: 0,
  serialShare: 0,
  retriesInPlace: 0,
  tailWriteCycles: 0,
  faultReadCycles: 0,
  relaxCycles: 0,
  clflushCycles: 0,
};

/**
 * What one map and one unmap of a page do, step by step, with the locks that are held: noted while the very programs run that simulated
 * cores run, on a core for which nothing takes time. A deferred unmap is one that finds the table full (of one entry, here); a lazy one of later kernels only queues.
 * @throws Error naming the variants there are
 * @example callSteps("strict").unmap.map(({ step }) => step) // ["intel_unmap", "find_iova", "dma_pte_clear_level", …]
 */
export function callSteps(name: string): { map: CallStep[]; unmap: CallStep[] } {
  const variant = variantByName(name);
  const processes = new Processes(new Simulation());
  const nothing = { read: () => 0, write: () => 0, atomic: () => 0, flush: () => {} };
  const memory = new ChargedMemory(nothing, { now: 0 }, 1, free);
  const core = new DryCore(0, { processes, accounts: new CycleAccounts(1), memory, locks: [], kinds: 0 });
  const allocator =
    variant.allocator === "none"
      ? undefined
      : makeAllocator(variant.allocator, {
          memory,
          base: 0,
          cpus: 1,
          pools: variant.pools ?? 1,
          lazyFlush: variant.policy === "flush-on-wrap",
          release: variant.linux?.release,
        });
  const own = allocator?.locks.map((lock) => lock.name) ?? [];
  const counts = noCounts();
  const watch = new TranslationWatch();
  const queue = { hasRoom: true, nextSlot: 0, slotAddress: () => 0, isDone: () => true, reclaim: () => {} };
  const unit = {
    queue,
    statusAddress: () => 0,
    submit: (request: Invalidation) => {
      watch.invalidated(request, 0);
      return 0;
    },
  };
  const lockNames = [...own, "async_umap_flush_lock", "q_lock", "device_domain_lock"];
  const modern = modernParts(variant, {
    unit,
    memory,
    costs: free,
    counts,
    ats: false,
    cores: 1,
    microsecond: 0,
    copyBytesPerCycle: 1,
    clock: { now: 0 },
    addLock: (lock) => lockNames.push(lock) - 1,
    region: () => 0,
    line: () => ({ read: () => 0, atomic: () => 0 }),
  });
  core.lockNames = lockNames;
  const invalidationParts = {
    unit,
    memory,
    costs: free,
    counts,
    ats: false,
    q_lock: own.length + 1,
    device_domain_lock: own.length + 2,
    devices: 0,
    looksForDeviceTlbs: looksForDeviceTlbs(variant),
  };
  const invalidation = variant.flush
    ? new RuledInvalidation(invalidationParts, variant.flush)
    : new QueuedInvalidation(invalidationParts);
  const programs = programsFor(
    {
      variant,
      costs: free,
      counts,
      memory,
      pageTable: new SecondLevelPageTable({ coherent: true, baseAddress: 0 }),
      references: variant.holdsPages ? new PageReferences(0) : undefined,
      entries: variant.oneToOne ? new EntryMemory(dynamicDesign(variant.oneToOne)) : undefined,
      coherent: true,
      watch,
      mapped: new MappedRanges(variant.allocator),
      invalidation,
      queues: [new FlushQueue(0, own.length)],
      flushEntries: 1,
      ats: false,
      timer: { arm: () => {}, disarm: () => {} },
      limits: [0xfffff],
      clock: { now: 0 },
    },
    allocator,
    modern,
  );
  const noted = <Result>(program: Behaviour<Result>): { result: Result; steps: CallStep[] } => {
    core.noted.length = 0;
    let next = program.next();
    while (!next.done) next = program.next();
    return { result: next.value, steps: [...core.noted] };
  };
  const first = noted(programs.intel_map_page(core, 1, 1, 3));
  noted(programs.intel_unmap(core, first.result, 1));
  const map = noted(programs.intel_map_page(core, 1, 1, 3));
  return { map: map.steps, unmap: noted(programs.intel_unmap(core, map.result, 1)).steps };
}
