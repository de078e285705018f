/**
 * Live controls: sliders and menus over a drawing. A movement draws again; while a drawing is under way, movements end it early where it
 * can be ended, and only the last one counts.
 *
 * What a front end gets: the view of the controls as one display, what is drawn as another (a display whose content is replaced). So a front
 * end without widgets, or none at all, still has the figure. A page that is loaded again no longer knows which of its outputs that display
 * was; from then on the drawing is also sent through a hidden output widget, from which the lab's renderer takes it over.
 */
import { bundleOf, displayKey } from "../display/bundle.js";
import type { Comms } from "../display/comms.js";
import { escapeHtml, progressBundle } from "../display/progress.js";
import type { MimeBundle } from "../heart/mime.js";
import { type ControlModel, column, html, layout, modelOf, output, reference, style } from "./models.js";
import { type ControlSpec, type ControlValues, captionOf, checkSpec, describe } from "./spec.js";
import { createWidgets, type Model, type Widgets } from "./widgets.js";

/** What a drawing function is handed beside the values: the options of an experiment's `run`. */
export interface DrawRun {
  /** Tells how far the drawing is; shown beside the controls. */
  onProgress(done: number, total: number, label?: string): void;
  /** Aborted when a control has moved meanwhile, or on an interrupt. */
  signal: AbortSignal;
}

/** Shows controls, and below them what `draw` returns for their values; see `lab.controls`. */
export type ShowControls = <S extends ControlSpec>(
  spec: S,
  draw: (values: ControlValues<S>, run: DrawRun) => unknown,
) => Promise<void>;

/** What the executor gives to controls. */
export interface ControlsHost {
  comms: Comms;
  display(data: MimeBundle, options: { displayId: string; update: boolean; metadata?: Record<string, unknown> }): void;
  newId(): string;
  /** Aborted when the running cell is interrupted. */
  signal(): AbortSignal;
  /** Whether a cell runs. */
  busy(): boolean;
  /** Runs work as soon as no cell runs; the function returned takes it back. */
  whenIdle(work: () => void): () => void;
  /** The running cell as the front end names it, where it does. */
  cellId(): string | undefined;
  /** An error as lines of text, with places in cells. */
  explain(error: unknown): string;
}

/** The controls of a session. */
export interface Controls {
  show: ShowControls;
  /** A cell begins: what it had shown before goes away. */
  beginCell(cellId: string | undefined): void;
  /** Ends the drawing under way. */
  interrupted(): void;
}

/** The media type of a widget's view: its content names the model. */
export const widgetViewType = "application/vnd.jupyter.widget-view+json";
const plotlyType = "application/vnd.plotly.v1+json";
/** Controls that are kept alive; older ones are closed. */
const mostAlive = 50;

/** Creates the controls of a session. */
export function createControls(host: ControlsHost): Controls {
  const widgets = createWidgets(host.comms);
  let alive: LiveFigure[] = [];
  widgets.onRestore(() => {
    for (const figure of alive) figure.mirror();
  });
  const close = (figures: readonly LiveFigure[]) => {
    alive = alive.filter((figure) => !figures.includes(figure));
    for (const figure of figures) figure.close();
  };

  return {
    show(spec, draw) {
      const start = async () => {
        checkSpec(spec);
        if (typeof draw !== "function")
          throw new TypeError("lab.controls: the second argument must be a function that draws; it is missing.");
        const cellId = host.cellId();
        const ordinal = alive.filter((figure) => figure.cellId === cellId).length;
        const figure = new LiveFigure(host, widgets, spec, draw as never, cellId, ordinal);
        alive.push(figure);
        close(alive.slice(0, -mostAlive));
        try {
          await figure.first();
        } catch (error) {
          close([figure]);
          throw error;
        }
      };
      const shown = start();
      // As the last expression of a cell it shows nothing more, and the cell ends when the first drawing is there.
      return Object.assign(shown, { [displayKey]: () => shown.then(() => null) });
    },
    beginCell(cellId) {
      if (cellId !== undefined) close(alive.filter((figure) => figure.cellId === cellId));
    },
    interrupted() {
      for (const figure of alive) figure.interrupted();
    },
  };
}

/** A drawing under way. */
interface Run {
  /** Ended from outside: whatever it still gives is dropped. */
  dead: boolean;
  abort: AbortController;
}

