/**
 * Values to mime bundles: what a front end shows for the last expression of a cell or for `lab.display(value)`.
 *
 * A value with a method under `Symbol.for("Jupyter.display")` says itself how it is shown. Arquero tables and lists of plain records become HTML
 * tables; everything else is shown as text, as the host prints it.
 */
import type { MimeBundle } from "./mime.js";
import { isTable, recordsAsTable, tableBundle } from "./table.js";

/** Values with a method under this key are shown as the bundle that it returns, or promises; null, or a promise of it, shows nothing. */
export const displayKey: symbol = Symbol.for("Jupyter.display");

/** What the host prints with. */
export interface Printer {
  /** Any value as text; may throw what the value's own code throws. */
  inspect(value: unknown): string;
  base64(bytes: Uint8Array): string;
}

/** How values are shown. */
export interface Show {
  textOf(value: unknown): string;
  bundleOf(value: unknown): Promise<MimeBundle | undefined>;
  syncBundleOf(value: unknown): MimeBundle | Promise<unknown> | null;
  plain(bundle: unknown, value: unknown): MimeBundle;
}

/** The longest text that is shown of one value, in UTF-16 units. */
const longestText = 100_000;

/** Why a value could not be printed; what was thrown may itself refuse to be. */
function reason(error: unknown): string {
  try {
    return `: ${error instanceof Error ? String(error.message) : String(error)}`;
  } catch {
    return "";
  }
}

/** What a question about a value gives, where the value (a proxy, say) answers at all. */
function quietly<T>(ask: () => T): T | undefined {
  try {
    return ask();
  } catch {
    return undefined;
  }
}

/**
 * Marks what a cell is given to go on with, such as the place of a display: as a value it shows nothing, and inside of another value only
 * its name (its id is another at each run).
 */
export function hidden<T extends object>(handle: T, name: string): T {
  const as = (value: unknown) => ({ value, enumerable: false });
  return Object.defineProperties(handle, {
    [displayKey]: as(() => null),
    [Symbol.for("nodejs.util.inspect.custom")]: as(() => `[${name}]`),
  });
}

/** How values are shown with a host's printer. */
export function createShow(printer: Printer): Show {
  /** A value as text. Never throws: where the value's own code does, the text says so. */
  function textOf(value: unknown): string {
    let text: string;
    try {
      text = printer.inspect(value);
    } catch (error) {
      text = `[could not be printed${reason(error)}]`;
    }
    if (text.length <= longestText) return text;
    return `${text.slice(0, longestText)}\n… ${text.length - longestText} more characters`;
  }

  /**
   * The bundle of a value, or undefined for a value that shows nothing (`undefined`, or what says so itself).
   * @throws what the value's own display method throws
   */
  async function bundleOf(value: unknown): Promise<MimeBundle | undefined> {
    if (value === undefined) return undefined;
    const direct = syncBundleOf(value);
    if (!(direct instanceof Promise)) return direct ?? undefined;
    const bundle: unknown = await direct;
    return bundle === null ? undefined : plain(bundle, value);
  }

  /**
   * The same without waiting, except where the value's display method returns a promise: then that promise.
   */
  function syncBundleOf(value: unknown): MimeBundle | Promise<unknown> | null {
    if ((typeof value === "object" && value !== null) || typeof value === "function") {
      const method = quietly(() => (value as Record<symbol, unknown>)[displayKey]);
      if (typeof method === "function") {
        const bundle: unknown = (method as () => unknown).call(value);
        if (bundle instanceof Promise || bundle === null) return bundle;
        return plain(bundle, value);
      }
      if (quietly(() => isTable(value)) === true) return tableBundle(value as Parameters<typeof tableBundle>[0]);
      const records = quietly(() => recordsAsTable(value));
      // As text, a list stays what it is.
      if (records) return { ...tableBundle(records), "text/plain": textOf(value) };
    }
    return { "text/plain": textOf(value) };
  }

  /** Checks a bundle that user code made, and turns it into plain JSON data. */
  function plain(bundle: unknown, value: unknown): MimeBundle {
    if (typeof bundle !== "object" || bundle === null || Array.isArray(bundle))
      throw new TypeError(
        `A display method must return an object of content by media type, such as { "text/html": "…" }; it returned ${textOf(bundle).slice(0, 80)}.`,
      );
    const result: MimeBundle = {};
    for (const [type, content] of Object.entries(bundle)) {
      if (content === undefined) continue;
      if (/^(application\/json|[^;]+\+json)$/.test(type) || typeof content === "string") result[type] = content;
      else if (content instanceof Uint8Array) result[type] = printer.base64(content);
      else throw new TypeError(`The content for "${type}" must be a string; it is ${textOf(content).slice(0, 80)}.`);
    }
    if (!("text/plain" in result)) {
      const name = (value as { constructor?: { name?: string } })?.constructor?.name;
      const types = Object.keys(result).join(", ");
      result["text/plain"] = name && name !== "Object" ? `[${name}]` : types === "" ? "[nothing]" : `[${types}]`;
    }
    // What cannot be JSON (a BigInt, a cycle) should fail here, where the user can see why.
    return JSON.parse(JSON.stringify(result)) as MimeBundle;
  }

  return { textOf, bundleOf, syncBundleOf, plain };
}
