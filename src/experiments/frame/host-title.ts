import type { Facts } from "../../facts/index.js";
import { preset } from "../../machine/index.js";

/** A simulated host in words, without its parts: "Ice Lake-SP" of "ice-lake-sp". */
export const hostTitle = (facts: Facts, name: string): string => preset(facts, name).title.split(",")[0];
