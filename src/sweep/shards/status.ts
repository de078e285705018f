import { StoreError } from "../../files/index.js";
import { manifestOf } from "./folder.js";
import { planOf } from "./plan.js";
import { clockOf, isAlive, type Segment, Segments } from "./segments.js";
import { pointsOfShard, type Shard, shardText } from "./shard.js";
import { statesOf } from "./state.js";
import { labelOf, Version } from "./version.js";
import type { Work } from "./work.js";

/** How many points of a part are where. */
export interface Counts {
  points: number;
  done: number;
  /** Being computed by a process that was heard of lately. */
  running: number;
  failed: number;
  missing: number;
}

/** A process that works, or worked, on a sweep. */
export interface SweepProcess {
  shard: Shard;
  host: string;
  pid: number;
  /** gone: it was not heard of for a minute, or is no process any more; what it was computing counts as missing. */
  state: "working" | "gone" | "done" | "interrupted" | "failed";
  /** Points that it finished, and that it is computing. */
  finished: number;
  busy: number;
  jobs: number;
  /** Its beginning, by its clock, and how long ago it was heard of. */
  began: string;
  heardSecondsAgo: number;
}

/** How far a sweep is. */
export interface SweepStatus extends Counts {
  experiment: string;
  /** Each part that a process took, of whatever division. */
  shards: ({ shard: Shard } & Counts)[];
  processes: SweepProcess[];
  failures: { point: string; label: string; message: string; host: string }[];
  /** Points that other code or data computed, by version, that count only where they are accepted. */
  foreign: Record<string, number>;
  /** Points that were computed although another process had done them, too. */
  repeated: number;
  /** What a point takes, on the average of those computed here. */
  secondsAPoint?: number;
  /** What is left to compute, in seconds of one thread, and until the end with the threads that work now (none where nothing works). */
  secondsOfWork?: number;
  secondsLeft?: number;
}

/**
 * How far a sweep is, from its folder alone; whoever works on it is not asked.
 * @throws StoreError where no sweep was run into the folder, or another one
 */
export function sweepStatus(folder: string, work: Work, version: Version = new Version()): SweepStatus {
  const there = manifestOf(folder);
  if (there === undefined || there.identity !== work.identity)
    throw new StoreError(
      there === undefined
        ? `${folder}: no sweep was run into this folder; expected one with a sweep.json.`
        : `${folder}: holds another sweep (${there.experiment}, ${there.identity}); this file is ${work.experiment.name}, ${work.identity}.`,
    );
  const plan = planOf(folder, work, version.code);
  const segments = new Segments(folder).refresh();
  const states = statesOf(plan, segments, version);
  const now = clockOf(folder);
  const alive = segments.filter((segment) => isAlive(segment, now));
  const busy = new Set(alive.flatMap((segment) => segment.busy.filter((hash) => !states.done.has(hash))));
  const counts = (points: readonly string[]): Counts => {
    const found = { points: points.length, done: 0, running: 0, failed: 0, missing: 0 };
    for (const hash of points)
      found[
        states.done.has(hash) ? "done" : busy.has(hash) ? "running" : states.failed.has(hash) ? "failed" : "missing"
      ]++;
    return found;
  };
  const shards = new Map(segments.flatMap(({ head }) => (head ? [[shardText(head.shard), head.shard]] : [])));
  const whole = counts(plan.points);
  const status: SweepStatus = {
    experiment: work.experiment.name,
    ...whole,
    shards: [...shards.values()]
      .sort((a, b) => a.count - b.count || a.index - b.index)
      .map((shard) => ({ shard, ...counts(pointsOfShard(plan.points, shard)) })),
    processes: segments.flatMap((segment) => processOf(segment, alive, now)),
    failures: [...states.failed].slice(0, 10).map(([point, { message, segment }]) => ({
      point,
      label: work.experiment.label(plan.point(point)),
      message,
      host: segment.head?.host ?? "",
    })),
    foreign: {},
    repeated: states.spare.length,
  };
  for (const { segment } of states.foreign.values()) {
    const label = segment.head ? labelOf(segment.head) : "";
    status.foreign[label] = (status.foreign[label] ?? 0) + 1;
  }
  const seconds = [...states.done.values()].flatMap(({ s }) => (s === null ? [] : [s]));
  if (seconds.length > 0) {
    const mean = seconds.reduce((sum, s) => sum + s, 0) / seconds.length;
    const lanes = alive.reduce((sum, { head }) => sum + (head?.jobs ?? 0), 0);
    const left = mean * (whole.missing + whole.running);
    Object.assign(status, { secondsAPoint: mean, secondsOfWork: left });
    if (lanes > 0) status.secondsLeft = left / lanes;
  }
  return status;
}

