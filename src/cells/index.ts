/**
 * What a TypeScript cell means: its names, its compilation, its run, what it shows, and the `lab` global.
 *
 * - heart/ what needs no host: names, compilation by stock TypeScript, what a value shows. `SEMANTICS.md` says what a cell means.
 * - host/ Node's host: the supervisor and its two processes, language (the compiler) and executor (the user's code). The part that talks
 *   never runs user code, so it answers whatever a cell does.
 * - display/ values to mime bundles, and the `lab` global of every cell.
 * - widgets/ sliders and menus over a drawing, in ipywidgets' protocol over the session's comms.
 *
 * Invariants: an interrupt keeps every variable; nothing that a cell does ends the supervisor.
 */
export { displayKey } from "./display/bundle.js";
export type { Comm, Comms } from "./display/comms.js";
export type { Display, Lab, Progress } from "./display/lab.js";
export type { MimeBundle } from "./heart/mime.js";
export type { CommMessage, ErrorContent, Origin, Outcome } from "./host/protocol.js";
export { cellRoot } from "./host/root.js";
export { CellRunner, packageRoot, type RunnerListener, typescriptVersion } from "./host/runner.js";
export { type DrawRun, type ShowControls, widgetViewType } from "./widgets/controls.js";
export type {
  Choice,
  ChoiceList,
  Control,
  ControlMakers,
  ControlOptions,
  ControlSpec,
  ControlValues,
  ListControl,
  RangeControl,
  ToggleControl,
} from "./widgets/spec.js";
