/**
 * Ignorance: what is drawn of everything that nobody published (designs), what came out (ensembles), and what it says about a quantity whose
 * margin was written down before (judge). Chance, which other seeds show, is another uncertainty and is kept apart throughout.
 */
export { assumedSpace, assumptionName, assumptionUnit } from "./assumed.js";
export { type Decider, deciderOf, type Influence, influences, type Slice } from "./decides.js";
export { type Design, type DesignRun, DesignSchema, designOf, runsOf, type Sample, samplesOf } from "./design.js";
export {
  type DrawnRun,
  designHash,
  drawsFor,
  Ensemble,
  ensembleOf,
  type NoDraws,
  type Quantities,
  type QuantityOf,
  type StoredEnsemble,
} from "./ensemble.js";
export { checkRanges, latinHypercube, valueAtShare, valueIn } from "./hypercube.js";
export { type Prior, priorOf, priorOfCases, type Unjudged } from "./judge.js";
export { aboutAThird, endsOf, type MarginRecord, marginOf, margins } from "./margins.js";
export { bySettings, caseDesigns, marginText, priorText } from "./words.js";
