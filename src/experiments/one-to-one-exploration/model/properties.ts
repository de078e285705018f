import type { Property } from "../../../explore/index.js";
import { countOf } from "../../../pagetables/index.js";
import { CPU_USED_FREED, FREE, WALKER_USED_FREED } from "./state.js";
import type { StateView } from "./view.js";

/** The names of the properties, in the order in which `oneToOneProperties` gives them. */
export const oneToOnePropertyNames: readonly string[] = [
  "after a map has returned, the device reaches the page until its unmap",
  "after the last unmap has returned, nothing reaches the page",
  "no CPU uses a table page after it was freed",
  "the walker uses no table page after it was freed",
  "when all is done, no table page is lost",
  "between operations, a page is mapped as often as maps of it are held",
];

/**
 * What should hold in every state of a model.
 *
 * "Reaches" means: however the hardware is minded. A page is in reach only if the walk from the root finds it and so does every walk that
 * begins at a cached table; it is out of reach only if the IOTLB has not got it and none of these walks finds it.
 */
export function oneToOneProperties(model: StateView): Property[] {
  const { layout, memory, system } = model;
  const { cpus, ranges, levels, variant } = system;
  const values = new Int32Array(layout.size);
  const last = new Uint32Array(layout.words).fill(0xffffffff);

  /** All properties are asked about one state after another: it is unpacked once. */
  const unpack = (state: Uint32Array): void => {
    let same = true;
    for (let w = 0; w < layout.words; w++) {
      same &&= last[w] === state[w];
      last[w] = state[w];
    }
    if (!same) layout.unpack(state, values);
  };
  const covers = (range: number, page: number): boolean =>
    range >= 0 && page >= ranges[range].page && page < ranges[range].page + ranges[range].pages;
  const held = (page: number): number => {
    let count = 0;
    for (let cpu = 0; cpu < cpus; cpu++) {
      const step = model.stepOf(values, cpu);
      if (step?.kind === "hold" && covers(step.range, page)) count++;
    }
    return count;
  };
  /** Whether an operation on the page is under way. */
  const busy = (page: number): boolean => {
    for (let cpu = 0; cpu < cpus; cpu++) {
      const step = model.stepOf(values, cpu);
      if (step !== undefined && step.kind !== "hold" && covers(step.range, page)) return true;
    }
    return false;
  };
  /** Whether every walk from a cached table, or some, finds the page. */
  const fromCaches = (page: number, every: boolean): boolean => {
    for (let level = 1; level < levels; level++) {
      const frame = values[layout.caches + level - 1];
      if (frame !== 0 && memory.reaches(values, page, level, frame) !== every) return !every;
    }
    return every;
  };
  const fromRoot = (page: number): boolean => memory.reaches(values, page, levels, 0);
  const both = (test: (page: number) => boolean): boolean => test(0) && test(1);

  const tests: (() => boolean)[] = [
    () => both((page) => held(page) === 0 || (fromRoot(page) && fromCaches(page, true))),
    () =>
      both(
        (page) =>
          held(page) > 0 ||
          busy(page) ||
          ((values[layout.iotlb] & (1 << page)) === 0 && !fromRoot(page) && !fromCaches(page, false)),
      ),
    () => values[layout.error] !== CPU_USED_FREED,
    () => values[layout.error] !== WALKER_USED_FREED,
    () => {
      for (let cpu = 0; cpu < cpus; cpu++) if (model.stepOf(values, cpu) !== undefined) return true;
      const linked = new Set<number>();
      for (let level = levels - 1; level >= 1; level--) linked.add(memory.tableAt(values, level));
      linked.delete(0);
      // Where tables are counted, none is left at all.
      if (variant.cleanup === "live-count" && linked.size > 0) return false;
      for (let frame = 1; frame <= layout.frames; frame++)
        if (values[layout.status + frame - 1] !== FREE && !linked.has(frame)) return false;
      return true;
    },
    () =>
      both((page) => {
        if (busy(page) || !fromRoot(page)) return true;
        return countOf(memory.onTheWay(values, page, 1, memory.tableAt(values, 1))) === held(page);
      }),
  ];
  return tests.map((test, i) => ({
    name: oneToOnePropertyNames[i],
    holds: (state) => {
      unpack(state);
      return test();
    },
  }));
}
