import { FlushRings, ringSlots, rulesOf } from "../iova/index.js";
import { AmdCommandBuffer } from "./amd-iommu.js";
import { CacheTags, type SyncParts, type TlbSync } from "./cache-tags.js";
import { type FlushQueueParts, type ModernParts, poolBytes, ringBytes } from "./dma-iommu.js";
import { type SharedLine, SmmuCommandQueue } from "./smmu.js";
import * as S from "./steps.js";
import type { Variant } from "./variants.js";

/** What the parts of a domain of Linux ≥ 4.15 are made of. */
export interface ModernSetup extends Omit<SyncParts, "queueLock" | "domainLock" | "tags"> {
  cores: number;
  copyBytesPerCycle: number;
  /** Adds a lock; returns its number. */
  addLock(name: string, address: number | undefined, irqSave: boolean, spinStep: number): number;
  /** Reserves simulated memory; returns its address. */
  region(name: string, bytes: number): number;
  /** A line that many cores want at once. */
  line(address: number): SharedLine;
}

/** Rings, locks and lines of a domain of Linux ≥ 4.15, and how its driver invalidates; undefined for an older kernel. */
export function modernParts(variant: Variant, setup: ModernSetup): ModernParts | undefined {
  const { linux } = variant;
  if (linux === undefined) return undefined;
  const { addLock, region, line, cores } = setup;
  const shared = region("a domain's shared lines", 8 * 64);
  const at = (index: number): number => shared + index * 64;
  const amd = linux.driver === "amd";
  const queueLock = addLock(amd ? "iommu->lock" : "q_lock", undefined, true, S.STEP_SPIN_QI);
  const domainLock = (): number => addLock(amd ? "domain->lock" : "cache_lock", shared, true, S.STEP_SPIN_DOMAIN);
  const parts = { ...setup, queueLock, tags: shared };
  let sync: TlbSync;
  switch (linux.driver) {
    case "amd":
      sync = new AmdCommandBuffer({ ...parts, domainLock: domainLock() });
      break;
    case "vt-d":
      sync = new CacheTags(
        isSince(linux.release, 6, 10)
          ? { ...parts, domainLock: domainLock() }
          : {
              ...parts,
              domainLock: undefined,
              deviceLock: setup.ats ? addLock("device_domain_lock", undefined, true, S.STEP_SPIN_DEVICES) : undefined,
            },
        isSince(linux.release, 6, 12),
        linux.hints ?? false,
      );
      break;
    case "smmu":
      sync = new SmmuCommandQueue({
        ...parts,
        domainLock: undefined,
        producer: line(at(1)),
        waiters: line(at(2)),
        addsInPlace: linux.addsInPlace ?? false,
        pageCommands: linux.pageCommands ?? false,
      });
  }
  let queue: FlushQueueParts | undefined;
  if (variant.policy === "lazy") {
    const { singleRing } = linux;
    const slots = singleRing === "large" ? ringSlots.single : ringSlots.perCpu;
    const rings = new FlushRings(cores, slots, singleRing !== undefined);
    const bases = Array.from({ length: rings.count }, () => region("flush queue", ringBytes(rings.slots)));
    const locks = bases.map((base, i) => addLock(`fq[${i}].lock`, base, true, S.STEP_SPIN_ASYNC));
    queue = { rings, bases, locks, started: at(3), finished: at(4), timerOn: at(5) };
  }
  return {
    rules: rulesOf(linux.release),
    sync,
    cachesAbsent: linux.guest ?? false,
    freesTablesAtOnce: linux.driver === "smmu",
    queue,
    pool: region("pools of buffers", poolBytes(cores)),
    copyBytesPerCycle: setup.copyBytesPerCycle,
  };
}

/** Whether a release is this one or a later one. */
function isSince(release: string, major: number, minor: number): boolean {
  const [a, b] = release.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}
