import { describe, expect, it } from "vitest";
import { costSources } from "../../src/dma/index.js";
import {
  distinct,
  estimate,
  type LockContentionRow,
  lockContention,
  lockSensitivity,
  lockTable,
  mapAnatomy,
  ratio,
  where,
} from "../../src/experiments/index.js";
import { type HostRun, hostRunDefaults, simulateHost } from "../../src/host/index.js";
import { hostAssumptions } from "../../src/machine/index.js";
import { published } from "../support/facts.js";

/** A row as far as a test needs it. */
type Cells = Partial<LockContentionRow>;
const rowOf = (cells: Cells): LockContentionRow => cells as LockContentionRow;

describe("lock contention", () => {
  it("without an IOMMU does the published number of transactions: the calibration", async () => {
    const run = await lockContention.run({ variants: ["off"], cores: [16], replications: 2 });
    const off = estimate(run.rows, "throughput");
    expect(off.mean / 990_803).toBeGreaterThan(0.97);
    expect(off.mean / 990_803).toBeLessThan(1.03);
  });

  it("shares of a core's time sum to one in every row, and a pair takes the tree lock three times", async () => {
    const run = await lockContention.run({
      variants: ["strict", "deferred", "merged-deferred"],
      cores: [2],
      replications: 1,
    });
    for (const row of run.rows) {
      const sum = Object.entries(row).reduce(
        (s, [name, value]) => (name.startsWith("share: ") ? s + Number(value) : s),
        0,
      );
      expect(sum).toBeCloseTo(1, 9);
      const pairs = 2;
      expect(Math.abs(Number(row["allocator: a transaction"]) - 3 * pairs)).toBeLessThan(0.35);
    }
    const [deferred] = where(run.rows, { variant: "deferred" });
    expect(Math.abs(Number(deferred["async: a transaction"]) - 2)).toBeLessThan(0.2);
  });

  it.each([
    [{ cores: [99] }, /cores\.0: accepts a whole number of cores from 1 to 16/],
    [{ variants: ["fast"] }, /variants\.0: accepts off, .*strict/],
    [{ cores: [1, 1] }, /cores: accepts each value once/],
    [{ seed: "abc" }, /seed: accepts a whole number from 0 to 2147483647/],
    [{ colour: "red" }, /colour/],
    [
      { cores: [1, 2, 4, 8, 16], replications: 100, mapsPerSide: Array.from({ length: 20 }, (_, i) => 1 + i / 4) },
      /at most 5000 runs/,
    ],
  ])("refuses %j, naming field and what is accepted", async (config, message) => {
    await expect(lockContention.run(config as never)).rejects.toThrow(message);
  });

  it("makes every figure from its rows", async () => {
    const run = await lockContention.run({ cores: [1, 2], replications: 1 });
    expect(() => run.figure("handoff")).toThrow(/handoffCycles/);
    for (const name of Object.keys(lockContention.figures).filter((figure) => figure !== "handoff")) {
      const figure = run.figure(name);
      expect(figure.data.length, name).toBeGreaterThan(0);
      expect(figure.alt.length, name).toBeGreaterThan(20);
    }
  });
});

describe("fidelity", () => {
  it("quick agrees with a run of fresh rings after 10,000 transactions of warm-up", async () => {
    const quick = await lockContention.run({ variants: ["deferred"], cores: [16], replications: 3 });
    const long = simulateHost(
      {
        ...hostRunDefaults(published),
        variant: "deferred",
        agedTurns: 0,
        warmup: 10_000,
        transactions: 4000,
        seed: 77,
      },
      published,
    );
    const e = estimate(quick.rows, "throughput");
    expect(e.n).toBe(3);
    expect(Math.abs(long.throughput / e.mean - 1)).toBeLessThan(0.1);
  });
});

describe("the intervals", () => {
  it("of the default's throughput at 16 cores, where it varies most, lie within 5 % at quick fidelity", async () => {
    const { rows } = await lockContention.run({ variants: ["deferred"], cores: [16], seed: 4 });
    const e = estimate(rows, "throughput");
    expect(e.n).toBe(8);
    expect((e.high - e.low) / 2 / e.mean).toBeLessThan(0.05);
  });
});

