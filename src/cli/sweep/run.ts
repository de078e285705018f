import { readFileSync } from "node:fs";
import { basename, extname, join } from "node:path";
import { projectRoot } from "../../lab/index.js";
import {
  gather,
  PointStore,
  runShard,
  type ShardResult,
  sensitivityText,
  shardOf,
  shardText,
  statusText,
  sweepStatus,
  userPoints,
  Version,
  writeResults,
  writeWhole,
} from "../../sweep/index.js";
import { UserError } from "../errors.js";
import { interruptible } from "../interrupt.js";
import { jobsOf } from "../options.js";
import { Progress } from "../progress.js";
import { type Asked, askedFor, type SweepFlags } from "./asked.js";
import { type ClusterFlags, clusterAction } from "./cluster.js";
import { revision } from "./revision.js";

const kept = "Interrupted; every finished point is kept, and the same command goes on from there.";

/** Does what the flags say, one thing of those that exclude each other. */
export async function sweepAction(file: string, flags: ClusterFlags): Promise<void> {
  const shard = flags.shard === undefined ? undefined : shardOf(flags.shard);
  if (shard && flags.collect)
    throw new UserError("--collect: not with --shard; collect when the shards are done, in a command of its own.");
  const asked = askedFor(file, flags);
  if (flags.keep)
    refuseKeep(asked, shard !== undefined || flags.status === true || flags.dryRun === true || flags.cancel === true);
  const { folder, work } = asked;
  const version = new Version(undefined, flags.accept);
  if (flags.status) {
    const status = sweepStatus(folder, work, version);
    process.stdout.write(flags.json ? `${JSON.stringify(status, null, 1)}\n` : statusText(folder, status));
    return;
  }
  const clustered = flags.on !== undefined || flags.attach || flags.cancel;
  if (flags.dryRun && !clustered) throw new UserError("--dry-run: with --on, whose script it prints.");
  if (clustered && (await clusterAction(asked, flags)) === "printed") return;
  let result: ShardResult = { points: 0, computed: 0, kept: 0, failed: [] };
  if (!flags.collect && !clustered) {
    const progress = new Progress();
    result = await interruptible(kept, (signal) =>
      runShard(folder, work, {
        ...(shard === undefined ? {} : { shard }),
        ...jobsOf(flags),
        version,
        retryFailed: flags.retryFailed ?? false,
        fresh: flags.fresh ?? false,
        remembered: rememberedFor(folder, flags),
        onProgress: progress.tell,
        signal,
      }),
    ).finally(() => progress.end());
  }
  if (shard) {
    process.stdout.write(
      `Shard ${shardText(shard)}: ${result.points} points (${result.computed} computed, the others kept from before or by other shards) in ${folder}.\n`,
    );
    refuseFailed(result);
    return;
  }
  refuseFailed(result);
  const written = await writeResults(folder, work, gather(folder, work, version), revision());
  if (flags.keep) {
    const target = join(projectRoot, "data", "ensembles", `${basename(file, extname(file))}.json`);
    writeWhole(target, readFileSync(written.file));
    process.stdout.write(`${target} has these draws now; npm run build takes them.\n`);
  }
  if (written.sensitivity) process.stdout.write(sensitivityText(written.sensitivity));
  const points = `${written.points} points (${result.computed} computed, the others kept from before or equal to them)`;
  process.stdout.write(
    work.design
      ? `${written.rows} of ${work.design.design.samples} draws, ${points} in ${written.file}.\n`
      : `${written.configurations} configurations, ${points}, ${written.rows} rows in ${written.file}.\n`,
  );
}

/** Says what is in the way of draws becoming data, before anything is computed. */
function refuseKeep({ work: { design } }: Asked, collectsNothing: boolean): void {
  if (!design) throw new UserError("--keep: only for a design, whose draws go to data/ensembles.");
  if (collectsNothing) throw new UserError("--keep: with a command that collects; this one does not.");
  const at = revision();
  if (!/^[0-9a-f]+$/.test(at))
    throw new UserError(`--keep: the draws must name a revision that has their code; this is ${at}. Commit first.`);
}

function refuseFailed({ failed, points }: ShardResult): void {
  if (failed.length === 0) return;
  const some = failed.slice(0, 5).map(({ label, message }) => `${label}: ${message.split("\n")[0]}`);
  throw new UserError(
    `${failed.length} of ${points} points failed (${some.join("; ")}${failed.length > 5 ? "; …" : ""}). The others are kept; --retry-failed computes these again.`,
  );
}

/** Points from elsewhere: those of a folder from before shards, and this user's own, but not for a shard: many machines would fill one home. */
function rememberedFor(folder: string, flags: SweepFlags) {
  const old = new PointStore(join(folder, "points"));
  const own = flags.shard === undefined ? userPoints(flags) : undefined;
  const first = flags.fresh ? undefined : old;
  return {
    get: ((...asked) => first?.get(...asked) ?? own?.get(...asked)) as PointStore["get"],
    put: ((...told) => own?.put(...told)) as PointStore["put"],
  };
}
