import type { FactRecord } from "../../facts/index.js";
import type { ClaimResult } from "./claim.js";

/**
 * How a claim about this record is used.
 * @throws Error where the record is an input of the model, about which there can be no claim
 */
export function claimUse({ id, use }: FactRecord): ClaimResult["use"] {
  if (use === "input") throw new Error(`Record ${id} is an input of the model: no claim can be about it.`);
  return use;
}