/** The reason of a drawing's signal. */
const moved = () => new DOMException("A control has moved.", "AbortError");
const interruptedError = () => new DOMException("The drawing was interrupted.", "AbortError");

/** Controls with what they draw. */
class LiveFigure {
  private readonly values: Record<string, unknown> = {};
  private readonly models: Model[] = [];
  private readonly status: Model;
  private readonly output: Model;
  private readonly outputLayout: Model;
  private readonly displayId: string;
  private readonly metadata: Record<string, unknown>;
  private placed = false;
  /** What is shown; undefined before the first drawing. */
  private bundle: MimeBundle | undefined;
  private mirrored = false;
  private run: Run | undefined;
  /** A control has moved since the drawing under way began. */
  private stale = false;
  /** Takes back a drawing that waits for the running cell. */
  private unschedule: (() => void) | undefined;

  constructor(
    private readonly host: ControlsHost,
    widgets: Widgets,
    private readonly spec: ControlSpec,
    private readonly draw: (values: Record<string, unknown>, run: DrawRun) => unknown,
    readonly cellId: string | undefined,
    ordinal: number,
  ) {
    const entries = Object.entries(spec);
    for (const [name, control] of entries) this.values[name] = control.initial;
    this.displayId = host.newId();
    // Where the front end names its cells: a name for the figure that outlives the page. (Never in a notebook run without a front end.)
    this.metadata = cellId === undefined ? {} : { "iommu-lab": { figure: `${cellId}/${ordinal}` } };

    const open: Widgets["open"] = (state, accept) => {
      const model = widgets.open(state, accept);
      this.models.push(model);
      return model;
    };
    const longest = Math.max(...entries.map(([name, control]) => captionOf(name, control).length));
    const labelWidth = `${Math.min(24, Math.ceil(longest * 0.55) + 1)}em`;
    const wide = open(layout({ width: `calc(${labelWidth} + 24em)`, max_width: "98%" }));
    // A box to tick carries its text behind it; it stands below the other controls.
    const indented = open(layout({ margin: `2px 2px 2px calc(${labelWidth} + 8px)` }));
    const styles = new Map<string, Model>();
    const children = entries.map(([name, control]) => {
      const model = modelOf(name, control);
      const look = styles.get(model.style) ?? open(style(model.style, labelWidth));
      styles.set(model.style, look);
      const place = control.kind === "toggle" ? indented : wide;
      return open({ ...model.state, layout: reference(place.id), style: reference(look.id) }, (trait, content) =>
        this.changed(name, model, trait, content),
      );
    });
    const line = open(layout({ min_height: "1.8em", margin: "0 0 0 4px" }));
    this.status = open(html("", line.id, open(style("HTMLStyle", "")).id));
    this.outputLayout = open(layout({ display: "none" }));
    this.output = open(output(this.outputLayout.id));
    const all = [...children, this.status, this.output].map(({ id }) => id);
    const view = open(column(all, open(layout({})).id));
    host.display(
      {
        [widgetViewType]: { version_major: 2, version_minor: 0, model_id: view.id },
        "text/plain": `Controls (they can be moved in JupyterLab): ${entries
          .map(([name, control]) => describe(name, control, control.initial))
          .join("; ")}`,
      },
      { displayId: host.newId(), update: false },
    );
  }

  /** The first drawing, within the cell that made the controls. */
  first(): Promise<void> {
    return this.loop(true);
  }

  /** Takes up what a front end has set a trait to; returns what it comes to, or undefined for what is none of the control's values. */
  private changed(name: string, model: ControlModel, trait: string, content: unknown): unknown {
    const value = trait === model.trait ? model.decode(content) : undefined;
    if (value === undefined) return undefined;
    if (value !== this.values[name]) {
      this.values[name] = value;
      this.move();
    }
    return model.encode(value);
  }

  /** A control has moved: draw again, now or after what is under way. */
  private move(): void {
    this.stale = true;
    if (this.run) this.run.abort.abort(moved());
    else if (!this.unschedule) {
      if (this.host.busy()) this.say("Waiting for the running cell …");
      this.unschedule = this.host.whenIdle(() => {
        this.unschedule = undefined;
        void this.loop(false);
      });
    }
  }

