/** Declares the `lab` global for cells; the language part adds this file's declarations to every cell. */
import type { Lab } from "./lab.js";

declare global {
  /** What a cell can ask of the notebook: display, progress, prompt, clear, comm. */
  var lab: Lab;
}
