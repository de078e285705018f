import { type AnyExperiment, ConfigError, configHash, type Design, designHash } from "../../experiments/index.js";
import { parseJson } from "../../files/index.js";
import type { SpacePoint } from "../../study/index.js";
import { drawsOf } from "../design.js";
import { readDesign, readSweepFile, type SweepPlan } from "../file.js";

/** What a sweep's file asks for: an experiment and its configurations, which are looked at one by one. */
export interface Work {
  experiment: AnyExperiment;
  configurations: readonly SpacePoint[];
  /** Names what was asked for: another name, another sweep. */
  identity: string;
  /** The file's content, to be kept with the results. */
  file: unknown;
  /** Where it is a design, and how many of its draws. */
  design?: { design: Design; draws: number };
  /** Where it asks for a sensitivity analysis. */
  sensitivity?: SweepPlan["sensitivity"];
  /** Address of the module that exports the experiment, where the registry has it not. */
  from?: string;
}

/**
 * Reads a sweep's file or a design. The experiment is not yet asked about the configurations: the plan does that once.
 * @param draws of a design, how many of its draws (default: all)
 * @throws ConfigError naming the file, the field, the value and what is accepted
 */
export function readWork(text: string, name: string, draws?: number): Work {
  const design = readDesign(text, name);
  if (design) {
    const { experiment, runs } = drawsOf(design, draws);
    const configurations = runs.map(({ input, draw, repetition, run }) => ({
      input,
      varied: { draw, repetition, run },
    }));
    const asked = { design, draws: draws ?? design.samples };
    return { experiment, configurations, identity: designHash(design), file: design, design: asked };
  }
  if (draws !== undefined) throw new ConfigError("--draws: only for a design, which says what is drawn.");
  const { experiment, configurations, sensitivity } = readSweepFile(text, name, { check: false });
  const file = parseJson(text);
  return {
    experiment,
    configurations,
    identity: configHash("sweep", file),
    file,
    ...(sensitivity === undefined ? {} : { sensitivity }),
  };
}