describe("the hand-off in cycles a waiter", () => {
  it("is swept for the ticket lock, beside the lock as the caches make it, and a queued lock is run once", async () => {
    const run = await lockContention.run({
      variants: ["deferred"],
      cores: [16],
      locks: ["ticket", "queued"],
      handoffCycles: ["modelled", 0, 100],
      replications: 2,
    });
    const runs = run.rows.map((row) => `${row["lock"]} ${row["handoffCycles"]}`);
    expect([...new Set(runs)].toSorted()).toEqual(["queued null", "ticket 0", "ticket 100", "ticket null"]);
    expect(runs.length).toBe(8);
    const at = (handoffCycles: number) => estimate(where(run.rows, { handoffCycles }), "throughput").mean;
    expect(at(100)).toBeLessThan(0.9 * at(0));
    const figure = run.figure("handoff");
    expect(figure.data.map((trace) => trace["name"])).toEqual([
      "ticket lock, swept",
      "ticket lock, as the caches make it",
      "queued lock",
    ]);
  });

  it("refuses what is no number of cycles", async () => {
    await expect(lockContention.run({ handoffCycles: [-1] })).rejects.toThrow(
      /handoffCycles\.0: accepts "modelled" or a whole number of cycles from 0/,
    );
  });
});

describe("captions say what a run's own rows show", () => {
  const run = (variant: string, title: string, cores: number, throughput: number, replication = 0) =>
    rowOf({
      variant,
      title,
      cores,
      threads: 200,
      ats: false,
      replication,
      throughput,
      "allocator: a transaction": variant === "off" ? 0 : 6,
    });
  const at = (cores: number, off: number, on: number, replication = 0) => [
    run("off", "off", cores, off, replication),
    run("deferred", "deferred (v4.3 default)", cores, on, replication),
  ];
  const falling = [...at(1, 60_000, 55_000), ...at(8, 480_000, 350_000), ...at(16, 990_000, 182_000)];
  const drawn = (name: string, rows: LockContentionRow[]) =>
    lockContention.collect(lockContention.parse({}), rows).figure(name);
  const caption = (name: string, rows: LockContentionRow[]) => drawn(name, rows).caption;

  it("where throughput ends, and which line falls", () => {
    expect(caption("throughput", falling)).toContain("At 16 cores: off 990; deferred (v4.3 default) 182.");
    expect(caption("throughput", falling)).toContain("More cores give less: deferred (v4.3 default) does most at 8.");
    expect(caption("relative", falling)).toContain("deferred (v4.3 default) 18.4 %");
    expect(caption("throughput", [...at(1, 60_000, 55_000), ...at(8, 480_000, 350_000)])).not.toContain("give less");
  });

  it("that one run a point has no interval, and that several have one", () => {
    expect(caption("throughput", falling)).toContain("Each point is one run");
    const twice = [
      ...falling,
      ...at(1, 61_000, 55_500, 1),
      ...at(8, 481_000, 351_000, 1),
      ...at(16, 991_000, 183_000, 1),
    ];
    expect(caption("throughput", twice)).toContain("95 % intervals");
  });

  it("which line hides another", () => {
    const hidden = [
      ...falling,
      run("pass-through", "pass-through", 1, 60_000),
      run("pass-through", "pass-through", 8, 480_000),
    ];
    expect(caption("throughput", [...hidden, run("pass-through", "pass-through", 16, 990_000)])).toContain(
      "Hidden: off under pass-through.",
    );
  });

  it("what differs stands in the legend in words, the one way of mapping in the title", () => {
    const rows = [false, true].flatMap((ats) =>
      at(16, 1, 182_000)
        .slice(1)
        .map((row) => ({ ...row, ats })),
    );
    const figure = drawn("throughput", rows);
    expect(figure.data.map((trace) => trace["name"])).toEqual(["no ATS", "ATS"]);
    expect(figure.alt).toMatch(/^Throughput against cores: deferred/);
  });

  it("two numbers of cores are bars: no line leads over the peak that may lie between them", () => {
    const rows = falling.filter((row) => row["cores"] !== 8);
    const { data, layout } = drawn("throughput", rows);
    expect(data.map((trace) => trace["type"])).toEqual(["bar", "bar"]);
    expect(data[0]["x"]).toEqual(["1 core", "16 cores"]);
    expect(layout["xaxis"]).toMatchObject({ type: "category" });
  });

  it("pools are drawn over their number, a line for each number of cores", () => {
    const pools = [1, 4, 16].flatMap((n) =>
      [8, 16].map((cores) =>
        run(`pools-${n}-lazy`, `${n} pool${n === 1 ? "" : "s"}, lazy flush`, cores, n * 1000 * cores),
      ),
    );
    const { data, layout } = drawn("throughput", pools);
    expect(data.map((trace) => [trace["name"], trace["x"]])).toEqual([
      ["8 cores", [1, 4, 16]],
      ["16 cores", [1, 4, 16]],
    ]);
    expect(data[1]["y"]).toEqual([16, 64, 256]);
    expect(layout["title"]).toMatchObject({ text: "Throughput against pools (lazy flush)" });
  });

  it("a way of mapping has one colour in both figures of a run", () => {
    const colours = (name: string) =>
      new Map(drawn(name, falling).data.map((trace) => [trace["name"], (trace["line"] as { color: string }).color]));
    expect(colours("relative").get("deferred (v4.3 default)")).toBe(
      colours("throughput").get("deferred (v4.3 default)"),
    );
    // What was measured has the colour of its way of mapping, and an empty marker.
    const [line, measured] = drawn("relative", falling).data.map((trace) => trace["marker"] as { symbol: string });
    expect(colours("relative").get("measured, deferred")).toBe(colours("relative").get("deferred (v4.3 default)"));
    expect([line.symbol, measured.symbol]).toEqual(["circle", "circle-open"]);
  });
});

