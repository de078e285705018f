/**
 * Dynamic 1:1: an IOVA is the physical address with two bits for the permissions; an entry is stored by compare-exchange, counts its maps in
 * its ignored bits, and is cleared by the last unmap. No allocator, no lock.
 *
 * The programs are generators that yield one atomic step each ({@link Access}); see {@link mapPages}, {@link unmapPages}.
 * What is asked for here: B. Serebrin's and D. Woodhouse's mails of 2015-11-15 and -16; the bits: record K17.
 *
 * Taken as given: where an entry permits neither read nor write, the hardware ignores all its other bits (the VT-d specification says so;
 * QEMU's model tests nothing else); walks snoop the CPU caches; and an invalidation is reported as executed only when walks that
 * began before it have ended or been thrown away.
 */
export {
  aliasOf,
  type Cleanup,
  type Design,
  type DynamicTable,
  dynamicDesign,
  isAlias,
  SAFE,
  type Safeguards,
  type Sharing,
} from "./design.js";
export {
  addCount,
  checkLayout,
  countOf,
  EMPTY,
  type Entry,
  type EntryLayout,
  entryOf,
  frameOf,
  fromBits,
  IGNORED_BITS,
  isMarked,
  isPresent,
  mostCount,
  permissionOf,
  toBits,
  WIDE_LAYOUT,
} from "./entry.js";
export { EntryMemory } from "./memory.js";
export { describeEntry, type Path, STRIDE, slotOf } from "./path.js";
export {
  afterFlush,
  type MapOutcome,
  mapPages,
  oneToOnePrograms,
  sweep,
  type TakenDown,
  takeDown,
  unmapPages,
} from "./programs.js";
export { type Access, runToEnd, type StepMachine, type Steps } from "./steps.js";
