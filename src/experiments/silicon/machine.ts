import type { HardwareField, HardwareFile, HardwareValue } from "../../machine/index.js";
import type { RecordedMachine } from "./recorded.js";

/** What the program costs beside its accesses and locks; nothing of it can be measured apart. */
export const programCosts = {
  apiCycles: {
    value: 10,
    low: 0,
    high: 40,
    source: "a call, its arguments and the draw of the page to unmap",
  },
  pteMapCycles: { value: 4, low: 0, high: 20, source: "shifts and masks of a walk of four levels" },
  pteClearCycles: { value: 4, low: 0, high: 20, source: "the same" },
  instructionCycles: {
    value: 4,
    low: 0,
    high: 15,
    source: "a compare and a branch that the loads do not hide, as everywhere in the laboratory",
  },
  storesBuffered: { value: 64, low: 36, high: 114, source: "store buffers of cores from 2011 to 2024" },
  storesAtOnce: { value: 10, low: 1, high: 12, source: "as everywhere in the laboratory" },
} as const;

type Fields = Record<HardwareField, HardwareValue>;

/** Cores that the simulated machine has at most in a socket, and its sockets: what a recorded machine has beyond them is left out. */
const most = { sockets: 2, cores: 128 };

/** The cores of a recorded machine that are simulated. */
export const simulatedCores = ({ machine }: RecordedMachine): number =>
  Math.min(machine.cores, most.cores, Math.ceil(machine.cores / machine.sockets) * most.sockets);

/**
 * A recorded machine as a host in the format of data/hardware: measured latencies in cycles of its clock, and assumptions with ranges where
 * there is no measurement. Of a latency's samples the value below which a tenth lies counts, because what disturbs a measurement only adds.
 * Nothing is fitted to the workload that it is to predict.
 */
