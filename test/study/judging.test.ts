/** What a verdict could be turned by without anything being measured: margins, ranges, draws, kinds and the number of entries. */
import { describe, expect, test } from "vitest";
import {
  configHash,
  designOf,
  drawsFor,
  Ensemble,
  endsOf,
  experiments,
  margins,
  priorOf,
  verdictOf,
} from "../../src/experiments/index.js";
import { answeringInputs, ledger } from "../../src/study/index.js";
import { published } from "../support/facts.js";
import written from "./judging.json" with { type: "json" };

/** Every entry that counts, with its kind, as the experiments give them without a run. */
const entries = (): Record<string, string> =>
  Object.fromEntries(
    experiments().flatMap((experiment) =>
      answeringInputs(experiment)
        .flatMap((input) => experiment.claims([], experiment.parse(input, published), published))
        .filter(({ kind }) => kind !== "calibration")
        .map(({ id, kind }): [string, string] => [`${experiment.name}: ${id}`, kind]),
    ),
  );

describe("what was written before anything was judged", () => {
  const renew =
    "changed after the fact? Then the old value and its verdict stand beside the new in CHANGELOG.md, and test/study/judging.json is renewed in the same commit";

  test("margins are those of then", () => {
    const now = Object.fromEntries(
      Object.entries(margins(published)).map(([entry, { low, high, share, design, date }]) => [
        entry,
        { low, high, share, design, date },
      ]),
    );
    expect(JSON.parse(JSON.stringify(now)), renew).toEqual(written.margins);
  });

  test("designs draw from the ranges of then, as often, from the same seed", () => {
    const now = Object.fromEntries(
      Object.keys(published.files().designs).map((name) => {
        const { space, samples, seed, again, base, runs, stopped } = designOf(published, name);
        return [
          name,
          {
            samples,
            seed,
            again,
            ...(stopped ? { stopped: stopped.draws } : {}),
            ranges: configHash("ranges", { space, base, runs }),
          },
        ];
      }),
    );
    expect(now, renew).toEqual(written.designs);
  });

  test("no entry was split, merged, dropped, or moved to another kind", () => {
    expect(entries(), renew).toEqual(written.entries);
  });
});

describe("verdicts and the draws that they rest on", () => {
  const judged = experiments().flatMap((experiment) =>
    experiment
      .claims([], experiment.parse(undefined, published), published)
      .filter(({ kind }) => kind !== "calibration")
      .map(({ id }) => `${experiment.name}: ${id}`),
  );

  test("every quantity is judged by a design that was run, by every case, or is answered by a run and called a question", () => {
    for (const [entry, { design }] of Object.entries(margins(published))) {
      expect(judged).toContain(entry);
      if (design === "settings") expect(entries()[entry]).toBe("question");
    }
  });

  test("a design that was stopped early says nothing that more draws would easily turn", () => {
    for (const [entry, record] of Object.entries(margins(published))) {
      if (published.files().designs[record.design] === undefined) continue;
      const { stopped, samples } = designOf(published, record.design);
      if (stopped === undefined) continue;
      const ensemble = drawsFor(published, record.design);
      if (!(ensemble instanceof Ensemble)) throw new Error(`${record.design} was not run`);
      const [quantity] = entry === "page-sizes: S8" ? ["large pages: loss"] : ["4K pages: loss"];
      const draws = ensemble.values((quantities) => quantities[quantity]);
      // The footnote's quantity grows with the loss: 5 % of the cost are a loss of some 4 %.
      const margin = entry === "page-sizes: footnote-1" ? { low: 0, high: 4.1 } : endsOf(record, undefined);
      const half = 1.96 * Math.sqrt(0.25 / draws.length);
      const all = verdictOf(draws, margin);
      expect([entry, all.verdict, draws.length < samples]).toEqual([entry, "depends", true]);
      expect(all.share.mean + half).toBeLessThan(0.93);
      for (const part of [0.4, 0.7])
        expect(verdictOf(draws.slice(0, Math.floor(part * draws.length)), margin).verdict).toBe("depends");
    }
  });

  test("draws that hold no value are said to be missing, and so are those that were not run", () => {
    const found = priorOf(published, "page-sizes: S9", (quantities) => quantities["4K pages: loss"]);
    expect(found).toMatchObject({ draws: 50, drawn: 60, planned: 300 });
    const whole = priorOf(published, "machine-locks: H12", (quantities) => quantities["over the model"]);
    expect(whole).not.toHaveProperty("planned");
  });

  test("the same draws in another order, or twice, give the same verdict", () => {
    const ensemble = drawsFor(published, "thread-host");
    if (!(ensemble instanceof Ensemble)) throw new Error("thread-host was not run");
    const draws = ensemble.values(
      (q) =>
        (100 * (q["merged-deferred: throughput"] - q["deferred: throughput"])) /
        (q["off: throughput"] - q["deferred: throughput"]),
    );
    const { low, high } = margins(published)["merged-nodes: S5"];
    const margin = { low: Number(low), high: Number(high) };
    const { verdict } = verdictOf(draws, margin);
    expect(verdictOf(draws.toReversed(), margin).verdict).toBe(verdict);
    expect(verdictOf([...draws, ...draws], margin).verdict).toBe(verdict);
  });

  test("a calibration or an input that is dressed as a prediction is refused", () => {
    const claim = {
      id: "PE1",
      quote: "q",
      source: "record PE1",
      kind: "predicted number" as const,
      verdict: "holds" as const,
      explanation: "e",
      published: { low: 1, high: 1, unit: "", factId: "PE1" },
    };
    expect(() => ledger([{ experiment: "e", claims: [claim] }])).toThrow("is a calibration");
    const input = { ...claim, id: "JG1", source: "record JG1", published: { ...claim.published, factId: "JG1" } };
    expect(() => ledger([{ experiment: "e", claims: [input] }])).toThrow("is an input of the model");
  });
});
