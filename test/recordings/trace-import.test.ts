import { describe, expect, test } from "vitest";
import { decodeTrace, encodeTrace, importTrace, traceOp } from "../../src/recordings/index.js";
import { fc } from "../support/property.js";

/** The kernel's own text, in the wordings of several tools and versions, for the same four requests. */
const wordings = {
  "cat trace, Linux 6": `# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
              ip-134     [001] .....    87.046162: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x00000001121d6000 size=4096
 Web Content (1)-77      [003] b..1.    87.047501: map: IOMMU: iova=0x00000000ffffd000 - 0x00000000fffff000 paddr=0x0000000112235000 size=8192
     ksoftirqd/0-14      [000] ..s..    87.048519: unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096
          <idle>-0       [000] d.h1.    88.000000: unmap: IOMMU: iova=0x00000000ffffd000 - 0x00000000fffff000 size=8192 unmapped_size=8192
`,
  "cat trace, Linux 4 (four flags, no end of range)": `# tracer: nop
              ip-134   [001] ....    87.046162: map: IOMMU: iova=0x00000000fffff000 paddr=0x00000001121d6000 size=4096
 Web Content (1)-77    [003] b..1    87.047501: map: IOMMU: iova=0x00000000ffffd000 paddr=0x0000000112235000 size=8192
     ksoftirqd/0-14    [000] ..s.    87.048519: unmap: IOMMU: iova=0x00000000fffff000 size=4096 unmapped_size=4096
          <idle>-0     [000] d.h1    88.000000: unmap: IOMMU: iova=0x00000000ffffd000 size=8192 unmapped_size=8192
`,
  "trace-cmd report": `cpus=4
              ip-134   [001]    87.046162: map:                  IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x00000001121d6000 size=4096
 Web Content (1)-77    [003]    87.047501: map:                  IOMMU: iova=0x00000000ffffd000 - 0x00000000fffff000 paddr=0x0000000112235000 size=8192
     ksoftirqd/0-14    [000]    87.048519: unmap:                IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096
          <idle>-0     [000]    88.000000: unmap:                IOMMU: iova=0x00000000ffffd000 - 0x00000000fffff000 size=8192 unmapped_size=8192
`,
  "perf script": `ip   134 [001]    87.046162: iommu:map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x00000001121d6000 size=4096
Web Content (1)    77 [003]    87.047501: iommu:map: IOMMU: iova=0x00000000ffffd000 - 0x00000000fffff000 paddr=0x0000000112235000 size=8192
ksoftirqd/0    14 [000]    87.048519: iommu:unmap: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 size=4096 unmapped_size=4096
swapper     0 [000]    88.000000: iommu:unmap: IOMMU: iova=0x00000000ffffd000 - 0x00000000fffff000 size=8192 unmapped_size=8192
`,
};

const line = (what: string, time = "1.000000", cpu = "000") => `   ip-1   [${cpu}] .....  ${time}: ${what}\n`;
const map = (iova: string, size = 4096) => `map: IOMMU: iova=0x${iova} paddr=0x5000 size=${size}`;
const unmap = (iova: string, size = 4096) => `unmap: IOMMU: iova=0x${iova} size=${size} unmapped_size=${size}`;
const oneDevice = "The recording does not name devices; all is taken to be of one device.";
const read = (text: string) => importTrace(text, { file: "mine.txt" });

