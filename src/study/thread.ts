import type { ColumnTable } from "arquero";
import { kinds, type Row, tableOf, verdicts } from "../experiments/index.js";
import { evidence, type LedgerEntry, type RecordUse } from "./ledger.js";

/** Why a record of the thread is compared with nothing: it describes what a simulation takes as its input. */
export const threadContext: Readonly<Record<string, string>> = {
  S2: "tens of thousands are a setting of the simulated drivers (queues times ring), so that they cannot come out",
  S6: "describes the load; the simulated host runs it, so it cannot confirm it",
  S7: "250 is the length of Linux's flush table, which the simulation takes as it is; what the sentence says of batching is judged in lock-contention",
  S10: "a measured cost of one instruction; an input of the machine-check experiments",
  S11: "a measured cost of one instruction; an input of the machine-check experiments",
};

/** How many claims of each kind have which verdict; the last row is the sum. Calibrations are no part of it. */
export function ledgerCounts(entries: readonly LedgerEntry[]): ColumnTable {
  const all = evidence(entries);
  const shown = verdicts.filter((verdict) => verdict !== "calibration");
  const rowOf = (kind: string, own: readonly LedgerEntry[]): Row => ({
    kind,
    ...Object.fromEntries(shown.map((verdict) => [verdict, own.filter((entry) => entry.verdict === verdict).length])),
    claims: own.length,
  });
  const rows = kinds
    .filter((kind) => all.some((entry) => entry.kind === kind))
    .map((kind) =>
      rowOf(
        kind,
        all.filter((entry) => entry.kind === kind),
      ),
    );
  const column = (description: string) => ({ unit: "", description });
  return tableOf([...rows, rowOf("all", all)], {
    kind: column("what kind of statement it is"),
    ...Object.fromEntries(shown.map((verdict) => [verdict, column(`claims with the verdict "${verdict}"`)])),
    claims: column("claims in all"),
  });
}

/** The thread's own records, S1 to S11: what they are, how they are used, and which claims answer them, or why none does. */
export function threadTable(uses: readonly RecordUse[]): ColumnTable {
  const rows = uses
    .filter(({ record }) => record.topic === "thread")
    .map(({ record, comparedBy }) => ({
      record: record.id,
      quantity: record.quantity,
      use: record.use,
      "answered by": comparedBy.length > 0 ? comparedBy.join("; ") : (threadContext[record.id] ?? "nothing yet"),
    }));
  const column = (description: string) => ({ unit: "", description });
  return tableOf(rows, {
    record: column("id in data/published/thread.json"),
    quantity: column("what is given"),
    use: column("calibration, input, prediction or context"),
    "answered by": column("the claims that compare something with it, or why there is none"),
  });
}
