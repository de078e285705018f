import type { Basis } from "../../facts/index.js";
import { hostRun, hostRunDefaults } from "../../host/index.js";
import { agedSeedOf, type RunLength } from "../frame/run-length.js";
import type { HostChanges } from "./assume.js";
import type { PolicyName, Setting } from "./settings.js";

// Throughput without an IOMMU, with the tree of v4.3, and with merged nodes.

/** off: no IOMMU. stock: the tree of v4.3. merged: abutting nodes joined. */
export type Role = "off" | "stock" | "merged";

/** One simulation. */
export interface RecoveryPoint {
  part: Setting["part"];
  assumption: string;
  level: string | number;
  stackMultiple?: number;
  policy: PolicyName;
  role: Role;
  run: HostChanges;
  seed: number;
  /** Seed of what comes before the first event: see `HostRun`. */
  agedSeed: number;
  /** How the run begins and how long it is. */
  length: RunLength;
}

/** The simulations of a setting: stock and merged, and off where it differs. */
export function pointsOfSetting(
  { ownOff, minor: _, run, ...setting }: Setting,
  assumptions: HostChanges,
  seeds: readonly number[],
  lengthOf: (role: Role) => RunLength,
): RecoveryPoint[] {
  const roles: Role[] = ownOff ? ["off", "stock", "merged"] : ["stock", "merged"];
  const whole = { ...assumptions, ...run };
  return seeds.flatMap((seed, i) => {
    const chance = { seed, agedSeed: agedSeedOf(seeds[0], i) };
    return roles.map((role) => ({ ...setting, run: whole, role, ...chance, length: lengthOf(role) }));
  });
}

/** One run of the host; a row with its throughput and where its cores' time went. */
export function simulateRecovery(point: RecoveryPoint, basis: Basis) {
  const { part, assumption, level, stackMultiple, policy, role, run, seed, agedSeed, length } = point;
  const variant = role === "off" ? "off" : role === "merged" ? `merged-${policy}` : policy;
  const result = hostRun({ ...hostRunDefaults(basis.facts), agedSeed, ...run, variant, seed, ...length }, basis);
  const { parts, allocator } = result;
  return [
    {
      part,
      assumption,
      level,
      ...(stackMultiple === undefined ? {} : { stackMultiple }),
      policy,
      role,
      seed,
      throughput: result.throughput,
      visits: result.visitsPerMap,
      nodes: allocator?.nodes ?? null,
      maxDepth: allocator?.depth.max ?? null,
      meanDepth: allocator?.depth.mean ?? null,
      live: result.liveMaps,
      stackShare: parts.stack,
      spinShare: parts.spinning,
      treeShare: parts.tree,
    },
  ];
}

/** One run of the host. */
export type RecoveryRow = ReturnType<typeof simulateRecovery>[number];
