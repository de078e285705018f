/** Values to mime bundles (heart/show.ts), printed as Node prints them. */
import { inspect } from "node:util";
import { createShow } from "../heart/show.js";

export { displayKey, hidden } from "../heart/show.js";

/** How deep and how long values are printed; a value too long says how much is left out. */
const inspectOptions = {
  depth: 4,
  maxArrayLength: 100,
  maxStringLength: 10_000,
  breakLength: 100,
  compact: 3,
  numericSeparator: false,
};

const show = createShow({
  inspect: (value) => inspect(value, inspectOptions),
  base64: (bytes) => Buffer.from(bytes).toString("base64"),
});

/** A value as text. Never throws: where the value's own code does, the text says so. */
export const textOf: typeof show.textOf = show.textOf;
/**
 * The bundle of a value, or undefined for a value that shows nothing (`undefined`, or what says so itself).
 * @throws what the value's own display method throws
 */
export const bundleOf: typeof show.bundleOf = show.bundleOf;
/** The same without waiting, except where the value's display method returns a promise: then that promise. */
export const syncBundleOf: typeof show.syncBundleOf = show.syncBundleOf;
/** Checks a bundle that user code made, and turns it into plain JSON data. */
export const plain: typeof show.plain = show.plain;
