/**
 * The experiments: each is a zod configuration, a pure run over independent points, an Arquero table, the figures made from it and the
 * claims it answers. A notebook, the command line, a sweep and a test all call the same thing.
 *
 * One file (or folder) an experiment, always in this order: question · config schema · run · table · figures · claims.
 */

export { answeringInputs, mergeAnswers, type Probe, probes } from "./answers.js";
export { claimsText, displayable, publishedText, simulatedText } from "./claim-display.js";
export {
  type Claim,
  type ClaimResult,
  type Column,
  type Comparison,
  ConfigError,
  defineExperiment,
  type Experiment,
  type ExperimentSpec,
  type Interval,
  type Output,
  type PointMemory,
  type ProgressListener,
  pointMemory,
  type Row,
  type Run,
  type RunOptions,
  rememberPoints,
  tableOf,
  unitsKey,
} from "./experiment.js";
export { type Field, fieldsOf, withSettings } from "./fields.js";
export { canonicalJson, configHash } from "./hash.js";
export { latinHypercube, type ParameterRange, type Ranges } from "./hypercube.js";
export { claimUse, type FigureUse, figureUses, type LedgerEntry, ledger } from "./ledger.js";
export { marginFigure, verdictFigure } from "./ledger-figures.js";
export * from "./lock-contention/index.js";
export * from "./machine/index.js";
export * from "./machine-check/index.js";
export * from "./merged-nodes/index.js";
export {
  type ElementaryEffect,
  effectsFigure,
  morrisDesign,
  morrisEffects,
  type Trajectory,
} from "./morris.js";
export { type PathStep, packetPath, packetSteps } from "./packet-path.js";
export * from "./page-sizes/index.js";
export { type AnyExperiment, experimentByName, experiments } from "./registry.js";
export { grid, type Space, type SpacePoint, withFields } from "./space.js";
export { ledgerCounts, threadContext, threadTable } from "./thread.js";