describe("verdicts in words", () => {
  const row = (over: Cells) =>
    rowOf({ variant: "deferred", ats: false, cores: 16, threads: 200, lock: "ticket", ...over });
  const judged = (id: string, rows: LockContentionRow[]) =>
    lockContention.claims(rows, lockContention.parse()).find((c) => c.id === id);
  const coherent = false;
  const clflush = (factors: number[]) =>
    factors.flatMap((factor, replication) => [
      row({ coherent: true, replication, throughput: 100 }),
      row({ coherent: false, replication, throughput: 100 * factor }),
    ]);

  it("pair the runs seed by seed, and give the mean with its own interval", () => {
    const found = judged("stupid-chipsets", clflush([0.6, 0.61, 0.59]));
    expect(found?.simulated).toMatchObject({ n: 3, unit: "% of coherent" });
    expect(found?.simulated?.mean).toBeCloseTo(60, 9);
    expect(found?.explanation).toMatch(/^On 16 cores a host that flushes does 57.5 to 62.5 % of one whose walks snoop/);
  });

  it("take a question's answer from the draws and not from the settings of the run at hand", () => {
    const pools = (share: number) =>
      [0, 1, 2].flatMap((replication) => [
        row({ variant: "pools-16-lazy", coherent, replication, throughput: 100 + replication }),
        row({ variant: "pools-4-lazy", coherent, replication, throughput: (100 + replication) * share }),
      ]);
    const [good, bad] = [0.97, 0.5].map((share) => judged("four-arenas", pools(share)));
    expect([good?.simulated?.mean, bad?.simulated?.mean].map((mean) => Math.round(mean ?? 0))).toEqual([97, 50]);
    expect(bad?.verdict).toBe(good?.verdict);
    expect(bad?.answer).toBe(good?.answer);
  });

  it("leave a quantity without a verdict where nothing was drawn yet, and say so", () => {
    const alone = judged("all-else-is-software", [row({ coherent: true, replication: 0, pteWriteShare: 0.2 })]);
    expect(alone?.simulated).toMatchObject({ mean: 20, n: 1 });
    if (alone?.prior === undefined)
      expect(alone?.explanation).toMatch(/There is no verdict: the design "thread-host" was not run\.$/);
    else expect(alone.explanation).toMatch(/draws of what nobody published/);
  });

  it("holds of what the programs themselves show, whatever the numbers", () => {
    const rows = [0, 1].map((replication) => row({ coherent, replication, profile: "both", mapsPerSide: 1 }));
    expect(judged("every-map-holds-the-lock", rows)).toMatchObject({ kind: "fact of the source", verdict: "holds" });
    expect(judged("every-map-holds-the-lock", rows)?.explanation).toMatch(
      /3 times, in alloc_iova, find_iova, __free_iova/,
    );
  });

  it("are no entries for what nobody claimed: a wish, or the subject of a mail", () => {
    const ids = lockContention.claims([], lockContention.parse()).map(({ id }) => id);
    expect(ids).not.toContain("bypass");
    expect(ids).not.toContain("deferred-dangles");
  });
});

