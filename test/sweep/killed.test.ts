import { expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
// @ts-expect-error plain JavaScript, which the soak runs too
import { killedSweeps } from "./killed.mjs";

// The short version of `npm run soak -- shards`.
test("four overlapping shards that are killed at random moments, and started again, give what one process gives", {
  timeout: 300_000,
}, async () => {
  const random = new Streams(7).stream("kills");
  const found = await killedSweeps({ kills: 3, jobs: 2, random: () => random.uniform() });
  expect(found.killed).toBeGreaterThanOrEqual(3);
  expect(found.different).toBe(0);
});
