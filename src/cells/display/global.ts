/** Declares the `lab` global for cells; the language part adds this file's declarations to every cell. */
import type { Lab } from "./lab.js";

declare global {
  /** What a cell can ask of the notebook: display, progress, prompt, clear, comm. */
  var lab: Lab;
  /** The latest result of a cell. */
  // biome-ignore lint/suspicious/noExplicitAny: a result can be anything, and is used as it is
  var _: any;
  /** The results of the latest hundred cells, by the numbers of the cells. */
  // biome-ignore lint/suspicious/noExplicitAny: as above
  var Out: Record<number, any>;
  /**
   * Asks for a line of text while everything else waits; {@link Lab.prompt} lets timers go on.
   * @param initial what an empty answer stands for
   */
  function prompt(message?: string, initial?: string): string;
  /** Asks a question that "y" or "yes" confirms. */
  function confirm(message?: string): boolean;
  /** Shows a message and waits for the Enter key. */
  function alert(message?: string): void;
}