describe("rows of several runs put together", () => {
  const row = (variant: string, cores: number, replication: number, throughput: number) =>
    rowOf({
      ...{ variant, title: variant, cores, threads: 200, lock: "ticket", profile: "both", mapsPerSide: 1 },
      ...{ stackMicroseconds: 16, ats: false, coherent: true, replication, throughput },
    });
  const rows = [0, 1, 2].flatMap((r) => [row("off", 16, r, 1000 + r), row("deferred", 16, r, 180 + 9 * r)]);
  const claim = (all: readonly LockContentionRow[], id: string) =>
    lockContention.collect(lockContention.parse(), all).claims.find((one) => one.id === id);

  it("count a simulation that they hold twice once, so that no interval is narrower than it is", () => {
    const once = claim(rows, "PE2");
    expect(once?.simulated?.n).toBe(3);
    expect(claim([...rows, ...rows, ...rows.slice(0, 2)], "PE2")).toEqual(once);
  });

  it("are compared setting by setting: each with the host without an IOMMU that has the same stack work", () => {
    const short = rows.map((r) => ({ ...r, stackMicroseconds: 4, throughput: 2 * r.throughput }));
    const shares = (figure: ReturnType<ReturnType<typeof lockContention.collect>["figure"]>) =>
      figure.data.slice(0, 2).map((trace) => (trace["y"] as number[])[0]);
    for (const all of [
      [...rows, ...short],
      [...short, ...rows],
    ]) {
      const [a, b] = shares(lockContention.collect(lockContention.parse(), all).figure("relative"));
      expect(a).toBeCloseTo(b, 9);
    }
    expect(claim([...short, ...rows], "PE2")?.simulated?.mean).toBeCloseTo(18.9, 0);
  });

  it("take the host without an IOMMU that is most alike where there is none of the same setting", () => {
    const moved = rows.filter((r) => r["variant"] !== "off").map((r) => ({ ...r, mapsPerSide: 2 }));
    const off = rows.filter((r) => r["variant"] === "off");
    const figure = lockContention.collect(lockContention.parse(), [...off, ...moved]).figure("relative");
    expect((figure.data[0]["y"] as number[])[0]).toBeCloseTo(18.9, 0);
  });

  it("make the map at the most cores, whatever other cores they hold", () => {
    const few = rows.map((r) => ({ ...r, cores: 1, throughput: 60 }));
    const figure = lockContention.collect(lockContention.parse(), [...rows, ...few]).figure("map");
    expect((figure.data[0]["z"] as number[][])[0][0]).toBeCloseTo(18.9, 0);
  });

  it("draw a line for each number of threads where cores and threads both vary", () => {
    const less = rows.map((r) => ({ ...r, threads: 4, throughput: 10 }));
    const more = [...rows, ...less].flatMap((r) => [r, { ...r, cores: 1 }]);
    const figure = lockContention.collect(lockContention.parse(), more).figure("throughput");
    expect(figure.data.map((trace) => trace["name"])).toContain("deferred · threads 4");
  });

  it("have no ratio where it is not said which belong together", () => {
    const twoSettings = [...rows, ...rows.map((r) => ({ ...r, cores: 8 }))];
    const [over, under] = ["deferred", "off"].map((variant) => where(twoSettings, { variant }));
    expect(() => ratio(over, under, "throughput")).toThrow(/one setting on either side/);
  });
});

