import {
  type IovaAllocator,
  MagazineAllocator,
  MergedTreeAllocator,
  PoolAllocator,
  RbTreeAllocator,
  Rcache6Allocator,
} from "../iova/index.js";
import { oneToOnePrograms } from "../pagetables/index.js";
import type { AllocatorKind } from "./allocators.js";
import { AmdCommandBuffer } from "./amd-iommu.js";
import { BouncePool } from "./bounce.js";
import { CacheTags } from "./cache-tags.js";
import { DmaIommu, type ModernParts } from "./dma-iommu.js";
import { DynamicOneToOne } from "./dynamic-one-to-one.js";
import { FlushByRule, RuledInvalidation } from "./flush-by-rule.js";
import { type DmaPrograms, type DomainParts, IntelIommu } from "./intel-iommu.js";
import { FlushOnWrap, NoTranslation, PerCpuTables, StrictIsh, ThreadWording } from "./other-kernels.js";
import { QueuedInvalidation } from "./queued-invalidation.js";
import { SmmuCommandQueue } from "./smmu.js";
import { type Variant, variant as variantByName } from "./variants.js";

/** The class of a VT-d driver, by its wording. */
type DriverClass = new (domain: DomainParts, allocator: IovaAllocator) => IntelIommu;

/** The driver that a variant that translates has. */
function driverOf(variant: Variant): DriverClass {
  if (variant.treeLockHeld) return ThreadWording;
  if (variant.holdsPages) return StrictIsh;
  if (variant.flush && variant.policy === "deferred-per-cpu") return FlushByRule;
  if (variant.policy === "deferred-per-cpu") return PerCpuTables;
  return variant.policy === "flush-on-wrap" ? FlushOnWrap : IntelIommu;
}

/** The programs of a domain, as its variant has them. */
export function programsFor(
  domain: DomainParts,
  allocator: IovaAllocator | undefined,
  modern?: ModernParts,
): DmaPrograms {
  if (allocator !== undefined && modern !== undefined)
    return domain.variant.reuse === "bounce"
      ? new BouncePool(domain, allocator, modern)
      : new DmaIommu(domain, allocator, modern);
  if (allocator !== undefined && domain.entries !== undefined)
    return new DynamicOneToOne(domain, allocator, domain.entries);
  return allocator === undefined ? new NoTranslation(domain) : new (driverOf(domain.variant))(domain, allocator);
}

/** Where the functions of each allocator's operations are. */
const allocatorClasses: Readonly<Record<AllocatorKind, { prototype: object }>> = {
  rbtree: RbTreeAllocator,
  "rbtree-merged": MergedTreeAllocator,
  magazines: MagazineAllocator,
  pools: PoolAllocator,
  rcache6: Rcache6Allocator,
};

/** Who invalidates, by the IOMMU's driver. */
const syncClasses = { "vt-d": CacheTags, amd: AmdCommandBuffer, smmu: SmmuCommandQueue } as const;

/** The functions of a variant by name: those that really run, an overriding one before the overridden. */
function functionsOf(variant: Variant): Map<string, () => unknown> {
  const classes =
    variant.allocator === "none"
      ? [NoTranslation]
      : [
          variant.linux
            ? variant.reuse === "bounce"
              ? BouncePool
              : DmaIommu
            : variant.oneToOne
              ? DynamicOneToOne
              : driverOf(variant),
          variant.linux ? syncClasses[variant.linux.driver] : variant.flush ? RuledInvalidation : QueuedInvalidation,
          allocatorClasses[variant.allocator],
        ];
  const functions = new Map<string, () => unknown>();
  for (const { prototype } of classes)
    for (let at = prototype; at !== Object.prototype; at = Object.getPrototypeOf(at))
      for (const [name, { value }] of Object.entries(Object.getOwnPropertyDescriptors(at)))
        if (typeof value === "function" && name !== "constructor" && !functions.has(name)) functions.set(name, value);
  if (variant.oneToOne)
    for (const [name, program] of Object.entries(oneToOnePrograms)) functions.set(name, program as () => unknown);
  return functions;
}

/**
 * The source of a function of the DMA API: the text of the very program that the simulated cores run, to lay beside Linux's.
 * @param name of the function in Linux, as `intel_unmap`, `add_unmap`, `qi_submit_sync` or `alloc_iova`; for dynamic 1:1 also of a page
 * table's program, as `takeLeaf` or `dropUse`
 * @param variant whose function: a variant may have its own
 * @throws Error naming the functions there are
 * @example console.log(programSource("intel_unmap"))
 */
export function programSource(name: string, variant = "deferred"): string {
  const functions = functionsOf(variantByName(variant));
  const found = functions.get(name);
  if (found === undefined)
    throw new Error(
      `The variant "${variant}" has no function "${name}"; there are ${[...functions.keys()].filter((n) => n.includes("_") || Object.hasOwn(oneToOnePrograms, n)).join(", ")}.`,
    );
  const [first, ...rest] = Function.prototype.toString.call(found).split("\n");
  const indent = Math.min(...rest.filter((line) => line.trim() !== "").map((line) => line.search(/\S/)));
  return [first, ...rest.map((line) => line.slice(Math.min(indent, line.length)))].join("\n");
}
