import { expect, it } from "vitest";
import { callSteps, programSource, variants } from "../../src/dma/index.js";

it("shows the source of the program that runs, a variant's own where it has one", () => {
  const source = programSource("intel_unmap");
  expect(source).toMatch(/^\*intel_unmap\(core, pfn, pages\) \{\n/);
  expect(source.split("\n").at(-1)).toBe("}");
  const order = ["find_iova(", "domain_unmap(", "iommu_flush_iotlb_psi(", "__free_iova(", "add_unmap("];
  const places = order.map((call) => source.indexOf(call));
  expect(places).toEqual([...places].sort((a, b) => a - b));
  expect(places).not.toContain(-1);
  expect(programSource("intel_unmap", "thread-strict")).toContain("underLock");
  expect(programSource("alloc_iova")).toContain("__alloc_and_insert_iova_range");
  expect(programSource("alloc_iova", "magazines-strict")).toContain("iova_rcache_get");
});

it("names the functions there are when asked for another, and the variants", () => {
  expect(() => programSource("intel_mapp")).toThrow(
    /no function "intel_mapp"; there are .*intel_unmap.*qi_submit_sync/,
  );
  expect(() => programSource("constructor")).toThrow(/no function/);
  expect(() => programSource("intel_unmap", "fast")).toThrow(/"fast".*deferred/);
});

it("a strict unmap takes the tree's lock to find and to free; in between the queue's, and the device list's also without ATS", () => {
  expect(callSteps("strict").unmap.map(({ step, locks }) => [step, locks.join(", ")])).toEqual([
    ["intel_unmap", ""],
    ["find_iova", "iova_rbtree_lock"],
    ["dma_pte_clear_level", ""],
    ["qi_submit_sync: submit", "q_lock"],
    ["qi_submit_sync: poll", "q_lock"],
    ["iommu_flush_dev_iotlb", "device_domain_lock"],
    ["__free_iova", "iova_rbtree_lock"],
  ]);
});

it("a flush looks for devices with ATS at each entry, before it frees it; kernels with queues a CPU do so nowhere", () => {
  const { unmap } = callSteps("deferred");
  const at = unmap.findIndex(({ step }) => step === "iommu_flush_dev_iotlb");
  expect(unmap[at]).toMatchObject({ within: "flush", locks: ["async_umap_flush_lock", "device_domain_lock"] });
  expect(unmap[at + 1].step).toBe("__free_iova");
  for (const name of ["magazines-deferred", "magazines-strict", "strict-ish"])
    expect(JSON.stringify(callSteps(name))).not.toContain("device_domain_lock");
});

it("a deferred unmap that finds the table full flushes it under async_umap_flush_lock, before it appends", () => {
  const { unmap } = callSteps("deferred");
  const flush = unmap.filter(({ within }) => within === "flush");
  expect(flush[0]).toEqual({
    within: "flush",
    step: "qi_submit_sync: submit",
    locks: ["async_umap_flush_lock", "q_lock"],
  });
  expect(flush.every(({ locks }) => locks[0] === "async_umap_flush_lock")).toBe(true);
  expect(unmap.at(-1)).toEqual({ within: "unmap", step: "add_unmap", locks: ["async_umap_flush_lock"] });
});

it("only the thread's wording holds the tree's lock over an invalidation", () => {
  const held = variants
    .filter(({ name }) =>
      callSteps(name).unmap.some(
        ({ step, locks }) => step.startsWith("qi_submit_sync") && locks.includes("iova_rbtree_lock"),
      ),
    )
    .map(({ name }) => name);
  expect(held).toEqual(variants.filter(({ treeLockHeld }) => treeLockHeld).map(({ name }) => name));
});
