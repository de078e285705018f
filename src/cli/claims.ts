import type { Command } from "commander";
import { claimsText, experimentByName, experiments } from "../experiments/index.js";
import { type LedgerEntry, recordUses } from "../study/index.js";
import { computeLedger } from "../sweep/index.js";
import { UserError } from "./errors.js";
import { Progress } from "./progress.js";

interface ClaimsFlags {
  json?: boolean;
  only?: string;
  jobs?: string;
}

/** `iommu-lab claims`: every experiment at its defaults, and what it says about every claim. */
export function claimsCommand(program: Command): void {
  program
    .command("claims")
    .description("run the experiments at quick fidelity and print the claims ledger: every sentence and its verdict")
    .option("--only <names>", "only these experiments, separated by commas")
    .option("--json", "print the ledger, and how every published figure is used, as JSON")
    .option("--jobs <n>", "worker threads (default: one a core); the result is the same")
    .action(async (flags: ClaimsFlags) => {
      const jobs = flags.jobs === undefined ? undefined : Number(flags.jobs);
      if (jobs !== undefined && !(Number.isSafeInteger(jobs) && jobs >= 1 && jobs <= 256))
        throw new UserError(`--jobs: a whole number of workers from 1 to 256; got ${flags.jobs}.`);
      const chosen =
        flags.only === undefined ? experiments() : flags.only.split(",").map((name) => experimentByName(name.trim()));
      const interrupt = new AbortController();
      const onInterrupt = () => interrupt.abort(new UserError("Interrupted; nothing was printed."));
      process.once("SIGINT", onInterrupt);
      const progress = new Progress();
      let entries: LedgerEntry[];
      try {
        const options = { of: chosen, onProgress: progress.tell, signal: interrupt.signal };
        entries = (await computeLedger(jobs === undefined ? options : { ...options, jobs })).entries;
      } catch (error) {
        if (interrupt.signal.aborted) process.exitCode = 130;
        throw error;
      } finally {
        progress.end();
        process.removeListener("SIGINT", onInterrupt);
      }
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
  const verdicts = ["holds", "does not hold", "depends", "calibration", "not answered"] as const;
  parts.push(`${entries.length} claims: ${verdicts.map((verdict) => `${count(verdict)} ${verdict}`).join(", ")}.`);
  return `${parts.join("\n")}\n`;
}
