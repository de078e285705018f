import { Streams } from "../../engine/index.js";
import { highWaterMark, MergedTreeAllocator, RbTreeAllocator, roundUpPages } from "../../iova/index.js";
import { busiestDevice, holdings, loadTrace, Op, occupancy, phaseRange, type Trace } from "../../recordings/index.js";
import { mean } from "../frame/rows.js";

// How many nodes, how deep: at boot and in steady state, on the recorded requests and on generated ones.

/** Where the requests come from. */
export type StructurePoint =
  | { part: "structure"; source: "igb" | "vmxnet3" }
  | { part: "structure"; source: "generated"; staticMaps: number; inFlight: number; seed: number };

/** Nodes and depth of one tree at one moment. */
export type StructureRow = {
  part: "structure";
  source: StructurePoint["source"];
  /** Who chose the addresses. */
  layout: "v4.3 addresses" | "as recorded";
  tree: "unmerged" | "merged";
  when: "boot" | "steady";
  live: number;
  nodes: number;
  nodesLow: number;
  nodesHigh: number;
  /** Of a recording's own addresses the tree is not known. */
  maxDepth?: number;
  meanDepth?: number;
  /** Steady state of a replayed recording. */
  unmapsOfPart?: number;
  /** Boot of a recording. */
  allDevices?: number;
  /** Generated requests. */
  staticMaps?: number;
  inFlight?: number;
  seed?: number;
};

type Tree = RbTreeAllocator | MergedTreeAllocator;
type TreeName = StructureRow["tree"];
type Moment = StructureRow["when"];
interface Sample {
  nodes: number;
  max: number;
  mean: number;
}

const ioapic: readonly [number, number] = [0xfee00, 0xfeeff];
const trees = (): [TreeName, Tree][] => [
  ["unmerged", new RbTreeAllocator()],
  ["merged", new MergedTreeAllocator()],
];
const sample = (tree: Tree): Sample => {
  const { nodes, max, mean } = tree.tree.depth();
  return { nodes, max, mean };
};

function rowOf(
  source: StructurePoint["source"],
  tree: TreeName,
  when: Moment,
  live: number,
  samples: Sample[],
): StructureRow {
  const nodes = samples.map((s) => s.nodes);
  return {
    part: "structure",
    source,
    layout: "v4.3 addresses",
    tree,
    when,
    live,
    nodes: mean(nodes),
    nodesLow: Math.min(...nodes),
    nodesHigh: Math.max(...nodes),
    maxDepth: Math.max(...samples.map((s) => s.max)),
    meanDepth: mean(samples.map((s) => s.mean)),
  };
}

/** Order, sizes and which unmap ends which map are the recording's; the addresses are the tree's own. */
function replayRecorded(trace: Trace, name: "igb" | "vmxnet3"): StructureRow[] {
  const device = busiestDevice(trace);
  const boot = trace.phases[phaseRange(trace, "up").index].firstOp;
  const load = phaseRange(trace, "rr");
  const settled = load.first + Math.floor((load.end - load.first) / 2);
  const every = Math.ceil((load.end - settled) / 40);
  return trees().flatMap(([kind, tree]) => {
    tree.reserve(...ioapic);
    const held = new Map<number, number>();
    const rows: StructureRow[] = [];
    const steady: Sample[] = [];
    let unmaps = 0;
    let ofPart = 0;
    for (let op = 0; op <= load.end; op++) {
      if (op === boot) rows.push(rowOf(name, kind, "boot", held.size, [sample(tree)]));
      if (op >= settled && (op - settled) % every === 0) steady.push(sample(tree));
      if (op === load.end || trace.device[op] !== device) continue;
      const pages = roundUpPages(trace.pages[op]);
      if (trace.op[op] === Op.map) held.set(op, tree.allocate(pages, undefined, 0));
      else {
        const map = trace.partner[op];
        const pfn = held.get(map) ?? -1;
        const node = tree.tree.find(pfn);
        unmaps++;
        if (tree.tree.hi(node) - tree.tree.lo(node) + 1 > pages) ofPart++;
        tree.free(pfn, pages);
        held.delete(map);
      }
    }
    const last = rowOf(name, kind, "steady", held.size, steady);
    return [...rows, { ...last, unmapsOfPart: ofPart / unmaps }];
  });
}

