import { basename, extname, join } from "node:path";
import {
  gather,
  isSweepFolder,
  manifestOf,
  PointStore,
  readWork,
  runShard,
  type ShardResult,
  sensitivityText,
  shardOf,
  shardText,
  userPoints,
  Version,
  type Work,
  writeResults,
} from "../../sweep/index.js";
import { UserError } from "../errors.js";
import { readText } from "../files.js";
import { git } from "../git.js";
import { interruptible } from "../interrupt.js";
import { jobsOf } from "../options.js";
import { Progress } from "../progress.js";

export interface SweepFlags {
  out?: string;
  draws?: string;
  jobs?: number;
  fresh?: boolean;
  shard?: string;
  collect?: boolean;
  retryFailed?: boolean;
  accept?: string[];
}

/** What is to be run, and the folder that it goes into. */
export interface Asked {
  work: Work;
  folder: string;
}

/** Reads what was asked for. @throws UserError, ConfigError, ReadError for a file or flags that are refused */
export function askedFor(file: string, flags: SweepFlags): Asked {
  const draws = flags.draws === undefined ? undefined : Number(flags.draws);
  if (isSweepFolder(file)) {
    if (flags.out !== undefined)
      throw new UserError(`--out: not with the folder of a sweep (${file}), which is where its results go.`);
    const { file: content, draws: before } = manifestOf(file) ?? {};
    return { folder: file, work: readWork(JSON.stringify(content), join(file, "sweep.json"), draws ?? before) };
  }
  const folder = flags.out ?? join("results", "sweeps", file === "-" ? "stdin" : basename(file, extname(file)));
  return { folder, work: readWork(readText(file), file, draws) };
}

const kept = "Interrupted; every finished point is kept, and the same command goes on from there.";

export async function sweepAction(file: string, flags: SweepFlags): Promise<void> {
  const shard = flags.shard === undefined ? undefined : shardOf(flags.shard);
  if (shard && flags.collect)
    throw new UserError("--collect: not with --shard; collect when the shards are done, in a command of its own.");
  const { folder, work } = askedFor(file, flags);
  const version = new Version(undefined, flags.accept);
  let result: ShardResult = { points: 0, computed: 0, kept: 0, failed: [] };
  if (!flags.collect) {
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
  const written = await writeResults(
    folder,
    work,
    gather(folder, work, version),
    git("rev-parse", "--short=12", "HEAD") ?? "not a checkout",
  );
  if (written.sensitivity) process.stdout.write(sensitivityText(written.sensitivity));
  const points = `${written.points} points (${result.computed} computed, the others kept from before or equal to them)`;
  process.stdout.write(
    work.design
      ? `${written.rows} of ${work.design.design.samples} draws, ${points} in ${written.file}.\n`
      : `${written.configurations} configurations, ${points}, ${written.rows} rows in ${written.file}.\n`,
  );
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
