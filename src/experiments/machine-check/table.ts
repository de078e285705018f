import { z } from "zod";
import {
  decideMachineCheck,
  kvmExceptionBitmap,
  MCE,
  PAE,
  phases,
  playScenario,
  rules,
  type SystemConfig,
  simpleSystem,
  stepsToPhase,
  VMXE,
} from "../../kvm/index.js";
import { type Figure, heatmapFigure } from "../../plot/index.js";
import { type AskedClaim, askAll, claimOn } from "../frame/claim.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { mceClaims } from "./claims.js";
import { columnTicks, rowTicks } from "./labels.js";

// Question: who dies when a machine check lands, for each rule, each setting of the bit and each phase?

const ruleNames = rules.map(({ name }) => name) as [string, ...string[]];
const bit = z.union([z.literal(0), z.literal(1)]);

const Config = z.strictObject({
  rule: z
    .array(z.enum(ruleNames))
    .min(1)
    .default(ruleNames)
    .describe("rules for the CR4 that hardware runs the guest with"),
  hostMce: z.array(bit).min(1).default([1, 0]).describe("CR4.MCE of the host, 0 or 1"),
  guestMce: z.array(bit).min(1).default([0, 1]).describe("what the guest wrote to CR4.MCE, 0 or 1"),
});

/** One guest under one rule: what the table's rows are computed for. */
export interface TablePoint {
  rule: string;
  hostMce: 0 | 1;
  guestMce: 0 | 1;
}

const cr4 = (mce: number): number => PAE | VMXE | (mce ? MCE : 0);

/** Plays the system to each phase and asks the processor what it may do with a machine check there. */
function simulate({ rule, hostMce, guestMce }: TablePoint) {
  const config: SystemConfig = { ...simpleSystem, rule, startWith: hostMce ? "on" : "off" };
  return phases.map((phase, i) => {
    const state = playScenario(config, stepsToPhase(i, guestMce)).at(-1)?.state;
    if (!state) throw new Error("a scenario has at least its initial state");
    const [cpu] = state.cpus;
    const [guest] = state.vcpus;
    const decisions = decideMachineCheck({
      phase: cpu.phase,
      hostCr4: cr4(cpu.live),
      guestCr4: cr4(guest.hardware),
      exceptionBitmap: kvmExceptionBitmap,
    });
    const deaths = decisions.filter(({ outcome }) => outcome === "shutdown").length;
    return {
      rule,
      hostMce,
      guestMce,
      phase,
      hardwareMce: guest.hardware,
      guestReads: guest.reads,
      outcome: decisions.map(({ outcome }) => outcome).join(" or "),
      decidedBy: decisions[0].decidedBy,
      hostDies: deaths === 0 ? "no" : deaths === decisions.length ? "yes" : "may",
    };
  });
}

/** A row of the table. */
export type CaseRow = ReturnType<typeof simulate>[number];

function deathMap(rows: readonly CaseRow[], hostMce: number): Figure {
  const cells = rows.filter((row) => row.hostMce === hostMce);
  const columns = [...new Set(cells.map((row) => `${row.rule}, guest ${row.guestMce}`))];
  const at = (phase: string, column: string): CaseRow | undefined =>
    cells.find((row) => row.phase === phase && `${row.rule}, guest ${row.guestMce}` === column);
  const score: Record<string, number> = { no: 0, may: 0.5, yes: 1 };
  const fates: Record<string, string> = { no: "lives", may: "may die", yes: "dies" };
  return heatmapFigure({
    title: `Does a machine check kill the host? Host CR4.MCE = ${hostMce}`,
    caption:
      "Columns: the rule for the guest's hardware CR4, and what the guest wrote to CR4.MCE. Rows: where the processor is when the machine check lands. Where it says may, the manual leaves the processor the choice between a death and a failed VM entry.",
    x: { title: "rule, and guest CR4.MCE", unit: "" },
    y: { title: "phase", unit: "" },
    z: { title: "host dies", unit: "" },
    hover: phases.map((phase) =>
      columns.map((column) => {
        const row = at(phase, column);
        return row ? `the host ${fates[row.hostDies]}<br>${row.outcome}, decided by ${row.decidedBy}` : "not run";
      }),
    ),
    verdicts: true,
    xValues: columns,
    yValues: [...phases],
    zValues: phases.map((phase) => columns.map((column) => score[String(at(phase, column)?.hostDies)] ?? null)),
    text: phases.map((phase) => columns.map((column) => String(at(phase, column)?.hostDies ?? ""))),
    layout: {
      yaxis: rowTicks(phases, 14),
      xaxis: columnTicks(columns),
      height: 430,
    },
  });
}