/** What Linux 6.1's magazines handed out when the requests were recorded: nodes are live maps, merged nodes their intervals. */
function asRecorded(trace: Trace, name: "igb" | "vmxnet3"): StructureRow[] {
  const device = busiestDevice(trace);
  const { op, live, intervals } = occupancy(trace, device);
  const boot = trace.phases[phaseRange(trace, "up").index].firstOp;
  const load = phaseRange(trace, "rr");
  const settled = load.first + Math.floor((load.end - load.first) / 2);
  const last = op.findLastIndex((index) => index < boot);
  const inLoad = [...op.keys()].filter((i) => op[i] >= settled && op[i] < load.end);
  const row = (tree: TreeName, when: Moment, at: number[], column: Int32Array): StructureRow => {
    const nodes = at.map((i) => column[i]);
    return {
      part: "structure",
      source: name,
      layout: "as recorded",
      tree,
      when,
      live: live[at[at.length - 1]],
      nodes: mean(nodes),
      nodesLow: nodes.reduce((a, b) => Math.min(a, b)),
      nodesHigh: nodes.reduce((a, b) => Math.max(a, b)),
    };
  };
  const allDevices = holdings(trace, boot).reduce((sum, { maps }) => sum + maps, 0);
  return [
    { ...row("unmerged", "boot", [last], live), allDevices },
    row("merged", "boot", [last], intervals),
    row("unmerged", "steady", inLoad, live),
    row("merged", "steady", inLoad, intervals),
  ];
}

/**
 * Static maps of one page, then short-lived ones that end in random order, the least kind there is, and are given back by v4.3's flush: 250
 * at a time. (One at a time, each would be taken again by the very next map, and there would never be a second hole.)
 */
function generated(staticMaps: number, inFlight: number, seed: number): StructureRow[] {
  const name = "generated" as const;
  return trees().flatMap(([kind, tree]) => {
    const random = new Streams(seed).stream("completion order");
    tree.reserve(...ioapic);
    for (let i = 0; i < staticMaps; i++) tree.allocate(1);
    const boot = rowOf(name, kind, "boot", staticMaps, [sample(tree)]);
    const held: number[] = [];
    const ended: number[] = [];
    const steady: Sample[] = [];
    const steps = Math.max(inFlight, highWaterMark) * 24;
    // No multiple of the flush's length, so that the samples lie before, within and after it.
    const every = Math.ceil(steps / 48) + (Math.ceil(steps / 48) % highWaterMark === 0 ? 1 : 0);
    for (let step = 0; step < steps; step++) {
      if (held.length === inFlight) {
        const at = random.below(inFlight);
        ended.push(held[at]);
        held[at] = held[inFlight - 1];
        held.pop();
        if (ended.length === highWaterMark) for (const pfn of ended.splice(0)) tree.free(pfn, 1);
      }
      held.push(tree.allocate(1));
      if (step >= steps / 2 && step % every === 0) steady.push(sample(tree));
    }
    return [boot, rowOf(name, kind, "steady", staticMaps + inFlight, steady)].map((row) => ({
      ...row,
      staticMaps,
      inFlight,
      seed,
    }));
  });
}

/** Node count and depth of one source of requests. */
export function simulateStructure(point: StructurePoint): StructureRow[] {
  if (point.source === "generated") return generated(point.staticMaps, point.inFlight, point.seed);
  const trace = loadTrace(point.source);
  return [...replayRecorded(trace, point.source), ...asRecorded(trace, point.source)];
}
