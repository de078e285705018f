/** Later kernels held against what was published of them: predictions with margins, written down before they ran. */
import { z } from "zod";
import type { Basis, Facts } from "../../facts/index.js";
import { hostRunDefaults, simulateIo } from "../../host/index.js";
import { lineFigure } from "../../plot/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { benchmark, cases, type HeldCase } from "./cases.js";

// Question: do the published measurements of later kernels look the same here?

const ids: readonly string[] = cases.map(({ id }) => id);
const Config = z.strictObject({
  predictions: z
    .array(z.enum(ids))
    .min(1)
    .default([...ids])
    .describe("predictions, by their name in data/judging/today.json"),
  seed: z.int().min(0).max(2_147_483_647).default(1).describe("the random streams"),
});

const Prediction = z.strictObject({
  id: z.string(),
  record: z.string(),
  quantity: z.string(),
  published: z.number(),
  low: z.number(),
  high: z.number(),
  seen: z.string().optional(),
});
const File = z.strictObject({ about: z.string(), written: z.iso.date(), predictions: z.array(Prediction) });
type Prediction = z.output<typeof Prediction>;

/** The predictions as they were written down. @throws Error naming the file and the field at fault */
function predictionsOf(facts: Facts): { written: string; predictions: Prediction[] } {
  const parsed = File.safeParse(facts.judging("today"));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/judging/today.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** One prediction. */
export interface HeldPoint {
  id: string;
  seed: number;
}

function simulate({ id, seed }: HeldPoint, { facts }: Basis) {
  const { runs, quantity, mechanism } = cases.find((one) => one.id === id) as HeldCase;
  const { written, predictions } = predictionsOf(facts);
  const prediction = predictions.find((one) => one.id === id);
  if (prediction === undefined) throw new Error(`data/judging/today.json: predictions: "${id}" is missing`);
  const { record, quantity: what, published, low, high, seen = "" } = prediction;
  const base = { ...hostRunDefaults(facts), staticMaps: 0, lock: "queued" as const, seed };
  const results = runs.map(({ machine, variant, cores, requests, load, change = {} }) =>
    simulateIo(
      { ...base, ...change, machine, variant, cores, warmup: Math.round(requests / 4), transactions: requests },
      { ...benchmark, ...load },
      facts,
    ),
  );
  const simulated = quantity(results);
  const hit = simulated >= low && simulated <= high;
  return [
    {
      prediction: id,
      record,
      quantity: what,
      published,
      low,
      high,
      simulated,
      verdict: hit ? ("hit" as const) : ("miss" as const),
      between: hit ? "" : mechanism,
      written,
      seen,
    },
  ];
}

/** A row of the table. */
export type HeldRow = ReturnType<typeof simulate>[number];

/** Predictions of published measurements, hits and misses in one table. */
export const held: Experiment<typeof Config, HeldPoint, HeldRow> = defineExperiment({
  name: "held",
  place: [8, 4],
  title: "Held against what was published",
  question: "Do the published measurements of later kernels look the same here?",
  config: Config,
  points: ({ predictions, seed }) => predictions.map((id): HeldPoint => ({ id, seed })),
  label: ({ id }) => id,
  simulate,
  columns: {
    prediction: { unit: "", description: "name in data/judging/today.json" },
    record: { unit: "", description: "published record" },
    quantity: { unit: "", description: "what is compared" },
    published: { unit: "", description: "published value" },
    low: { unit: "", description: "the margin's lower end" },
    high: { unit: "", description: "the margin's upper end" },
    simulated: { unit: "", description: "simulated value" },
    verdict: { unit: "", description: "within the margin, or not" },
    between: { unit: "", description: "of a miss: what may stand between the two (written after the run, not tested)" },
    written: { unit: "", description: "when the prediction was written" },
    seen: { unit: "", description: "what had been seen before that" },
  },
  figures: {
    ratio: (rows) =>
      lineFigure({
        title: "Simulated against published",
        caption:
          "Each point is a prediction, as a multiple of what was published; its bar is the margin that was written down before. Points outside of their bar are misses.",
        x: { title: "prediction", unit: "" },
        layout: {
          xaxis: {
            tickvals: rows.map((_, i) => i + 1),
            ticktext: rows.map(({ prediction }) => prediction),
            tickangle: -40,
          },
        },
        y: { title: "of the published value", unit: "%" },
        series: [
          {
            name: "margin",
            x: rows.map((_, i) => i + 1),
            y: rows.map(() => 100),
            low: rows.map(({ low, published }) => (100 * low) / published),
            high: rows.map(({ high, published }) => (100 * high) / published),
            mode: "markers",
          },
          {
            name: "simulated",
            x: rows.map((_, i) => i + 1),
            y: rows.map(({ simulated, published }) => (100 * simulated) / published),
            mode: "markers",
          },
        ],
      }),
  },
  claims: () => [],
});