describe("the sensitivity", () => {
  const points = lockSensitivity.points(lockSensitivity.parse({ each: true, replications: 1 })) as {
    assumption: string;
    end: "base" | "low" | "high";
    run: HostRun;
  }[];

  it("moves every field of a run that is an assumption", () => {
    // The question itself, what v4.3 and the thread fix, the length of the run.
    const given = ["variant", "cores", "threads", "seed", "machine", "flushEntries", "flushMilliseconds"];
    const length = ["warmup", "transactions", "slices"];
    for (const field of Object.keys(hostRunDefaults(published)) as (keyof HostRun)[])
      if (![...given, ...length].includes(field))
        expect(
          points.some(({ run }) => JSON.stringify(run[field]) !== JSON.stringify(hostRunDefaults(published)[field])),
          field,
        ).toBe(true);
  });

  it("moves every cost of the DMA code to both ends of the range that its source leaves", () => {
    // No lock of these hosts is an SMMU's queue: what is assumed of that is swept beside its measurements (held).
    for (const { field, low, high } of costSources.filter((one) => one.field !== "retriesInPlace"))
      for (const end of [low, high])
        expect(
          points.some(({ run }) => run.costs[field] === end),
          `${field} ${end}`,
        ).toBe(true);
  });

  it("moves every value of the host that no record supports to both ends of its range", () => {
    for (const { field, assumption } of hostAssumptions(published, "sandy-bridge-ep"))
      for (const end of [assumption?.low, assumption?.high])
        expect(
          points.some(({ run }) => run.machineOverrides[field] === end),
          `${field} ${end}`,
        ).toBe(true);
  });

  it("moves the small ones of a kind together unless it is asked for each, and draws them all", async () => {
    const few = lockSensitivity.points(lockSensitivity.parse({ replications: 1 }));
    expect(few.length).toBeLessThan(60);
    expect(points.length).toBeGreaterThan(few.length + 25);
    const moved = points.filter(
      ({ assumption, end }) => end === "base" || assumption === "small costs of the DMA code",
    );
    const rows = moved.flatMap((point) =>
      lockSensitivity.simulate({ ...point, run: { ...point.run, cores: 2, warmup: 100, transactions: 200 } } as never),
    );
    const figure = lockSensitivity.collect(lockSensitivity.parse(), rows).figure("sensitivity");
    expect(JSON.stringify(figure.data)).toContain("small costs of the DMA code (all low … all high)");
    const [base, low, high] = rows.map((row) => Number(row["percentOfOff"]));
    expect(low).toBeGreaterThan(base);
    expect(high).toBeLessThan(base);
  });

  it("finds no influence of the workload's small choices on what the default leaves of IOMMU off", () => {
    // With queued locks throughput varies by 5 to 6 % from run to run: three runs of each, within three standard deviations of their difference.
    const share = (assumption: string, end: string) => {
      const point = points.find((p) => p.assumption === assumption && p.end === end);
      const runs = [0, 1, 2].flatMap((r) =>
        lockSensitivity.simulate({ ...point, run: { ...(point as { run: HostRun }).run, seed: 1000 + r } } as never),
      );
      return estimate(runs, "percentOfOff").mean;
    };
    const base = share("base", "base");
    for (const end of ["low", "high"])
      expect(Math.abs(share("small choices of the workload", end) / base - 1)).toBeLessThan(0.14);
  });
});

