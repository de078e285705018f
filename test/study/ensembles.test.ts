import { describe, expect, test } from "vitest";
import { designHash, designOf, ensembleOf, type Row, runsOf } from "../../src/experiments/index.js";
import { basisOf } from "../../src/facts/index.js";
import { planDesign, quantitiesKept } from "../../src/sweep/index.js";
import { published } from "../support/facts.js";

const names = Object.keys(published.files().designs);

/** Draws of each that are computed again: those of the host of the mails take longest. */
const sampled: Readonly<Record<string, (draws: number) => number[]>> = {
  "measured-host": (draws) => [0, Math.floor(draws / 2), draws - 1],
  "thread-host": (draws) => [draws - 1],
};

describe.each(names)("the stored draws of %s", (name) => {
  test("were made by the design that stands in data/designs, from its first draw on", () => {
    const ensemble = ensembleOf(published, name);
    expect(ensemble, `data/ensembles/${name}.json: run "iommu-lab sweep data/designs/${name}.json"`).toBeDefined();
    if (!ensemble) return;
    const design = designOf(published, name);
    expect(ensemble.stored.design).toBe(designHash(design));
    expect(ensemble.stored.quantities).toEqual(design.keep);
    expect(ensemble.draws.length).toBeGreaterThanOrEqual(40);
    // Fewer draws than were declared are said to be fewer, with a reason, in the design itself.
    const { length } = ensemble.draws;
    expect(length).toBe(design.stopped?.draws ?? design.samples);
    expect(length).toBeLessThanOrEqual(design.samples);
    expect(ensemble.stored.again).toHaveLength(design.again.draws);
    for (const row of [...ensemble.stored.draws, ...ensemble.stored.again.flat()])
      expect(row).toHaveLength(design.keep.length);
    expect(ensemble.stored.version).toMatch(/^[0-9a-f]{7,40}$/);
  });

  test("come out again, byte for byte, where some of them are computed anew", () => {
    const ensemble = ensembleOf(published, name);
    if (!ensemble) return;
    const { experiment } = planDesign(ensemble.design, 1);
    const read = new Set<string>();
    const basis = basisOf(published.noting((one) => read.add(one)));
    const runs = runsOf(ensemble.design, ensemble.draws.length);
    for (const draw of (sampled[name] ?? ((draws) => [0, 1, draws - 1]))(ensemble.draws.length)) {
      const own = runs.filter((run) => run.draw === draw && run.repetition === 0);
      const rows = own.map(({ run, input }) => ({
        run,
        rows: experiment
          .points(experiment.parse(input, basis.facts), basis)
          .flatMap((point): Row[] => experiment.simulate(point, basis)),
      }));
      const again = quantitiesKept({ design: ensemble.design, experiment }, rows);
      expect(JSON.stringify(again), `draw ${draw}`).toBe(JSON.stringify(ensemble.stored.draws[draw]));
    }
    expect(Object.keys(ensemble.stored.reads)).toEqual(expect.arrayContaining([...read]));
  });
});
