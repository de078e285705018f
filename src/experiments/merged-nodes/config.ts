import { z } from "zod";
import type { Basis, Facts } from "../../facts/index.js";
import { mergedTree, type RunLength } from "../frame/run-length.js";
import { type Assume, assumed, assumeSchema } from "./assume.js";
import { pointsOfSetting, type RecoveryPoint, type Role } from "./recovery.js";
import {
  ablationSettings,
  baselineSettings,
  type PolicyName,
  policies,
  type RegionHost,
  regionHosts,
  regionSettings,
  type Setting,
  sweepSettings,
} from "./settings.js";
import type { StructurePoint } from "./structure.js";
import type { WalkPoint } from "./walk.js";

const partNames = ["structure", "walk", "recovery", "sweep", "region", "ablation"] as const;

/** What a run looks at; every field has a default. */
export interface MergedNodesConfig {
  fidelity: "quick" | "full";
  parts: (typeof partNames)[number][];
  seed: number;
  replications?: number | undefined;
  warmup?: number | undefined;
  transactions?: number | undefined;
  policies: PolicyName[];
  assume: Assume;
  staticMaps: number[];
  inFlight: number;
  footprintLines: number[];
  regionCores: number[];
  regionPairs: number[];
  regionHosts: RegionHost[];
  regionPolicies: PolicyName[];
  regionStack: number[];
}

/** What a caller may leave out: everything. */
export type MergedNodesInput = { [K in keyof MergedNodesConfig]?: MergedNodesConfig[K] | undefined };

/** The configuration's schema; what a host may be assumed to be follows from the facts. */
export const schema = (facts: Facts): z.ZodType<MergedNodesConfig, MergedNodesInput> =>
  z.strictObject({
    fidelity: z.enum(["quick", "full"]).default("quick").describe("quick: minutes less; full: as in a paper"),
    parts: z
      .array(z.enum(partNames))
      .min(1)
      .default([...partNames])
      .describe("which questions to answer"),
    seed: z.int().min(0).max(2_000_000_000).default(1).describe("first seed; replications use the next ones"),
    replications: z
      .int()
      .min(1)
      .max(50)
      .optional()
      .describe(
        "seeds a setting (default 2, quick 1 for what is known to move little; from 2 on the baseline gets one more, and under the first policy three times as many)",
      ),
    warmup: z
      .int()
      .min(1)
      .optional()
      .describe("transactions before the measurement (default 500, strict 250; full 25,000, merged 60,000)"),
    transactions: z.int().min(10).optional().describe("transactions measured (default 1,000, strict 750; full 20,000)"),
    policies: z
      .array(z.enum(policies))
      .min(1)
      .default([...policies])
      .describe("how unmaps are flushed in recovery; the other parts are run deferred"),
    assume: assumeSchema(facts).default({}).describe("assumptions of recovery, sweep, region and ablation to replace"),
    staticMaps: z
      .array(z.int().min(0).max(65_536))
      .min(1)
      .default([1024, 4096, 16_384, 32_768, 65_536])
      .describe("static maps of structure, in maps; the largest is also that of walk"),
    inFlight: z
      .int()
      .min(1)
      .max(65_536)
      .default(1024)
      .describe("short-lived maps at a time in structure and walk, in maps"),
    footprintLines: z
      .array(z.int().min(0).max(1_048_576))
      .min(1)
      .default([0, 512, 8192, 393_216])
      .describe("lines of other work between two operations in walk, in lines of 64 bytes"),
    regionCores: z.array(z.int().min(1).max(16)).min(1).default([4, 8, 16]).describe("cores of the region"),
    regionPairs: z
      .array(z.literal([1, 2, 4]))
      .min(1)
      .default([1, 2, 4])
      .describe("map and unmap pairs a transaction of the region: 1 transmit only, 2 both ways, 4 both ways twice"),
    regionHosts: z
      .array(z.enum(Object.keys(regionHosts) as [RegionHost, ...RegionHost[]]))
      .min(1)
      .default(Object.keys(regionHosts) as RegionHost[])
      .describe("hosts of the region, each with all its cores"),
    regionPolicies: z
      .array(z.enum(policies))
      .default([])
      .describe("ways to flush of the region; none unless asked for: strict ones take longest"),
    regionStack: z
      .array(z.number().min(0.1).max(10))
      .min(1)
      .default([0.5, 1, 2])
      .describe("stack work of the region, as a multiple of PE1"),
  });

