import { ConfigError, setField } from "../experiments/index.js";

/** The values that each field takes: a path ("cores", "link.generation") and its values. */
export type Space = Readonly<Record<string, readonly unknown[]>>;

/** A configuration of a sweep: its input, and the varied fields alone. */
export interface SpacePoint {
  input: Record<string, unknown>;
  varied: Record<string, unknown>;
}

/** More configurations are asked for by mistake: at a second each, a million take a week and a half. */
export const mostConfigurations = 1_000_000;

/** How many combinations of the values there are, without making them. */
export function gridSize(space: Space): number {
  return Object.values(space).reduce((product, values) => product * values.length, 1);
}

/**
 * Every combination of the values, the last field varying fastest.
 * @param base what all have in common
 * @throws ConfigError for a field without values, and where there are more than a million combinations
 */
export function grid(space: Space, base: Readonly<Record<string, unknown>> = {}): SpacePoint[] {
  if (gridSize(space) > mostConfigurations)
    throw new ConfigError(`a grid of ${gridSize(space)} combinations; expected at most ${mostConfigurations}.`);
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
  for (const [path, value] of Object.entries(fields)) setField(input, path, value);
  return input;
}