  /** Draws until what is shown belongs to the controls as they stand. */
  private async loop(first: boolean): Promise<void> {
    const run: Run = { dead: false, abort: new AbortController() };
    this.run = run;
    do {
      this.stale = false;
      run.abort = new AbortController();
      try {
        await this.drawOnce(run, first);
      } catch (error) {
        if (run.dead) return;
        // An error of values that no longer stand (as a rule: it was told to stop) is not worth showing.
        if (this.stale) continue;
        if (first && this.bundle === undefined) {
          this.run = undefined;
          throw error;
        }
        this.fail(error);
      }
    } while (this.stale && !run.dead);
    if (this.run === run) this.run = undefined;
  }

  private async drawOnce(run: Run, first: boolean): Promise<void> {
    const started = performance.now();
    const { abort } = run;
    // Within a cell an interrupt reaches the drawing by the cell's signal, too.
    const signal = first ? AbortSignal.any([this.host.signal(), abort.signal]) : abort.signal;
    this.say("Drawing …");
    let told = started;
    const onProgress = (done: number, total: number, label = "") => {
      const now = performance.now();
      if (run.dead || now - told < 100) return;
      told = now;
      const bar = progressBundle(done, total, label);
      this.say(undefined, String(bar["text/html"]));
      // The first time there is no figure yet: then the bar stands in its place, for front ends without widgets.
      if (this.bundle === undefined) this.put(bar);
    };
    const value = await this.draw({ ...this.values }, { onProgress, signal });
    if (run.dead) return;
    const bundle = await bundleOf(value);
    if (run.dead) return;
    if (bundle === undefined)
      throw new TypeError(
        "lab.controls: the drawing function returned nothing; it must return what is to be shown, such as a figure.",
      );
    this.bundle = bundle;
    this.put(bundle);
    this.reflect();
    const ms = performance.now() - started;
    if (!this.stale) this.say(`Drawn in ${ms < 995 ? `${Math.ceil(ms)} ms` : `${(ms / 1000).toFixed(1)} s`}.`);
  }

  /** Puts content into the figure's place. */
  private put(bundle: MimeBundle): void {
    this.host.display(bundle, { displayId: this.displayId, update: this.placed, metadata: this.metadata });
    this.placed = true;
  }

  /** Shows an error where the figure was; the next drawing replaces it. */
  private fail(error: unknown): void {
    const text = this.host.explain(error);
    const now = Object.entries(this.spec).map(([name, control]) => describe(name, control, this.values[name]));
    this.bundle = {
      "text/html": `<pre style="color:var(--jp-error-color1,#b00020);white-space:pre-wrap">${escapeHtml(text)}\n\n${escapeHtml(now.join("\n"))}</pre>`,
      "text/plain": `${text}\n\n${now.join("\n")}`,
    };
    this.put(this.bundle);
    this.reflect();
    this.say("The drawing failed. Move a control to draw again.");
  }

  /** Shows a line below the controls. */
  private say(text: string | undefined, markup?: string): void {
    const value = markup ?? `<span role="status" style="opacity:.7">${escapeHtml(text ?? "")}</span>`;
    if (this.status.state["value"] !== value) this.status.set({ value });
  }

  /** From now on the drawing is sent through the output widget, too: a page has been loaded that does not know its place. */
  mirror(): void {
    this.mirrored = true;
    this.reflect();
  }

  private reflect(): void {
    if (!this.mirrored || this.bundle === undefined) return;
    // The renderer finds the figure on the page by its name; what is no figure has to be shown here.
    const taken = plotlyType in this.bundle && this.cellId !== undefined;
    const metadata = taken ? { "iommu-lab": { ...(this.metadata["iommu-lab"] as object), mirror: true } } : {};
    this.output.set({ outputs: [{ output_type: "display_data", data: this.bundle, metadata }] });
    this.outputLayout.set({ display: taken ? "none" : null });
  }

  /** Ends the drawing under way, and what waits. */
  interrupted(): void {
    const { run } = this;
    this.unschedule?.();
    const waited = this.unschedule !== undefined;
    this.unschedule = undefined;
    this.run = undefined;
    this.stale = false;
    if (run) run.dead = true;
    if (run || waited) this.say("Interrupted. Move a control to draw again.");
    // User code that listens runs last.
    run?.abort.abort(interruptedError());
  }

  /** Closes the controls; what is shown stays. */
  close(): void {
    if (this.run) this.run.dead = true;
    this.unschedule?.();
    this.run?.abort.abort(interruptedError());
    for (const model of this.models.reverse()) model.close();
  }
}
