import type { Behaviour } from "../engine/index.js";
import { type Invalidation, invalidationOf } from "../iommu/index.js";
import type { SyncParts, TlbSync } from "./cache-tags.js";
import type { Core } from "./core.js";
import { STEP_QI_POLL, STEP_QI_SUBMIT, STEP_SPIN_QI } from "./steps.js";

/** Cycles between two looks at a word that another core writes: coarser than `cpu_relax`, so that hundreds of waiting cores can be simulated. */
const lookAgain = 200;
/** Places of the command queue whose lines are told apart. */
const SLOTS = 256;
/** Commands that go into the queue together (CMDQ_BATCH_ENTRIES), and commands of a line. */
const batchEntries = 64;
const commandsOfLine = 4;

/** A line that many cores want at once, in time: when an access that begins now is done. */
export interface SharedLine {
  read(cpu: number, now: number): number;
  atomic(cpu: number, now: number): number;
}

/** What the command queue's lines are. */
export interface SmmuParts extends SyncParts {
  /** The producer and consumer word that every CPU reserves space with. */
  producer: SharedLine;
  /** The count of those who wait for a sync, and the owner's word beside it. */
  waiters: SharedLine;
  /** Space is reserved by an atomic add, in place of the compare-exchange loop. */
  addsInPlace: boolean;
  /** No range commands: each page is a command, and one sync follows them. */
  pageCommands: boolean;
}

/**
 * SMMUv3's command queue since 5.4 (drivers/iommu/arm/arm-smmu-v3): no lock. A CPU reserves space in the queue by compare-exchange, again and
 * again until nobody was faster; writes its commands and a sync; the first of a group (its owner) publishes the tail for all of them, when the
 * group before has; and each waits for its own sync.
 */
export class SmmuCommandQueue implements TlbSync {
  /** Reserved so far; what is published of it; and whether a group has an owner that has not closed it yet. */
  private reserved = 0;
  private published = 0;
  private owned = false;
  /** Adds up to 1 for each try that keeps the line. */
  private kept = 0;
  /** Commands written, as the valid bits say. */
  private readonly written = new Set<number>();
  private readonly commands = new Map<number, readonly Invalidation[]>();
  /** Slots of the hardware's waits, by reservation: the last is the sync's. */
  private readonly waits = new Map<number, readonly number[]>();

  constructor(private readonly parts: SmmuParts) {}

  iotlb_sync(core: Core, pfn: number, pages: number): Behaviour {
    if (this.parts.pageCommands && pages > 1) return this.page_by_page(core, pfn, pages);
    return this.arm_smmu_cmdq_issue_cmdlist(core, [invalidationOf(0, pfn, pages, false)]);
  }

  flush_iotlb_all(core: Core): Behaviour {
    return this.arm_smmu_cmdq_issue_cmdlist(core, [{ kind: "domain", domain: 0 }]);
  }

  /** Without range commands: one a page, 64 together. (Linux waits for the last batch's sync only; here each batch has one.) */
  private *page_by_page(core: Core, pfn: number, pages: number): Behaviour {
    for (let from = 0; from < pages; from += batchEntries) {
      const count = Math.min(batchEntries, pages - from);
      const commands = Array.from({ length: count }, (_, i) => invalidationOf(0, pfn + from + i, 1, false));
      yield* this.arm_smmu_cmdq_issue_cmdlist(core, commands);
    }
  }

  *arm_smmu_cmdq_issue_cmdlist(core: Core, commands: readonly Invalidation[]): Behaviour {
    const { memory, costs, counts, unit, waiters, clock } = this.parts;
    // 1. Space in the queue.
    const mine = yield* this.reserve(core);
    const owner = !this.owned;
    this.owned = true;
    // 2. The commands, and the valid bits that say so; one more waits for a sync.
    for (let line = 0; line < commands.length; line += commandsOfLine)
      memory.write(unit.queue.slotAddress((mine + line) % SLOTS));
    memory.write(unit.statusAddress(mine % SLOTS));
    yield core.at(STEP_QI_SUBMIT).charge();
    yield core.at(STEP_QI_SUBMIT).spend(waiters.atomic(core.id, clock.now) - clock.now);
    this.commands.set(mine, commands);
    this.written.add(mine);
    // 3. The owner publishes the group.
    if (owner) yield* this.publish(core, mine);
    // 4. Everybody waits for the own sync: the queue's consumer index, or a word in memory.
    for (;;) {
      const waits = this.waits.get(mine);
      const wait = waits?.at(-1);
      counts.pollTurns++;
      if (wait !== undefined) memory.read(unit.statusAddress(wait));
      if (wait !== undefined && unit.queue.isDone(wait)) {
        yield core.at(STEP_QI_POLL).charge();
        for (const one of waits ?? []) unit.queue.reclaim(one);
        break;
      }
      if (wait !== undefined) memory.spend(costs.faultReadCycles);
      memory.spend(lookAgain);
      yield core.at(wait === undefined ? STEP_SPIN_QI : STEP_QI_POLL).charge();
    }
    this.waits.delete(mine);
    yield core.at(STEP_QI_POLL).spend(waiters.atomic(core.id, clock.now) - clock.now);
  }

  private *reserve(core: Core): Behaviour<number> {
    const { producer, clock, counts, costs, addsInPlace } = this.parts;
    yield core.at(STEP_SPIN_QI).spend(producer.read(core.id, clock.now) - clock.now);
    let seen = this.reserved;
    for (;;) {
      yield core.at(STEP_SPIN_QI).spend(producer.atomic(core.id, clock.now) - clock.now);
      if (addsInPlace || this.reserved === seen) return this.reserved++;
      counts.failedExchanges++;
      this.kept += costs.retriesInPlace;
      if (this.kept >= 1) {
        this.kept -= 1;
        return this.reserved++;
      }
      seen = this.reserved;
    }
  }

  /** When the group before is published: close this one, wait until all of it is written, and write the tail register. */
  private *publish(core: Core, mine: number): Behaviour {
    const { memory, costs, counts, unit, producer, waiters, clock } = this.parts;
    while (this.published !== mine) {
      yield core.at(STEP_SPIN_QI).spend(waiters.read(core.id, clock.now) - clock.now);
      if (this.published !== mine) yield core.at(STEP_SPIN_QI).spend(lookAgain);
    }
    yield core.at(STEP_QI_SUBMIT).spend(producer.atomic(core.id, clock.now) - clock.now);
    const end = this.reserved;
    this.owned = false;
    for (let at = mine; at < end; at++) {
      while (!this.written.has(at)) yield core.at(STEP_SPIN_QI).spend(lookAgain);
      this.written.delete(at);
    }
    memory.spend(costs.tailWriteCycles);
    yield core.at(STEP_QI_SUBMIT).charge();
    for (let at = mine; at < end; at++) {
      const waits: number[] = [];
      for (const command of this.commands.get(at) ?? []) {
        while (!unit.queue.hasRoom) yield core.at(STEP_SPIN_QI).spend(lookAgain);
        waits.push(unit.submit(command));
        counts.invalidations++;
      }
      this.waits.set(at, waits);
      this.commands.delete(at);
    }
    yield core.at(STEP_QI_SUBMIT).spend(waiters.atomic(core.id, clock.now) - clock.now);
    this.published = end;
  }
}
