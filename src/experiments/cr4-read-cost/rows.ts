import { confidenceInterval } from "../../engine/index.js";
import type { Basis } from "../../facts/index.js";
import { Machine, machineConfig } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { ReadCostPoint } from "./config.js";

/** Lines touched a point, beyond which fewer VM entries are measured. */
const maxLines = 2_000_000;

/** Runs one point. */
export function simulate({ host, lines, exits, exitsPerSecond }: ReadCostPoint, { facts }: Basis) {
  const config = machineConfig(facts, host, lines > 0 ? { footprintLines: Math.max(64, lines) } : {});
  const machine = new Machine(config);
  const shadow = machine.region({ name: "per-CPU copy of CR4", bytes: 64, home: 0 }).base;
  // Between two entries the copy is not read: the CPU runs the guest and handles its exit, which touches other lines.
  const once = (): number => {
    if (lines > 0) machine.touchFootprint(0, lines);
    return machine.read(0, shadow);
  };
  once();
  once();
  // A footprint of many lines is the same at every entry once the caches are in their steady state: two entries a batch say it all.
  const batch = Math.max(2, Math.min(Math.floor(exits / 5), Math.floor(maxLines / (5 * Math.max(1, lines)))));
  const means = Array.from({ length: 5 }, () => {
    let sum = 0;
    for (let i = 0; i < batch; i++) sum += once();
    return sum / batch;
  });
  const { mean, low, high } = confidenceInterval(means);
  const haswell = facts.number("S10");
  const sandyBridge = facts.number("S11");
  return exitsPerSecond.map((rate) => ({
    host,
    linesBetweenExits: lines,
    exitsPerSecond: rate,
    shadowCycles: mean,
    shadowCyclesLow: low,
    shadowCyclesHigh: high,
    cr4CyclesHaswell: haswell,
    cr4CyclesSandyBridge: sandyBridge,
    // A positive share is what the copy saves of one CPU's time; a negative one is what it costs.
    savedShare: ((sandyBridge - mean) * rate) / (config.gigahertz * 1e9),
  }));
}

/** A row of the table. */
export type ReadCostRow = ReturnType<typeof simulate>[number];

export const oneRate = (rows: readonly ReadCostRow[]): ReadCostRow[] =>
  rows.filter((row) => row.exitsPerSecond === rows[0]?.exitsPerSecond);

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<ReadCostRow>, Column>> = {
  host: { unit: "", description: "host whose caches are modelled" },
  linesBetweenExits: { unit: "lines", description: "lines of 64 bytes touched between two VM entries" },
  exitsPerSecond: { unit: "1/s", description: "VM exits a second and CPU" },
  shadowCycles: { unit: "cycles", description: "a read of the per-CPU copy, mean" },
  shadowCyclesLow: { unit: "cycles", description: "lower end of its 95 % interval" },
  shadowCyclesHigh: { unit: "cycles", description: "upper end of its 95 % interval" },
  cr4CyclesHaswell: { unit: "cycles", description: "a read of CR4, published (record S10)" },
  cr4CyclesSandyBridge: { unit: "cycles", description: "a read of CR4, published (record S11)" },
  savedShare: {
    unit: "share of a CPU",
    description: "time the copy saves over reading CR4 at 36 cycles; negative: costs",
  },
};
