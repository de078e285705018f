import { ConfigError } from "../experiments/index.js";

/** The values that each field takes: a path ("cores", "link.generation") and its values. */
export type Space = Readonly<Record<string, readonly unknown[]>>;

/** A configuration of a sweep: its input, and the varied fields alone. */
export interface SpacePoint {
  input: Record<string, unknown>;
  varied: Record<string, unknown>;
}

/**
 * Every combination of the values, the last field varying fastest.
 * @param base what all have in common
 * @throws ConfigError for a field without values
 */
export function grid(space: Space, base: Readonly<Record<string, unknown>> = {}): SpacePoint[] {
  let points: Record<string, unknown>[] = [{}];
  for (const [path, values] of Object.entries(space)) {
    if (!Array.isArray(values) || values.length === 0)
      throw new ConfigError(`${path}: a list of one or more values; got ${JSON.stringify(values)}.`);
    points = points.flatMap((point) => values.map((value) => ({ ...point, [path]: value })));
  }
  return points.map((varied) => ({ input: withFields(base, varied), varied }));
}

/** A copy of an input with fields set by their paths. */
export function withFields(
  base: Readonly<Record<string, unknown>>,
  fields: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const input = structuredClone(base) as Record<string, unknown>;
  for (const [path, value] of Object.entries(fields)) {
    const keys = path.split(".");
    let place = input;
    for (const key of keys.slice(0, -1)) {
      if (typeof place[key] !== "object" || place[key] === null) place[key] = {};
      place = place[key] as Record<string, unknown>;
    }
    place[keys[keys.length - 1]] = value;
  }
  return input;
}
