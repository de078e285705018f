/**
 * JSON that comes back as it was: what JSON itself has no word for (undefined, NaN, the infinities, -0) stands as {"#": word}.
 * For results that are remembered and are no rows of plain values; objects of classes and functions have no place in them.
 */
const words: readonly (readonly [word: string, value: unknown])[] = [
  ["undefined", undefined],
  ["NaN", Number.NaN],
  ["Infinity", Number.POSITIVE_INFINITY],
  ["-Infinity", Number.NEGATIVE_INFINITY],
  ["-0", -0],
];
const sign = "#";

/** The text of a value. @example exactJson({ rate: Infinity }) // '{"rate":{"#":"Infinity"}}' */
export function exactJson(value: unknown): string {
  return JSON.stringify(written(value));
}

function written(value: unknown): unknown {
  const word = words.find(([, known]) => Object.is(known, value));
  if (word) return { [sign]: word[0] };
  if (Array.isArray(value)) return value.map(written);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, written(one)]));
}

/** The value of such a text. @throws SyntaxError where it is no JSON */
export function fromExactJson(text: string): unknown {
  return read(JSON.parse(text));
}

function read(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(read);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value);
  const word =
    entries.length === 1 && entries[0][0] === sign ? words.find(([name]) => name === entries[0][1]) : undefined;
  return word ? word[1] : Object.fromEntries(entries.map(([key, one]) => [key, read(one)]));
}