/** A piece of work of this experiment. */
export type MergedNodesPoint = StructurePoint | WalkPoint | RecoveryPoint;

/**
 * How long a run is. Quick runs start from rings that were turned over outside simulated time, full ones turn fresh rings over by
 * themselves (8,192 transactions a turn): the two must agree. 125 transactions fill the deferred table once, so lengths are multiples.
 */
function lengthOf({ fidelity, warmup, transactions }: MergedNodesConfig, policy: PolicyName, role: Role): RunLength {
  const merged = role === "merged";
  if (fidelity === "full")
    return {
      agedTurns: 0,
      warmup: warmup ?? (merged ? mergedTree.warmup : 25_000),
      transactions: transactions ?? 20_000,
    };
  // Strict walks are the longest to simulate.
  const strict = policy === "strict" || policy === "thread-strict";
  return {
    agedTurns: merged ? mergedTree.turns : 1,
    warmup: warmup ?? (strict ? 250 : 500),
    transactions: transactions ?? (strict ? 750 : 1000),
  };
}

/** The points of a configuration. */
export function pointsOf(c: MergedNodesConfig, { facts }: Basis): MergedNodesPoint[] {
  const replications = c.replications ?? 2;
  const assumptions = assumed(c.assume, facts);
  const seeds = (n: number) => Array.from({ length: n }, (_, i) => c.seed + i);
  const has = (part: (typeof partNames)[number]) => c.parts.includes(part);
  const result: MergedNodesPoint[] = [];
  const add = (settings: readonly Setting[], n: number) => {
    for (const setting of settings) {
      const few = setting.minor && c.fidelity === "quick" && c.replications === undefined;
      result.push(
        ...pointsOfSetting(setting, assumptions, seeds(few ? 1 : n), (role) => lengthOf(c, setting.policy, role)),
      );
    }
  };
  const baseline = (chosen: readonly PolicyName[]) => {
    const [first, ...others] = baselineSettings(chosen);
    // With queued locks the tree of v4.3 varies by 6 % from seed to seed: twelve keep the baseline's interval below 5 %.
    add([first], replications > 1 ? 6 * replications : 1);
    add(others, replications > 1 ? replications + 1 : 1);
  };
  if (has("structure")) {
    for (const source of ["igb", "vmxnet3"] as const) result.push({ part: "structure", source });
    for (const staticMaps of c.staticMaps)
      result.push({ part: "structure", source: "generated", staticMaps, inFlight: c.inFlight, seed: c.seed });
  }
  if (has("walk")) {
    const staticMaps = Math.max(...c.staticMaps);
    for (const footprintLines of c.footprintLines)
      for (const tree of ["unmerged", "merged"] as const)
        for (const seed of seeds(replications))
          result.push({ part: "walk", tree, staticMaps, inFlight: c.inFlight, footprintLines, seed });
  }
  // The sweep, the region and the ablation are read against the baseline, so it is run with any of them.
  if (has("recovery")) baseline(c.policies);
  else if (has("sweep") || has("ablation") || has("region")) baseline(["deferred"]);
  if (has("sweep")) add(sweepSettings(facts), replications);
  if (has("region"))
    add(
      regionSettings(c.regionCores, c.regionPairs, c.regionHosts, c.regionPolicies, c.regionStack, facts),
      replications,
    );
  if (has("ablation")) add(ablationSettings, replications);
  return result;
}

/** A short name for a point. */
export function label(point: MergedNodesPoint): string {
  if (point.part === "structure")
    return point.source === "generated"
      ? `nodes of ${point.staticMaps} static maps`
      : `nodes of the recorded ${point.source}`;
  if (point.part === "walk") return `walk, ${point.tree}, ${point.footprintLines} lines of other work`;
  return `${point.part}: ${point.assumption} ${point.level}, ${point.role}, seed ${point.seed}`;
}
