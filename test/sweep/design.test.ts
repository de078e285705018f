import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
// The built code: a worker thread runs that, too.
import { type Design, DesignSchema } from "../../dist/experiments/index.js";
import { ensembleText, PointStore, planDesign, pointHash, readDesign, runDesign } from "../../dist/sweep/index.js";

const design: Design = DesignSchema.parse({
  title: "two runs a draw",
  about: "small",
  date: "2026-11-27",
  experiment: "lock-contention",
  base: { cores: [1], replications: 1 },
  runs: { "": { variants: ["off"] }, again: { variants: ["off"], peerMicroseconds: 20 } },
  space: { workSpread: { low: 0, high: 0.5 }, flows: { choices: ["steered", "hashed"] } },
  samples: 4,
  seed: 1,
  again: { draws: 1, seeds: 2 },
  keep: ["off: throughput", "off: throughput, again", "strict: throughput"],
});
const about = { version: "v", date: "2026-11-27" };

test("a design that was interrupted goes on from its points, and gives the bytes that it gives in one go", async () => {
  const whole = ensembleText(await runDesign(planDesign(design), about, { jobs: 1 }));
  const plan = planDesign(design);
  const store = new PointStore(mkdtempSync(join(tmpdir(), "design-")));
  const interrupt = new AbortController();
  let points = 0;
  await expect(
    runDesign(plan, about, {
      jobs: 1,
      signal: interrupt.signal,
      remembered: store,
      onPoint() {
        if (++points === 3) interrupt.abort(new Error("killed"));
      },
    }),
  ).rejects.toThrow("killed");
  let again = 0;
  const second = await runDesign(plan, about, { jobs: 1, remembered: store, onPoint: () => again++ });
  expect(again).toBeLessThanOrEqual(
    new Set(plan.points.flat().map((point) => pointHash(plan.experiment, point))).size - 3,
  );
  expect(ensembleText(second)).toBe(whole);
});

test("its first draws are those of the whole: more of them change none that are there", async () => {
  const two = await runDesign(planDesign(design, 2), about, { jobs: 1 });
  const four = await runDesign(planDesign(design, 4), about, { jobs: 1 });
  expect(four.draws.slice(0, 2)).toEqual(two.draws);
  expect(Object.keys(four.reads)).toEqual(expect.arrayContaining(["PE1", "hardware/sandy-bridge-ep"]));
  expect(four.again).toEqual(two.again);
  expect(four.again.map((seeds) => seeds.length)).toEqual([1]);
  expect(four.again[0][0]).not.toEqual(four.draws[0]);
  const [off, other, none] = four.draws[0];
  expect(off).not.toBe(other);
  expect(none).toBeNull();
  expect(JSON.parse(ensembleText(four)).draws).toEqual(four.draws);
});

test("a file is a design where it says what is run again; what is wrong with one is said by file and field", () => {
  expect(readDesign(JSON.stringify(design), "d.json")).toEqual(design);
  expect(readDesign('{"experiment": "lock-contention", "space": {"cores": [1]}}', "d.json")).toBeUndefined();
  expect(() => readDesign(JSON.stringify({ ...design, samples: 0 }), "d.json")).toThrow(/^d\.json: samples: /);
  expect(() => planDesign(design, 5)).toThrow("a whole number of draws from 1 to 4; got 5");
});
