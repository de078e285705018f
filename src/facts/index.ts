/**
 * The facts: every published record the laboratory carries, with its unit, source, how it was read and how it is used.
 *
 * The records live in data/published/*.json, are turned into a typed module at set-up (generate.mjs) and checked by the zod
 * schema here. Parameters of measured hosts live in data/hardware/*.json the same way, and what is assumed about a workload in
 * data/workload/*.json. Nothing in the core reads a file.
 *
 * {@link Facts} is an immutable value. It is made once by whoever starts a run and passed to everything that depends on it, together with
 * the {@link Memo} of results that points share ({@link Basis}); nothing here is kept on the side.
 */
export { canonicalJson } from "./canonical.js";
export { type DataChange, Facts, type RawData } from "./facts.js";
export { type Basis, basisOf, Memo } from "./memo.js";
export {
  Confidence,
  FactFileSchema,
  type FactRecord,
  FactSchema,
  type FactValue,
  Use,
  type UseName,
} from "./schema.js";
export { type DataValue, dataValues, isNamed } from "./values.js";
