/** The scale of one axis of a figure, for {@link figureSvg}: from a figure's plotly layout and its data. */
import { log10 } from "./axis.js";
import { wrap } from "./style.js";

/** A mark along an axis: where, and its label, whose lines are apart by line ends. */
export interface Tick {
  value: unknown;
  text: string;
}

/** Where a value lies. */
export interface Scale {
  readonly category: boolean;
  readonly log: boolean;
  readonly title: string;
  readonly ticks: readonly Tick[];
  /** The lowest value shown. */
  readonly low: number;
  /** Pixels from one category to the next. */
  readonly step: number;
  /** Says between which pixels it lies. */
  place(from: number, to: number): void;
  /** The pixel of a value; NaN where it has none. */
  at(value: unknown): number;
}

type Loose = Record<string, unknown>;
const objectOf = (value: unknown): Loose => (value !== null && typeof value === "object" ? (value as Loose) : {});
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? (value as unknown[]) : []);

const longestLabel = { x: 14, y: 34 } as const;

/** The scale of an axis. @param lying whether bars lie, so that their base is on the horizontal axis */
export function scaleOf(data: readonly Loose[], layout: Loose, letter: "x" | "y", lying: boolean): Scale {
  const axis = objectOf(layout[`${letter}axis`]);
  const title = String(objectOf(axis["title"])["text"] ?? "").replace(/<br\s*\/?>/g, " ");
  const values = data.flatMap((trace) => listOf(trace[letter]));
  if (axis["type"] === "category" || values.some((value) => typeof value === "string"))
    return new Categories(values, axis, title, letter);
  const numbers = data.flatMap((trace) => {
    const own = listOf(trace[letter]).map(Number);
    const error = objectOf(trace[`error_${letter}`]);
    const above = listOf(error["array"]).map((by, i) => own[i] + Number(by));
    const below = listOf(error["arrayminus"]).map((by, i) => own[i] - Number(by));
    return [...own, ...above, ...below];
  });
  const bars = data.some((trace) => trace["type"] === "bar") && letter === (lying ? "x" : "y");
  if (bars && layout["barmode"] === "stack") numbers.push(...stackTops(data, lying));
  return new Numbers(numbers, axis, title, bars);
}

function stackTops(data: readonly Loose[], lying: boolean): number[] {
  const tops = new Map<unknown, number>();
  for (const trace of data) {
    const values = listOf(trace[lying ? "x" : "y"]);
    for (const [i, category] of listOf(trace[lying ? "y" : "x"]).entries())
      tops.set(category, (tops.get(category) ?? 0) + Number(values[i]));
  }
  return [...tops.values()];
}

class Categories implements Scale {
  readonly category = true;
  readonly log = false;
  readonly low = 0;
  readonly ticks: readonly Tick[];
  step = 1;
  private from = 0;
  private readonly places: Map<unknown, number>;
  private direction = 1;

  constructor(
    values: readonly unknown[],
    axis: Loose,
    readonly title: string,
    letter: "x" | "y",
  ) {
    const distinct = [...new Set(values)];
    this.places = new Map(distinct.map((value, i) => [value, i]));
    const texts = new Map(listOf(axis["tickvals"]).map((value, i) => [value, String(listOf(axis["ticktext"])[i])]));
    this.ticks = distinct.map((value) => ({
      value,
      text: wrap((texts.get(value) ?? String(value)).replace(/<br\s*\/?>/g, " "), longestLabel[letter]).replaceAll(
        "<br>",
        "\n",
      ),
    }));
    this.reversed = letter === "y";
  }
  private readonly reversed: boolean;

  place(from: number, to: number): void {
    // A vertical axis of categories begins on top.
    const [begin, end] = this.reversed ? [to, from] : [from, to];
    this.step = Math.abs(end - begin) / Math.max(1, this.places.size);
    this.direction = end > begin ? 1 : -1;
    this.from = begin;
  }

  at(value: unknown): number {
    const place = this.places.get(value);
    return place === undefined ? Number.NaN : this.from + this.direction * (place + 0.5) * this.step;
  }
}

