/** The programs that invalidate by a rule. */
import type { Behaviour } from "../engine/index.js";
import type { Core } from "./core.js";
import type { FlushQueue } from "./flush-queue.js";
import { deviceCommands, type FlushRule, flushCommands, type Unmapped } from "./flush-rules.js";
import { PerCpuTables } from "./other-kernels.js";
import { QueuedInvalidation } from "./queued-invalidation.js";
import * as S from "./steps.js";

/** Invalidates by a rule where v4.3 invalidates one range. */
export class RuledInvalidation extends QueuedInvalidation {
  constructor(
    parts: ConstructorParameters<typeof QueuedInvalidation>[0],
    private readonly rule: FlushRule,
  ) {
    super(parts);
  }

  override *iommu_flush_iotlb_psi(core: Core, pfn: number, pages: number, leafOnly: boolean): Behaviour {
    yield* this.flush_ranges(core, [{ pfn, pages }], !leafOnly);
  }

  /** Has a batch of ranges forgotten, by the IOMMU and by a device that caches translations. */
  *flush_ranges(core: Core, ranges: readonly Unmapped[], tables: boolean): Behaviour {
    const commands = flushCommands(ranges, this.rule, tables);
    for (const command of commands) yield* this.qi_submit_sync(core, command);
    if (!this.parts.ats) return;
    const { device_domain_lock } = this.parts;
    for (const { pfn, order } of deviceCommands(commands)) {
      yield core.at(S.STEP_QI_SUBMIT).acquire(device_domain_lock);
      yield* this.qi_submit_sync(core, { kind: "device", device: 0, pfn, order });
      yield core.at(S.STEP_QI_POLL).release(device_domain_lock);
    }
  }
}

/** A deferred queue a CPU, as in v4.9, whose flush goes by a rule rather than always over everything. */
export class FlushByRule extends PerCpuTables {
  override *flush_unmaps(core: Core, queue: FlushQueue = this.domain.queues[0]): Behaviour {
    const { counts, invalidation, timer } = this.domain;
    const caller = core.context;
    core.context = S.CONTEXT_FLUSH;
    if (queue.entries.length > 0) {
      timer.disarm(queue.cpu);
      counts.flushes++;
      for (let i = 0; i < queue.entries.length; i++) this.readEntry(queue, i);
      yield core.at(S.STEP_FREE).charge();
      const tables = queue.entries.some(({ freelist }) => freelist.length > 0);
      const ranges = queue.entries.map(({ iova }) => ({ pfn: iova.pfn, pages: iova.pages }));
      yield* (invalidation as RuledInvalidation).flush_ranges(core, ranges, tables);
    }
    for (const { iova, freelist } of queue.entries) {
      iova.cpu = core.id;
      yield* this.allocator.__free_iova(iova, core.at(S.STEP_FREE));
      if (freelist.length > 0) yield this.dma_free_pagelist(core, freelist);
    }
    queue.entries.length = 0;
    timer.disarm(queue.cpu);
    core.context = caller;
  }
}
