import type { Basis } from "../../facts/index.js";
import { Machine, machineConfig, pingPong } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { TransferPoint } from "./config.js";

export const relations = ["sibling thread", "same socket", "other socket"] as const;

/** Runs one point. */
export function simulate({ host, cpu, rounds }: TransferPoint, { facts }: Basis) {
  const machine = new Machine(machineConfig(facts, host));
  return Array.from({ length: machine.cpus }, (_, other) => other)
    .filter((other) => other !== cpu)
    .map((other) => {
      const cycles = pingPong(machine, cpu, other, rounds);
      const near = machine.socket(cpu) === machine.socket(other) ? 1 : 2;
      const relation = relations[machine.core(cpu) === machine.core(other) ? 0 : near];
      return { host, cpu, other, relation, cycles, ns: machine.toNs(cycles) };
    });
}

/** A row of the table. */
export type TransferRow = ReturnType<typeof simulate>[number];

export const ofRelation = (rows: readonly TransferRow[], relation: string) =>
  rows.filter((r) => r.relation === relation).map((r) => r.ns);

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<TransferRow>, Column>> = {
  host: { unit: "", description: "host that is modelled" },
  cpu: { unit: "", description: "one CPU of the pair (first threads of all cores first, as Linux counts)" },
  other: { unit: "", description: "the other CPU" },
  relation: { unit: "", description: "sibling thread of the same core, same socket, or other socket" },
  cycles: { unit: "cycles", description: "core cycles one way: half a round trip" },
  ns: { unit: "ns", description: "the same in nanoseconds" },
};
