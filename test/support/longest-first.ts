import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, of the unit tests and of the browser's: each alone keeps a worker busy for a good part of a minute, so that none
 * of them may begin last. Those that wait stand beside those that compute.
 */
const longest = [
  "cells/interrupts.test.ts",
  "notebooks/exercises.test.ts",
  "experiments/one-to-one-exploration.test.ts",
  "cells/sweep-interrupt.test.ts",
  "notebooks/change-this.test.ts",
  "sweep/sweep.test.ts",
  "experiments/merged-nodes.test.ts",
  "sweep/killed.test.ts",
  "site/api-reference.test.ts",
  "cli/kills.test.ts",
  "sweep/shards.test.ts",
  "cells/interrupted-loads.test.ts",
  "cli/sweep.test.ts",
  "cells/interrupted-callbacks.test.ts",
  "experiments/lock-contention.test.ts",
  "browser/chapters.test.ts",
  "browser/site.test.ts",
  "browser/lab.test.ts",
  "browser/reference.test.ts",
];

/** Vitest's own order is by the last run's durations; in a fresh clone it has none, and takes the files' sizes for them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rest = await super.sort(files);
    const rank = ({ moduleId }: TestSpecification): number => {
      const place = longest.findIndex((name) => moduleId.endsWith(`/test/${name}`));
      return place < 0 ? longest.length : place;
    };
    return rest.sort((a, b) => rank(a) - rank(b));
  }
}
