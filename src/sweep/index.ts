/**
 * Sweeps: an experiment's points on all cores, by worker threads. Node only; the experiments themselves know nothing of it.
 *
 * The unit of work is a point: plain JSON, named by its hash, sharing no memory with any other. Results come in the order of the points,
 * whatever the order in which they finish, so that the number of workers never changes a byte. Points whose rows are known (by their
 * hash) are not computed again: that is how an interrupted run goes on.
 *
 * The threads of one call stay for the next (threads.ts), as code that is warm computes two to three times as fast; after a minute without
 * work they end. They compute with the code as it is built now, and an interruption ends those that are at work.
 */

export { StoreError, writeWhole } from "../files/index.js";
export {
  cancelSubmitted,
  type FollowAsk,
  follow,
  type Submitted,
  submitRound,
  submittedIn,
  tasksFor,
} from "./cluster/follow.js";
export { minutesOf, type SchedulerName, type ScriptAsk, schedulers, scriptFor } from "./cluster/script.js";
export { type RunCommand, Slurm } from "./cluster/slurm.js";
export { codeHash, pointCode } from "./code.js";
export { type DesignPlan, ensembleText, planDesign, quantitiesKept, runDesign } from "./design.js";
export { readDesign, readSweepFile, type SweepPlan } from "./file.js";
export { lockFolder } from "./files.js";
export { type ComputedLedger, computeLedger, type LedgerOptions, type LedgerRun } from "./ledger.js";
export { type Effect, effectOn, type Influence, type PerturbOptions, perturb } from "./perturb.js";
export type { Answer } from "./perturb-worker.js";
export { computePoints, type PointOptions } from "./points.js";
export {
  type Domain,
  planSensitivity,
  type Sensitivity,
  type SensitivityPlan,
  type SensitivitySpec,
  sensitivity,
  sensitivityText,
  type WatchedOutput,
} from "./sensitivity.js";
export { type Gathered, gather } from "./shards/collect.js";
export { isSweepFolder, manifestOf, takeFolder } from "./shards/folder.js";
export { type SubmitCommand, type SweepResult, submitSweep, sweepResult } from "./shards/result.js";
export { type Written, writeResults } from "./shards/results.js";
export { runShard, type ShardOptions, type ShardResult } from "./shards/run.js";
export { type Shard, shardOf, shardText, wholeSweep } from "./shards/shard.js";
export { type SweepStatus, statusText, sweepStatus, timeText } from "./shards/status.js";
export { Version } from "./shards/version.js";
export { readWork, type Work } from "./shards/work.js";
export { PointStore, type PointStoreOptions, pointHash } from "./store.js";
export { arrowBytes, runOnWorkers, type Sweep, type SweptRun, sweep, sweepConfigurations } from "./sweep.js";
export { pointsFolder, userPoints } from "./user-points.js";
