import { expect, test } from "vitest";
import { programsOf, variant } from "../../src/dma/index.js";
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
    "free the IOVA",
  ]);
  expect(steps.filter(({ lock }) => lock === "iova_rbtree_lock")).toHaveLength(3);
});

test("the kernel's steps are lines of the simulated programs, in their order", () => {
  for (const mode of ["strict", "deferred"] as const) {
    const { map, unmap, flush } = programsOf(variant(mode));
    const order = [...map, ...unmap.flatMap((line) => (line === "flush if full" ? [...flush] : [line]))];
    const places = packetSteps(mode).flatMap(({ line }) => (line === undefined ? [] : [order.indexOf(line)]));
    expect(places).toEqual([...places].sort((a, b) => a - b));
    expect(places).not.toContain(-1);
    // What is left out has no part in a packet without ATS, or is a loop's frame.
    const left = order.filter((line, i) => !places.includes(i) && line !== "end" && line !== "return");
    expect([...new Set(left)].sort()).toEqual(
      mode === "strict"
        ? ["unmap: free tables", "unmap: invalidate device"]
        : [
            "drop async lock",
            "flush: free tables",
            "flush: invalidate entry in device",
            "flush: loop",
            "flush: next entry",
            "take async lock",
          ],
    );
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
