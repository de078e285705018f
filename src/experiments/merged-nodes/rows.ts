import type { Basis } from "../../facts/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { MergedNodesPoint } from "./config.js";
import { type RecoveryRow, simulateRecovery } from "./recovery.js";
import { type StructureRow, simulateStructure } from "./structure.js";
import { simulateWalk, type WalkRow } from "./walk.js";

/** A row of the table: its part says which columns it has. */
export type MergedNodesRow = StructureRow | WalkRow | RecoveryRow;

/** Runs one point. */
export function simulate(point: MergedNodesPoint, basis: Basis): MergedNodesRow[] {
  if (point.part === "structure") return simulateStructure(point);
  return point.part === "walk" ? simulateWalk(point, basis) : simulateRecovery(point, basis);
}

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<MergedNodesRow>, Column>> = {
  part: { unit: "", description: "which question the row answers" },
  source: { unit: "", description: "structure: whose requests" },
  layout: { unit: "", description: "structure: who chose the addresses" },
  tree: { unit: "", description: "structure and walk: unmerged or merged" },
  when: { unit: "", description: "structure: at boot or in steady state" },
  staticMaps: { unit: "maps", description: "static maps of a generated source" },
  inFlight: { unit: "maps", description: "short-lived maps at a time" },
  live: { unit: "maps", description: "ranges mapped" },
  allDevices: { unit: "maps", description: "ranges mapped by all NICs of the recording together" },
  nodes: { unit: "nodes", description: "nodes of the tree (structure: mean over the samples)" },
  nodesLow: { unit: "nodes", description: "fewest nodes of a sample" },
  nodesHigh: { unit: "nodes", description: "most nodes of a sample" },
  maxDepth: { unit: "levels", description: "level of the deepest node; the root is at 1" },
  meanDepth: { unit: "levels", description: "mean level of a node" },
  unmapsOfPart: { unit: "share", description: "unmaps that met a merged node longer than what they ended" },
  footprintLines: { unit: "lines", description: "walk: lines of other work between two operations" },
  step: { unit: "", description: "walk: allocate, find or free" },
  cycles: { unit: "cycles", description: "walk: mean cost of the step in the tree" },
  lines: { unit: "lines", description: "walk: mean accesses of the step" },
  assumption: { unit: "", description: "which assumption is varied" },
  level: { unit: "", description: "to what" },
  stackMultiple: { unit: "× PE1", description: "region: stack work, the other axis" },
  policy: { unit: "", description: "how unmaps are flushed, and in whose wording" },
  role: { unit: "", description: "off, stock or merged" },
  seed: { unit: "", description: "seed of the run" },
  throughput: { unit: "transactions/s", description: "transactions of all threads a second" },
  visits: { unit: "nodes", description: "nodes that an allocation examined, mean" },
  stackShare: { unit: "share", description: "of the cores' time: stack work" },
  spinShare: { unit: "share", description: "of the cores' time: waiting for locks" },
  treeShare: { unit: "share", description: "of the cores' time: in the tree" },
};
