import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import type { ClaimResult } from "../frame/claim.js";
import { type Draw, type Margin, verdictOf } from "../frame/verdict.js";
import { priorText } from "../ignorance/words.js";
import type { SiliconRow } from "./rows.js";

const MarginOf = z.strictObject({
  share: z.number().min(0).max(1),
  atLeast: z.number().min(0),
  unit: z.string().min(1),
  reason: z.string().min(16),
});
const File = z.strictObject({
  about: z.string().min(1),
  written: z.iso.date(),
  seen: z.string().min(1),
  margins: z.strictObject({ throughput: MarginOf, spinning: MarginOf }),
});

/** The margins as they were written down. @throws Error naming the file and the field at fault */
function written(facts: Facts): z.output<typeof File> {
  const parsed = File.safeParse(facts.judging("silicon"));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/judging/silicon.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** Where a prediction must lie: the spread of the windows, and a share of its ends to either side, or so many units where that is more. */
function marginOf({ share, atLeast }: z.output<typeof MarginOf>, low: number, high: number): Margin {
  const wider = (end: number): number => Math.max(share * end, atLeast);
  return { low: low - wider(low), high: high + wider(high) };
}

/** A quantity of a run: what was measured, and what the model says at its defaults and in a draw. */
interface Quantity {
  name: "throughput" | "spinning";
  measured(row: SiliconRow): { low: number; high: number };
  predicted(row: SiliconRow): { mean: number; low: number; high: number };
  quote(row: SiliconRow): string;
}

const cores = (n: number): string => (n === 1 ? "one core" : `${n} cores`);

const quantities: readonly Quantity[] = [
  {
    name: "throughput",
    measured: (row) => ({ low: row.measuredLow, high: row.measuredHigh }),
    predicted: (row) => ({ mean: row.predicted, low: row.predictedLow, high: row.predictedHigh }),
    quote: (row) =>
      `${row.variant} on ${cores(row.cores)}: ${Math.round(row.measured).toLocaleString("en")} transactions a second`,
  },
  {
    name: "spinning",
    measured: (row) => ({ low: row.measuredSpinningLow, high: row.measuredSpinningHigh }),
    predicted: (row) => ({ mean: row.spinning, low: row.spinningLow, high: row.spinningHigh }),
    quote: (row) =>
      `${row.variant} on ${cores(row.cores)}: ${row.measuredSpinning.toFixed(1)} % of the time waiting for locks`,
  },
];

/** How far another seed moves a single run: its interval over the seeds of the defaults, for one run instead of their mean. */
function errorOf(
  { mean, low, high }: { mean: number; low: number; high: number },
  replications: number,
  value: number,
): number {
  const single = ((high - low) / 2) * Math.sqrt(replications);
  return mean > 0 ? (single / mean) * value : single;
}

/**
 * A prediction for every run that is judged: each way of mapping with queued locks under the heavier load, alone and on all cores. The rule is
 * that of the other predicted numbers, over draws of what was not measured.
 */
export function claims(rows: readonly SiliconRow[], replications: number, facts: Facts): ClaimResult[] {
  const judged = rows.filter((row) => row.draw === 0 && rows.some((other) => other.draw > 0 && isOf(other, row)));
  if (judged.length === 0) return [];
  const { margins, written: date } = written(facts);
  return judged.flatMap((row) =>
    quantities
      // Alone nobody waits.
      .filter(({ name }) => name === "throughput" || (row.cores > 1 && row.variant !== "off"))
      .map((quantity): ClaimResult => {
        const { name } = quantity;
        const margin = margins[name];
        const source = `data/observations/silicon-${row.machine}.json`;
        const about = {
          id: `${row.machine}: ${row.variant}, ${name}, ${cores(row.cores)}`,
          source,
          kind: "predicted number" as const,
        };
        const simulated = { ...quantity.predicted(row), n: replications, level: 0.95, unit: margin.unit };
        if (row.windows === 0)
          return {
            ...about,
            quote: `${row.variant} on ${cores(row.cores)}`,
            simulated,
            verdict: "not answered",
            explanation:
              "While this run was recorded, others had the cores nearly all the time: there is nothing to compare with.",
          };
        const measured = quantity.measured(row);
        const ends = marginOf(margin, measured.low, measured.high);
        const draws = rows
          .filter((other) => other.draw > 0 && isOf(other, row))
          .map((other): Draw => {
            const value = quantity.predicted(other).mean;
            return { value, error: errorOf(simulated, replications, value) };
          });
        const prior = {
          ...verdictOf(draws, ends),
          margin: { ...ends, unit: margin.unit, reason: margin.reason, date },
          design: "silicon",
          drawn: draws.length,
        };
        return {
          ...about,
          quote: quantity.quote(row),
          published: { ...measured, unit: margin.unit },
          simulated,
          prior,
          verdict: prior.verdict,
          explanation: priorText(prior),
        };
      }),
  );
}

const isOf = (draw: SiliconRow, row: SiliconRow): boolean =>
  draw.machine === row.machine &&
  draw.variant === row.variant &&
  draw.lock === row.lock &&
  draw.workNs === row.workNs &&
  draw.cores === row.cores;
