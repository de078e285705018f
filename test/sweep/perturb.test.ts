import { spawnSync } from "node:child_process";
import { expect, test } from "vitest";
// The built code: a worker thread runs that, too.
import { dataValues, Facts } from "../../dist/facts/index.js";
import { effectOn, perturb } from "../../dist/sweep/index.js";

test("a simulated value counts as moved where it leaves its interval; a figure's own echo does not count", () => {
  const interval = (mean: number, half: number) => ({
    mean,
    low: mean - half,
    high: mean + half,
    n: 3,
    level: 0.95,
    unit: "ns",
  });
  const before = { id: "e: a", factId: "A", published: { low: 100, high: 100 }, simulated: interval(100, 5) };
  const inside = { ...before, simulated: interval(104, 5) };
  const outside = { ...before, simulated: interval(106, 5) };
  expect(effectOn(before, inside, false, 1.1)).toBeUndefined();
  expect(effectOn(before, outside, false, 1.1)).toMatchObject({ kind: "value", before: 100, after: 106 });
  // The published value moves and the simulated one stays: the margin moves.
  const published = { ...before, published: { low: 110, high: 110 } };
  expect(effectOn(before, published, true, 1.1)?.after).toBeCloseTo(-1 / 11, 6);
  // Both move by the same share: the simulated value only gives the figure back.
  expect(effectOn(before, { ...published, simulated: interval(109.6, 5) }, true, 1.1)).toBeUndefined();
});

// The test's own claimRun, so that it is cheap: eight chases of a few lines.
const latency = { experiment: "machine-latency", input: { sizesKiB: [16, 128, 4096], remote: false } };
const transfer = { experiment: "machine-transfer", input: { rounds: 10 } };

test("finds what depends on a figure, and what does not; the number of workers changes nothing", {
  timeout: 180_000,
}, async () => {
  const only = [
    "H9[1]",
    "H6[0]",
    "PE11",
    "sandy-bridge-ep.l2Cycles",
    "sandy-bridge-ep.irqSaveCycles",
    "sandy-bridge-ep.deviceSocket",
    "sandy-bridge-ep.coresPerSocket",
  ];
  const two = await perturb({ only, claimRuns: [transfer, latency], jobs: 2 });
  const outcome = Object.fromEntries(two.map(({ id, outcome }) => [id, outcome]));
  expect(outcome).toMatchObject({
    // A published latency moves the margin of its claim; a latency of the model moves what the chase finds.
    "H9[1]": "moves",
    "sandy-bridge-ep.l2Cycles": "moves",
    // No chase and no hand-over saves interrupts.
    "sandy-bridge-ep.irqSaveCycles": "no influence",
    // Another host's record is read by neither claimRun.
    "H6[0]": "not used",
    PE11: "fixed",
    "sandy-bridge-ep.deviceSocket": "fixed",
  });
  const l2 = two.find(({ id }) => id === "sandy-bridge-ep.l2Cycles");
  // Twelve cycles are whole: 13.2 is refused or taken, and both directions show.
  expect(l2?.effects.map(({ on }) => on)).toEqual(["machine-latency: H9-L2", "machine-latency: H9-L2"]);
  const [up, down] = l2?.effects ?? [];
  expect([up.after > up.high, down.after < down.low]).toEqual([true, true]);
  expect(await perturb({ only, claimRuns: [transfer, latency], jobs: 1 })).toEqual(two);
});

test("a calibration figure that only gives itself back is caught", { timeout: 180_000 }, async () => {
  // Asked of its own claim alone, PE1 moves the throughput that is held against it, and nothing else.
  const off = {
    experiment: "lock-contention",
    input: { variants: ["off"], cores: [16], replications: 2 },
  };
  const [pe1] = await perturb({ only: ["PE1"], claimRuns: [off], jobs: 2 }).then((all) =>
    all.filter(({ id }) => id === "PE1"),
  );
  expect(pe1).toMatchObject({ outcome: "echo", compared: true, effects: [] });
  // With the claim on PE2 there is one that it moves.
  const both = { ...off, input: { ...off.input, variants: ["off", "deferred"] } };
  const [again] = await perturb({ only: ["PE2"], claimRuns: [both], jobs: 2 });
  expect(again.effects.map(({ on, kind }) => `${kind} of ${on}`)).toContain("margin of lock-contention: PE2");
});

test("nothing of the core is computed from the data when it is imported", () => {
  const program = `
    import { Facts } from "./dist/facts/index.js";
    const read = new Set();
    const { prototype } = Facts;
    for (const name of ["record", "hardware", "workload", "observation", "all", "files"]) {
      const plain = prototype[name];
      prototype[name] = function (...args) {
        read.add(args[0] ?? name);
        return plain.apply(this, args);
      };
    }
    await import("./dist/experiments/index.js");
    await import("./dist/study/index.js");
    console.log([...read].join());`;
  const { stdout, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", program], { encoding: "utf8" });
  expect([stdout.trim(), stderr]).toEqual(["", ""]);
});

test("a share that is none, and a figure that is none, are refused or empty", async () => {
  await expect(perturb({ share: 1.5 })).rejects.toThrow("share: between 0 and 1; got 1.5");
  expect(dataValues(Facts.published()).filter(({ id }) => id.startsWith("nothing"))).toEqual([]);
});
