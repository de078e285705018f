import { hoverFormat } from "./axis.js";

/** Refuses a series whose lists do not belong together. */
export function sameLength(chart: string, name: string, lists: Record<string, readonly unknown[] | undefined>): void {
  const given = Object.entries(lists).filter((entry): entry is [string, readonly unknown[]] => entry[1] !== undefined);
  const [, first] = given[0];
  if (given.every(([, list]) => list.length === first.length)) return;
  const lengths = given.map(([key, list]) => `${list.length} ${key}`).join(", ");
  throw new Error(
    `${chart}: the series "${name}" has lists of different lengths (${lengths}); it needs one of each for every point.`,
  );
}

/** Plotly's error bars from the ends of the intervals; nothing without intervals. */
export function errorBars(
  values: readonly number[],
  low: readonly number[] | undefined,
  high: readonly number[] | undefined,
  color: string,
): Record<string, unknown> {
  if (!low || !high) return {};
  return {
    error_y: {
      type: "data",
      symmetric: false,
      array: high.map((end, i) => end - values[i]),
      arrayminus: low.map((end, i) => values[i] - end),
      thickness: 1.5,
      width: 4,
      color,
    },
  };
}

/** A hover text with the interval behind the value, where there is one. */
export function hoverInterval(
  low: readonly number[] | undefined,
  high: readonly number[] | undefined,
  text: string,
  name: string,
): Record<string, unknown> {
  const extra = `<extra>${name}</extra>`;
  if (!low || !high) return { hovertemplate: `${text}${extra}` };
  return {
    customdata: low.map((end, i) => [end, high[i]]),
    hovertemplate: `${text}<br>interval: %{customdata[0]:${hoverFormat}} to %{customdata[1]:${hoverFormat}}${extra}`,
  };
}