describe("the kernel's own text", () => {
  test.each(Object.entries(wordings))("%s: order, time, CPU, range and partner", (_, text) => {
    const { trace, warnings } = read(text);
    expect(warnings).toEqual([oneDevice]);
    expect([...trace.timeNs]).toEqual([0, 1_339_000, 2_357_000, 953_838_000]);
    expect([...trace.cpu]).toEqual([1, 3, 0, 0]);
    expect([...trace.op]).toEqual([0, 0, 1, 1]);
    expect([...trace.iovaPfn]).toEqual([0xfffff, 0xffffd, 0xfffff, 0xffffd]);
    expect([...trace.pages]).toEqual([1, 2, 1, 2]);
    expect([...trace.paddrPfn]).toEqual([0x1121d6, 0x112235, 0x1121d6, 0x112235]);
    expect([...trace.partner]).toEqual([2, 3, 0, 1]);
    expect(decodeTrace(encodeTrace(trace), "x")).toEqual(trace);
  });

  test("the latency flags say in which context a request was made; without them it is unknown", () => {
    const contexts = (name: keyof typeof wordings) =>
      [0, 1, 2, 3].map((i) => traceOp(read(wordings[name]).trace, i).context);
    expect(contexts("cat trace, Linux 6")).toEqual(["task", "task", "softirq", "hardirq"]);
    expect(contexts("perf script")).toEqual(["unknown", "unknown", "unknown", "unknown"]);
  });

  test("a counter as the clock needs its frequency", () => {
    const text = line(map("1000"), "87046162774") + line(unmap("1000"), "87046165219");
    expect(() => read(text)).toThrow("mine.txt: line 1: has a counter value as its timestamp");
    const { trace } = importTrace(text, { file: "mine.txt", clockMhz: 2445.43 });
    expect([...trace.timeNs]).toEqual([0, 1000]);
  });

  test("a marker that says phase NAME begins a phase", () => {
    const { trace } = read(
      line(map("1000")) + line("tracing_mark_write: phase rr", "2.000000") + line(map("2000"), "3.000000"),
    );
    expect(trace.phases.map(({ name, firstOp, timeNs }) => [name, firstOp, timeNs])).toEqual([
      ["recording", 0, 0],
      ["rr", 1, 1e9],
    ]);
    expect([...trace.phase]).toEqual([0, 1]);
  });

  test("one address mapped twice at a time means two address spaces, and the reader is told", () => {
    const { trace, warnings } = read(line(map("1000")) + line(map("1000")) + line(unmap("1000")) + line(unmap("1000")));
    expect([...trace.device]).toEqual([0, 1, 1, 0]);
    expect(trace.devices.map(({ id }) => id)).toEqual(["space 0", "space 1"]);
    expect(warnings).toEqual([
      expect.stringContaining("at least 2 address spaces, and 1 operations (25.0 %) could belong to more than one"),
      expect.stringContaining("Results per device are withheld"),
    ]);
  });

  test("lost events, and unmaps of what was mapped before the recording began, are told and not invented", () => {
    const { trace, warnings } = read(`${line(unmap("9000"))}CPU:1 [LOST 12 EVENTS]\n${line(map("1000"))}`);
    expect(trace.length).toBe(1);
    expect(warnings).toEqual([
      "12 events were lost while recording; record again with a larger buffer.",
      "1 unmap ends maps made before the recording began, or lost maps; it is left out.",
      oneDevice,
    ]);
  });

  test.each([
    ["an empty file", "", /mine\.txt: is empty/],
    [
      "a text without such events",
      "hello\nworld\n",
      /mine\.txt: holds no iommu:map or iommu:unmap event and no dma:\* event; expected/,
    ],
    [
      "a map without its size",
      line("map: IOMMU: iova=0x1000 paddr=0x1000"),
      /line 1: is cut off or damaged: expected .*IOMMU: iova=/,
    ],
    ["half a page", line(map("1000", 2048)), /line 1: expected iova and size in whole pages of 4096 bytes/],
    ["no pages", line(map("1000", 0)), /line 1: expected iova and size in whole pages/],
    [
      "an end that is not iova + size",
      line("map: IOMMU: iova=0x1000 - 0x9000 paddr=0x1000 size=4096"),
      /line 1: the range's end is not iova \+ size/,
    ],
  ])("%s is refused with its line", (_, text, message) => {
    expect(() => read(text)).toThrow(message);
  });
});

describe("one line that cannot be read", () => {
  test.each([
    ["cut in the middle", "iova map: IOMMU: iova=0x10\n", "is cut off or damaged"],
    ["of another clock", line(map("2000"), "5"), "mixes timestamps with and without decimals"],
    ["joined with the next", line(map("20"), "2.0").trimEnd() + line(unmap("1000"), "3.0"), "is cut off or damaged"],
  ])("is counted, shown with its number and left out: %s", (_, damaged, why) => {
    const { trace, warnings } = read(line(map("1000")) + damaged + line(map("3000"), "4.000000"));
    expect(trace.maps).toBe(2);
    expect(trace.account.unreadable).toBe(1);
    expect(warnings[0]).toContain(`Line 2 could not be read: ${why}`);
  });

  test("at the end is a truncation, which is said", () => {
    const { trace, warnings } = read(`${line(map("1000"))}   ip-1   [000] ..... 2.0: map: IOMMU: iova=0x00`);
    expect(trace.maps).toBe(1);
    expect(warnings[0]).toMatch(/last line is truncated/);
  });

  test("beyond the share that may be, the recording is refused with the first of them", () => {
    const text = line(map("1000")) + line(map("20")) + line(map("30")) + line(map("3000"));
    expect(() => read(text)).toThrow(
      /mine\.txt: line 2: expected iova and size in whole pages .*50\.0 % of them; at most 1 %/,
    );
    expect(importTrace(text, { file: "x", mostUnreadable: 0.5 }).trace.maps).toBe(2);
  });
});

