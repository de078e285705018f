import { z } from "zod";
import { type Exploration, explore } from "../../explore/index.js";
import { machineCheckModel, machineCheckProperties, rules, type SystemConfig, simpleSystem } from "../../kvm/index.js";
import { type Figure, heatmapFigure } from "../../plot/index.js";
import { type AskedClaim, askAll, claimOn } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { mceClaims } from "./claims.js";
import { columnTicks, rowTicks } from "./labels.js";

// Question: which promises hold in every reachable state, and what is the shortest way to break the others?

const ruleNames = rules.map(({ name }) => name) as [string, ...string[]];

/** What may happen in a situation, besides guests that write CR4 and machine checks anywhere. */
const situations: Readonly<Record<string, Partial<SystemConfig>>> = {
  "nothing changes": { startWith: "on" },
  "guests move, CPUs agree": { startWith: "on", migrations: true },
  "CPUs differ, guests move": { startWith: "any", migrations: true },
  "host turns MCE on or off": { startWith: "any", hostChanges: true },
  "all of it": { startWith: "any", migrations: true, hostChanges: true },
};
const situationNames = Object.keys(situations) as [string, ...string[]];

const Config = z.strictObject({
  rule: z.array(z.enum(ruleNames)).min(1).default(ruleNames).describe("rules for the guest's hardware CR4"),
  hostCr4: z
    .array(z.enum(["refreshed", "constant"]))
    .min(1)
    .default(["refreshed", "constant"])
    .describe("the VMCS's host CR4: refreshed at each entry, or constant since the vCPU was created"),
  situation: z.array(z.enum(situationNames)).min(1).default(situationNames).describe("what may happen"),
  cpus: z.int().min(1).max(4).default(2).describe("physical CPUs, 1 to 4"),
  vcpus: z.int().min(1).max(3).default(2).describe("vCPUs, 1 to 3"),
  machineChecks: z.int().min(0).max(3).default(1).describe("machine checks in all, 0 to 3"),
  broadcast: z.boolean().default(false).describe("a machine check reaches every CPU at once"),
});

/** One exploration. */
export interface ExplorationPoint {
  situation: string;
  system: SystemConfig;
}

/** The system of a point, ready to explore: the same for the table, the command line and a notebook. */
export function exploreSystem(
  system: SystemConfig,
  onProgress?: (expanded: number, found: number) => boolean | undefined,
): Exploration {
  return explore(machineCheckModel(system), {
    properties: machineCheckProperties(system),
    ...(onProgress ? { onProgress } : {}),
  });
}

function simulate({ situation, system }: ExplorationPoint) {
  const found = exploreSystem(system);
  return machineCheckProperties(system).map(({ name }) => {
    const trace = found.violations.find(({ property }) => property === name)?.trace;
    return {
      rule: system.rule,
      hostCr4: system.hostCr4,
      situation,
      property: name,
      holds: trace === undefined,
      steps: trace ? trace.length - 1 : null,
      states: found.states,
      complete: found.complete,
      counterexample: trace
        ? trace
            .map(({ action }) => action)
            .filter((action) => action !== "")
            .join(" → ")
        : "",
    };
  });
}

/** A row of the table. */
export type ExplorationRow = ReturnType<typeof simulate>[number];

const inGuest = "no machine check in guest mode shuts the host down while the host has MCE on";
const inRoot = "no machine check in root mode shuts the host down while the host has MCE on";

function figureFor(rows: readonly ExplorationRow[], property: string, title: string, caption: string): Figure {
  const mine = rows.filter((row) => row.property === property);
  const policies = [...new Set(mine.map((row) => `${row.rule}, host CR4 ${row.hostCr4}`))];
  const situations = [...new Set(mine.map((row) => row.situation))];
  const at = (situation: string, policy: string): ExplorationRow | undefined =>
    mine.find((row) => row.situation === situation && `${row.rule}, host CR4 ${row.hostCr4}` === policy);
  return heatmapFigure({
    title,
    caption,
    x: { title: "what may happen", unit: "" },
    y: { title: "rule and host-CR4 policy", unit: "" },
    z: { title: "counterexample", unit: "" },
    hover: policies.map((policy) =>
      situations.map((situation) => {
        const row = at(situation, policy);
        if (!row) return "not explored";
        return row.holds ? "no way leads to the host's death" : `the host dies, in ${row.steps} steps`;
      }),
    ),
    verdicts: true,
    xValues: situations,
    yValues: policies,
    zValues: policies.map((policy) => situations.map((situation) => (at(situation, policy)?.holds ? 0 : 1))),
    text: policies.map((policy) =>
      situations.map((situation) => {
        const row = at(situation, policy);
        return row?.holds ? "safe" : `${row?.steps} steps`;
      }),
    ),
    layout: {
      yaxis: rowTicks(policies, 18),
      xaxis: columnTicks(situations),
      height: 430,
    },
  });
}

