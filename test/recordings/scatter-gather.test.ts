import { describe, expect, test } from "vitest";
import { RbTreeAllocator } from "../../src/iova/index.js";
import {
  decodeTrace,
  importTrace,
  Op,
  RecordingSummary,
  TextReader,
  TraceFileReader,
  TraceFileWriter,
  type TraceInfo,
} from "../../src/recordings/index.js";

/** A request of the generated workload. */
interface Io {
  pages: number;
  /** Pages of each physically contiguous part. */
  runs: number[];
  mapCpu: number;
  unmapCpu: number;
}

/** A small generator of whole numbers: the same sequence everywhere. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** An NVMe-like workload: up to `depth` requests in flight, each mapped run by run and ended by one unmap. */
function workload(
  count: number,
  depth: number,
  seed: number,
  extra: (line: number) => string = () => "",
): { text: string; ios: Io[] } {
  const below = numbers(seed);
  const space = new RbTreeAllocator({ cpus: 8 });
  const lines: string[] = ["# tracer: nop\n"];
  const ios: Io[] = [];
  const flying: { io: Io; pfn: number }[] = [];
  let us = 5_000_000;
  const event = (cpu: number, text: string): void => {
    us += 1 + below(5);
    lines.push(`   fio-900   [00${cpu}] ..... ${(us / 1e6).toFixed(6)}: ${text}\n`, extra(lines.length));
  };
  const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;
  const complete = (): void => {
    const [{ io, pfn }] = flying.splice(below(flying.length), 1);
    const size = io.pages * 4096;
    event(io.unmapCpu, `unmap: IOMMU: iova=${page(pfn)} - ${page(pfn + io.pages)} size=${size} unmapped_size=${size}`);
    space.free(pfn, io.pages, 0);
  };
  for (let i = 0; i < count; i++) {
    if (flying.length >= depth) complete();
    const runs: number[] = [];
    let pages = 0;
    for (const most = 1 + below(32); pages < most; pages += runs[runs.length - 1]) runs.push(1 + below(most - pages));
    const io = { pages, runs, mapCpu: below(8), unmapCpu: below(8) };
    ios.push(io);
    const pfn = space.allocate(pages, undefined, 0);
    let at = pfn;
    for (const run of runs) {
      event(
        io.mapCpu,
        `map: IOMMU: iova=${page(at)} - ${page(at + run)} paddr=${page(0x100000 + below(1e6))} size=${run * 4096}`,
      );
      at += run;
    }
    flying.push({ io, pfn });
  }
  while (flying.length > 0) complete();
  return { text: lines.join(""), ios };
}

function infoOf(text: string): TraceInfo {
  const summary = new RecordingSummary();
  const reader = new TextReader({ file: "x" }, summary);
  reader.pushText(text);
  reader.end();
  return summary.info({ name: "x", kernel: "", mode: "" });
}

