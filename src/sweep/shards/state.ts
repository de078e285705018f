import { StoreError } from "../../files/index.js";
import type { Plan } from "./plan.js";
import type { Entry, Failure, Segment } from "./segments.js";
import { labelOf, type Version } from "./version.js";

/** What is there of a sweep's points. */
export interface PointStates {
  /** Points that count, each with the segment that has it. */
  done: Map<string, Entry>;
  /** Points that failed and were not done since. */
  failed: Map<string, Failure>;
  /** Points that only other versions of code or data have. */
  foreign: Map<string, Entry>;
  /** Points that this version and another one have with other rows. */
  differing: string[];
  /** Points that one version has twice with different rows: on some machine it does not compute what it computes elsewhere. */
  contradicting: { hash: string; entries: [Entry, Entry] }[];
  /** Of points that were computed more than once, the others: where the rows of the first are damaged, theirs count. */
  spare: Entry[];
}

/** What segments say about the points of a plan. Of equal points the first counts, by the segments' names, so that it does not matter who reads. */
export function statesOf(plan: Plan, segments: readonly Segment[], version: Version): PointStates {
  const done = new Map<string, Entry>();
  const foreign = new Map<string, Entry>();
  const accepted = new Map<string, Entry>();
  const contradicting: PointStates["contradicting"] = [];
  const spare: Entry[] = [];
  for (const segment of segments)
    for (const entry of segment.entries) {
      if (!plan.has(entry.p) || !segment.reaches(entry)) continue;
      const own = version.isOwn(segment, entry.r);
      const place = own ? done : version.accepts(segment) ? accepted : foreign;
      const before = place.get(entry.p);
      if (!before) place.set(entry.p, entry);
      else if (own) {
        spare.push(entry);
        if (before.h !== entry.h) contradicting.push({ hash: entry.p, entries: [before, entry] });
      }
    }
  const differing = [...foreign].flatMap(([hash, { h }]) => (done.has(hash) && done.get(hash)?.h !== h ? [hash] : []));
  for (const [hash, entry] of accepted) if (!done.has(hash)) done.set(hash, entry);
  for (const hash of foreign.keys()) if (done.has(hash)) foreign.delete(hash);
  const failed = new Map<string, Failure>();
  for (const segment of segments)
    if (segment.head?.code === version.code)
      for (const failure of segment.failures)
        if (plan.has(failure.hash) && !done.has(failure.hash)) failed.set(failure.hash, failure);
  return { done, failed: inOrder(plan, failed), foreign: inOrder(plan, foreign), differing, contradicting, spare };
}

/** The same in the order of the plan, so that it does not matter who computed what first. */
function inOrder<T>(plan: Plan, found: ReadonlyMap<string, T>): Map<string, T> {
  if (found.size === 0) return new Map();
  return new Map(plan.points.flatMap((hash) => (found.has(hash) ? [[hash, found.get(hash) as T] as const] : [])));
}

const some = (hashes: readonly string[], label: (hash: string) => string): string =>
  `${hashes.slice(0, 5).map(label).join("; ")}${hashes.length > 5 ? `; and ${hashes.length - 5} more` : ""}`;

/**
 * Refuses a store in which points are of two versions.
 * @param label a point in words
 * @throws StoreError naming the versions, the points, and what may be done
 */
export function refuseMixed(
  folder: string,
  states: PointStates,
  version: Version,
  label: (hash: string) => string,
): void {
  const { contradicting, foreign, differing } = states;
  if (contradicting.length > 0) {
    const [{ hash, entries }] = contradicting;
    const hosts = entries.map(({ segment: { head } }) => `${head?.host} (Node ${head?.node})`);
    throw new StoreError(
      `${folder}: ${contradicting.length} points were computed twice by the same code with different rows, the first of them ${label(hash)}, on ${hosts.join(" and on ")}. One of the machines computes something else: find out which, and delete its files in ${folder}/shards.`,
    );
  }
  if (foreign.size === 0) return;
  const labels = [...new Set([...foreign.values()].map(({ segment: { head } }) => (head ? labelOf(head) : "")))];
  const also =
    differing.length > 0 ? ` Of points that both have, ${differing.length} differ: ${some(differing, label)}.` : "";
  throw new StoreError(
    `${folder}: ${foreign.size} points were computed by other code or from other data (${labels.join(", ")}; this is ${version.label}): ${some([...foreign.keys()], label)}.${also} ` +
      `Choose another folder with --out, or take them as they are with ${labels.map((name) => `--accept ${name}`).join(" ")}.`,
  );
}
