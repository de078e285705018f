import type { ClaimResult } from "./experiment.js";
import type { AnyExperiment } from "./registry.js";

/** Where one configuration cannot answer all of an experiment's claims, those that together can. */
const answering: Readonly<Record<string, readonly Record<string, unknown>[]>> = {
  "lock-contention": [
    {},
    {
      variants: [
        "off",
        "pass-through",
        "deferred",
        "thread-deferred",
        "pools-4-lazy",
        "pools-16-lazy",
        "magazines-deferred",
      ],
      cores: [16],
    },
    { variants: ["deferred"], cores: [16], ats: [false, true] },
    { variants: ["deferred"], cores: [16], coherent: [true, false] },
  ],
};

/** The configurations in which an experiment answers every claim that it can: its defaults, for most. */
export function answeringInputs(
  experiment: Pick<AnyExperiment, "name">,
  fidelity?: "quick" | "full",
): Record<string, unknown>[] {
  const inputs = answering[experiment.name] ?? [{}];
  return inputs.map((input) => (fidelity === undefined ? input : { ...input, fidelity }));
}

/** The claims of several runs of one experiment as one list: of each claim the first answer, where a run gave one. */
export function mergeAnswers(runs: readonly (readonly ClaimResult[])[]): ClaimResult[] {
  const [first = [], ...others] = runs;
  return first.map((claim) => {
    if (claim.verdict !== "not answered") return claim;
    const answers = others.flatMap((run) => run.filter(({ id }) => id === claim.id));
    return answers.find(({ verdict }) => verdict !== "not answered") ?? claim;
  });
}
