import { BaseSequencer, type TestSpecification } from "vitest/node";

/**
 * The files that take longest, of the unit tests and of the browser's: each alone keeps a worker busy for a good part of a minute, so that none
 * of them may begin last. Those that wait stand beside those that compute, and what makes something for others (test/support/shared.ts) before them.
 */
const longest = [
  "browser/chapters.test.ts",
  "cells/interrupts.test.ts",
  "browser/site.test.ts",
  "browser/lab.test.ts",
  "notebooks/exercises.test.ts",
  "site/api-reference.test.ts",
  "experiments/one-to-one-exploration.test.ts",
  "sweep/shards.test.ts",
  "cells/sweep-interrupt.test.ts",
  "sweep/sweep.test.ts",
  "experiments/merged-nodes.test.ts",
  "browser/reference.test.ts",
  "browser/gallery.test.ts",
  "sweep/killed.test.ts",
  "cli/sweep.test.ts",
  "browser/hostile.test.ts",
  "notebooks/change-this.test.ts",
  "experiments/lock-contention.test.ts",
  "cells/interrupted-callbacks.test.ts",
  "cli/reproduce.test.ts",
  "cells/points.test.ts",
  "cells/interrupted-loads.test.ts",
  "cli/kills.test.ts",
];

/** Vitest's own order is by the last run's durations; in a fresh clone it has none, and takes the files' sizes for them. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rest = await super.sort(files);
    const rank = ({ moduleId, project }: TestSpecification): number => {
      const place = longest.findIndex((name) => moduleId.endsWith(`/test/${name}`));
      if (place >= 0) return place;
      // Those that share a process follow one another: it ends where another kind is next.
      return longest.length + (project.config.isolate ? 0 : 1);
    };
    return rest.sort((a, b) => rank(a) - rank(b));
  }
}
