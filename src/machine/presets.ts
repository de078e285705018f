import { z } from "zod";
import type { Facts } from "../facts/index.js";
import { checkMachineConfig, type MachineConfig } from "./config.js";
import { ClusteredMachine } from "./memory/clustered-machine.js";
import { Machine } from "./memory/machine.js";

/** One parameter of a host: its value, where it comes from, and whether it is only assumed. */
export interface HardwareValue {
  value: number;
  unit: string;
  /** The record in data/published it was set from (and how), or why it was assumed. */
  source: string;
  /** Set when no record supports the value: the range that experiments sweep. */
  assumption?: { low: number; high: number } | undefined;
}

/** A field of a host that data/hardware gives a value: all but the prefetcher, of which nothing is known there. */
export type HardwareField = Exclude<keyof MachineConfig, "streamedLines">;

/** A host as data/hardware describes it. */
export interface HardwareFile {
  title: string;
  about: string;
  values: Record<HardwareField, HardwareValue>;
}

const Value: z.ZodType<HardwareValue> = z
  .strictObject({
    value: z.number(),
    unit: z.string(),
    source: z.string().min(8),
    assumption: z.strictObject({ low: z.number(), high: z.number() }).optional(),
  })
  .refine((v) => !v.assumption || (v.assumption.low <= v.value && v.value <= v.assumption.high), {
    error: "an assumed value lies within the range that is swept",
  });
const File = z.strictObject({
  title: z.string().min(1),
  about: z.string().min(1),
  values: z.record(z.string(), Value),
});

/** The hosts of data/hardware that the machine room models. */
export const presetNames: readonly string[] = ["sandy-bridge-ep", "westmere-ep", "broadwell-ep"];

/** Hosts of data/hardware with clusters of cores, to 128 of them: {@link ClusteredMachine} models them. */
export const largePresetNames: readonly string[] = [
  "cascade-lake-sp",
  "ice-lake-sp",
  "milan",
  "rome",
  "graviton2",
  "kunpeng-920",
];

/**
 * The machine of a configuration: with clusters the coarser model of many cores.
 * @param room bytes that its regions will take, where that is known: see {@link Machine}
 */
export function makeMachine(config: MachineConfig, room = 0): Machine | ClusteredMachine {
  return config.clustersPerSocket === undefined ? new Machine(config, room) : new ClusteredMachine(config);
}

/**
 * A modelled host with the source of each of its parameters.
 * @throws Error naming the presets, or the file and field at fault
 */
export function preset(facts: Facts, name: string): HardwareFile {
  const names = [...presetNames, ...largePresetNames];
  if (!names.includes(name)) throw new Error(`There is no machine "${name}"; there are ${names.join(", ")}.`);
  const parsed = File.safeParse(facts.hardware(name));
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    throw new Error(`data/hardware/${name}.json: ${issue.path.join(".")}: ${issue.message}`);
  }
  const values = parsed.data.values;
  checkMachineConfig(Object.fromEntries(Object.entries(values).map(([field, { value }]) => [field, value])));
  return parsed.data as HardwareFile;
}

/**
 * The configuration of a modelled host, with some fields replaced.
 * @param name one of {@link presetNames}; "sandy-bridge-ep" is the machine of the published measurements
 * @param overrides fields to replace, e.g. `{ sockets: 1 }` or the assumptions that a sweep varies
 * @throws MachineConfigError naming field, value and what is accepted
 * @example machineConfig(Facts.published(), "sandy-bridge-ep").l3Cycles // 30
 */
export function machineConfig(facts: Facts, name: string, overrides: Partial<MachineConfig> = {}): MachineConfig {
  const { values } = preset(facts, name);
  const base = Object.fromEntries(Object.entries(values).map(([field, { value }]) => [field, value]));
  return checkMachineConfig({ ...base, ...overrides });
}

/** The parameters of a host that no record supports, with the range to sweep. */
export function hostAssumptions(facts: Facts, name: string): (HardwareValue & { field: keyof MachineConfig })[] {
  return Object.entries(preset(facts, name).values)
    .filter(([, v]) => v.assumption)
    .map(([field, v]) => ({ field: field as keyof MachineConfig, ...v }));
}
