/**
 * The experiments: each is a zod configuration, a pure run over independent points, an Arquero table, the figures made from it and the
 * claims it answers. A notebook, the command line, a sweep and a test all call the same thing.
 *
 * One folder an experiment, the same files in each: index.ts (its question, and the parts put together) · config.ts (fields and points) ·
 * rows.ts (running a point, and the columns) · figures.ts · claims.ts, where it answers any.
 */

export * from "./all.js";
export {
  type AskedClaim,
  askAll,
  type ClaimSpec,
  claimOn,
  type Judged,
  type Kind,
  kinds,
  type PublishedValue,
  type Said,
  type Standing,
  type Verdict,
  verdicts,
} from "./frame/claim.js";
export { claimsText, displayable, publishedText, simulatedText } from "./frame/claim-display.js";
export { kindOf } from "./frame/claim-kind.js";
export {
  type Claim,
  type ClaimResult,
  type Column,
  type Comparison,
  ConfigError,
  defineExperiment,
  type Experiment,
  type ExperimentSpec,
  type FigureMaker,
  type Interval,
  type Output,
  type ProgressListener,
  type Row,
  type Run,
  type RunOptions,
  tableOf,
  unitsKey,
} from "./frame/experiment.js";
export { type Field, fieldsOf, setField, withSettings } from "./frame/fields.js";
export { canonicalJson, configHash } from "./frame/hash.js";
export { headline, shortNumber } from "./frame/headline.js";
export type { AssumedRange, AssumedRanges, ParameterRange, Ranges } from "./frame/ranges.js";
export { changedReads, type KeptReads, keptReads } from "./frame/reads.js";
export { type Computation, pointsOfHost, type RememberedPoints, withRemembered } from "./frame/remembered.js";
export { distinct, estimate, type NumberColumn, type Quantity, ratio, valuesOf, where } from "./frame/rows.js";
export { type Draw, type Margin, massThatHolds, type PriorJudgement, verdictOf } from "./frame/verdict.js";
export * from "./ignorance/index.js";
export * from "./own-recording/index.js";
export { type PathStep, packetPath, packetSteps } from "./packet-path.js";
export { type AnyExperiment, computations, experimentByName, experiments } from "./registry.js";
export { type WalkStep, walkPicture, walkSteps } from "./walk-steps.js";
