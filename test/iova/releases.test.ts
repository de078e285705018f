import { describe, expect, it } from "vitest";
import { noPfn, parseTrace, releaseSteps, replay, rulesOf } from "../../src/iova/index.js";

const caches = (text: string, release: string, name: "rcache6" | "fq6" = "rcache6") =>
  replay(parseTrace(text), name, { release });
const repeat = (times: number, line: (i: number) => string) =>
  Array.from({ length: times }, (_, i) => line(i)).join("\n");

describe("the rules of a release", () => {
  it("are those of every step up to it", () => {
    expect(releaseSteps).toEqual(["4.15", "4.20", "5.11", "5.18", "6.0", "6.6", "6.7"]);
    expect(rulesOf("5.15")).toMatchObject({
      magazineSize: 128,
      depotLimit: 32,
      failureMemory: "near",
      lowFirst: "always",
    });
    expect(rulesOf("6.18.2")).toEqual({ ...rulesOf("6.7") });
    expect(rulesOf("v6.6")).toMatchObject({ depotLimit: 32, lowFirst: "until it fails" });
    for (const wrong of ["4.9", "6.19", "five", "5.", ""]) expect(() => rulesOf(wrong)).toThrow(/from 4\.15 to 6\.18/);
  });

  it("try 32-bit addresses on every request for ever until 6.6, which gives up after one failure", () => {
    // 16 pages below 4 GiB, all taken; then requests of a 64-bit device.
    const trace = `i start_pfn 1048560\ni cpus 1\nm 16 1048575\n${repeat(50, () => "m 64 68719476735")}`;
    // With nothing freed the remembered failure makes each try cheap; before 4.20 each searches.
    expect(caches(trace, "4.15").caches).toMatchObject({ driver: { gaveUpLow: 0 }, caches: { treeLocks: 101 } });
    expect(caches(trace, "6.5").caches).toMatchObject({ driver: { lowFirst: true }, caches: { treeLocks: 101 } });
    expect(caches(trace, "6.6").caches).toMatchObject({
      driver: { gaveUpLow: 1, lowFirst: false },
      caches: { treeLocks: 52 },
    });
  });

  it("forget a failure at any free below 4 GiB from 5.18 on, before that at a free near the remembered node only", () => {
    // 256 pages in four ranges; the second is freed and taken again, so that it is remembered and two lie below it.
    const four = [
      "i start_pfn 1048320",
      "i cpus 1",
      ...["m", "m", "m", "m"].map((m) => `${m} 64 1048575`),
      "u 1",
      "m 64 1048575",
    ];
    // 128 pages do not fit, until the two below are freed.
    const trace = [...four, "m 128 1048575", "u 2", "u 3", "m 128 1048575"].join("\n");
    const last = (release: string) => caches(trace, release).pfns.at(-1);
    expect([last("4.15"), last("4.20"), last("5.17"), last("5.18")]).toEqual([1048320, noPfn, noPfn, 1048320]);
  });

  it("look above the remembered node since 5.11: a hole there is found without a drain", () => {
    const trace = [
      "i start_pfn 1048512",
      "i cpus 1",
      "m 1 1048575",
      "m 1 1048575",
      "m 1 1048575",
      "m 33 1048575",
      "m 1 1048575",
    ];
    const last = (release: string) => caches(trace.join("\n"), release).pfns.at(-1);
    expect([last("5.10"), last("5.11")]).toEqual([-1, 1048572]);
  });

  it("bound a depot at 32 magazines before 6.7, and leave it to the timer from then on", () => {
    const count = 127 * 40;
    const trace = `i cpus 2\n${repeat(count, () => "m 1 1048575 0")}\n${repeat(count, (id) => `u ${id} 1`)}\nw 10000000`;
    const depots = (release: string) => {
      const { caches: c } = caches(trace, release).caches!;
      return [c.peakDepots[0], c.depots[0], c.depotTrims, c.removed];
    };
    expect(depots("6.6")).toEqual([32, 32, 0, 6 * 127]);
    expect(depots("6.7")).toEqual([38, 2, 36, 36 * 127]);
  });
});

describe("v4.9's per-CPU tables before its magazines", () => {
  const trace = (text: string) => replay(parseTrace(`i cpus 2\ni fq 1\n${text}`), "magazines");

  it("free all CPUs' entries where one CPU has 250, into the caches of that CPU", () => {
    const maps = repeat(254, () => "m 1 1048574 0");
    const unmaps = `${repeat(3, (id) => `u ${id} 1`)}\n${repeat(251, (id) => `u ${id + 3} 0`)}`;
    const { events, hits } = trace(`${maps}\n${unmaps}\nm 1 1048575 1\n${repeat(253, () => "m 1 1048575 0")}`);
    expect(events).toEqual([{ op: 254 + 253, reason: "H", freed: 253 }]);
    expect([hits[254], hits.subarray(255).reduce((a, b) => a + b, 0)]).toEqual([0, 253]);
  });

  it("let a CPU's timer free its own entries only, each 10 ms after its first", () => {
    const { events } = trace("m 1 7 0\nm 1 7 0\nm 1 7 0\nu 0 1\nw 4000\nu 1 0\nu 2 0\nw 5999\nw 1\nw 4000");
    expect(events).toEqual([
      { op: 8, reason: "T", freed: 1 },
      { op: 9, reason: "T", freed: 2 },
    ]);
  });
});

describe("a replay on rcache6", () => {
  it("takes CPUs modulo those that the trace states, and takes −1 for no limit", () => {
    const result = caches("i cpus 2\nm 1 -1 5\nu 0 3\nm 1 1048575 7", "6.18");
    expect([...result.pfns]).toEqual([1048575, 1048575]);
    expect([...result.hits]).toEqual([0, 1]);
    expect(replay(parseTrace("i forcedac 1\nm 1 -1"), "rcache6").pfns[0]).toBe(2 ** 52 - 1);
  });

  it("refuses a reservation that no device reaches, naming the operation", () => {
    expect(() => caches("m 1 7\nr 5 -1", "6.18")).toThrow(/operation 1: .*above 2\^52 - 1/);
  });

  it("ignores CPU hotplug where an allocator has no caches to give back", () => {
    expect([...replay(parseTrace("x 0\nm 1 7\ny 0\nw 5"), "rbtree").pfns]).toEqual([7]);
  });

  it("counts lines a request touches: a hit a few, a walk many", () => {
    const hits = `${repeat(1, () => "m 1 1048575")}\n${repeat(200, (i) => `u ${i}\nm 1 1048575`)}`;
    const walks = `i cpus 1\nm 1 1048575\n${repeat(200, () => "m 1 1048575\nm 64 1048575")}`;
    const perOperation = (text: string) => {
      const { lines } = replay(parseTrace(text), "rcache6", { countLines: true });
      return lines!.touched / lines!.operations;
    };
    expect(perOperation(hits)).toBeLessThan(4);
    expect(perOperation(walks)).toBeGreaterThan(5);
  });
});
