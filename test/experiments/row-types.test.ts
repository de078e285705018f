import { expect, test } from "vitest";
import { estimate, lockContention, where } from "../../src/experiments/index.js";

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
