import { expect, test } from "vitest";
import { importTrace } from "../../src/recordings/index.js";

/** A map and its unmap, as cat trace prints them. */
const pair = (i: number): string => {
  const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;
  const at = (us: number): string => (1 + us / 1e6).toFixed(6);
  const range = `iova=${page(4096 + i)} - ${page(4097 + i)}`;
  return (
    `          fio-900     [003] ..... ${at(10 * i)}: map: IOMMU: ${range} paddr=${page(9 + i)} size=4096\n` +
    `          fio-900     [003] ..... ${at(10 * i + 5)}: unmap: IOMMU: ${range} size=4096 unmapped_size=4096\n`
  );
};
const pairs = Array.from({ length: 300 }, (_, i) => pair(i));
const withLine = (line: string): string => [...pairs.slice(0, 150), `${line}\n`, ...pairs.slice(150)].join("");

test.each([
  "          fio-900     [003] ..... 1.0",
  "          fio-900     [003] .....",
  "          fio-900     [003",
  "          fio-900     (    900) [003] d.h1",
  "              ip   134 [001]    87.04616",
])("a line that was cut to its head is counted as unreadable: %j", (stub) => {
  const { trace, warnings } = importTrace(withLine(stub), { file: "x" });
  expect([trace.maps, trace.account.unreadable]).toEqual([300, 1]);
  expect(warnings.join(" ")).toContain("Line 301 could not be read: is cut off or damaged");
});

test("a line of which nothing can be told is said, with its number", () => {
  const { trace, warnings } = importTrace(withLine("          fio-9"), { file: "x" });
  expect([trace.maps, trace.account.unreadable]).toEqual([300, 0]);
  expect(warnings.join(" ")).toContain("One line is no event and no comment (line 301: fio-9)");
});

test.each([
  " => iommu_map_sg",
  "ffffffff8169a3c1 iommu_map+0x1 ([kernel.kallsyms])",
  "          fio-900     [003] ..... 1.001500: sched_switch: prev_comm=fio",
  "# a comment",
  "cpus=8",
  "CPU 3 is empty",
])("what stands between events is no cut line: %j", (line) => {
  const { trace, warnings } = importTrace(withLine(line), { file: "x" });
  expect([trace.maps, trace.account.unreadable]).toEqual([300, 0]);
  expect(warnings.join(" ")).not.toMatch(/no event and no comment|could not be read/);
});

/** The two-step calls of Linux 6.16 (dma_iova_try_alloc, dma_iova_link, dma_iova_unlink) have no dma:* event: only the page table tells of them. */
test("maps that only the page table tells of count for themselves beside the driver's events", () => {
  const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;
  const lines: string[] = [];
  let us = 0;
  const say = (text: string): void => {
    lines.push(`          fio-900     [003] ..... ${(1 + us++ / 1000).toFixed(6)}: ${text}\n`);
  };
  const iommu = (pfn: number, pages: number) => ({
    map: `map: IOMMU: iova=${page(pfn)} - ${page(pfn + pages)} paddr=${page(pfn + 77)} size=${4096 * pages}`,
    unmap: `unmap: IOMMU: iova=${page(pfn)} - ${page(pfn + pages)} size=${4096 * pages} unmapped_size=${4096 * pages}`,
  });
  for (let i = 0; i < 50; i++) {
    const driver = iommu(0xf000 + i, 1);
    const linked = iommu(0x8000 + 8 * i, 4);
    say(driver.map);
    say(
      `dma_map_page: 0000:05:00.0 dir=TO_DEVICE dma_addr=${(0xf000 + i).toString(16)}000 size=4096 phys_addr=${(0xf04d + i).toString(16)}000 attrs=`,
    );
    say(linked.map);
    say(linked.unmap);
    say(driver.unmap);
    say(`dma_unmap_page: 0000:05:00.0 dir=TO_DEVICE dma_addr=${(0xf000 + i).toString(16)}000 size=4096 attrs=`);
  }
  const { trace } = importTrace(lines.join(""), { file: "x" });
  const of = (pages: number): number =>
    [...trace.op.keys()].filter((op) => trace.op[op] === 0 && trace.pages[op] === pages).length;
  // Neither is counted twice, and the named device has its own alone.
  expect([of(1), of(4), trace.length]).toEqual([50, 50, 200]);
  const named = trace.devices.findIndex(({ id }) => id === "0000:05:00.0");
  const inNamed = [...trace.op.keys()].filter((op) => trace.device[op] === named);
  expect(inNamed.every((op) => trace.pages[op] === 1)).toBe(true);
  expect(trace.devices).toHaveLength(2);
});
