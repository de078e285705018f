import { describe, expect, it } from "vitest";
import {
  formatReport,
  inFlight,
  type RecordingReport,
  recordingReport,
  replayRecording,
  reportFigures,
  reportSections,
  stretchesOf,
} from "../../src/experiments/index.js";
import { basisOf, Facts } from "../../src/facts/index.js";
import { parseTrace, replay } from "../../src/iova/index.js";
import { figureSvg } from "../../src/plot/index.js";
import { Direction, Kind, loadTrace, requestsOf, type Trace, TraceBuilder } from "../../src/recordings/index.js";
import { reportPage } from "../../src/site/index.js";

const basis = basisOf(Facts.published());
const about = {
  name: "made",
  title: "",
  source: "",
  kernel: "",
  mode: "unknown",
  clock: "ns",
  caveats: [],
} as const;

/** Maps of so many pages and their unmaps, a fixed time apart. */
function made(count: number, gapNs: number, { id = "0000:05:00.0", driver = "nvme", cpus = 2, pages = 1 } = {}): Trace {
  const builder = new TraceBuilder();
  const device = builder.device(id, driver, "");
  let timeNs = 0;
  for (let i = 0; i < count; i++) {
    const iovaPfn = 1000 + (i % 50) * pages;
    timeNs += gapNs;
    const common = { timeNs, cpu: i % cpus, context: 0 };
    builder.map({
      ...common,
      device,
      iovaPfn,
      pages,
      bytes: 4096 * pages,
      direction: Direction.toDevice,
      kind: Kind.page,
      paddrPfn: i,
    });
    timeNs += gapNs;
    builder.unmap({ timeNs, cpu: i % cpus, context: 0, device, iovaPfn });
  }
  return builder.build({ ...about, caveats: [] });
}

describe("replaying a recording on the allocators", () => {
  const trace = loadTrace("vmxnet3");
  it.each([
    ["rbtree", "rbtree"],
    ["rbtree-merged", "rbtree-merged"],
    ["magazines", "magazines"],
    ["rcache6", "rcache6"],
  ] as const)("%s, strict, looks at the same nodes as iova replay", (allocator, name) => {
    const row = replayRecording(trace, 1, allocator, "strict");
    const { visits, statistics, hits } = replay(parseTrace(requestsOf(trace, 1)), name);
    expect({ visits: row.visitsMean * row.maps, hits: row.hitShare * row.maps, nodes: row.nodes }).toEqual({
      visits: expect.closeTo(
        visits.reduce((a, b) => a + b, 0),
        3,
      ),
      hits: expect.closeTo(
        hits.reduce((a, b) => a + b, 0),
        3,
      ),
      nodes: statistics.nodes,
    });
  });

  it("lets the timer flush by the recording's clock: a map and an unmap every 20 ms are flushed one by one", () => {
    const slow = made(100, 10e6);
    for (const allocator of ["rbtree", "rbtree-merged", "magazines", "rcache6"] as const) {
      const row = replayRecording(slow, 0, allocator, "lazy");
      expect([allocator, row.flushesFull]).toEqual([allocator, 0]);
      expect(row.flushesTimer).toBeGreaterThanOrEqual(98);
      expect(row.exposedMost).toBeLessThanOrEqual(2);
      expect(row.exposedLongestUs).toBeGreaterThanOrEqual(9000);
      expect(row.exposedLongestUs).toBeLessThanOrEqual(12_000);
    }
  });

  it("flushes a full queue where requests come faster than the timer", () => {
    const row = replayRecording(made(5000, 100), 0, "rbtree", "lazy");
    // 5,000 unmaps in 1 ms: each 251st pays, and its own entry is cleared before the flush, which so covers it too.
    expect({ full: row.flushesFull, timer: row.flushesTimer, most: row.exposedMost }).toEqual({
      full: 19,
      timer: 0,
      most: 251,
    });
  });

  it("exposes nothing under the strict policy", () => {
    const row = replayRecording(made(1000, 1000), 0, "rcache6", "strict");
    expect([row.exposedMean, row.exposedMost, row.flushesTimer]).toEqual([0, 0, 0]);
  });
});

