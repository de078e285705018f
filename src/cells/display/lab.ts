/**
 * The `lab` global of every cell: showing things, progress, asking the user, and talking to widgets.
 */

import type { MimeBundle } from "../heart/mime.js";
import type { ShowControls } from "../widgets/controls.js";
import { type ControlMakers, makers } from "../widgets/spec.js";
import { hidden, plain, syncBundleOf, textOf } from "./bundle.js";
import type { Comms } from "./comms.js";
import { progressBundle } from "./progress.js";

/** A place on the page whose content can be replaced. */
export interface Display {
  /** The id under which the front end knows it. */
  readonly id: string;
  /** Shows something else in its place, wherever it is shown. */
  update(value: unknown): void;
}

/** A progress bar. */
export interface Progress {
  /**
   * Says how far the work has come. Cheap to call often: the bar is drawn at most twenty times a second.
   * @param done how much is done, in the unit of `total`
   * @param label what is being done now
   */
  update(done: number, label?: string): void;
  /** One step more. */
  tick(label?: string): void;
  /** Fills the bar. */
  finish(label?: string): void;
}

/** What a cell can ask of the notebook. */
export interface Lab extends ControlMakers {
  /**
   * Shows a value as the result of a cell is shown.
   * @example lab.display(table)
   */
  display(value: unknown): Display;
  /** Shows HTML. Scripts in it do not run in a notebook that is not trusted. */
  html(html: string): Display;
  /** Shows text with Markdown formatting, with LaTeX between dollar signs. */
  markdown(text: string): Display;
  /** Shows a bundle of content by media type: `{ "image/svg+xml": "…", "text/plain": "…" }`. */
  bundle(data: Record<string, unknown>, metadata?: Record<string, unknown>): Display;
  /**
   * Shows a progress bar that moves even while the cell's code does not let go of the processor.
   * @example
   * const progress = lab.progress(points.length, "sweep");
   * for (const point of points) { simulate(point); progress.tick(); }
   */
  progress(total: number, label?: string): Progress;
  /**
   * A progress bar for whatever tells how far it is by calling a listener.
   * @example await experiment.run(config, { onProgress: lab.onProgress("exploring") });
   */
  onProgress(label?: string): (done: number, total: number, what?: string) => void;
  /**
   * Removes what the cell has shown so far.
   * @param options `wait`: only when something new is shown, which avoids flicker
   */
  clear(options?: { wait?: boolean }): void;
  /**
   * Asks the user for a line of text.
   * @param options `password`: do not show what is typed
   * @throws where the front end cannot ask (a notebook that is executed without one)
   */
  prompt(question?: string, options?: { password?: boolean }): Promise<string>;
  /**
   * Shows controls, and below them what `draw` returns for their values. Moving one draws again; while a drawing is under way its `signal`
   * is aborted and only the last movement counts. An error of a later drawing is shown in the figure's place, and the controls live on.
   * Where there are no widgets (another front end, a notebook that is executed without one) the first drawing is shown all the same.
   * @param spec controls by the name of the value that each gives, made by {@link Lab.slider}, {@link Lab.menu}, {@link Lab.toggle}
   * @param draw returns what is to be shown (a figure, a table, anything), or a promise of it; hand its second argument to an experiment's `run`
   * @throws TypeError naming the control that is none; what the first drawing throws
   * @example
   * await lab.controls(
   *   { cores: lab.slider([1, 2, 4, 8, 16]), variant: lab.menu(["strict", "deferred"]) },
   *   async ({ cores, variant }, run) =>
   *     (await lockContention.run({ cores: [1, cores], variants: [variant] }, run)).figure("throughput"),
   * );
   */
  controls: ShowControls;
  /**
   * Forgets every point that experiments have computed for this user, here or elsewhere: the next run computes each of its own anew.
   * @example await lab.forgetPoints()
   */
  forgetPoints(): Promise<void>;
  /** The channels to the front end that widgets use. */
  readonly comm: Comms;
  /** Aborted when the running cell is interrupted: hand it to what can be stopped. */
  readonly signal: AbortSignal;
}

/** What the executor gives the `lab` global to work with. */
export interface LabHost {
  display(data: MimeBundle, options: { displayId: string; update: boolean; metadata?: Record<string, unknown> }): void;
  clear(wait: boolean): void;
  prompt(question: string, password: boolean): Promise<string>;
  comm: Comms;
  controls: ShowControls;
  signal(): AbortSignal;
  forgetPoints(): Promise<void>;
  newId(): string;
}

/** The `lab` global over a host. */
export function createLab(host: LabHost): Lab {
  const show = (data: MimeBundle, metadata: Record<string, unknown> = {}): Display => {
    const id = host.newId();
    host.display(data, { displayId: id, update: false, metadata });
    const update = (value: unknown) => {
      const bundle = syncBundleOf(value);
      if (bundle instanceof Promise)
        void bundle.then((b) => host.display(plain(b, value), { displayId: id, update: true }));
      else host.display(bundle ?? { "text/plain": textOf(value) }, { displayId: id, update: true });
    };
    return hidden({ id, update }, "Display");
  };
  return {
    display(value) {
      const bundle = syncBundleOf(value);
      if (!(bundle instanceof Promise)) return show(bundle ?? { "text/plain": textOf(value) });
      const place = show({ "text/plain": "…" });
      void bundle.then((b) => host.display(plain(b, value), { displayId: place.id, update: true }));
      return place;
    },
    html: (html) => show({ "text/html": html, "text/plain": html.replace(/<[^>]*>/g, "") }),
    markdown: (text) => show({ "text/markdown": text, "text/plain": text }),
    bundle: (data, metadata) => show(plain(data, data), metadata),
    progress: (total, label = "") => createProgress(host, total, label),
    onProgress: (label = "") => {
      let bar: Progress | undefined;
      return (done, total, what) => {
        bar ??= createProgress(host, total, label);
        bar.update(done, [label, what].filter(Boolean).join(": "));
      };
    },
    clear: (options) => host.clear(options?.wait ?? false),
    prompt: (question = "", options) => host.prompt(question, options?.password ?? false),
    ...makers,
    controls: host.controls,
    forgetPoints: host.forgetPoints,
    comm: host.comm,
    get signal() {
      return host.signal();
    },
  };
}

function createProgress(host: LabHost, total: number, label: string): Progress {
  if (!(total >= 0))
    throw new RangeError(`lab.progress: total must be a number of at least 0; it is ${String(total)}.`);
  const displayId = host.newId();
  let done = 0;
  let drawn = Number.NEGATIVE_INFINITY;
  let shown = false;
  const draw = (force: boolean) => {
    const now = performance.now();
    if (!force && now - drawn < 50) return;
    drawn = now;
    host.display(progressBundle(done, total, label), { displayId, update: shown });
    shown = true;
  };
  draw(true);
  const update = (value: number, text?: string) => {
    done = value;
    if (text !== undefined) label = text;
    draw(done >= total);
  };
  const bar: Progress = {
    update,
    tick: (text) => update(done + 1, text),
    finish: (text) => update(total, text),
  };
  return hidden(bar, "Progress");
}
