import { z } from "zod";
import {
  type AnyExperiment,
  ConfigError,
  type Design,
  DesignSchema,
  experimentByName,
  latinHypercube,
} from "../experiments/index.js";
import { parseJson } from "../files/index.js";
import { grid, gridSize, mostConfigurations, type SpacePoint, withFields } from "../study/index.js";
import { planSensitivity, type SensitivityPlan } from "./sensitivity.js";

const Range = z.strictObject({
  low: z.number().describe("lowest value"),
  high: z.number().describe("highest value"),
  whole: z.boolean().default(false).describe("whole numbers only"),
  shape: z.enum(["even", "log"]).optional().describe("each value as likely as the next, or each factor"),
});

/** What a sweep's file holds. */
const SweepFile = z.strictObject({
  experiment: z.string(),
  base: z.record(z.string(), z.unknown()).default({}),
  space: z.record(
    z.string(),
    z.union([z.array(z.unknown()).min(1), Range], { error: 'a list of values, or a range {"low": 1, "high": 9}' }),
  ),
  samples: z.int().min(1).max(1_000_000).optional(),
  sensitivity: z.strictObject({ output: z.string(), trajectories: z.int().min(2).max(1000).default(10) }).optional(),
  seed: z.int().min(0).default(1),
});

/** A sweep as it was asked for: its experiment and the configurations, in order. */
export interface SweepPlan {
  experiment: AnyExperiment;
  configurations: SpacePoint[];
  /** Where a sensitivity analysis was asked for: what the runs of the configurations, in their order, come down to. */
  sensitivity?: SensitivityPlan;
}

/**
 * Reads a design (data/designs), where the file is one: it says how many draws are run again with other seeds.
 * @param name the file's name, for messages
 * @throws ConfigError naming the file, the field, the value and what is accepted
 */
export function readDesign(text: string, name: string): Design | undefined {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch {
    // Whoever reads it as a plain sweep says what is wrong with it.
    return undefined;
  }
  if (typeof json !== "object" || json === null || !Object.hasOwn(json, "again")) return undefined;
  const parsed = DesignSchema.safeParse(json);
  if (parsed.success) return parsed.data;
  const { path, message } = parsed.error.issues[0];
  throw new ConfigError(`${name}: ${path.join(".") || "the file"}: ${message}.`);
}

/**
 * Reads the text of a sweep's file: `{experiment, base, space, samples, seed}`. In the space, a list of values makes a grid; ranges make a
 * Latin hypercube of that many samples, drawn from the seed, for each point of the grid. With `sensitivity: {output, trajectories}` the
 * lists are choices and the ranges are walked through by Morris's design instead.
 * @param name the file's name, for messages
 * @param options `check`: false leaves out asking the experiment about each configuration, where that was done before
 * @throws ConfigError naming the file, the field, the value and what is accepted; also where a configuration is refused by the experiment
 */
export function readSweepFile(text: string, name: string, options: { check?: boolean } = {}): SweepPlan {
  let json: unknown;
  try {
    json = parseJson(text);
  } catch (error) {
    throw new ConfigError(`${name}: this is not JSON, or none that is taken (${(error as Error).message}).`);
  }
  const parsed = SweepFile.safeParse(json);
  if (!parsed.success) {
    const { path, message } = parsed.error.issues[0];
    throw new ConfigError(`${name}: ${path.join(".") || "the file"}: ${message}.`);
  }
  const { experiment: experimentName, base, space, samples, seed, sensitivity } = parsed.data;
  try {
    const experiment = experimentByName(experimentName);
    if (sensitivity) {
      if (samples !== undefined)
        throw new ConfigError("samples: not with a sensitivity analysis; it has trajectories.");
      const plan = planSensitivity(experiment, { ranges: space, base, seed, ...sensitivity });
      const configurations = plan.inputs.map((input, i) => ({ input, varied: plan.varied[i] }));
      return { experiment, configurations, sensitivity: plan };
    }
    const lists = Object.entries(space).filter((entry): entry is [string, unknown[]] => Array.isArray(entry[1]));
    const ranges = Object.entries(space).filter(
      (entry): entry is [string, z.output<typeof Range>] => !Array.isArray(entry[1]),
    );
    if (ranges.length > 0 && samples === undefined)
      throw new ConfigError('samples: how many points to draw from the ranges, as {"samples": 40}.');
    if (ranges.length === 0 && samples !== undefined)
      throw new ConfigError("samples: only for ranges; the space has lists of values alone.");
    const asked = gridSize(Object.fromEntries(lists)) * (ranges.length > 0 ? (samples ?? 1) : 1);
    if (asked > mostConfigurations)
      throw new ConfigError(
        `space: ${asked.toLocaleString("en")} configurations; expected at most ${mostConfigurations.toLocaleString("en")}.`,
      );
    const corners = grid(Object.fromEntries(lists), base);
    const drawn = ranges.length > 0 ? latinHypercube(Object.fromEntries(ranges), samples ?? 1, seed) : [{}];
    const configurations = corners.flatMap(({ input, varied }) =>
      drawn.map((sample) => ({ input: withFields(input, sample), varied: { ...varied, ...sample } })),
    );
    if (options.check ?? true) {
      const parse = experiment.parser();
      for (const { input } of configurations) parse(input);
    }
    return { experiment, configurations };
  } catch (error) {
    if (error instanceof ConfigError) throw new ConfigError(`${name}: ${error.message}`);
    throw error;
  }
}