describe("what is in flight", () => {
  it("counts pages, lines of table entries and intervals", () => {
    const builder = new TraceBuilder();
    const device = builder.device("a", "", "");
    const map = (timeNs: number, iovaPfn: number, pages: number) =>
      builder.map({
        timeNs,
        cpu: 0,
        context: 0,
        device,
        iovaPfn,
        pages,
        bytes: 0,
        direction: 1,
        kind: 0,
        paddrPfn: -1,
      });
    map(0, 8, 4);
    map(100, 12, 8);
    builder.unmap({ timeNs: 200, cpu: 0, context: 0, device, iovaPfn: 8 });
    map(400, 80, 1);
    const use = inFlight(builder.build({ ...about, caveats: [] }), 0);
    // Pages 8 to 15 are one line of entries, 16 to 19 a second one.
    expect([use.pagesMost, use.linesMost, use.movingMost]).toEqual([12, 3, 4]);
    expect(use.pagesMean).toBeCloseTo((4 * 100 + 12 * 100 + 8 * 200) / 400, 9);
  });
});

describe("stretches of a recording", () => {
  const trace = loadTrace("vmxnet3");
  const options = { operations: 1000, before: 500, count: 4, cores: 16 };

  it("begin with what is mapped, and end nothing that was not mapped before", () => {
    const { loads, cores, cpus } = stretchesOf(trace, 1, options);
    expect([loads.length, cores, cpus]).toEqual([4, 3, 3]);
    for (const { pages, maps, held, before, timeNs } of loads) {
      expect([timeNs.length, before]).toEqual([1500, 500]);
      const ended = new Set<number>();
      pages.forEach((size, i) => {
        if (size > 0) return;
        const map = maps[i];
        expect(map < 0 ? -1 - map < held.length : map < i && pages[map] > 0).toBe(true);
        expect(ended.has(map)).toBe(false);
        ended.add(map);
      });
    }
  });

  it("do not overlap, and are fewer where the recording is short", () => {
    const { loads, beginsNs } = stretchesOf(made(300, 1000), 0, options);
    expect([loads.length, beginsNs[0]]).toEqual([1, 1000]);
  });

  it("put the CPUs of a larger machine on the host's cores", () => {
    const { loads, cores, cpus } = stretchesOf(made(300, 1000, { cpus: 40 }), 0, options);
    expect([cores, cpus, Math.max(...loads[0].core)]).toEqual([16, 40, 15]);
  });
});

describe("gains", () => {
  it("tell what a way of mapping changes, with an interval, and why where it cannot be told", async () => {
    const options = { stretches: 3, operations: 400, ways: ["deferred"] };
    const { simulated } = await recordingReport(made(900, 40_000), options, basis);
    const [lazy] = simulated!.gains;
    expect([lazy.from, lazy.to, lazy.cpuTime!.n]).toEqual(["strict", "deferred", 3]);
    // A request every 40 µs: strictly, each unmap waits for its invalidation. A sign that an unpublished value turns is no gain.
    const { cpuTime, assumed, verdict, why } = lazy;
    expect(cpuTime!.high).toBeLessThan(-10);
    expect([verdict, why === ""]).toEqual(assumed!.high < 0 ? ["less", true] : ["cannot tell", false]);
    const short = await recordingReport(made(150, 1000), { ...options, operations: 1000 }, basis);
    expect(short.simulated!.gains.map(({ verdict, why }) => [verdict, why.slice(0, 27)])).toEqual([
      ["cannot tell", "the recording is too short "],
    ]);
    const { tables } = reportSections(short).find(({ id }) => id === "gains")!;
    expect(tables[1].rows.map(([change]) => change).join()).toContain("page pools");
  });

  it("tell what larger caches change where requests are larger than Linux's keep, and that nothing does elsewhere", async () => {
    const options = { stretches: 3, operations: 400, ways: ["v6.18-large-caches-strict", "pass-through"] };
    const gains = async (pages: number) =>
      (await recordingReport(made(900, 40_000, { pages }), options, basis)).simulated!.gains;
    const [all, caches] = await gains(64);
    expect([caches.from, caches.to, caches.verdict]).toEqual(["v6.18-strict", "v6.18-large-caches-strict", "less"]);
    expect([all.from, all.verdict]).toEqual(["deferred", "less"]);
    expect((await gains(1))[1].why).toBe("no request in the stretches is above 32 pages");
  });

  it("let caches up to 512 pages serve the replay's large requests", () => {
    const hits = (allocator: "rcache6" | "rcache6-large") =>
      replayRecording(made(300, 1000, { pages: 64, cpus: 1 }), 0, allocator, "strict").hitShare;
    expect([hits("rcache6"), hits("rcache6-large")]).toEqual([0, expect.closeTo(299 / 300, 6)]);
  });
});

