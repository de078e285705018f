import type { Basis } from "../../facts/index.js";
import { simulateIo } from "../../host/index.js";
import { machineConfig } from "../../machine/index.js";
import type { Column } from "../frame/column.js";
import { mostWaitedFor } from "../frame/locks.js";
import type { ChoicePoint } from "./config.js";

const packetBytes = 4096;

/** KiB of a way's own memory: tables aside, rings of the flush queue, magazines, and copies. */
function memoryKiB({ way, run, load }: ChoicePoint): number {
  const pages = run.cores * load.depth * load.segments;
  if (way === "pass-through") return 0;
  const caches = run.cores * 12;
  const rings = run.variant.endsWith("lazy") ? run.cores * 10 : 0;
  return caches + rings + (way === "bounce" ? pages * 4 : 0);
}

/** Runs one point: how fast one way is, under one assumption. */
export function simulate(point: ChoicePoint, { facts }: Basis) {
  const { way, assumption, run, load } = point;
  const result = simulateIo(run, load, facts);
  const cycles = result.elapsedNs * machineConfig(facts, run.machine).gigahertz * run.cores;
  return [
    {
      host: run.machine,
      way,
      cores: run.cores,
      assumption,
      capacity: (result.rate * load.segments * packetBytes * 8) / 1e9,
      unmapNs: result.unmapNs / load.segments,
      stalePages: result.stalePages,
      windowMean: result.windowNs / 1000,
      memory: memoryKiB(point),
      ...mostWaitedFor(result.locks, cycles),
    },
  ];
}

/** A row of the table. */
export type CapacityRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<keyof CapacityRow, Column>> = {
  host: { unit: "", description: "simulated host" },
  way: { unit: "", description: "way of mapping" },
  cores: { unit: "cores", description: "cores that serve the device" },
  assumption: { unit: "", description: "what was moved to an end of its range" },
  capacity: { unit: "Gb/s", description: "what the cores carry at most" },
  unmapNs: { unit: "ns", description: "an unmap of a packet, waiting included" },
  stalePages: { unit: "pages", description: "in reach after their unmap, mean at a time" },
  windowMean: { unit: "µs", description: "from an unmap's return to its invalidation, mean" },
  memory: { unit: "KiB", description: "beside buffers and tables" },
  lock: { unit: "", description: "lock that is waited for most" },
  lockShare: { unit: "share", description: "cores' time waiting for it" },
};
