import type { FactRecord } from "../../facts/index.js";
import type { Kind } from "./claim.js";

/**
 * The kind of a claim that compares a simulated value with this record: a figure that set a parameter can only be a calibration.
 * @throws Error where the record is an input of the model, about which there can be no claim
 */
export function kindOf({ id, use }: FactRecord): Kind {
  if (use === "input") throw new Error(`Record ${id} is an input of the model: no claim can be about it.`);
  return use === "calibration" ? "calibration" : "predicted number";
}
