/**
 * What a control is: a slider over numbers, a slider or menu over a list, a switch. Checked when it is made, so that a mistake is an error
 * of the cell that makes it, before anything is drawn.
 */

/** What a control can choose: JSON's plain values. */
export type Choice = string | number | boolean;

/** What every control may be told. */
export interface ControlOptions<T> {
  /** The value that it shows first; default: the smallest, or the first of a list. */
  value?: T;
  /** The text before it; default: the name of its field. */
  label?: string;
  /** The unit of its values, shown in brackets behind the label. */
  unit?: string;
}

/** A slider over the numbers from `min` to `max`, in steps. */
export interface RangeControl {
  readonly kind: "range";
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly label: string | undefined;
  readonly unit: string | undefined;
}

/** A choice from a list, as a slider (for values that have an order) or as a menu. */
export interface ListControl<T extends Choice = Choice> {
  readonly kind: "slider" | "menu";
  readonly initial: T;
  readonly values: readonly T[];
  /** The values as they are shown. */
  readonly labels: readonly string[];
  readonly label: string | undefined;
  readonly unit: string | undefined;
}

/** A box to tick. */
export interface ToggleControl {
  readonly kind: "toggle";
  readonly initial: boolean;
  readonly label: string | undefined;
  readonly unit: undefined;
}

/** A control of `lab.controls`. */
export type Control = RangeControl | ListControl | ToggleControl;

/** Controls by the name of the value that each gives. */
export type ControlSpec = Readonly<Record<string, Control>>;

/** The values that controls give, by their names. */
export type ControlValues<S extends ControlSpec> = { [K in keyof S]: S[K]["initial"] };

/** A list of values, or of values by the text that is shown for each. */
export type ChoiceList<T extends Choice> = readonly T[] | Readonly<Record<string, T>>;

const shown = (value: unknown): string => {
  if (typeof value === "number" || value === undefined) return String(value);
  try {
    return JSON.stringify(value)?.slice(0, 80) ?? String(value);
  } catch {
    return String(value);
  }
};

function text(what: string, key: string, value: unknown): string | undefined {
  if (value !== undefined && typeof value !== "string")
    throw new TypeError(`${what}: ${key} must be a text; it is ${shown(value)}.`);
  return value;
}

function finite(what: string, key: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value))
    throw new TypeError(`${what}: ${key} must be a finite number; it is ${shown(value)}.`);
  return value;
}

function known(what: string, options: object, keys: readonly string[]): void {
  if (typeof options !== "object" || options === null)
    throw new TypeError(`${what}: the options must be an object; they are ${shown(options)}.`);
  for (const key of Object.keys(options))
    if (!keys.includes(key)) throw new TypeError(`${what}: there is no option "${key}"; there are ${keys.join(", ")}.`);
}

/** A number without the dust of binary fractions: 0.1 + 0.2 gives 0.3. */
const tidy = (value: number): number => Number(value.toPrecision(12));

/** The value of a range nearest to a number; the largest value can be reached even where it is no whole number of steps away. */
export function snap({ min, max, step }: Pick<RangeControl, "min" | "max" | "step">, value: number): number {
  if (value >= max) return max;
  return tidy(Math.min(max, Math.max(min, min + Math.round((value - min) / step) * step)));
}

function rangeControl(min: unknown, max: unknown, options: ControlOptions<number> & { step?: number }): RangeControl {
  const what = "lab.slider";
  known(what, options, ["value", "label", "unit", "step"]);
  const range = { min: finite(what, "min", min), max: finite(what, "max", max) };
  if (range.min >= range.max)
    throw new RangeError(`${what}: max must be larger than min; min is ${range.min}, max is ${range.max}.`);
  const width = range.max - range.min;
  const step = finite(what, "step", options.step ?? (Number.isInteger(width) ? 1 : tidy(width / 100)));
  if (step <= 0 || step > width)
    throw new RangeError(`${what}: step must be above 0 and at most ${tidy(width)} (max − min); it is ${step}.`);
  const initial = finite(what, "value", options.value ?? range.min);
  const nearest = snap({ ...range, step }, initial);
  if (initial < range.min || initial > range.max)
    throw new RangeError(`${what}: value must be from ${range.min} to ${range.max}; it is ${initial}.`);
  if (Math.abs(nearest - initial) > step * 1e-6)
    throw new RangeError(
      `${what}: value must be a whole number of steps of ${step} above ${range.min}; it is ${initial}, the nearest is ${nearest}.`,
    );
  const label = text(what, "label", options.label);
  return { kind: "range", initial: nearest, ...range, step, label, unit: text(what, "unit", options.unit) };
}

