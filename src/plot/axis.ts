import ln from "@stdlib/math-base-special-ln";

/** An axis: what it measures, in which unit, and how it is scaled. */
export interface Axis {
  /** What is measured, in words: "throughput". */
  title: string;
  /** The unit, as it stands behind the title in brackets; an empty string for a pure number or a category. */
  unit: string;
  /** Logarithmic scale. */
  log?: boolean;
  /** Where a logarithmic axis shows values of zero: at its foot, with a tick that says "none". */
  none?: number;
  /** Lowest and highest value shown, in the axis's unit. */
  range?: [number, number];
}

/** The title of an axis with its unit in brackets; "receive buffers" in buffers has said it. */
export function axisTitle({ title, unit }: Axis): string {
  return unit === "" || title.split(" ").includes(unit) ? title : `${title} (${unit})`;
}

/** The decimal logarithm. */
export function log10(value: number): number {
  return ln(value) / ln(10);
}

/** Five significant digits with thousands apart, never an exponent: d3-format's notation, for hover texts. */
export const hoverFormat = ",.5~r";

/** One value in a hover text: "throughput: 12.5 Gb/s". */
export function hoverValue(axis: Axis, placeholder: string): string {
  return `${axis.title}: ${placeholder}${axis.unit === "" ? "" : ` ${axis.unit}`}`;
}

const isPowerOfTwo = (value: number) => {
  if (!(value >= 1) || !Number.isInteger(value)) return false;
  let rest = value;
  while (rest % 2 === 0) rest /= 2;
  return rest === 1;
};

/** Ticks at these values, and no others. */
const ticksAt = (values: readonly number[]): Record<string, unknown> => ({
  tickmode: "array",
  tickvals: [...values],
  ticktext: values.map(grouped),
});

/** Values along an axis are this far apart, as a factor, where each has room for its label. */
const apart = 1.4;

/** Labels within one power of ten, where plotly would count 60, 80, 100, 120 ... 220 into each other's way. */
function ticksWithinADecade(smallest: number, largest: number): readonly number[] {
  const found: number[] = [];
  let unit = 1;
  while (unit > smallest) unit /= 10;
  while (unit * 10 <= smallest) unit *= 10;
  for (const decade of [unit, 10 * unit])
    for (const digits of [1, 1.5, 2, 3, 5, 7]) {
      const tick = Number((digits * decade).toPrecision(2));
      if (tick >= smallest / apart && tick <= largest * apart) found.push(tick);
    }
  return found;
}

/**
 * Ticks of a logarithmic axis: counts that double (cores, entries) and a few places get one at each value, others labels at 1, 2 and 5, and
 * over more than three powers of ten at these alone.
 * @param few whether the values are places that were chosen, and no measured heights
 */
function logTicks(values: readonly number[], few: boolean): Record<string, unknown> {
  const distinct = [...new Set(values)].filter((value) => Number.isFinite(value) && value > 0).sort((a, b) => a - b);
  if (distinct.length > 1 && distinct.length <= 12 && distinct.every(isPowerOfTwo)) {
    return { tickmode: "array", tickvals: distinct, ticktext: distinct.map((value) => shortNumber(value)) };
  }
  const largest = distinct.at(-1) ?? 1;
  const smallest = distinct[0] ?? 1;
  if (
    few &&
    distinct.length > 1 &&
    distinct.length <= 4 &&
    distinct.every((v, i) => i === 0 || v / distinct[i - 1] >= apart)
  )
    return ticksAt(distinct);
  const ratio = largest / smallest;
  if (ratio > 2 && ratio < 10) return ticksAt(ticksWithinADecade(smallest, largest));
  // Without a format of its own plotly shortens 20 and 50 to "2" and "5".
  const tickformat = largest >= 1e6 || smallest < 1e-4 ? "~s" : ",~r";
  // Over one to three powers of ten plotly labels every digit where the figure is wide: 60, 70, 80 and 90 in each other's way; over more it
  // labels 1, 2 and 5 line upon line.
  const dtick = ratio >= 1000 ? { dtick: 1 } : ratio >= 10 ? { dtick: "D2" } : {};
  return { tickformat, ...dtick, minor: { ticks: "outside", ticklen: 2 } };
}

/** Ticks at powers of ten, and one for nothing at all, apart from them. */
function ticksWithNone(values: readonly number[], none: number): Record<string, unknown> {
  const most = Math.max(10 * none, ...values);
  const tickvals = [none];
  for (let tick = 10 * none; tick <= most; tick *= 10) tickvals.push(Number(tick.toPrecision(1)));
  return { tickmode: "array", tickvals, ticktext: tickvals.map((tick) => (tick === none ? "none" : grouped(tick))) };
}

/** Thousands apart. */
const grouped = (value: number): string => String(value).replace(/\B(?=(?:\d{3})+$)/g, ",");

/** Ticks of a linear axis along which a few counts double, as cores do: at the counts themselves. */
function doublingTicks(values: readonly number[]): Record<string, unknown> {
  const distinct = [...new Set(values)].sort((a, b) => a - b);
  const largest = distinct.at(-1) ?? 0;
  if (distinct.length < 2 || largest > 32 || !distinct.every(isPowerOfTwo)) return {};
  return { tickmode: "array", tickvals: distinct, ticktext: distinct.map(String) };
}

/** 4096 as "4,096", 1048576 as "1Mi": the way counts that double are read. */
function shortNumber(value: number): string {
  for (const [size, suffix] of [
    [1073741824, "Gi"],
    [1048576, "Mi"],
  ] as const) {
    if (value >= size && value % size === 0) return `${value / size}${suffix}`;
  }
  return grouped(value);
}

/**
 * Plotly's layout for an axis of the house style.
 * @param axis what it measures
 * @param values the values shown along it, where they are numbers: they decide the ticks of a logarithmic axis
 * @param fromZero a linear axis without a range of its own begins at zero
 */
export function axisLayout(axis: Axis, values: readonly number[] = [], fromZero = false): Record<string, unknown> {
  const layout: Record<string, unknown> = { title: { text: axisTitle(axis) } };
  if (axis.log && axis.none !== undefined) Object.assign(layout, { type: "log" }, ticksWithNone(values, axis.none));
  else if (axis.log) Object.assign(layout, { type: "log" }, logTicks(values, !fromZero));
  else Object.assign(layout, doublingTicks(values));
  if (fromZero && !axis.log && !axis.range) layout["rangemode"] = "tozero";
  if (axis.range) {
    const [low, high] = axis.range;
    if (axis.log && !(low > 0 && high > 0)) {
      throw new Error(
        `The axis "${axis.title}" is logarithmic: its range must lie above zero, and it is ${low} to ${high}.`,
      );
    }
    layout["range"] = axis.log ? [log10(low), log10(high)] : [low, high];
  }
  return layout;
}
