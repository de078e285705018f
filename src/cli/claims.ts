import type { Command } from "commander";
import { claimsText, experimentByName, experiments, verdicts } from "../experiments/index.js";
import { type LedgerEntry, recordUses } from "../study/index.js";
import { computeLedger } from "../sweep/index.js";
import { interruptible } from "./interrupt.js";
import { jobsOf, withJobs } from "./options.js";
import { Progress } from "./progress.js";

interface ClaimsFlags {
  json?: boolean;
  only?: string;
  jobs?: number;
}

/** `iommu-lab claims`: every experiment at its defaults, and what it says about every claim. */
export function claimsCommand(program: Command): void {
  withJobs(program.command("claims"))
    .description("run the experiments at quick fidelity and print the claims ledger: every sentence and its verdict")
    .option("--only <names>", "only these experiments, separated by commas")
    .option("--json", "print the ledger, and how every published figure is used, as JSON")
    .action(async (flags: ClaimsFlags) => {
      const chosen =
        flags.only === undefined ? experiments() : flags.only.split(",").map((name) => experimentByName(name.trim()));
      const progress = new Progress();
      const { entries } = await interruptible("Interrupted; nothing was printed.", (signal) =>
        computeLedger({ of: chosen, onProgress: progress.tell, signal, ...jobsOf(flags) }),
      ).finally(() => progress.end());
      process.stdout.write(flags.json ? ledgerJson(entries) : ledgerText(entries));
    });
}

/** The ledger and the use of every published figure, as JSON. */
export function ledgerJson(entries: readonly LedgerEntry[]): string {
  const figures = recordUses(entries).map(({ record, comparedBy, namedBy }) => ({
    id: record.id,
    quantity: record.quantity,
    use: record.use,
    confidence: record.confidence,
    source: record.source,
    comparedBy,
    namedBy,
  }));
  return `${JSON.stringify({ claims: entries, figures }, null, 2)}\n`;
}

/** The ledger for a terminal. */
export function ledgerText(entries: readonly LedgerEntry[]): string {
  const parts: string[] = [];
  for (const name of new Set(entries.map(({ experiment }) => experiment))) {
    const own = entries.filter(({ experiment }) => experiment === name);
    parts.push(`${name}\n${"-".repeat(name.length)}\n${claimsText(own)}\n`);
  }
  const count = (verdict: LedgerEntry["verdict"]): number =>
    entries.filter((entry) => entry.verdict === verdict).length;
  parts.push(`${entries.length} claims: ${verdicts.map((verdict) => `${count(verdict)} ${verdict}`).join(", ")}.`);
  return `${parts.join("\n")}\n`;
}
