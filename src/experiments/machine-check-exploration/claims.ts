import { type AskedClaim, claimOn } from "../frame/claim.js";
import { mceClaims } from "../machine-check/quotes.js";
import { type ExplorationRow, inGuest, inRoot } from "./rows.js";

const cell = (
  rows: readonly ExplorationRow[],
  rule: string,
  hostCr4: string,
  situation: string,
  property: string,
): ExplorationRow | undefined =>
  rows.find((r) => r.rule === rule && r.hostCr4 === hostCr4 && r.situation === situation && r.property === property);

const needs = "the rules, policies and situations that it speaks of";

export const claims: readonly AskedClaim<ExplorationRow>[] = [
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
