import type { Basis } from "../../facts/index.js";
import { type HostRun, hostRun, hostRunDefaults } from "../../host/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { lengthOf } from "../lock-contention/config.js";
import type { Point } from "./config.js";

/** Throughput without an IOMMU, which many runs share: only the stack, the peer and the calls matter to it. */
function offThroughput(run: HostRun, basis: Basis): number {
  const { cores, threads, seed, profile, rxMaps, txMaps, stackCycles, peerMicroseconds, interruptGapMicroseconds } =
    run;
  const { receiveShare, workSpread, pollBudget, flows, transmitMicroseconds, offIdle, costs } = run;
  const matters = {
    cores,
    threads,
    seed,
    profile,
    rxMaps,
    txMaps,
    stackCycles,
    peerMicroseconds,
    interruptGapMicroseconds,
    receiveShare,
    workSpread,
    pollBudget,
    flows,
    transmitMicroseconds,
    offIdle,
    costs: costs.apiCycles === undefined ? {} : { apiCycles: costs.apiCycles },
  };
  const off = {
    ...hostRunDefaults(basis.facts),
    ...matters,
    variant: "off",
    staticMaps: 0,
    stackLines: 0,
    ...lengthOf("off", "quick"),
  };
  return hostRun(off, basis).throughput;
}

/** A run beside what the same host does without an IOMMU. */
export function simulate({ assumption, setting, end, replication, run }: Point, basis: Basis) {
  const on = hostRun(run, basis).throughput;
  const off = offThroughput(run, basis);
  return [
    {
      assumption,
      setting,
      end,
      replication,
      variant: run.variant,
      throughput: on,
      off,
      percentOfOff: (100 * on) / off,
    },
  ];
}

/** A row of the sensitivity. */
export type LockSensitivityRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<LockSensitivityRow>, Column>> = {
  assumption: { unit: "", description: "what is varied" },
  setting: { unit: "", description: "to what" },
  end: { unit: "", description: "low or high end of its range" },
  replication: { unit: "", description: "number of the independent run" },
  variant: { unit: "", description: "way of mapping" },
  throughput: { unit: "transactions/s", description: "with the IOMMU" },
  off: { unit: "transactions/s", description: "without" },
  percentOfOff: { unit: "%", description: "one as a share of the other" },
};