class Numbers implements Scale {
  readonly category = false;
  readonly step = 0;
  readonly log: boolean;
  readonly ticks: readonly Tick[];
  readonly low: number;
  private readonly high: number;
  private from = 0;
  private to = 1;

  constructor(
    values: readonly number[],
    axis: Loose,
    readonly title: string,
    bars: boolean,
  ) {
    this.log = axis["type"] === "log";
    const usable = values.filter((value) => Number.isFinite(value) && (!this.log || value > 0));
    let low = usable.reduce((least, value) => Math.min(least, value), Number.POSITIVE_INFINITY);
    let high = usable.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY);
    if (usable.length === 0) [low, high] = this.log ? [1, 10] : [0, 1];
    const range = listOf(axis["range"]).map(Number);
    if (this.log) {
      [low, high] = range.length === 2 ? [tenTo(range[0]), tenTo(range[1])] : [low / 1.15, high * 1.15];
    } else {
      if (bars || axis["rangemode"] === "tozero") [low, high] = [Math.min(0, low), Math.max(0, high)];
      if (low === high) high = low + 1;
      const room = 0.04 * (high - low);
      if (range.length === 2) [low, high] = range;
      else [low, high] = [low === 0 ? 0 : low - room, high === 0 ? 0 : high + room];
    }
    this.low = low;
    this.high = high;
    const given = listOf(axis["tickvals"]);
    const texts = listOf(axis["ticktext"]);
    this.ticks =
      given.length > 0
        ? given
            .map((value, i) => ({ value, text: String(texts[i] ?? value) }))
            .filter(({ value }) => Number(value) >= low && Number(value) <= high)
        : this.log
          ? logTicks(low, high)
          : linearTicks(low, high);
  }

  place(from: number, to: number): void {
    this.from = from;
    this.to = to;
  }

  at(value: unknown): number {
    const number = value === null ? Number.NaN : Number(value);
    if (this.log && !(number > 0)) return Number.NaN;
    const share = this.log
      ? (log10(number) - log10(this.low)) / (log10(this.high) - log10(this.low))
      : (number - this.low) / (this.high - this.low);
    return this.from + share * (this.to - this.from);
  }
}

/** 10 to a power, which need not be whole. */
function tenTo(power: number): number {
  // From the logarithm back, by halving: the core has no power function.
  let [low, high] = [1e-300, 1e300];
  for (let i = 0; i < 200; i++) {
    const middle = Math.sqrt(low) * Math.sqrt(high);
    if (log10(middle) < power) low = middle;
    else high = middle;
  }
  return Math.sqrt(low) * Math.sqrt(high);
}

function linearTicks(low: number, high: number): Tick[] {
  let unit = 1e-12;
  const span = high - low;
  while (unit * 10 <= span) unit *= 10;
  const step = [0.1, 0.2, 0.5, 1, 2, 5].map((of) => of * unit).find((of) => span / of <= 7) ?? unit;
  const ticks: Tick[] = [];
  for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * span; i++)
    ticks.push({ value: i * step, text: shown(i * step) });
  return ticks;
}

function logTicks(low: number, high: number): Tick[] {
  const ticks: Tick[] = [];
  const decades = log10(high) - log10(low);
  const steps = decades > 4 ? [1] : decades > 2 ? [1, 3] : [1, 2, 5];
  let power = 1e-12;
  for (; power <= high; power *= 10)
    for (const of of steps) {
      const value = clean(of * power);
      if (value >= low && value <= high) ticks.push({ value, text: shown(value) });
    }
  return ticks;
}

/** Without the dust that repeated multiplication leaves. */
const clean = (value: number): number => Number(value.toPrecision(6));

/** A number as an axis says it: thousands apart, k, M and G from ten thousand on. */
function shown(exactly: number): string {
  const value = clean(exactly);
  const size = Math.abs(value);
  for (const [unit, suffix] of [
    [1e9, "G"],
    [1e6, "M"],
  ] as const)
    if (size >= unit) return `${clean(value / unit)}${suffix}`;
  if (size >= 1000) return value.toLocaleString("en-US");
  return String(value);
}