describe("the anatomy and the lock table", () => {
  it("an unmap's lines add up to the unmap's cycles", async () => {
    const anatomy = await mapAnatomy.run({ cores: [4], replications: 1 });
    const main = await lockContention.run({ variants: ["deferred"], cores: [4], replications: 1 });
    const sum = where(anatomy.rows, { call: "dma_unmap" }).reduce((total, row) => total + Number(row["cycles"]), 0);
    expect(sum / Number(main.rows[0]["unmapCycles"])).toBeCloseTo(1, 6);
    expect(where(anatomy.rows, { function: "find_iova" }).length).toBe(1);
    for (const name of ["map", "unmap"]) expect(anatomy.figure(name).data.length).toBe(1);
  });

  it("each line's bar is the mean over independent runs, with its interval; a single run has none", async () => {
    const config = { variants: ["deferred"], cores: [1, 4], replications: 3 };
    const { rows, figure } = await mapAnatomy.run(config);
    expect(distinct(rows, "replication")).toEqual([0, 1, 2]);
    const [one, four] = figure("unmap").data as unknown as {
      y: string[];
      x: number[];
      error_x: { array: number[]; arrayminus: number[] };
    }[];
    const line = where(rows, { cores: 4, call: "dma_unmap", function: "find_iova" }).map((row) =>
      Number(row["cycles"]),
    );
    expect(new Set(line).size).toBe(3);
    const at = four.y.indexOf("find_iova");
    expect(four.x[at]).toBeCloseTo(line.reduce((a, b) => a + b, 0) / 3, 9);
    expect(four.error_x.array[at]).toBeGreaterThan(0);
    expect(four.error_x.array[at]).toBeCloseTo(four.error_x.arrayminus[at], 9);
    // The same instructions in every run: no spread, but for the calls that the measurement's ends cut in two.
    expect(one.error_x.array[one.y.indexOf("intel_unmap")]).toBeLessThan(0.01 * one.x[one.y.indexOf("intel_unmap")]);
    // No interval reaches below nothing.
    for (const { x, error_x } of [one, four])
      for (const [i, mean] of x.entries()) expect(mean - error_x.arrayminus[i]).toBeGreaterThanOrEqual(0);
    const single = await mapAnatomy.run({ ...config, cores: [1], replications: 1 });
    expect(single.figure("map").data[0]).not.toHaveProperty("error_x");
    expect(() => mapAnatomy.parse({ replications: 0 })).toThrow(/map-anatomy: .*\n.*replications/);
    expect(() => lockTable.parse({ replications: 2 } as never)).toThrow(/replications/);
  });

  it("the lock table's distributions count every acquisition once", async () => {
    const table = await lockTable.run({ cores: [4] });
    for (const row of table.rows)
      for (const kind of ["waits", "holds"]) {
        const counts = Object.entries(row).flatMap(([column, count]) =>
          column.startsWith(`${kind}: `) ? Number(count) : [],
        );
        const counted = counts.reduce((a, b) => a + b, 0);
        expect(counts).toHaveLength(32);
        expect(Math.abs(counted - row.acquisitions), `${row.lock} ${kind}`).toBeLessThanOrEqual(4);
      }
    expect(table.figure("waits").data.length).toBeGreaterThan(0);
  });

  it("judges only what a run can answer", async () => {
    const run = await lockContention.run({ variants: ["off", "deferred"], cores: [1, 16], replications: 2 });
    const verdict = (id: string) => run.claims.find((claim) => claim.id === id);
    expect(verdict("PE1")?.verdict).toBe("calibration");
    expect(verdict("PE2")?.simulated?.unit).toBe("% of off");
    expect(verdict("worse-with-ats")?.verdict).toBe("not answered");
    expect(verdict("four-arenas")?.explanation).toMatch(/pools-4-lazy/);
    // The mail speaks of hosts whose page walks snoop; the default host's do not.
    expect(verdict("all-else-is-software")?.verdict).toBe("not answered");
    expect(verdict("table-pages-stay")?.simulated?.unit).toBe("empty tables");
    for (const name of ["breakdown", "spinning"]) expect(run.figure(name).data[0]["error_y"], name).toBeDefined();
    // Two runs have wide intervals; a share's ends where there is nothing, or all of the time.
    const ends = run.figure("spinning").data.flatMap(({ customdata }) => (customdata as number[][]).flat());
    expect(Math.min(...ends)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...ends)).toBeLessThanOrEqual(100);
  });

  it("the entry's write is the smaller part of an undisturbed map where walks snoop, and the larger where it is flushed", async () => {
    const run = await lockContention.run({
      variants: ["deferred"],
      cores: [1],
      coherent: [true, false],
      replications: 2,
    });
    expect(run.claims.find(({ id }) => id === "all-else-is-software")?.simulated?.mean).toBeLessThan(50);
    const share = (coherent: boolean) => estimate(where(run.rows, { coherent }), "pteWriteShare").mean;
    expect(share(true)).toBeLessThan(0.5);
    expect(share(false)).toBeGreaterThan(0.5);
  });

  it('"not sad" does not hang on the input that it rests on: from either end of what a clflush may cost', {
    timeout: 60_000,
  }, () => {
    const { low, high } = costSources.find(({ field }) => field === "clflushCycles")!;
    const short = {
      ...hostRunDefaults(published),
      machineOverrides: { coherentWalks: 1 },
      warmup: 500,
      transactions: 1000,
    };
    const seeds = [1, 2, 3].map((seed) => ({ ...short, seed }));
    const coherent = seeds.map((run) => simulateHost(run, published).throughput);
    for (const clflushCycles of [low, high]) {
      const flushed = seeds.map(
        (run) =>
          simulateHost({ ...run, machineOverrides: { coherentWalks: 0 }, costs: { clflushCycles } }, published)
            .throughput,
      );
      expect(flushed.reduce((sum, value, i) => sum + value / coherent[i] / 3, 0)).toBeGreaterThan(0.9);
    }
    // On one core, where nobody waits, the input does show.
    const alone = (clflushCycles: number) =>
      simulateHost({ ...short, cores: 1, machineOverrides: { coherentWalks: 0 }, costs: { clflushCycles } }, published)
        .throughput;
    expect(alone(high) / alone(low)).toBeLessThan(0.98);
  });
});
