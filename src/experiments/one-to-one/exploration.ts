import { z } from "zod";
import { type Exploration, explore } from "../../explore/index.js";
import { type Figure, heatmapFigure } from "../../plot/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { claimsOf } from "./claims.js";
import type { Range } from "./process.js";
import { oneToOnePropertyNames } from "./properties.js";
import { OneToOneModel } from "./system.js";
import { type OneToOneVariant, oneToOneVariant, oneToOneVariants } from "./variants.js";
import type { OneToOneSystem } from "./view.js";

// Question: can maps and unmaps of one page from several CPUs go without a lock, and what is each safeguard for?

/** How much happens in an exploration, by name. */
const bounds = {
  "2 CPUs, 2 pairs": { cpus: 2, pairs: 2, pages: 2, levels: 2 },
  "3 CPUs, 1 pair": { cpus: 3, pairs: 1, pages: 1, levels: 2 },
  "2 CPUs, 1 pair, 3 levels": { cpus: 2, pairs: 1, pages: 2, levels: 3 },
} as const;
type Bounds = keyof typeof bounds;
const boundNames = Object.keys(bounds) as [Bounds, ...Bounds[]];
const variantNames = oneToOneVariants.map(({ name }) => name) as [string, ...string[]];

/** What CPUs map: each of the pages; where the cleanup waits for an unmap that covers a table, one page or both at once. */
export function rangesFor(variant: OneToOneVariant, pages: number): Range[] {
  if (pages === 1) return [{ page: 0, pages: 1 }];
  return variant.cleanup === "covering"
    ? [
        { page: 0, pages: 1 },
        { page: 0, pages: 2 },
      ]
    : [
        { page: 0, pages: 1 },
        { page: 1, pages: 1 },
      ];
}

/**
 * Explores every state of a system: the same for the table, the command line and a notebook.
 * @throws Error naming a bound that is out of range
 */
export function exploreOneToOne(
  system: OneToOneSystem,
  onProgress?: (expanded: number, found: number) => boolean | undefined,
): Exploration {
  const model = new OneToOneModel(system);
  return explore(model, { properties: model.properties(), ...(onProgress ? { onProgress } : {}) });
}

const Config = z.strictObject({
  variant: z
    .array(z.enum(variantNames))
    .min(1)
    .default(variantNames)
    .describe("ways to do dynamic 1:1, right and broken"),
  bounds: z.array(z.enum(boundNames)).min(1).default(["2 CPUs, 2 pairs"]).describe("how much happens"),
});

/** One exploration. */
export interface OneToOnePoint {
  variant: string;
  bounds: Bounds;
}

/** The system of a point. */
export function oneToOneSystem({ variant, bounds: name }: OneToOnePoint): OneToOneSystem {
  const { cpus, pairs, pages, levels } = bounds[name];
  const found = oneToOneVariant(variant);
  return { variant: found, cpus, pairs, levels, ranges: rangesFor(found, pages) };
}

function simulate(point: OneToOnePoint) {
  const system = oneToOneSystem(point);
  const found = exploreOneToOne(system);
  return oneToOnePropertyNames.map((property) => {
    const trace = found.violations.find((violation) => violation.property === property)?.trace;
    return {
      variant: point.variant,
      right: system.variant.right,
      cleanup: system.variant.cleanup,
      bounds: point.bounds,
      property,
      holds: trace === undefined,
      steps: trace ? trace.length - 1 : null,
      states: found.states,
      transitions: found.transitions,
      complete: found.complete,
      counterexample: trace
        ? trace
            .slice(1)
            .map(({ action }) => action)
            .join(" → ")
        : "",
    };
  });
}

/** A row of the table. */
export type OneToOneRow = ReturnType<typeof simulate>[number];

const shortNames = [
  "reaches while mapped",
  "out of reach after",
  "CPUs: no freed table",
  "walker: no freed table",
  "nothing lost",
  "counts are right",
];

function figureOf(rows: readonly OneToOneRow[]): Figure {
  const names = [...new Set(rows.map((row) => row.variant))];
  const cell = (variant: string, property: string): OneToOneRow | undefined =>
    rows
      .filter((row) => row.variant === variant && row.property === property)
      .sort((a, b) => Number(b.steps ?? 0) - Number(a.steps ?? 0))[0];
  return heatmapFigure({
    title: "What each safeguard of dynamic 1:1 is for",
    caption:
      "Each row is an exploration of every reachable state. Where a property fails, the number is the length of the shortest way there. The rows at the bottom have every safeguard; each of the others lacks one.",
    x: { title: "property", unit: "" },
    y: { title: "variant", unit: "" },
    z: { title: "counterexample", unit: "1 there is one, 0 there is none" },
    verdicts: true,
    xValues: shortNames,
    yValues: names,
    zValues: names.map((name) =>
      oneToOnePropertyNames.map((property) => (cell(name, property)?.holds === false ? 1 : 0)),
    ),
    text: names.map((name) =>
      oneToOnePropertyNames.map((property) => {
        const row = cell(name, property);
        return row?.holds === false ? `${row.steps} steps` : "holds";
      }),
    ),
    layout: { height: 520 },
  });
}

/** Every way to do dynamic 1:1, right and broken, in every reachable state. */
export const oneToOneExploration: Experiment<typeof Config, OneToOnePoint, OneToOneRow> = defineExperiment({
  name: "one-to-one-exploration",
  place: [7, 1],
  title: "Dynamic 1:1 without a lock",
  question: "Which ways to map a page 1:1 from several CPUs without a lock are right in every reachable state?",
  config: Config,
  points: ({ variant, bounds: names }) =>
    names.flatMap((name) => variant.map((each): OneToOnePoint => ({ variant: each, bounds: name }))),
  label: ({ variant, bounds: name }) => `${variant}, ${name}`,
  simulate,
  columns: {
    variant: { unit: "", description: "way to do dynamic 1:1" },
    right: { unit: "", description: "it has every safeguard" },
    cleanup: { unit: "", description: "what becomes of empty tables" },
    bounds: { unit: "", description: "how much happens" },
    property: { unit: "", description: "what should hold in every reachable state" },
    holds: { unit: "", description: "it does" },
    steps: { unit: "steps", description: "length of the shortest counterexample" },
    states: { unit: "states", description: "reachable states" },
    transitions: { unit: "transitions", description: "steps between them" },
    complete: { unit: "", description: "every reachable state was visited" },
    counterexample: { unit: "", description: "the shortest one, action by action" },
  },
  figures: { properties: figureOf },
  claims: (rows, _, facts) => claimsOf(rows, facts),
});
