import { expect, test } from "vitest";
import { callSteps } from "../../src/dma/index.js";
import { packetPath, packetSteps } from "../../src/experiments/index.js";

test("a strict packet: map, the hardware's way, unmap, and the tree's lock three times", () => {
  const steps = packetSteps("strict");
  expect(steps.map(({ label }) => label)).toEqual([
    "dma_map(buffer)",
    "find a free IOVA",
    "write the PTE",
    "the IOVA",
    "descriptor into the ring",
    "packet, in TLPs",
    "IOTLB: hit or miss",
    "on a miss: walk",
    "data to the buffer",
    "completion",
    "dma_unmap(IOVA)",
    "look the IOVA up",
    "clear the PTE",
    "invalidate, and wait",
    "look for devices with ATS",
    "free the IOVA",
  ]);
  expect(steps.filter(({ lock }) => lock === "iova_rbtree_lock")).toHaveLength(3);
});

test("the kernel's steps are those of the simulated programs, in their order, under the locks that are held there", () => {
  for (const mode of ["strict", "deferred"] as const) {
    const { map, unmap } = callSteps(mode);
    const noted = [...map, ...unmap];
    let at = -1;
    for (const { step, lock } of packetSteps(mode)) {
      if (step === undefined) continue;
      at = noted.findIndex((one, i) => i > at && one.step === step && (lock === undefined || one.locks.includes(lock)));
      expect(at, step).toBeGreaterThanOrEqual(0);
    }
    // What has no picture is a wait, or the reading of the table's next entry.
    const shown = new Set(packetSteps(mode).map(({ step }) => step));
    const left = noted.filter(({ step }) => !shown.has(step)).map(({ step }) => step);
    expect([...new Set(left)]).toEqual(["qi_submit_sync: poll"]);
  }
});

test("the picture has every step, an arrow for each message, and says so to a reader who cannot see it", () => {
  const steps = packetSteps("strict");
  const figure = packetPath();
  const labels = figure.data.find(({ mode }) => mode === "text")!["text"] as string[];
  expect(labels).toHaveLength(steps.length);
  expect(figure.layout["annotations"]).toHaveLength(steps.filter(({ from, to }) => from !== to).length);
  for (const { label } of steps) expect(figure.alt).toContain(label);
  expect(figure.caption).toContain("3 times");
  expect(() => packetPath("lazy" as never)).toThrow('There is no mode "lazy"; there are "strict" and "deferred".');
});