describe("the report", () => {
  const reported = (trace: Trace, options = {}): Promise<RecordingReport> =>
    recordingReport(trace, { stretches: 0, ...options }, basis);

  it("says that a recording of maps holds no accesses", async () => {
    const text = formatReport(await reported(made(200, 1000)));
    expect(text.replace(/\s+/g, " ")).toContain("A recording of maps holds no accesses");
  });

  it("withholds what it would say of one device where devices were guessed", async () => {
    const trace = made(200, 1000);
    const guessed = { ...trace, account: { ...trace.account, events: 400, guessed: 40, named: false } };
    const report = await reported(guessed);
    expect(report.allocators).toEqual([]);
    expect(formatReport(report).replace(/\s+/g, " ")).toContain("results per device are withheld: 10.0 %");
  });

  it("replays the lazy pools with the tables that Linux has: a larger one flushes less often", async () => {
    const { poolTables } = await reported(loadTrace("vmxnet3"));
    expect(poolTables.map(({ entries }) => entries)).toEqual([65_536, 131_072, 262_144, 4_194_304]);
    expect(poolTables.map(({ failures }) => failures)).toEqual([0, 0, 0, 0]);
    const flushes = poolTables.map((row) => row.flushes);
    expect(flushes).toEqual([...flushes].sort((one, other) => other - one));
    expect(flushes[0]).toBeGreaterThan(flushes[1]);
  });

  it("names the devices there are where it is asked for another", async () => {
    await expect(reported(made(10, 1000), { device: "eth0" })).rejects.toThrow(
      'there is no device "eth0"; there are 0 (0000:05:00.0).',
    );
  });

  it("leaves no request out of the hits by size, however many sizes there are", async () => {
    for (const sizes of [3, 40]) {
      const builder = new TraceBuilder();
      const device = builder.device("0000:05:00.0");
      for (let i = 0; i < 200; i++) {
        const common = { timeNs: i * 1000, cpu: 0, context: 0, device, iovaPfn: 1000 };
        builder.map({ ...common, pages: 1 + (i % sizes), bytes: 0, direction: 0, kind: 0, paddrPfn: i });
        builder.unmap(common);
      }
      const report = await reported(builder.build({ ...about, caveats: [] }), { stretches: 0 });
      const tables = reportSections(report)
        .flatMap((section) => section.tables)
        .filter(({ caption }) => caption.startsWith("Hits by size"));
      expect(tables).toHaveLength(2);
      for (const { rows } of tables) {
        expect(rows.reduce((sum, [, maps]) => sum + Number(maps), 0)).toBe(200);
        expect(rows.at(-1)?.[0]).toBe(sizes === 3 ? "3" : "33 to 64");
      }
    }
  });

  it("ends where it is interrupted", async () => {
    const stop = new AbortController();
    stop.abort(new Error("stopped"));
    await expect(reported(made(10, 1000), { signal: stop.signal })).rejects.toThrow("stopped");
  });

  it("draws every figure, and makes a page that loads and runs nothing, whatever the device is called", async () => {
    const report = await reported(
      made(300, 1e6, { id: '"><script>alert(1)</script>\u001b[2J', driver: "<img src=x>" }),
    );
    for (const make of Object.values(reportFigures)) {
      const figure = make(report);
      if (figure) expect(figureSvg(figure)).toMatch(/^<svg [\s\S]*<\/svg>$/);
    }
    const page = reportPage(report, "0");
    const loads = /<script|<img|https?:\/\/(?!www\.w3\.org\/2000\/svg)|url\(|@import/;
    expect([loads.exec(page)?.[0], page.includes("\u001b")]).toEqual([undefined, false]);
    expect([page.includes("content-security-policy"), page.includes("&lt;script&gt;")]).toEqual([true, true]);
    expect(formatReport(report).includes("\u001b")).toBe(false);
    for (const { tables } of reportSections(report))
      for (const { header, rows } of tables) for (const row of rows) expect(row).toHaveLength(header.length);
  });
});