export function hostOf(recorded: RecordedMachine): HardwareFile {
  const { machine, core, loads, transfers, transfersAfter } = recorded;
  const assumed = (value: number, unit: string, source: string, low: number, high: number): HardwareValue => ({
    value,
    unit,
    source: `Assumed: ${source}`,
    assumption: { low, high },
  });
  const gigahertz = core.cycleNs
    ? {
        value: Number((1 / core.cycleNs.low).toFixed(3)),
        unit: "GHz",
        source: "measured: a chain of exclusive ors, one a cycle",
      }
    : assumed(3, "GHz", "no measurement on this architecture", 2, 4.5);
  const cycles = (ns: number): number => Math.max(1, Math.round(ns * gigahertz.value));
  type Measured = { low: number } | null | undefined;
  const latency = (found: Measured, what: string, value: number, low: number, high: number): HardwareValue =>
    found
      ? { value: cycles(found.low), unit: "cycles", source: `measured: ${what}, ${found.low.toPrecision(3)} ns` }
      : assumed(value, "cycles", `${what} was not measured on this machine`, low, high);
  const load = (level: string): Measured => loads.find((one) => one.level === level)?.ns;
  const l1 = latency(load("L1"), "a load that hits the L1", 4, 4, 5);
  const l2 = latency(load("L2"), "a load that hits the L2", 14, 12, 18);
  const l3 = latency(load("L3"), "a load that hits the L3", 50, 40, 90);
  const memory = latency(load("memory"), "a load from memory", 350, 250, 500);
  /** Transfers of this kind between CPUs that lie so, before the runs and after them; where the topology is not known, any two. */
  const between = (relation: string, which: "modifiedNs" | "cleanNs" | "takenNs"): number[] =>
    [...transfers, ...transfersAfter]
      .filter((one) => one.relation === relation || one.relation === "unknown")
      .flatMap((one) => one[which]?.low ?? []);
  /** A latency of which there are several measurements. Where they differ by more than a quarter, what it was in a run is not known. */
  const ofSeveral = (
    found: readonly number[],
    what: string,
    value: number,
    low: number,
    high: number,
  ): HardwareValue => {
    if (found.length === 0) return latency(undefined, what, value, low, high);
    const least = Math.min(...found);
    const greatest = Math.max(...found);
    const middle = found.reduce((sum, ns) => sum + ns, 0) / found.length;
    if (greatest <= 1.25 * least) return latency({ low: middle }, what, value, low, high);
    return assumed(
      cycles(middle),
      "cycles",
      `${what} was measured several times, from ${least.toPrecision(3)} to ${greatest.toPrecision(3)} ns`,
      cycles(least),
      cycles(greatest),
    );
  };
  const atomic = core.atomicNs
    ? {
        value: Math.max(0, cycles(core.atomicNs.low) - l1.value),
        unit: "cycles",
        source: "measured: a locked addition, less a load",
      }
    : assumed(16, "cycles", "a locked addition was not measured", 8, 25);
  const near = ofSeveral(
    between("same cluster", "modifiedNs"),
    "a line that another core of the cluster has modified",
    80,
    60,
    150,
  );
  const taken = between("same cluster", "takenNs");
  const snoop: HardwareValue =
    taken.length > 0
      ? {
          value: Math.max(1, cycles(Math.min(...taken)) - atomic.value),
          unit: "cycles",
          source: `measured: a locked addition to a line that both cores have, ${Math.min(...taken).toPrecision(3)} ns, less what the lock costs`,
        }
      : assumed(near.value, "cycles", "as a modified line", Math.max(1, Math.round(near.value / 2)), near.value * 2);
  const bytes = (level: number, otherwise: number): HardwareValue => {
    const cache = machine.caches.find((one) => one.level === level);
    return cache
      ? { value: Math.max(1, Math.round(cache.bytes / 1024)), unit: "KiB", source: "as the system says" }
      : assumed(otherwise, "KiB", "the system does not say", otherwise / 2, otherwise * 2);
  };
  const unused = (value: number, unit: string): HardwareValue => ({
    value,
    unit,
    source: "not used: the machine of many cores tells caches by stack distance",
  });
  const cores = simulatedCores(recorded);
  const sockets = Math.min(machine.sockets, most.sockets);
  const coresPerSocket = Math.ceil(cores / sockets);
  const wanted = Math.max(1, Math.round(machine.clusters / machine.sockets));
  const clusters = wanted <= 16 && coresPerSocket % wanted === 0 ? wanted : 1;
  const said = (value: number, unit: string, source: string): HardwareValue => ({ value, unit, source });
  const values: Fields = {
    gigahertz,
    sockets: said(sockets, "", "as the system says"),
    coresPerSocket: said(coresPerSocket, "cores", "as the system says"),
    threadsPerCore: said(1, "threads", "the program leaves siblings idle"),
    l1KiB: bytes(1, 32),
    l1Ways: unused(8, "ways"),
    l2KiB: bytes(2, 1024),
    l2Ways: unused(8, "ways"),
    l3KiB: bytes(3, 32_768),
    l3Ways: unused(16, "ways"),
    l1Cycles: l1,
    l2Cycles: l2,
    l3Cycles: l3,
    cleanSnoopCycles: snoop,
    dirtySameSocketCycles: near,
    cleanCrossSocketCycles: ofSeveral(
      between("other socket", "cleanNs"),
      "a clean line of the other socket",
      500,
      300,
      700,
    ),
    dirtyCrossSocketCycles: ofSeveral(
      between("other socket", "modifiedNs"),
      "a line modified in the other socket",
      500,
      300,
      700,
    ),
    dramLocalCycles: memory,
    dramRemoteCycles: latency(
      load("memory of the other socket"),
      "the other socket's memory",
      2 * memory.value,
      memory.value,
      3 * memory.value,
    ),
    atomicCycles: atomic,
    storeHitCycles: assumed(1, "cycles", "a store that hits retires into the store buffer", 1, 4),
    homeOccupancyPercent: assumed(
      100,
      "percent",
      "the home of a line serves one request after another; 0 serves all at once",
      0,
      100,
    ),
    irqSaveCycles: said(0, "cycles", "a program in user space turns no interrupts off"),
    ddioWays: said(1, "ways", "no device: a status word is written by the core itself"),
    deviceSocket: said(0, "socket number", "no device"),
    footprintLines: unused(1, "lines"),
    coherentWalks: said(1, "0 or 1", "no device walks the tables"),
    clustersPerSocket: said(clusters, "clusters", "L3s of a socket, as the system says"),
    otherClusterCycles: ofSeveral(
      between("other cluster", "modifiedNs"),
      "a line of another cluster of the socket",
      300,
      150,
      600,
    ),
  };
  // What the machine has not got is no assumption about it.
  const one = (field: HardwareField) => {
    values[field] = said(values[field].value, values[field].unit, "not used: there is only one");
  };
  if (sockets === 1)
    for (const field of ["cleanCrossSocketCycles", "dirtyCrossSocketCycles", "dramRemoteCycles"] as const) one(field);
  if (clusters === 1) one("otherClusterCycles");
  return {
    title: `${machine.model}, ${machine.cores} cores`,
    about: `Made of what silicon.c measured on ${recorded.date}; ${machine.system} ${machine.kernel}${machine.virtual ? ", in a virtual machine" : ""}.`,
    values,
  };
}
