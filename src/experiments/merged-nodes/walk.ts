import { type Behaviour, Streams } from "../../engine/index.js";
import type { Basis } from "../../facts/index.js";
import {
  atOnce,
  type IovaAllocator,
  lineBytes,
  MergedTreeAllocator,
  operation,
  RbTreeAllocator,
  runToEnd,
} from "../../iova/index.js";
import { Machine, machineConfig } from "../../machine/index.js";

// What one allocation, one lookup and one free cost a core: with the tree's lines in its caches, and after other work has pushed them out.

/** One tree, one number of static maps, one footprint of other work. */
export interface WalkPoint {
  part: "walk";
  tree: "unmerged" | "merged";
  staticMaps: number;
  /** Receive buffers in flight, first in, first out. */
  inFlight: number;
  /** Lines of other work that the core touches between two operations. */
  footprintLines: number;
  seed: number;
}

/** Beyond this many lines the other work leaves nothing of the tree in any cache (the L3 has 327,680 lines). */
const beyondL3 = 327_680;

const samplesOf = (lines: number): number =>
  lines > beyondL3 ? 40 : Math.max(12, Math.min(150, Math.floor(2_000_000 / (lines + 1))));

const steps = ["allocate", "find", "free"] as const;

/** Mean cost of each step, in cycles, over operations that are interleaved with the other work. */
export function simulateWalk(point: WalkPoint, { facts }: Basis) {
  const { tree, staticMaps, inFlight, footprintLines, seed } = point;
  const machine = new Machine(
    machineConfig(facts, "sandy-bridge-ep", { footprintLines: Math.min(Math.max(footprintLines, 64), beyondL3) }),
  );
  const bytes = (staticMaps + inFlight + 4096) * lineBytes + (1 << 20);
  const { base } = machine.region({ name: "IOVA allocator", bytes, home: "interleaved" });
  const cpu = 0;
  const charge = { cycles: 0, lines: 0 };
  const memory = {
    enabled: true,
    read: (address: number) => {
      charge.cycles += machine.read(cpu, address);
      charge.lines++;
    },
    write: (address: number) => {
      charge.cycles += machine.write(cpu, address);
      charge.lines++;
    },
  };
  const Tree = tree === "merged" ? MergedTreeAllocator : RbTreeAllocator;
  const allocator: IovaAllocator = new Tree({ memory, base, cpus: 1 });
  const op = operation(cpu);
  const random = new Streams(seed).stream("completion order");
  allocator.reserve(0xfee00, 0xfeeff);
  for (let i = 0; i < staticMaps; i++) allocator.allocate(1);
  const held: number[] = [];
  for (let i = 0; i < inFlight; i++) held.push(allocator.allocate(1));

  const totals = { allocate: { cycles: 0, lines: 0 }, find: { cycles: 0, lines: 0 }, free: { cycles: 0, lines: 0 } };
  let visits = 0;
  const step = (name: keyof typeof totals, behaviour: Behaviour): void => {
    charge.cycles = 0;
    charge.lines = 0;
    runToEnd(behaviour);
    totals[name].cycles += charge.cycles;
    totals[name].lines += charge.lines;
  };
  // Work that walks through more than the L3 evicts every line: they are taken out one by one, which is the same and quicker.
  const otherWork = (): void => {
    if (footprintLines <= beyondL3) machine.touchFootprint(cpu, footprintLines);
    else for (let address = base; address < base + bytes; address += lineBytes) machine.flush(address);
  };
  const samples = samplesOf(footprintLines);
  for (let i = 0; i < samples; i++) {
    // Buffers come back nearly in order: one of the sixteen oldest.
    op.pfn = held.splice(random.below(Math.min(16, held.length)), 1)[0];
    op.pages = 1;
    otherWork();
    step("find", allocator.find_iova(op, atOnce));
    step("free", allocator.__free_iova(op, atOnce));
    otherWork();
    step("allocate", allocator.alloc_iova(op, atOnce));
    visits += op.visits;
    held.push(op.pfn);
  }
  return steps.map((name) => ({
    part: "walk" as const,
    tree,
    staticMaps,
    inFlight,
    footprintLines,
    seed,
    step: name,
    cycles: totals[name].cycles / samples,
    lines: totals[name].lines / samples,
    visits: name === "allocate" ? visits / samples : null,
  }));
}

/** What one step costs with one tree. */
export type WalkRow = ReturnType<typeof simulateWalk>[number];
