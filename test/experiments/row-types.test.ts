import { expect, test } from "vitest";
import {
  estimate,
  flushing,
  lockContention,
  lockTable,
  mergedNodes,
  oneToOneExploration,
  safety,
  where,
} from "../../src/experiments/index.js";

// `npm run typecheck` holds these: an error that is expected and does not come is one.

test("a column that there is not compiles neither in a figure nor in a claim nor in an estimate", () => {
  type Rows = Parameters<typeof lockContention.claims>[0];
  const claim = (rows: Rows) => rows.map((row) => row["spin: q_lock"] / row.cores);
  // @ts-expect-error there is no lock of this name
  const mistyped = (rows: Rows) => rows.map((row) => row["spin: queue_lock"]);
  // @ts-expect-error nor a column
  const estimated = (rows: Rows) => estimate(rows, "throughputs");
  // @ts-expect-error a way of mapping is no number
  const worded = (rows: Rows) => estimate(rows, "variant");
  // @ts-expect-error cores are a number
  const matched = (rows: Rows) => where(rows, { cores: "16" });
  // @ts-expect-error not every run sets its receive ring, so its column may be missing
  const unset = (rows: Rows): number[] => rows.map((row) => row.rxRing);
  // @ts-expect-error rows of another experiment
  const others = (rows: { cores: number }[]) => lockContention.claims(rows, lockContention.parse());
  expect([claim, mistyped, estimated, worded, matched, unset, others]).toHaveLength(7);
});

test("a row of merged-nodes has the columns of its part, and no other", () => {
  type Rows = Parameters<typeof mergedNodes.claims>[0];
  const depth = (rows: Rows) => rows.flatMap((row) => (row.part === "structure" ? (row.maxDepth ?? []) : []));
  // @ts-expect-error not every part has nodes
  const nodes = (rows: Rows) => rows.map((row) => row.nodes);
  // @ts-expect-error a walk has no throughput
  const walked = (rows: Rows) => rows.map((row) => (row.part === "walk" ? row.throughput : 0));
  // @ts-expect-error there is no such part
  const parted = (rows: Rows) => rows.filter((row) => row.part === "recoveries");
  expect([depth, nodes, walked, parted, mergedNodes]).toHaveLength(5);
});

test("distributions and delays are columns of their own, and there are only those that a run has", () => {
  type Locks = Parameters<typeof lockTable.claims>[0];
  const longest = (rows: Locks) => rows.map((row) => row["waits: 1073741824"]);
  // @ts-expect-error parts of a distribution begin at powers of two
  const between = (rows: Locks) => rows.map((row) => row["waits: 3"]);
  // @ts-expect-error a distribution is no text
  const decoded = (rows: Locks) => rows.map((row) => row.waits.split(" "));
  type Touches = Parameters<typeof safety.claims>[0];
  const after = (rows: Touches) => estimate(rows, "owner: 100");
  // @ts-expect-error nothing is touched 5 µs after
  const never = (rows: Touches) => estimate(rows, "owner: 5");
  expect([longest, between, decoded, after, never, lockTable, safety]).toHaveLength(7);
});

test("rows of explorations and of flushes have their columns", () => {
  const states = (rows: Parameters<typeof oneToOneExploration.claims>[0]) => estimate(rows, "states");
  // @ts-expect-error whether a property holds is no number
  const holds = (rows: Parameters<typeof oneToOneExploration.claims>[0]) => estimate(rows, "holds");
  const taken = (rows: Parameters<typeof flushing.claims>[0]) => estimate(rows, "inGbps");
  // @ts-expect-error there is no such column
  const given = (rows: Parameters<typeof flushing.claims>[0]) => estimate(rows, "gbpsIn");
  expect([states, holds, taken, given, oneToOneExploration, flushing]).toHaveLength(6);
});