function listControl<T extends Choice>(
  kind: "slider" | "menu",
  list: ChoiceList<T>,
  options: ControlOptions<T>,
): ListControl<T> {
  const what = `lab.${kind}`;
  known(what, options, ["value", "label", "unit"]);
  if (typeof list !== "object" || list === null)
    throw new TypeError(
      `${what}: the values must be a list, or an object of values by label; they are ${shown(list)}.`,
    );
  const values: readonly T[] = Array.isArray(list) ? list : Object.values(list);
  const labels = Array.isArray(list) ? values.map(String) : Object.keys(list);
  if (values.length === 0)
    throw new RangeError(`${what}: there must be at least one value to choose; the list is empty.`);
  for (const [i, value] of values.entries()) {
    if (typeof value === "number") finite(what, `value ${i + 1} of the list`, value);
    else if (typeof value !== "string" && typeof value !== "boolean")
      throw new TypeError(
        `${what}: value ${i + 1} of the list must be a text, a number, true or false; it is ${shown(value)}.`,
      );
    if (values.indexOf(value) < i) throw new RangeError(`${what}: ${shown(value)} is in the list twice.`);
  }
  const initial = options.value ?? values[0];
  if (!values.includes(initial))
    throw new RangeError(`${what}: value must be one of ${values.map(shown).join(", ")}; it is ${shown(initial)}.`);
  const label = text(what, "label", options.label);
  return { kind, initial, values, labels, label, unit: text(what, "unit", options.unit) };
}

/** The makers of controls, as the `lab` global offers them. */
export interface ControlMakers {
  /**
   * A slider over the numbers from `min` to `max`.
   * @param options `value` shown first (default `min`), `step` (default 1, or a hundredth of a range that is no whole number), `label`, `unit`
   * @throws RangeError or TypeError naming the field, its value and what is accepted
   * @example lab.slider(0, 200, { step: 10, value: 40, unit: "ns" })
   */
  slider(min: number, max: number, options?: ControlOptions<number> & { step?: number }): RangeControl;
  /**
   * A slider over a list of values.
   * @example lab.slider([1, 2, 4, 8, 16], { unit: "cores" })
   */
  slider<const T extends Choice>(values: ChoiceList<T>, options?: ControlOptions<T>): ListControl<T>;
  /**
   * A menu: a list of values, or an object of values by the text that is shown.
   * @throws RangeError or TypeError naming the field, its value and what is accepted
   * @example lab.menu({ "4 KiB": 4096, "2 MiB": 2 ** 21 }, { label: "page" })
   */
  menu<const T extends Choice>(values: ChoiceList<T>, options?: ControlOptions<T>): ListControl<T>;
  /**
   * A box to tick.
   * @param value whether it is ticked at first; default: it is not
   */
  toggle(value?: boolean, options?: { label?: string }): ToggleControl;
}

/** Makes controls; see {@link ControlMakers}. */
export const makers: ControlMakers = {
  slider(first: unknown, second?: unknown, third?: unknown): never {
    const overRange = typeof first !== "object" || first === null;
    return (
      overRange
        ? rangeControl(first, second, (third ?? {}) as object)
        : listControl("slider", first as ChoiceList<Choice>, (second ?? {}) as object)
    ) as never;
  },
  menu: (values, options = {}) => listControl("menu", values, options),
  toggle(value = false, options = {}) {
    if (typeof value !== "boolean")
      throw new TypeError(`lab.toggle: value must be true or false; it is ${shown(value)}.`);
    known("lab.toggle", options, ["label"]);
    return { kind: "toggle", initial: value, label: text("lab.toggle", "label", options.label), unit: undefined };
  },
};

/**
 * Checks the controls handed to `lab.controls`.
 * @throws TypeError naming the control and what is expected
 */
export function checkSpec(spec: unknown): void {
  if (typeof spec !== "object" || spec === null || Array.isArray(spec))
    throw new TypeError(
      `lab.controls: the first argument must be an object of controls by name, such as { cores: lab.slider(1, 16) }; it is ${shown(spec)}.`,
    );
  const entries = Object.entries(spec);
  if (entries.length === 0)
    throw new TypeError("lab.controls: there must be at least one control; the object is empty.");
  for (const [name, control] of entries) {
    const kind = (control as Partial<Control> | null | undefined)?.kind;
    if (kind !== "range" && kind !== "slider" && kind !== "menu" && kind !== "toggle")
      throw new TypeError(
        `lab.controls: ${name} must be made by lab.slider, lab.menu or lab.toggle; it is ${shown(control)}.`,
      );
  }
}

/** The text before a control: its label or name, with the unit. */
export function captionOf(name: string, { label, unit }: Control): string {
  return `${label ?? name}${unit ? ` (${unit})` : ""}`;
}

/** What a control offers and where it stands, as a text for front ends that cannot show it. */
export function describe(name: string, control: Control, value: unknown): string {
  const offers =
    control.kind === "range"
      ? `${control.min} to ${control.max}`
      : control.kind === "toggle"
        ? "on or off"
        : control.labels.join(", ");
  const now =
    control.kind === "toggle"
      ? value
        ? "on"
        : "off"
      : control.kind === "range"
        ? String(value)
        : control.labels[control.values.indexOf(value as Choice)];
  return `${captionOf(name, control)}: ${now} (of ${offers})`;
}
