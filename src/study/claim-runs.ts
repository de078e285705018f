import type { AnyExperiment, ClaimResult } from "../experiments/index.js";

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
    { variants: ["deferred"], cores: [1, 16], coherent: [true, false] },
  ],
  "machine-latency": [{}, { host: "westmere-ep" }],
  "machine-transfer": [{}, { host: "westmere-ep" }, { host: "broadwell-ep" }],
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
  const byId = new Map<string, ClaimResult>();
  for (const claim of runs.flat()) {
    const before = byId.get(claim.id);
    if (!before || (before.verdict === "not answered" && claim.verdict !== "not answered")) byId.set(claim.id, claim);
  }
  return [...byId.values()];
}

/** A small piece of work that gives some claims, or some comparisons with published tables, their values. */
export interface ClaimRun {
  experiment: string;
  input: Record<string, unknown>;
}

const hosts = ["sandy-bridge-ep", "westmere-ep", "broadwell-ep"] as const;
/** Fewer runs a point than the ledger takes: an interval that is a little wider, at a third of the time. */
const sixteen = { cores: [16], replications: 3 };

/**
 * Pieces of work that between them give every claim with a simulated value that value, and every published table its comparison: the
 * cheapest first, in configurations as small as the claim allows. What depends on a figure is asked of these.
 */
export const claimRuns: readonly ClaimRun[] = [
  ...hosts.map((host) => ({ experiment: "machine-transfer", input: { host, rounds: 20 } })),
  ...hosts
    .slice(0, 2)
    .map((host) => ({ experiment: "machine-latency", input: { host, sizesKiB: [16, 128, 4096], remote: false } })),
  ...["hsw2", "ivb", "ivb-remote", "snb", "bdw", "hsw"].map((host) => ({
    experiment: "page-sizes",
    input: { parts: ["published"], hosts: [host] },
  })),
  {
    experiment: "page-sizes",
    input: { parts: ["thread"], dmaBytes: [512, 4096], windows: [17_179_869_184], devices: [1], tags: [256] },
  },
  { experiment: "lock-contention", input: { variants: ["off", "deferred"], ...sixteen } },
  { experiment: "machine-locks", input: {} },
  { experiment: "merged-nodes", input: { parts: ["structure"] } },
  { experiment: "lock-contention", input: { variants: ["strict", "deferred", "thread-deferred"], ...sixteen } },
  { experiment: "lock-contention", input: { variants: ["deferred"], ...sixteen, coherent: [true, false] } },
  { experiment: "lock-contention", input: { variants: ["deferred"], ...sixteen, ats: [false, true] } },
  {
    experiment: "lock-contention",
    input: { variants: ["off", "pass-through", "pools-4-lazy", "pools-16-lazy", "magazines-deferred"], ...sixteen },
  },
  { experiment: "merged-nodes", input: { parts: ["recovery"] } },
];