describe("comma-separated values", () => {
  const header = "t_ns,cpu,op,dev,iova_pfn,pages,bytes,dir,paddr_pfn,kind,ctx,phase\n";

  test("every column is kept, and the phase column makes the phases", () => {
    const { trace } = read(
      `# run=x\n${header}10,6,M,0000:00:03.0,fffff,1,66,1,102557,page,s,up\n20,7,U,0000:00:03.0,fffff,1,66,1,,page,h,rr\n`,
    );
    expect(traceOp(trace, 0)).toMatchObject({
      timeNs: 10,
      bytes: 66,
      direction: "toDevice",
      kind: "page",
      context: "softirq",
      phase: "up",
    });
    expect(traceOp(trace, 1)).toMatchObject({
      op: "unmap",
      paddrPfn: 0x102557,
      context: "hardirq",
      phase: "rr",
      partner: 0,
    });
  });

  test.each([
    ["a missing column", "t_ns,cpu,op\n", 'line 1: has no column "dev"'],
    ["too few cells", `${header}1,2,M\n`, "line 2: has 3 columns; expected 12"],
    [
      "a CPU that is no number",
      `${header}1,x,M,a,1,1,0,1,0,page,s,rr\n`,
      'line 2: cpu: expected a whole number of at most 65535 (got "x")',
    ],
    ["a range without pages", `${header}1,0,M,a,1,0,0,1,0,page,s,rr\n`, "line 2: pages: expected at least 1"],
    ["another operation", `${header}1,0,X,a,1,1,0,1,0,page,s,rr\n`, "line 2: op: expected M (map) or U (unmap)"],
    ["another kind", `${header}1,0,M,a,1,1,0,1,0,pig,s,rr\n`, 'line 2: kind: expected page, coh, sg (got "pig")'],
  ])("%s is refused with line and column", (_, text, message) => {
    expect(() => read(text)).toThrow(`mine.txt: ${message}`);
  });

  test("a range that is mapped anew, an unmap of what is not mapped and one of a part are told", () => {
    const rows = ["1,0,M,a,1,4,0,1,0,page,s,rr", "2,0,U,a,9,1,0,1,,page,s,rr", "3,0,U,a,1,1,0,1,,page,s,rr"];
    const { trace, warnings } = read(`${header}${rows.join("\n")}\n4,0,M,a,3,1,0,1,0,page,s,rr\n`);
    expect([...trace.op]).toEqual([0, 1, 0]);
    expect([...trace.partner]).toEqual([1, 0, -1]);
    expect(warnings).toEqual([
      expect.stringContaining("1 unmap must have been lost"),
      expect.stringContaining("1 unmap ends maps made before the recording began"),
      expect.stringContaining("1 partial unmap"),
    ]);
  });
});

test("whatever the text, it is read or refused with the file's name, and never reads as something it is not", () => {
  const lines = Object.values(wordings).flatMap((text) => text.split("\n"));
  const mutated = fc
    .tuple(fc.constantFrom(...lines), fc.nat(150), fc.nat(12), fc.string({ maxLength: 4 }))
    .map(([text, at, remove, insert]) => text.slice(0, at) + insert + text.slice(at + remove));
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.constantFrom(...lines), mutated, fc.string()), { maxLength: 12 }), (chosen) => {
      try {
        const { trace } = read(chosen.join("\n"));
        expect(decodeTrace(encodeTrace(trace), "x")).toEqual(trace);
      } catch (error) {
        expect(String(error)).toMatch(/^TraceError: mine\.txt: /);
      }
    }),
    { numRuns: 2000 },
  );
});
