import { Streams } from "../../engine/index.js";
import type { Basis } from "../../facts/index.js";
import { Machine, machineConfig, pointerChase } from "../../machine/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { LatencyPoint } from "./config.js";

/** Runs one point. */
export function simulate({ host, sizeKiB, home, seed }: LatencyPoint, { facts }: Basis) {
  const machine = new Machine(machineConfig(facts, host));
  const cycles = pointerChase(machine, { cpu: 0, bytes: sizeKiB * 1024, home, streams: new Streams(seed) });
  return [{ host, sizeKiB, memory: home === 0 ? "local" : "remote", cycles, ns: machine.toNs(cycles) }];
}

/** A row of the table. */
export type LatencyRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<LatencyRow>, Column>> = {
  host: { unit: "", description: "host that is modelled" },
  sizeKiB: { unit: "KiB", description: "memory that the chase runs through" },
  memory: { unit: "", description: "memory of the own socket (local) or of the other (remote)" },
  cycles: { unit: "cycles", description: "core cycles a load, averaged over one round" },
  ns: { unit: "ns", description: "the same in nanoseconds" },
};
