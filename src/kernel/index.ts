/**
 * The Jupyter kernel: TypeScript cells over the Jupyter protocol 5.4.
 *
 * Its layers, each readable by itself:
 * - wire/ ZeroMQ sockets, signatures, framing; what arrives is authenticated and checked here, or dropped.
 * - session/ requests and replies, busy and idle, history, comms, questions to the user. Takes its transport as a parameter: ZeroMQ for
 *   Jupyter, a pair of functions for the headless runner and the tests.
 * - engine/ the supervisor and its two processes: language (tslab's converter) and executor (the user's code). The part that talks never
 *   runs user code, so it answers whatever a cell does.
 * - display/ values to mime bundles, and the `lab` global of every cell.
 * - widgets/ sliders and menus over a drawing, in ipywidgets' protocol over the session's comms.
 *
 * Invariants: every request gets one reply between busy and idle; an interrupt keeps every variable; nothing that arrives on the wire, and
 * nothing that a cell does, ends the kernel. `README.md` says what was measured.
 */

export type { MimeBundle } from "./display/bundle.js";
export { displayKey } from "./display/bundle.js";
export type { Comm, Comms, Display, Lab, Progress } from "./display/lab.js";
export {
  type ExecuteOptions,
  type ExecuteReply,
  type Execution,
  type Kernel,
  type KernelOptions,
  startInProcessKernel,
} from "./kernel.js";
export { runKernel } from "./run.js";
export type { KernelMessage } from "./session/in-process.js";
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