function processOf(segment: Segment, alive: readonly Segment[], now: number): SweepProcess[] {
  const { head, ended, entries, busy, heardMs } = segment;
  if (!head) return [];
  const working = alive.includes(segment);
  return [
    {
      shard: head.shard,
      host: head.host,
      pid: head.pid,
      state: ended ?? (working ? "working" : "gone"),
      finished: entries.length,
      busy: working ? busy.length : 0,
      jobs: head.jobs,
      began: new Date(head.began).toISOString(),
      heardSecondsAgo: Math.max(0, Math.round((now - heardMs) / 1000)),
    },
  ];
}

/** A time in words: "under 1 s", "40 s", "12 min", "3.5 h". */
export function timeText(seconds: number): string {
  if (seconds > 0 && seconds < 1) return "under 1 s";
  if (seconds < 90) return `${Math.round(seconds)} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}

/** Most lines of one kind; a store of many tasks says how many more there are. */
const mostLines = 40;

/** The status for a terminal. */
export function statusText(folder: string, status: SweepStatus): string {
  const { points, done, running, failed, missing, shards, processes, failures, foreign } = status;
  const lines = [
    `${status.experiment} in ${folder}: ${points} points: ${done} done, ${running} running, ${failed} failed, ${missing} missing`,
  ];
  if (shards.length > 1 || processes.length > 1) {
    lines.push(
      "",
      `${"shard".padEnd(12)}${["points", "done", "running", "failed", "missing"].map((name) => name.padStart(9)).join("")}`,
    );
    lines.push(
      ...listed(
        shards,
        ({ shard, ...own }) =>
          shardText(shard).padEnd(12) +
          [own.points, own.done, own.running, own.failed, own.missing].map((n) => String(n).padStart(9)).join(""),
      ),
    );
  }
  const at = processes.filter(({ state }) => state === "working" || state === "gone" || state === "failed");
  if (at.length > 0) lines.push("");
  lines.push(
    ...listed(at, ({ shard, host, pid, state, finished, busy, heardSecondsAgo }) => {
      const who = `shard ${shardText(shard)}, process ${pid} on ${host}`;
      if (state === "working")
        return `${who}: working, ${finished} points finished, ${busy} under way, heard of ${timeText(heardSecondsAgo)} ago`;
      return state === "gone"
        ? `${who}: gone without an end, heard of ${timeText(heardSecondsAgo)} ago; its ${finished} points are kept, the others of its shard are for anybody`
        : `${who}: ended by an error; its ${finished} points are kept`;
    }),
  );
  if (failures.length > 0) lines.push("");
  lines.push(
    ...failures.map(
      ({ label, message, host }) => `failed: ${label}, on ${host}: ${message.split("\n")[0].slice(0, 300)}`,
    ),
  );
  if (failed > 0) lines.push("--retry-failed computes the failed points again.");
  for (const [label, n] of Object.entries(foreign))
    lines.push(`${n} points are of other code or data (${label}): --accept ${label} takes them.`);
  if (status.secondsAPoint !== undefined && missing + running > 0) {
    const left =
      status.secondsLeft === undefined
        ? `nothing works on it now; ${timeText(status.secondsOfWork ?? 0)} of one thread are left`
        : `about ${timeText(status.secondsLeft)} left`;
    lines.push("", `${Number(status.secondsAPoint.toPrecision(3))} s a point; ${left}.`);
  }
  return `${lines.join("\n")}\n`;
}

function listed<T>(items: readonly T[], line: (item: T) => string): string[] {
  const lines = items.slice(0, mostLines).map(line);
  return items.length > mostLines ? [...lines, `… and ${items.length - mostLines} more`] : lines;
}
