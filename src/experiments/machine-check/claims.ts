import { type AskedClaim, claimOn } from "../frame/claim.js";
import { mceClaims } from "./quotes.js";
import type { CaseRow } from "./rows.js";

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
export const claims: readonly AskedClaim<CaseRow>[] = [
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
