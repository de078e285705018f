/**
 * JSON with the keys of every object in order of their code units, without spaces, and without keys whose value is undefined: the same
 * text for the same value, however it was built. Numbers are JavaScript's, which RFC 8785 takes too.
 * @throws TypeError naming the place of a value that JSON has not (NaN, a function, a BigInt)
 */
export function canonicalJson(value: unknown, place = "the value"): string {
  if (value === null || typeof value === "boolean" || typeof value === "string") return JSON.stringify(value);
  if (typeof value === "number" && Number.isFinite(value)) return JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item, i) => canonicalJson(item, `${place}[${i}]`)).join(",")}]`;
  if (typeof value === "object") {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    entries.sort(([a], [b]) => (a < b ? -1 : 1));
    const texts = entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item, `${place}.${key}`)}`);
    return `{${texts.join(",")}}`;
  }
  throw new TypeError(`${place} is ${String(value)}, which JSON can not hold.`);
}
