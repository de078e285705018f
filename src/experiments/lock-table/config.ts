import { z } from "zod";
import { type AnatomyConfig, fields, type Input } from "../map-anatomy/config.js";

/** The configuration of the lock table: a run for each variant and number of cores. */
export const Config: z.ZodType<AnatomyConfig, Input<AnatomyConfig>> = z.strictObject(fields);