describe("a scatter-gather workload of known truth", () => {
  const { text, ios } = workload(3000, 64, 7);

  test("sizes, CPUs, order and number of requests come back exactly, of one device", () => {
    const { trace } = importTrace(text, { file: "x" });
    const maps = [...trace.op.keys()].filter((op) => trace.op[op] === Op.map);
    expect(trace.devices).toHaveLength(1);
    expect(maps.map((op) => trace.pages[op])).toEqual(ios.map(({ pages }) => pages));
    expect(maps.map((op) => trace.cpu[op])).toEqual(ios.map(({ mapCpu }) => mapCpu));
    expect(maps.map((op) => trace.cpu[trace.partner[op]])).toEqual(ios.map(({ unmapCpu }) => unmapCpu));
    expect(trace.account.joined).toBe(ios.reduce((sum, { runs }) => sum + runs.length - 1, 0));
    expect(trace.account.guessed).toBe(0);
  });

  test("the streaming summary counts the same", () => {
    const info = infoOf(text);
    expect(info).toMatchObject({ maps: 3000, unmaps: 3000, devices: 1, live: 0, liveSet: { peakRequests: 64 } });
    const sizes = ios.map(({ pages }) => pages);
    expect(info.sizes.max).toBe(Math.max(...sizes));
    expect(info.sizes.mean).toBeCloseTo(sizes.reduce((sum, pages) => sum + pages, 0) / 3000, 9);
  });

  test("unmaps that were lost are said, and invent no device", () => {
    let lost = 0;
    const lines = text.split("\n").filter((line, i) => !(line.includes(" unmap: ") && i % 50 === 0 && ++lost));
    const marked = `${lines.slice(0, 20).join("\n")}\nCPU:1 [LOST ${lost} EVENTS]\n${lines.slice(20).join("\n")}`;
    for (const damaged of [lines.join("\n"), marked]) {
      const { trace, warnings } = importTrace(damaged, { file: "x" });
      expect(trace.devices).toHaveLength(1);
      expect(warnings.join(" ")).toMatch(/must have been lost/);
      expect(Math.abs(trace.maps / 3000 - 1)).toBeLessThan(0.05);
    }
  });

  test("a list that has no room where it began is another card's as a whole", () => {
    const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;
    const lines: string[] = [];
    const add = (cpu: number, what: string): number =>
      lines.push(`  fio-9 [00${cpu}] ..... 1.${String(lines.length).padStart(6, "0")}: ${what}`);
    const list = (cpu: number, pfn: number, pages: number): void => {
      for (let at = pfn; at < pfn + pages; at++)
        add(cpu, `map: IOMMU: iova=${page(at)} - ${page(at + 1)} paddr=${page(9)} size=4096`);
    };
    const unmap = (pfn: number, pages: number): number =>
      add(
        2,
        `unmap: IOMMU: iova=${page(pfn)} - ${page(pfn + pages)} size=${4096 * pages} unmapped_size=${4096 * pages}`,
      );
    list(0, 50, 2);
    unmap(50, 2);
    for (let i = 0; i < 3; i++) {
      list(0, 100, 4);
      // Its first two pages are free in the first card's space, its last two are not.
      list(1, 98, 4);
      unmap(100, 4);
      unmap(98, 4);
    }
    list(0, 100, 4);
    list(1, 98, 4);
    const { trace } = importTrace(lines.join("\n"), { file: "x" });
    const written: string[] = [];
    const summary = new RecordingSummary();
    const reader = new TextReader(
      { file: "x", mostUnreadable: 1 },
      new TraceFileWriter((text) => written.push(text), trace.about),
    );
    reader.pushText(lines.join("\n"));
    reader.end();
    const read = new TraceFileReader("x", summary);
    for (const line of written) read.line(line);
    read.end();
    for (const one of [trace, decodeTrace(written.join(""), "x")]) {
      expect([one.maps, one.length - one.maps, one.devices.length]).toEqual([9, 7, 2]);
      const of = (device: number): string[] =>
        [...one.op.keys()]
          .filter((op) => one.op[op] === Op.map && one.device[op] === device)
          .map((op) => `${one.iovaPfn[op]}+${one.pages[op]}`);
      expect([of(0), of(1)]).toEqual([
        ["50+2", "100+4", "100+4", "100+4", "100+4"],
        ["98+4", "98+4", "98+4", "98+4"],
      ]);
    }
    expect(infoOf(lines.join("\n")).perDevice).toEqual(summary.info({ name: "x", kernel: "", mode: "" }).perDevice);
  });

  test("a list whose unmap was lost is one lost unmap, and one request", () => {
    // The shown request makes it a recording of scatter-gather; the second list's unmap is missing, and its range is mapped anew.
    const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;
    let us = 1_000_000;
    const line = (what: string): string => `   fio-900   [001] ..... ${(us++ / 1e6).toFixed(6)}: ${what}\n`;
    const map = (pfn: number): string =>
      line(`map: IOMMU: iova=${page(pfn)} - ${page(pfn + 1)} paddr=${page(pfn + 9)} size=4096`);
    const unmap = (pfn: number, pages: number): string =>
      line(`unmap: IOMMU: iova=${page(pfn)} - ${page(pfn + pages)} size=${4096 * pages} unmapped_size=${4096 * pages}`);
    const list = (pfn: number): string => map(pfn) + map(pfn + 1) + map(pfn + 2) + map(pfn + 3);
    const before = list(100) + unmap(100, 4) + list(200);
    const after = `CPU:1 [LOST 1 EVENTS]\n${list(200)}${unmap(200, 4)}`;
    const { trace } = importTrace(before + after, { file: "x" });
    expect(trace.account).toMatchObject({ lostUnmaps: 1, lost: 1, joined: 9 });
    expect([trace.maps, trace.length, trace.devices.length]).toEqual([3, 6, 1]);
    expect([...trace.op.keys()].filter((op) => trace.op[op] === Op.map).map((op) => trace.pages[op])).toEqual([
      4, 4, 4,
    ]);
    // The same through a trace file.
    const file: string[] = [];
    const writer = new TraceFileWriter((text) => file.push(text), trace.about);
    const reader = new TextReader({ file: "x" }, writer);
    reader.pushText(before + after);
    reader.end();
    const again = decodeTrace(file.join(""), "x");
    expect([again.maps, again.length, again.account.lostUnmaps]).toEqual([3, 6, 1]);
  });
});

test("a scatter list as trace-cmd and perf print it, in decimal without braces, is the kernel's own", () => {
  const event = (us: number, text: string): string => `  fio-900   [001] ..... 10.00000${us}: ${text}\n`;
  const kernel =
    event(
      1,
      "dma_map_sg: 0000:01:00.0 dir=TO_DEVICE dma_addrs={0xfffe0000,0xfffe4000} sizes={0x4000,0x2000} phys_addrs={0x120000000,0x130000000} attrs=",
    ) + event(2, "dma_unmap_sg: 0000:01:00.0 dir=TO_DEVICE phys_addrs={0x120000000,0x130000000} attrs=");
  const decimal = kernel.replace(/\{([^}]*)\}/g, (_, list: string) => list.split(",").map(Number).join(" "));
  expect(decimal).toContain("dma_addrs=4294836224 4294852608 sizes=16384 8192 phys_addrs=");
  const info = infoOf(decimal);
  expect(info).toMatchObject({ maps: 1, unmaps: 1, live: 0 });
  expect(info).toEqual(infoOf(kernel));
});
