import { expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
// @ts-expect-error plain JavaScript, which the benchmark runs too
import { killedSweeps } from "./killed.mjs";

test("a sweep of 40 points that is killed at random moments, and resumed, gives what an undisturbed one gives", {
  timeout: 180_000,
}, async () => {
  const random = new Streams(7).stream("kills");
  const found = await killedSweeps({ kills: 8, jobs: 8, random: () => random.uniform() });
  expect(found).toMatchObject({ killed: 8, different: 0, broken: 0, lost: 0 });
  expect(found.finished).toBeGreaterThan(0);
});
