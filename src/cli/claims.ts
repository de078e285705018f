import type { Command } from "commander";
import { claimsText, experimentByName, experiments, kinds, verdicts } from "../experiments/index.js";
import { type LedgerEntry, predictedCount, predictedNumbers, recordUses } from "../study/index.js";
import { type ComputedLedger, computeLedger, userPoints } from "../sweep/index.js";
import { interruptible } from "./interrupt.js";
import { jobsOf, withFresh, withJobs } from "./options.js";
import { Progress } from "./progress.js";

interface ClaimsFlags {
  json?: boolean;
  only?: string;
  jobs?: number;
  fresh?: boolean;
}

/** `iommu-lab claims`: every experiment at its defaults, and what it says about every claim. */
export function claimsCommand(program: Command): void {
  withFresh(withJobs(program.command("claims")))
    .description("run the experiments at quick fidelity and print the claims ledger: every sentence and its verdict")
    .option("--only <names>", "only these experiments, separated by commas")
    .option("--json", "print the ledger, and how every published record is used, as JSON")
    .action(async (flags: ClaimsFlags) => {
      const chosen =
        flags.only === undefined ? experiments() : flags.only.split(",").map((name) => experimentByName(name.trim()));
      const progress = new Progress();
      const computed = await interruptible("Interrupted; nothing was printed.", (signal) =>
        computeLedger({ of: chosen, onProgress: progress.tell, signal, store: userPoints(flags), ...jobsOf(flags) }),
      ).finally(() => progress.end());
      process.stdout.write(flags.json ? ledgerJson(computed) : ledgerText(computed));
    });
}

type Lists = Pick<ComputedLedger, "entries" | "calibrations">;

/** The ledger and the use of every published record, as JSON. */
export function ledgerJson({ entries, calibrations }: Lists): string {
  const figures = recordUses([...entries, ...calibrations]).map(({ record, comparedBy, namedBy }) => ({
    id: record.id,
    quantity: record.quantity,
    use: record.use,
    confidence: record.confidence,
    source: record.source,
    comparedBy,
    namedBy,
  }));
  return `${JSON.stringify({ claims: entries, calibrations, figures }, null, 2)}\n`;
}

/** The ledger for a terminal: the claims by experiment, how many of each kind have which verdict, and the calibrations apart. */
export function ledgerText({ entries, calibrations }: Lists): string {
  const parts: string[] = [];
  for (const name of new Set(entries.map(({ experiment }) => experiment))) {
    const own = entries.filter(({ experiment }) => experiment === name);
    parts.push(`${name}\n${"-".repeat(name.length)}\n${claimsText(own)}\n`);
  }
  if (calibrations.length > 0)
    parts.push(`calibrations, no part of any count\n${"-".repeat(34)}\n${claimsText(calibrations)}\n`);
  const counts = (own: readonly LedgerEntry[]): string =>
    verdicts
      .map((verdict) => ({ verdict, n: own.filter((entry) => entry.verdict === verdict).length }))
      .filter(({ n }) => n > 0)
      .map(({ verdict, n }) => `${n} ${verdict}`)
      .join(", ");
  for (const kind of kinds) {
    const own = entries.filter((entry) => entry.kind === kind);
    if (own.length > 0) parts.push(`${kind}: ${own.length} (${counts(own)})`);
  }
  const predicted = predictedNumbers(entries);
  if (predicted.length > 0) parts.push(predictedCount(predicted));
  parts.push(`${entries.length} claims: ${counts(entries)}.`);
  return `${parts.join("\n")}\n`;
}
