import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import { changeOf, type HostRun, hostRunDefaults, publishedStackCycles, type Settings } from "../../host/index.js";
import { coresOf, singleFields } from "../frame/knob-fields.js";
import type { ParameterRange } from "../frame/ranges.js";

/** Stack work of a transaction that record PE1 fixes, in cycles of the measured host. */
export const publishedStack = (facts: Facts): number => publishedStackCycles(facts, 2.9);

/** What a host is assumed to be, apart from the policy. */
export type HostChanges = Partial<Omit<HostRun, "variant" | "seed" | "warmup" | "transactions">>;

/** The same as fields of a configuration: one value for each knob, all optional. */
export type Assume = { [K in keyof Settings]?: Settings[K] | undefined };

/** Fields to replace in the baseline of recovery, sweep, region and ablation: every knob, where the host has the cores. */
export const assumeSchema = (facts: Facts): z.ZodType<Assume, Assume> =>
  (z.strictObject(singleFields(facts)) as unknown as z.ZodType<Assume, Assume>).superRefine((assume, context) => {
    const defaults = hostRunDefaults(facts);
    const { host = defaults.machine, cores = defaults.cores } = assume;
    if (cores > coresOf(facts, host))
      context.addIssue({
        code: "custom",
        path: ["cores"],
        message: `accepts at most the ${coresOf(facts, host)} cores of ${host}; the default is ${defaults.cores}`,
      });
  });

/**
 * Between which values each assumption of the baseline may honestly lie, for a sensitivity analysis of merged-nodes: a range or choices.
 * `seed` stands for chance.
 */
export const assumedRanges: Readonly<Record<string, ParameterRange | readonly unknown[]>> = {
  "assume.cores": { low: 8, high: 16, whole: true },
  "assume.stack": { low: 0.5, high: 2 },
  "assume.profile": ["transmit", "both"],
  "assume.mapsPerSide": { low: 0.5, high: 2 },
  "assume.rxRing": { low: 64, high: 512, whole: true },
  "assume.staticMaps": { low: 0, high: 32_768, whole: true },
  "assume.stackLines": { low: 0, high: 2048, whole: true },
  "assume.handoffCycles": { low: 0, high: 100, whole: true },
  policies: [["deferred"], ["thread-deferred"]],
  seed: { low: 1, high: 4, whole: true },
};

/** The same parameters in words. */
export const assumedNames: Readonly<Record<string, string>> = {
  "assume.cores": "cores",
  "assume.stack": "stack work, × PE1",
  "assume.profile": "driver maps",
  "assume.mapsPerSide": "maps a side",
  "assume.rxRing": "receive ring",
  "assume.staticMaps": "static maps",
  "assume.stackLines": "lines the stack touches",
  "assume.handoffCycles": "hand-off a waiter, cycles",
  policies: "wording",
  seed: "chance: another seed",
};

/** The fields of a run that assumptions set. */
export const assumed = (assume: Assume, facts: Facts): HostChanges => changeOf(assume, facts);
