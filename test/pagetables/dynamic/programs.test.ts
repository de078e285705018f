import { describe, expect, test } from "vitest";
import {
  aliasOf,
  type Cleanup,
  countOf,
  type Design,
  dynamicDesign,
  EntryMemory,
  frameOf,
  type MapOutcome,
  mapPages,
  runToEnd,
  type Sharing,
  type Steps,
  unmapPages,
} from "../../../src/pagetables/index.js";
import { fc } from "../../support/property.js";
import { type Call, linearizable } from "./linearizable.js";

const cleanups: Cleanup[] = ["never", "covering", "live-count", "swept"];
const sharings: Sharing[] = ["count", "fallback"];
const designs = (given: Partial<Design>): Design[] =>
  cleanups.flatMap((cleanup) => sharings.map((sharing) => dynamicDesign({ ...given, cleanup, sharing })));
const nameOf = ({ cleanup, sharing }: Design): string => `${cleanup}, ${sharing}`;

/**
 * The worst IOTLB: it has read every translation that there ever was, and forgets only what it is told to forget.
 * `live` says which pages are mapped now.
 */
class EagerTlb {
  private readonly cached = new Set<number>();
  constructor(private readonly memory: () => EntryMemory) {}
  look(pages: Iterable<number>): void {
    for (const page of pages) if (this.memory().walk(page)) this.cached.add(page);
  }
  flush(iova: number, pages: number): void {
    for (let page = iova; page < iova + pages; page++) this.cached.delete(page);
  }
  stale(live: ReadonlyMap<number, number>): number[] {
    return [...this.cached].filter((page) => !live.get(page));
  }
}

/** Pages that lie together, on both sides of a border between tables, and far away; and the rights they are mapped with. */
const frames = [0, 1, 2, 3, 4, 510, 511, 512, 513, 262_143, 262_144];
const anyRange = fc.record({
  frame: fc.constantFrom(...frames),
  pages: fc.constantFrom(1, 1, 1, 2, 4, 8),
  permission: fc.constantFrom(1, 2, 3),
});
type AnyRange = { frame: number; pages: number; permission: number };

interface World {
  memory: EntryMemory;
  tlb: EagerTlb;
  /** The naive model: how often each alias is mapped. */
  counts: Map<number, number>;
  held: AnyRange[];
}

function worldOf(design: Design, flushes = true): World {
  const memory: EntryMemory = new EntryMemory(design, 0x100_0000, (iova, pages) => {
    if (flushes) tlb.flush(iova, pages);
  });
  const tlb = new EagerTlb(() => memory);
  return { memory, tlb, counts: new Map(), held: [] };
}

/** Maps or unmaps in memory and in the model, and compares the two. */
function act(world: World, design: Design, range: AnyRange, unmap: number | undefined): void {
  const { memory, counts, held, tlb } = world;
  const pagesOf = ({ frame, pages, permission }: AnyRange): number[] =>
    Array.from({ length: pages }, (_, i) => aliasOf(frame + i, permission));
  if (unmap === undefined || held.length === 0) {
    const { frame, pages, permission } = range;
    const most = design.sharing === "count" ? design.mostUses : 1;
    const fits = pagesOf(range).every((page) => (counts.get(page) ?? 0) < most);
    const program = mapPages(memory.table, 0, aliasOf(frame, permission), frame, pages, permission);
    expect(runToEnd(program, memory.as(0))).toBe(fits ? "mapped" : "taken");
    if (fits) {
      held.push(range);
      for (const page of pagesOf(range)) counts.set(page, (counts.get(page) ?? 0) + 1);
    }
  } else {
    const [old] = held.splice(unmap % held.length, 1);
    const { frame, pages, permission } = old;
    const last = pagesOf(old).filter((page) => counts.get(page) === 1).length;
    expect(runToEnd(unmapPages(memory.table, 0, aliasOf(frame, permission), pages), memory.as(0))).toBe(last);
    for (const page of pagesOf(old)) counts.set(page, (counts.get(page) ?? 0) - 1);
  }
  for (const [page, count] of counts) {
    const frame = page % 0x4_0000_0000;
    const permission = Math.floor(page / 0x4_0000_0000);
    expect(memory.walk(page)).toEqual(count > 0 ? { frame, permission } : undefined);
  }
  tlb.look(counts.keys());
}

