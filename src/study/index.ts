/**
 * What is asked of experiments as such: the ledger of claims and its verdicts, designs (grids, Latin hypercubes, Morris trajectories),
 * and the small configurations that between them answer every claim.
 *
 * Everything here takes rows and claims and gives tables and figures; running points on threads is src/sweep's.
 * Units: those of the experiments' columns.
 */

export { latinHypercube } from "../experiments/index.js";
export { answeringInputs, type ClaimRun, claimRuns, mergeAnswers } from "./claim-runs.js";
export { calibrations, evidence, type LedgerEntry, ledger, type RecordUse, recordUses } from "./ledger.js";
export { marginFigure, verdictFigure } from "./ledger-figures.js";
export {
  type Belief,
  beliefs,
  type CountedShare,
  type Learned,
  learned,
  learnedTable,
  type MatchedDraw,
  type Matching,
  match,
  matchingOf,
  type Observation,
  shareOf,
  worthOf,
} from "./matching.js";
export { beliefFigure, regionFigure } from "./matching-figures.js";
export { type ElementaryEffect, effectsFigure, morrisDesign, morrisEffects, type Trajectory } from "./morris.js";
export {
  type ComparedGroup,
  comparedFigure,
  comparedGroups,
  marginTable,
  type PredictedNumber,
  predictedCount,
  predictedNumbers,
  predictedTable,
  predictionFigure,
} from "./predictions.js";
export { grid, gridSize, mostConfigurations, type Space, type SpacePoint, withFields } from "./space.js";
export { ledgerCounts, threadContext, threadTable } from "./thread.js";
