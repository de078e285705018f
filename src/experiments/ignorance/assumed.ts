import type { Facts } from "../../facts/index.js";
import { type Knob, knobs } from "../../host/index.js";
import { listName } from "../frame/knob-fields.js";
import type { AssumedRange } from "../frame/ranges.js";

/** A range that spans at least this factor is drawn on a scale of factors. */
const wide = 8;

/**
 * What a knob that nothing published fixes may be. Choices (the ends of its range and its default) are all as likely. A range is even, unless its higher end is eight times the
 * lower one or more, or it counts lines from none on: then each factor is as likely as the next. Shares are always even.
 */
function rangeOf({ accepts, unit, assumption, fallback }: Knob, facts: Facts): AssumedRange | undefined {
  if (!assumption) return undefined;
  if (accepts.kind === "boolean" || accepts.kind === "choice") {
    const [first, last] = assumption.range(facts);
    return { choices: [...new Set([first, fallback(facts) ?? first, last])] };
  }
  const [low, high] = assumption.range(facts).map(Number);
  const share = unit === "share" || unit === "%";
  const log = !share && (low > 0 ? high >= wide * low : unit === "lines");
  return { low, high, ...(accepts.kind === "whole" ? { whole: true } : {}), ...(log ? { shape: "log" as const } : {}) };
}

/**
 * Every assumption of the simulated host that nothing published fixes, by the field of a configuration, with the range that its knob or
 * data/workload gives it: what a design must draw, or say why not.
 * @public to whoever writes a design
 */
export function assumedSpace(facts: Facts): Record<string, AssumedRange> {
  return Object.fromEntries(
    knobs().flatMap((knob): [string, AssumedRange][] => {
      const range = rangeOf(knob, facts);
      return range === undefined ? [] : [[listName(knob.name), range]];
    }),
  );
}

/** What an assumption's values are counted in; a pure number or a choice where its knob has no unit. */
export function assumptionUnit(path: string): string {
  const knob = knobs().find(({ name }) => listName(name) === path);
  return knob?.unit || (knob?.accepts.kind === "choice" || knob?.accepts.kind === "boolean" ? "choice" : "number");
}

/** What an assumption is called in words, by the field of a configuration; the field itself where it has no knob. */
export function assumptionName(path: string): string {
  return knobs().find(({ name }) => listName(name) === path)?.assumption?.label ?? path;
}