/** Table pages that are needed for what is mapped, the root included. */
function neededTables(design: Design, counts: ReadonlyMap<number, number>): number {
  const needed = new Set<string>(["root"]);
  for (const [page, count] of counts) {
    if (count === 0) continue;
    let span = 1;
    for (let level = 1; level < design.levels; level++) {
      span *= 1 << design.slotBits;
      needed.add(`${level} ${Math.floor(page / span)}`);
    }
  }
  return needed.size;
}

describe("mapping page by page", () => {
  test("for example: two maps of a page and one unmap leave one map; the last one clears it", () => {
    const { memory } = worldOf(dynamicDesign());
    const iova = aliasOf(7, 3);
    const map = (): MapOutcome => runToEnd(mapPages(memory.table, 0, iova, 7, 1, 3), memory);
    const unmap = (): number => runToEnd(unmapPages(memory.table, 0, iova, 1), memory);
    expect([map(), map(), unmap()]).toEqual(["mapped", "mapped", 0]);
    expect(memory.walk(iova)).toEqual({ frame: 7, permission: 3 });
    expect(memory.tableCount).toBe(4);
    expect([unmap(), memory.walk(iova), memory.tableCount]).toEqual([1, undefined, 1]);
  });

  test("without a count the second map is sent to the fallback, and a full count sends there, too", () => {
    for (const [design, maps] of [
      [dynamicDesign({ sharing: "fallback" }), 1],
      [dynamicDesign({ mostUses: 2 }), 2],
    ] as const) {
      const { memory } = worldOf(design);
      const map = (): MapOutcome => runToEnd(mapPages(memory.table, 0, aliasOf(7, 1), 7, 1, 1), memory);
      for (let i = 0; i < maps; i++) expect(map()).toBe("mapped");
      expect(map()).toBe("taken");
    }
  });

  test("an unmap of what is not mapped changes nothing", () => {
    const { memory } = worldOf(dynamicDesign());
    expect(runToEnd(unmapPages(memory.table, 0, aliasOf(1, 1), 600), memory)).toBe(0);
    expect(memory.tableCount).toBe(1);
  });

  for (const design of [...designs({ levels: 4, mostUses: 2 }), ...designs({ levels: 5, slotBits: 9, mostUses: 3 })])
    test(`agrees with a naive count after every operation: ${design.levels} levels, ${nameOf(design)}`, () => {
      fc.assert(
        fc.property(
          fc.array(fc.tuple(anyRange, fc.option(fc.nat(), { nil: undefined })), { maxLength: 40 }),
          (acts) => {
            const world = worldOf(design);
            for (const [range, unmap] of acts) {
              act(world, design, range, unmap);
              expect(world.tlb.stale(world.counts)).toEqual([]);
              if (design.cleanup === "live-count")
                expect(world.memory.tableCount).toBe(neededTables(design, world.counts));
            }
          },
        ),
        { numRuns: 30 },
      );
    });

  test("a flush left out is found: a translation outlives its page", () => {
    const design = dynamicDesign();
    const world = worldOf(design, false);
    const range = { frame: 7, pages: 1, permission: 3 };
    act(world, design, range, undefined);
    act(world, design, range, 0);
    expect(world.tlb.stale(world.counts)).toEqual([aliasOf(7, 3)]);
  });

  test("empty tables: kept for ever, until an unmap covers them, or not at all", () => {
    const left = (cleanup: Cleanup, whole: boolean): number => {
      const { memory } = worldOf(dynamicDesign({ cleanup, slotBits: 2 }));
      const iova = aliasOf(0, 1);
      runToEnd(mapPages(memory.table, 0, iova, 0, 4, 1), memory);
      if (whole) runToEnd(unmapPages(memory.table, 0, iova, 4), memory);
      else for (let page = 0; page < 4; page++) runToEnd(unmapPages(memory.table, 0, iova + page, 1), memory);
      return memory.tableCount - 1;
    };
    expect([left("never", true), left("covering", false), left("covering", true)]).toEqual([3, 3, 2]);
    expect([left("swept", false), left("live-count", false)]).toEqual([2, 0]);
  });
});

/** One operation of a CPU that is under way. */
interface Running {
  call: Call;
  program: Steps<MapOutcome | number>;
  result: number;
}

