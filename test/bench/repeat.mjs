// Measuring until it is enough: what the benchmarks share. Times are CPU seconds of processes of their own, which other work on the machine
// lengthens less than it lengthens a clock's.
import { appendFileSync } from "node:fs";
import { availableParallelism, cpus, loadavg } from "node:os";

/** Student's t at 95 %, two-sided, by degrees of freedom. */
const t95 = [
  0, 12.71, 4.3, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26, 2.23, 2.2, 2.18, 2.16, 2.14, 2.13, 2.12, 2.11, 2.1, 2.09,
];

/** Mean and 95 % half-width of some values; of one value the width is not known. */
export function interval(values) {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  if (n < 2) return { mean, half: Number.POSITIVE_INFINITY, n };
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (n - 1);
  return { mean, half: (t95[n - 1] ?? 1.96 + 2.4 / (n - 1)) * Math.sqrt(variance / n), n };
}

/** The ratio of pairs measured in turns, b to a, with its 95 % interval: by their logarithms, as times are multiplied by what disturbs them. */
export function ratioOf(pairs) {
  const { mean, half, n } = interval(pairs.map(([a, b]) => Math.log(b / a)));
  return { ratio: Math.exp(mean), low: Math.exp(mean - half), high: Math.exp(mean + half), n };
}

/**
 * Calls `measure` until what `widthOf` makes of the values is narrow enough, or often enough.
 * @param measure gives a value
 * @param widthOf the interval's half-width as a share of its middle
 * @returns the values, and whether they are enough
 */
export async function repeat(measure, widthOf, { narrow = 0.03, least = 3, most = 15 } = {}) {
  const values = [];
  while (values.length < most) {
    values.push(await measure(values.length));
    // A measurement waits for its process without the event loop: let an interrupt arrive.
    await new Promise((resolve) => setImmediate(resolve));
    if (values.length >= least && widthOf(values) <= narrow) return { values, enough: true };
  }
  return { values, enough: false };
}

/** How many cores are busy now, by the processors' own counters over a while. */
export async function busyCores(ms = 1000) {
  const total = () =>
    cpus().reduce(
      ([busy, all], { times }) => {
        const sum = Object.values(times).reduce((a, b) => a + b, 0);
        return [busy + sum - times.idle, all + sum];
      },
      [0, 0],
    );
  const before = total();
  await new Promise((resolve) => setTimeout(resolve, ms));
  const after = total();
  return after[1] > before[1] ? (cpus().length * (after[0] - before[0])) / (after[1] - before[1]) : 0;
}

/** More than this share of the cores at work: times are not to be trusted, ratios of what was measured in turns are. */
const tooBusy = 0.15;

/**
 * What else the machine does. Only what is busy now counts: the load average tells of the last minute, and so of what has just ended (the set-up, the
 * benchmark before).
 */
export async function look() {
  const busy = await busyCores();
  return said(busy, loadavg()[0], availableParallelism());
}

/** That in words. */
export function said(busy, load, cores) {
  const text = `${busy.toFixed(1)} of ${cores} cores busy before it began; load average ${load.toFixed(1)}`;
  return { busy, load, cores, tooBusy: busy > tooBusy * cores, text };
}

/** Adds a line to the history of measurements. */
export function remember(line) {
  const file = new URL("./history.jsonl", import.meta.url);
  appendFileSync(
    file,
    `${JSON.stringify({ date: new Date().toISOString(), node: process.version, cpu: cpus()[0]?.model, ...line })}\n`,
  );
}
