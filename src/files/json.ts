/** A text that is no JSON, or none that is taken: one sentence without the file's name. */
export class JsonError extends Error {
  override name = "JsonError";
}

/** What is taken of a JSON text. */
export interface JsonLimits {
  /** Lists and objects inside one another: 200. */
  depth?: number;
  /** Take every name, where nothing is looked up by them (a notebook's outputs). */
  anyNames?: boolean;
}

const reserved = new Set(["__proto__", "constructor", "prototype"]);

/**
 * Reads JSON that comes from outside. Names that reach an object's prototype are refused, whatever is done with them later; so is nesting
 * that would end the stack of whoever walks through it.
 * @throws JsonError saying what is wrong and what was expected
 * @example parseJson('{"__proto__": {}}') // JsonError: the name "__proto__" is not taken.
 */
export function parseJson(text: string, { depth = 200, anyNames = false }: JsonLimits = {}): unknown {
  checkDepth(text, depth);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonError((error as Error).message);
  }
  // Rare enough to be looked for only where the text may hold one, perhaps behind an escape.
  if (!anyNames && /__proto__|constructor|prototype|\\u00/i.test(text)) checkNames(value);
  return value;
}

/** Counts brackets outside of strings: before parsing, and without recursion. */
function checkDepth(text: string, most: number): void {
  let depth = 0;
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    if (c === 0x22) {
      i = endOfString(text, i);
    } else if (c === 0x5b || c === 0x7b) {
      if (++depth > most) throw new JsonError(`lists and objects lie more than ${most} deep inside one another`);
    } else if (c === 0x5d || c === 0x7d) depth--;
  }
}

function endOfString(text: string, start: number): number {
  for (let at = start + 1; ; at++) {
    at = text.indexOf('"', at);
    if (at < 0) return text.length;
    let slashes = 0;
    while (text.charCodeAt(at - 1 - slashes) === 0x5c) slashes++;
    if (slashes % 2 === 0) return at;
  }
}

function checkNames(value: unknown): void {
  if (value === null || typeof value !== "object") return;
  for (const [name, inner] of Object.entries(value)) {
    if (reserved.has(name)) throw new JsonError(`the name "${name}" is not taken`);
    checkNames(inner);
  }
}