/** What CPUs do, by chance, step by step, and what was recorded of it. */
function concurrently(design: Design, scripts: readonly (readonly number[])[], schedule: readonly number[]) {
  const live = new Map<number, number>();
  const world = worldOf(design);
  const { memory, tlb } = world;
  const calls: Call[] = [];
  const running: (Running | undefined)[] = scripts.map(() => undefined);
  const waiting = scripts.map((script) => [...script]);
  const held: number[][] = scripts.map(() => []);
  let clock = 0;
  const start = (cpu: number): Running | undefined => {
    const next = waiting[cpu].shift();
    // A script's numbers are pages to map; where it is empty, what is held is given up.
    const frame = next ?? held[cpu].shift();
    if (frame === undefined) return undefined;
    const unmap = next === undefined;
    const call: Call = { cpu, page: frame, kind: unmap ? "unmap" : "map", from: clock++, to: -1, result: "" };
    calls.push(call);
    memory.begin(cpu);
    const iova = aliasOf(frame, 3);
    // Held until the unmap begins; from when the map begins, the device may find it.
    live.set(iova, (live.get(iova) ?? 0) - (unmap ? 1 : 0));
    const program: Steps<MapOutcome | number> = unmap
      ? unmapPages(memory.table, cpu, iova, 1)
      : mapPages(memory.table, cpu, iova, frame, 1, 3);
    return { call, program, result: 0 };
  };
  for (let turn = 0; ; turn++) {
    const cpus = scripts.map((_, cpu) => cpu).filter((cpu) => (running[cpu] ??= start(cpu)) !== undefined);
    if (cpus.length === 0) break;
    const cpu = cpus[(schedule[turn % schedule.length] + turn) % cpus.length];
    const one = running[cpu]!;
    const { done, value } = one.program.next(one.result);
    if (!done) {
      one.result = memory.as(cpu).step(value);
      tlb.look(live.keys());
      continue;
    }
    one.call.to = clock++;
    one.call.result = String(value);
    memory.end(cpu);
    running[cpu] = undefined;
    const page = aliasOf(one.call.page, 3);
    if (one.call.kind === "map" && value === "mapped") {
      held[cpu].push(one.call.page);
      live.set(page, (live.get(page) ?? 0) + 1);
    }
    for (const [each, count] of live) if (count > 0) expect(memory.walk(each)).toBeDefined();
  }
  return { calls, memory, tlb, live };
}

describe("maps and unmaps from several CPUs at once", () => {
  const page = fc.constantFrom(0, 0, 0, 1, 2, 5);
  const scripts = fc.array(fc.array(page, { minLength: 1, maxLength: 3 }), { minLength: 2, maxLength: 4 });
  const schedule = fc.array(fc.nat(100), { minLength: 40, maxLength: 300 });
  for (const design of [...designs({ levels: 3, slotBits: 1, mostUses: 2 }), ...designs({ mostUses: 3 })])
    test(`every history is one that a naive count could have given, one call after the other: ${design.levels} levels, ${nameOf(design)}`, () => {
      fc.assert(
        fc.property(scripts, schedule, (script, turns) => {
          const { calls, memory, tlb, live } = concurrently(design, script, turns);
          expect(linearizable(calls, design.sharing === "count" ? design.mostUses : 1)).toBe(true);
          expect(tlb.stale(live)).toEqual([]);
          const leaves = [...memory.used()].filter(({ entry }) => countOf(entry) > 0 && frameOf(entry) < 16);
          expect(leaves).toEqual([]);
          if (design.cleanup === "live-count") expect(memory.tableCount).toBe(1);
        }),
        { numRuns: 60 },
      );
    });

  test("a history that no order explains is told apart", () => {
    const call = (kind: "map" | "unmap", from: number, to: number, result: string): Call => ({
      cpu: 0,
      page: 0,
      kind,
      from,
      to,
      result,
    });
    expect(linearizable([call("map", 0, 1, "mapped"), call("unmap", 2, 3, "0")], 1)).toBe(false);
    expect(linearizable([call("map", 0, 3, "mapped"), call("map", 1, 2, "taken")], 1)).toBe(true);
    expect(linearizable([call("map", 2, 3, "mapped"), call("map", 0, 1, "taken")], 1)).toBe(false);
  });

  test("a design without the second look is caught by chance, too", () => {
    const design = dynamicDesign({
      cleanup: "swept",
      slotBits: 1,
      levels: 2,
      safeguards: { ...dynamicDesign().safeguards, recheck: false },
    });
    let caught = 0;
    for (let seed = 0; seed < 200; seed++) {
      const turns = Array.from({ length: 97 }, (_, i) => (seed * 7919 + i * i * 31 + ((i * seed) >> 2)) % 101);
      try {
        const { calls } = concurrently(design, [[0, 1], [0], [1]], turns);
        if (!linearizable(calls, design.mostUses)) caught++;
      } catch {
        caught++;
      }
    }
    expect(caught).toBeGreaterThan(0);
  });
});
