/**
 * The Jupyter protocol 5.4 over the room of cells.
 *
 * - wire/ ZeroMQ sockets, signatures, framing; what arrives is authenticated and checked here, or dropped.
 * - session/ requests and replies, busy and idle, history, comms, questions to the user. Takes its transport as a parameter: ZeroMQ for
 *   Jupyter, a pair of functions for the headless runner and the tests.
 *
 * Invariants: every request gets one reply between busy and idle; nothing that arrives on the wire ends the kernel. `README.md` says what
 * was measured. "Kernel" here is Jupyter's; Linux's is always named "Linux".
 */
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
export { type LanguageInfo, languageInfo } from "./session/language.js";
