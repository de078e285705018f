/**
 * Controls as models of ipywidgets: the state that a front end shows, and the value that it sends back. Names and traits follow the model
 * specification of @jupyter-widgets/controls 2.0.0 and @jupyter-widgets/base 2.0.0 (ipywidgets 8).
 */
import { type Control, captionOf, snap } from "./spec.js";

/** The state of a model: its traits by name. */
export type State = Record<string, unknown>;

const names = (module: string, version: string, model: string, view: string | null): State => ({
  _model_module: module,
  _model_module_version: version,
  _model_name: model,
  _view_module: module,
  _view_module_version: version,
  _view_name: view,
});
const control = (name: string): State => names("@jupyter-widgets/controls", "2.0.0", `${name}Model`, `${name}View`);

/** A reference to another model. */
export const reference = (id: string): string => `IPY_MODEL_${id}`;

/** How large a widget is and how it lies; CSS by trait. */
export const layout = (css: State): State => ({
  ...names("@jupyter-widgets/base", "2.0.0", "LayoutModel", "LayoutView"),
  ...css,
});

/** How wide the text before a widget is. */
export const style = (
  model: "SliderStyle" | "DescriptionStyle" | "CheckboxStyle" | "HTMLStyle",
  width: string,
): State => ({
  ...names("@jupyter-widgets/controls", "2.0.0", `${model}Model`, null),
  _view_module: "@jupyter-widgets/base",
  _view_name: "StyleView",
  description_width: width,
});

/** Widgets below one another. */
export const column = (children: readonly string[], layoutId: string): State => ({
  ...control("VBox"),
  children: children.map(reference),
  layout: reference(layoutId),
});

/** A line of HTML. */
export const html = (value: string, layoutId: string, styleId: string): State => ({
  ...control("HTML"),
  value,
  layout: reference(layoutId),
  style: reference(styleId),
});

/** A place for outputs of the notebook. */
export const output = (layoutId: string): State => ({
  ...names("@jupyter-widgets/output", "1.0.0", "OutputModel", "OutputView"),
  msg_id: "",
  outputs: [],
  layout: reference(layoutId),
});

/** A control as a model: its state, the trait that carries its value, and the way back from that trait to the value. */
export interface ControlModel {
  state: State;
  trait: string;
  /** Which style it takes. */
  style: "SliderStyle" | "DescriptionStyle" | "CheckboxStyle";
  /** The trait's content for a value. */
  encode(value: unknown): unknown;
  /** The value for a trait's content as a front end sent it, or undefined where it is none of the control's. */
  decode(content: unknown): unknown;
}

/** Digits behind the point that a step needs, at most six. */
function decimals(...numbers: number[]): number {
  for (let digits = 0; digits < 6; digits++)
    if (numbers.every((n) => Math.abs(Number(n.toFixed(digits)) - n) < 1e-9 * Math.max(1, Math.abs(n)))) return digits;
  return 6;
}

/** The model of a control. */
export function modelOf(name: string, c: Control): ControlModel {
  const description = captionOf(name, c);
  const common = { description, tooltip: description, disabled: false };
  if (c.kind === "range") {
    const whole = [c.min, c.max, c.step].every(Number.isInteger);
    return {
      state: {
        ...control(whole ? "IntSlider" : "FloatSlider"),
        ...common,
        min: c.min,
        max: c.max,
        step: c.step,
        value: c.initial,
        continuous_update: true,
        orientation: "horizontal",
        readout: true,
        readout_format: whole ? "d" : `.${decimals(c.min, c.step)}f`,
      },
      trait: "value",
      style: "SliderStyle",
      encode: (value) => value,
      decode: (content) => (typeof content === "number" && Number.isFinite(content) ? snap(c, content) : undefined),
    };
  }
  if (c.kind === "toggle")
    return {
      state: { ...control("Checkbox"), ...common, value: c.initial, indent: false },
      trait: "value",
      style: "CheckboxStyle",
      encode: (value) => value,
      decode: (content) => (typeof content === "boolean" ? content : undefined),
    };
  const slides = c.kind === "slider";
  return {
    state: {
      ...control(slides ? "SelectionSlider" : "Dropdown"),
      ...common,
      _options_labels: c.labels,
      index: c.values.indexOf(c.initial),
      ...(slides ? { continuous_update: true, orientation: "horizontal", readout: true } : {}),
    },
    trait: "index",
    style: slides ? "SliderStyle" : "DescriptionStyle",
    encode: (value) => c.values.indexOf(value as never),
    decode: (content) => (Number.isInteger(content) ? c.values[content as number] : undefined),
  };
}
