import { describe, expect, test } from "vitest";
import { RbTreeAllocator } from "../../src/iova/index.js";
import {
  decodeTrace,
  importTrace,
  loadTrace,
  Op,
  RecordingSummary,
  TextReader,
  type TraceAbout,
  TraceCollector,
  TraceFileWriter,
  type TraceInfo,
  TraceWindow,
} from "../../src/recordings/index.js";
import { fc } from "../support/property.js";
import { print } from "./print.js";

const page = (pfn: number): string => `0x${pfn.toString(16).padStart(13, "0")}000`;

/** The text of a page table's events, and what is mapped when it ends. */
class Recorded {
  readonly lines: string[] = [];
  private us = 5_000_000;

  map(cpu: number, pfn: number, pages: number): void {
    this.add(cpu, `map: IOMMU: iova=${page(pfn)} - ${page(pfn + pages)} paddr=${page(9)} size=${pages * 4096}`);
  }

  unmap(cpu: number, pfn: number, pages: number): void {
    const size = pages * 4096;
    this.add(cpu, `unmap: IOMMU: iova=${page(pfn)} - ${page(pfn + pages)} size=${size} unmapped_size=${size}`);
  }

  get text(): string {
    return `${this.lines.join("\n")}\n`;
  }

  private add(cpu: number, what: string): void {
    this.lines.push(`  fio-9 [${String(cpu).padStart(3, "0")}] ..... ${(this.us++ / 1e6).toFixed(6)}: ${what}`);
  }
}

interface Io {
  cpu: number;
  pfn: number;
  runs: number[];
  pages: number;
}

/**
 * Requests of up to eight runs, `depth` of them in flight, on four CPUs that map at the same time: their events lie between each other's. The last
 * `depth` are not unmapped any more. @param cpuOf which CPU the recording names for one
 */
function workload(count: number, depth: number, seed: number, cpuOf = (cpu: number) => cpu) {
  let state = seed;
  const below = (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * n);
  };
  const space = new RbTreeAllocator({ cpus: 4 });
  const recorded = new Recorded();
  const flying: Io[] = [];
  const all: Io[] = [];
  for (let i = 0; i < count; i += 4) {
    const batch = [0, 1, 2, 3].map((cpu) => {
      const runs = Array.from({ length: 1 + below(8) }, () => 1 + below(4));
      const pages = runs.reduce((sum, run) => sum + run, 0);
      return { cpu, pfn: space.allocate(pages, undefined, 0), runs, pages };
    });
    const at = batch.map(({ pfn }) => pfn);
    const left = batch.map(({ runs }) => [...runs]);
    while (left.some((runs) => runs.length > 0)) {
      const which = below(4);
      const run = left[which].shift();
      if (run === undefined) continue;
      recorded.map(cpuOf(which), at[which], run);
      at[which] += run;
    }
    flying.push(...batch);
    all.push(...batch);
    while (flying.length > depth) {
      const [{ cpu, pfn, pages }] = flying.splice(below(flying.length), 1);
      recorded.unmap(cpuOf((cpu + 1) % 4), pfn, pages);
      space.free(pfn, pages, 0);
    }
  }
  return { text: recorded.text, all, flying };
}

function infoOf(text: string): TraceInfo {
  const summary = new RecordingSummary();
  const reader = new TextReader({ file: "x" }, summary);
  reader.pushText(text);
  reader.end();
  return summary.info({ name: "x", kernel: "", mode: "" });
}