const cell = (
  rows: readonly ExplorationRow[],
  rule: string,
  hostCr4: string,
  situation: string,
  property: string,
): ExplorationRow | undefined =>
  rows.find((r) => r.rule === rule && r.hostCr4 === hostCr4 && r.situation === situation && r.property === property);
const needs = "the rules, policies and situations that it speaks of";

const claims: readonly AskedClaim<ExplorationRow>[] = [
  claimOn<ExplorationRow>()({
    ...mceClaims["mce-cached"],
    needs,
    judge(rows) {
      const constant = cell(rows, "shadow", "constant", "host turns MCE on or off", inRoot);
      const refreshed = cell(rows, "shadow", "refreshed", "host turns MCE on or off", inRoot);
      if (!constant || !refreshed) return undefined;
      return {
        verdict: !constant.holds && refreshed.holds ? "depends" : constant.holds ? "does not hold" : "holds",
        numbers: { steps: constant.steps },
      };
    },
    say: ({ steps }) => ({
      explanation: `On how the host CR4 in the VMCS is kept. Constant since creation: a counterexample of ${steps} steps. Refreshed at each entry (Linux d974baa398f3, October 2014): none. That half of the caveat was closed when the mail was written.`,
    }),
  }),
  claimOn<ExplorationRow>()({
    ...mceClaims["mce-broken"],
    needs,
    judge(rows) {
      const changed = cell(rows, "shadow", "refreshed", "host turns MCE on or off", inGuest);
      const differ = cell(rows, "shadow", "refreshed", "CPUs differ, guests move", inGuest);
      const every = cell(rows, "every-entry", "refreshed", "all of it", inGuest);
      if (!changed || !differ || !every) return undefined;
      return {
        verdict: changed.holds || differ.holds ? "does not hold" : every.holds ? "depends" : "holds",
        numbers: { changed: changed.steps, differ: differ.steps },
      };
    },
    say: ({ changed, differ }) => ({
      explanation: `It holds for the patch, in both versions: ${changed} steps are enough when the host changes its MCE, ${differ} when the CPUs differ, because the guest's CR4 in the VMCS is computed only when the guest's CR4 is set. Computed at every entry, no reachable state breaks.`,
    }),
  }),
];

/** Every promise about CR4.MCE, checked in every reachable state of small systems. */
export const machineCheckExploration: Experiment<typeof Config, ExplorationPoint, ExplorationRow> = defineExperiment({
  name: "machine-check-exploration",
  title: "What each version of the patch covers",
  question: "Which promises about CR4.MCE hold in every reachable state, and how are the others broken?",
  config: Config,
  points: ({ rule, hostCr4, situation, cpus, vcpus, machineChecks, broadcast }) =>
    rule.flatMap((name) =>
      hostCr4.flatMap((policy) =>
        situation.map((what) => ({
          situation: what,
          system: {
            ...simpleSystem,
            cpus,
            vcpus,
            machineChecks,
            broadcast,
            rule: name,
            hostCr4: policy,
            ...situations[what],
          },
        })),
      ),
    ),
  label: ({ situation, system }) => `${system.rule}, host CR4 ${system.hostCr4}, ${situation}`,
  simulate,
  columns: {
    rule: { unit: "", description: "rule for the guest's hardware CR4" },
    hostCr4: { unit: "", description: "how the VMCS's host CR4 is kept" },
    situation: { unit: "", description: "what may happen, besides guest writes and machine checks" },
    property: { unit: "", description: "what should hold in every reachable state" },
    holds: { unit: "", description: "it does" },
    steps: { unit: "steps", description: "length of the shortest counterexample" },
    states: { unit: "states", description: "classes of reachable states" },
    complete: { unit: "", description: "every reachable state was visited" },
    counterexample: { unit: "", description: "the shortest one, action by action" },
  },
  figures: {
    "guest-mode": (rows) =>
      figureFor(
        rows,
        inGuest,
        "Can a machine check in guest mode kill a host that has MCE on?",
        "Each cell is an exploration of every reachable state. Where it is not safe, the number is the length of the shortest way to lose the host.",
      ),
    "root-mode": (rows) =>
      figureFor(
        rows,
        inRoot,
        "Can the host lose its own MCE to a VM exit?",
        "VM exit loads the host CR4 that the VMCS holds. Where that is constant since the vCPU's creation, a later change is undone by the next exit.",
      ),
  },
  claims: (rows, _, facts) => askAll(claims, rows, { facts, experiment: "machine-check-exploration" }),
});