/** A claim about some cells of the table: it holds where every one of them is as it says. */
const claimAbout = (
  id: string,
  cellsOf: (rows: readonly CaseRow[]) => (CaseRow | undefined)[],
  test: (row: CaseRow) => boolean,
  explanation: (outcome: string) => string,
): AskedClaim<CaseRow> =>
  claimOn<CaseRow>()({
    ...mceClaims[id],
    needs: "the rules and settings that it speaks of",
    judge(rows) {
      const cells = cellsOf(rows);
      const found = cells.filter((row) => row !== undefined);
      if (found.length === 0 || found.length < cells.length) return undefined;
      return { verdict: found.every(test) ? "holds" : "does not hold", numbers: { outcome: found[0].outcome } };
    },
    say: ({ outcome }) => ({ explanation: explanation(outcome) }),
  });

const cell = (rows: readonly CaseRow[], rule: string, guestMce: number): CaseRow | undefined =>
  rows.find((r) => r.rule === rule && r.hostMce === 1 && r.guestMce === guestMce && r.phase === "guest");

/** The claims of the mails that the table answers. */
const claims: readonly AskedClaim<CaseRow>[] = [
  claimAbout(
    "mce-zeroed",
    (rows) => [cell(rows, "before", 0)],
    (row) => row.hardwareMce === 0,
    () =>
      "Before the patch the hardware CR4 of a guest that never set MCE has it clear, with the host's set. It is the guest's own value, which reset makes 0.",
  ),
  claimAbout(
    "mce-guest-0",
    (rows) => [cell(rows, "before", 0)],
    (row) => row.hostDies === "yes",
    (outcome) => `A machine check in the guest: ${outcome}.`,
  ),
  claimAbout(
    "mce-guest-1",
    (rows) => [cell(rows, "before", 1)],
    (row) => row.outcome === "vm exit",
    (outcome) => `A machine check in the guest: ${outcome}.`,
  ),
  claimAbout(
    "mce-after",
    (rows) => ["live-read", "shadow"].flatMap((rule) => [cell(rows, rule, 0), cell(rows, rule, 1)]),
    (row) => row.outcome === "vm exit",
    () =>
      "In both versions of the patch a machine check in the guest causes a VM exit, whatever the guest wrote, as long as the host's own MCE is set and has not changed since.",
  ),
  claimAbout(
    "mce-shadows",
    (rows) => rows.filter((row) => row.phase === "guest"),
    (row) => row.guestReads === row.guestMce,
    () => "Under every rule the guest reads back what it wrote, also where the hardware holds the other value.",
  ),
];

/** Who dies when a machine check lands: every rule, every setting of the bit, every phase. */
export const machineCheck: Experiment<typeof Config, TablePoint, CaseRow> = defineExperiment({
  name: "machine-check",
  title: "The CR4.MCE crash",
  question: "When a machine check lands while a guest runs, does the host live?",
  config: Config,
  points: ({ rule, hostMce, guestMce }) =>
    rule.flatMap((name) =>
      hostMce.flatMap((host) => guestMce.map((guest) => ({ rule: name, hostMce: host, guestMce: guest }))),
    ),
  label: ({ rule, hostMce, guestMce }) => `${rule}, host ${hostMce}, guest ${guestMce}`,
  simulate,
  columns: {
    rule: { unit: "", description: "rule for the CR4 that hardware runs the guest with" },
    hostMce: { unit: "", description: "CR4.MCE of the host" },
    guestMce: { unit: "", description: "what the guest wrote to CR4.MCE" },
    phase: { unit: "", description: "where the processor is when the machine check lands" },
    hardwareMce: { unit: "", description: "MCE in the VMCS's guest CR4" },
    guestReads: { unit: "", description: "what the guest reads" },
    outcome: { unit: "", description: "what the processor may do" },
    decidedBy: { unit: "", description: "the register that decides" },
    hostDies: { unit: "", description: "no, may or yes" },
  },
  figures: {
    "host-on": (rows) => deathMap(rows, 1),
    "host-off": (rows) => deathMap(rows, 0),
  },
  claims: (rows, _, facts) => askAll(claims, rows, { facts, experiment: "machine-check" }),
});