describe("requests that are open at the end", () => {
  const { text, all, flying } = workload(2000, 512, 5);
  const parts = flying.reduce((sum, { runs }) => sum + runs.length - 1, 0);

  test("are those that were made, of their sizes, where the recording has shown what a request is", () => {
    const info = infoOf(text);
    expect(info).toMatchObject({ maps: 2000, live: 512, openDoubtful: 0, liveSet: { peakRequests: 516 } });
    expect(info.account.openJoined).toBe(parts);
    expect(info.lifetimesNs.neverEnded).toBe(512);
    expect(info.perDevice).toMatchObject([{ maps: 2000, live: 512 }]);
    expect(info.sizes.max).toBe(Math.max(...all.map(({ pages }) => pages)));
    expect(info.sizes.mean).toBeCloseTo(all.reduce((sum, { pages }) => sum + pages, 0) / 2000, 9);
    expect(info.warnings.join(" ")).toContain(`${parts.toLocaleString("en")} maps still mapped at the end continue`);
    const { trace } = importTrace(text, { file: "x" });
    const open = [...trace.op.keys()].filter((op) => trace.op[op] === Op.map && trace.partner[op] < 0);
    expect(open.map((op) => `${trace.iovaPfn[op]}+${trace.pages[op]}`).sort()).toEqual(
      flying.map(({ pfn, pages }) => `${pfn}+${pages}`).sort(),
    );
    expect([trace.maps, trace.length]).toEqual([2000, 2000 + 2000 - 512]);
  });

  test("are the same through a trace file, whose last line is refused where it names what is not open", () => {
    const lines: string[] = [];
    const reader = new TextReader({ file: "x" }, new TraceFileWriter((line) => lines.push(line), aboutNothing));
    reader.pushText(text);
    reader.end();
    const trace = decodeTrace(lines.join(""), "x");
    expect(trace.maps).toBe(2000);
    expect(trace.account.openJoined).toBe(parts);
    const last = JSON.parse(lines.at(-1) ?? "");
    for (const open of [[[1, 1]], [[0, 1]], [[3, 1e9]], [[last.open[0][0], last.open[0][1]], last.open[0]], [[5]]])
      expect(() => decodeTrace([...lines.slice(0, -1), JSON.stringify({ ...last, open })].join("\n"), "x")).toThrow(
        /the last line, open/,
      );
  });

  test("of a part of a recording are what the rest of it says", () => {
    const steps = 4000;
    const collector = new TraceCollector();
    const window = new TraceWindow(collector, 500, steps);
    const reader = new TextReader({ file: "x" }, window);
    reader.pushText(text);
    reader.end();
    const trace = collector.build(aboutNothing);
    const whole = importTrace(text, { file: "x" }).trace;
    const sizes = new Set([...whole.op.keys()].map((op) => `${whole.iovaPfn[op]}+${whole.pages[op]}`));
    const open = [...trace.op.keys()].filter((op) => trace.op[op] === Op.map && trace.partner[op] < 0);
    // Lists that the part's end cuts through have fewer pages than in the whole: one a CPU.
    const others = open.filter((op) => !sizes.has(`${trace.iovaPfn[op]}+${trace.pages[op]}`));
    expect(open.length).toBeGreaterThan(400);
    expect(others.length).toBeLessThanOrEqual(4);
    expect(2 * trace.maps - trace.length).toBe(open.length);
  });

  test("are a number of doubtful maps where the recording names one CPU for all", () => {
    const { text: mixed, flying: open } = workload(2000, 512, 5, () => 0);
    const { live, openDoubtful, warnings } = infoOf(mixed);
    expect(openDoubtful).toBeGreaterThan(0);
    expect(live).toBeGreaterThan(open.length);
    expect(live - openDoubtful).toBeLessThanOrEqual(open.length);
    expect(warnings.join(" ")).toMatch(/may be a further part of a request/);
  });

  test("are doubtful where nothing was unmapped, and none are where abutting maps were requests of their own", () => {
    const unended = new Recorded();
    for (let i = 0; i < 10; i++) unended.map(1, 100 + i, 1);
    expect(infoOf(unended.text)).toMatchObject({ live: 10, openDoubtful: 9 });
    const ring = new Recorded();
    for (let i = 0; i < 100; i++) ring.map(1, 100 + i, 1);
    for (let i = 0; i < 50; i++) ring.unmap(1, 100 + i, 1);
    expect(infoOf(ring.text)).toMatchObject({ live: 50, openDoubtful: 0, account: { openJoined: 0 } });
    // What a driver says itself is whole.
    const igb = loadTrace("igb");
    const named = infoOf(print(igb, "dma:*"));
    expect(named).toMatchObject({ live: 2 * igb.maps - igb.length, openDoubtful: 0, account: { openJoined: 0 } });
  });

  test("an interrupt that unmaps in the middle of a list makes two of it, and is found out by those that ended", () => {
    const list = (recorded: Recorded, pfn: number, between: () => void): void => {
      recorded.map(0, pfn, 1);
      between();
      recorded.map(0, pfn + 1, 1);
    };
    const recorded = new Recorded();
    recorded.map(0, 5, 1);
    list(recorded, 100, () => recorded.unmap(0, 5, 1));
    recorded.unmap(1, 100, 2);
    list(recorded, 200, () => {});
    expect(infoOf(recorded.text)).toMatchObject({ live: 2, openDoubtful: 1 });
  });

  test("whatever happens, what is open is told exactly, or within what is said to be doubtful", () => {
    const step = fc.record({
      cpu: fc.nat({ max: 2 }),
      runs: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 4 }),
      ends: fc.boolean(),
      gap: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), (steps) => {
        const recorded = new Recorded();
        let pfn = 1000;
        let open = 0;
        for (const { cpu, runs, ends, gap } of steps) {
          const first = pfn;
          for (const run of runs) {
            recorded.map(cpu, pfn, run);
            pfn += run;
          }
          if (ends) recorded.unmap(cpu, first, pfn - first);
          else open++;
          if (gap) pfn += 5;
        }
        const { live, openDoubtful, account } = infoOf(recorded.text);
        expect(live - openDoubtful).toBeLessThanOrEqual(open);
        if (account.openJoined === 0) expect(live).toBeGreaterThanOrEqual(open);
        if (account.openJoined + openDoubtful === 0) expect(live).toBe(open);
      }),
      { numRuns: 300 },
    );
  });
});

const aboutNothing: TraceAbout = {
  name: "x",
  title: "x",
  source: "x",
  kernel: "unknown",
  mode: "unknown",
  clock: "",
  caveats: [],
};
