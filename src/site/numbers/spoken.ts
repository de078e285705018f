/** A number as prose says it, and how far a value may lie from it that it still stands for. */
export interface Spoken {
  value: number;
  within: number;
}

const ones =
  "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen nineteen".split(
    " ",
  );
const tens = "twenty thirty forty fifty sixty seventy eighty ninety".split(" ");
const parts = "half third quarter fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth".split(
  " ",
);
/** How far a fraction in words may be off, as a share of it: a third is said of 0.3 to 0.366. */
const loosely = 0.1;

/** "twelve", "twenty-eight", "a hundred": a count in words, or undefined. */
function counted(words: string): number | undefined {
  const text = words.replace(/^an? /, "one ");
  const [, count, scale] = /^(.+) (hundred|thousand|million)$/.exec(text) ?? [];
  if (scale !== undefined) {
    const many = counted(count);
    return many === undefined ? undefined : many * { hundred: 100, thousand: 1000, million: 1e6 }[scale]!;
  }
  const [first, second] = text.split("-");
  if (second === undefined && ones.includes(first)) return ones.indexOf(first);
  if (second === undefined && first === "none") return 0;
  if (!tens.includes(first)) return undefined;
  const ten = 20 + 10 * tens.indexOf(first);
  if (second === undefined) return ten;
  const one = ones.indexOf(second);
  return one >= 1 && one <= 9 ? ten + one : undefined;
}

/** "half", "a third", "two fifths": a fraction in words, or undefined. */
function fraction(words: string): number | undefined {
  if (words === "half" || words === "a half") return 0.5;
  if (/^(twice|doubles?|doubled)$/.test(words)) return 2;
  const [, count, part] = /^(.+) ([a-z]+?)s?$/.exec(words) ?? [];
  const of = part === "twentieth" ? 18 : parts.indexOf(part ?? "");
  const many = of < 0 ? undefined : counted(count === "a" || count === "an" ? "one" : count);
  return many === undefined ? undefined : many / (of + 2);
}

/**
 * The number that a piece of prose says: "32,776", "4.6 %", "−3", "twenty-eight", "two fifths", "twice"; undefined for anything else.
 * Digits stand for what rounds to them, and zeros at a whole number's end for up to a tenth of it; a fraction in words for a tenth of itself.
 * @example spoken("32,776") // { value: 32776, within: 0.5 }
 * @example spoken("two fifths") // { value: 0.4, within: 0.04 }
 */
export function spoken(text: string): Spoken | undefined {
  const words = text.trim().toLowerCase();
  const digits = /^([-−]?)(\d[\d,]*)(?:\.(\d+))?(?: ?(%|million|thousand))?$/.exec(words);
  if (digits) {
    const [, sign, whole, decimals = "", scale] = digits;
    const unit = scale === "million" ? 1e6 : scale === "thousand" ? 1000 : 1;
    const size = Number(`${whole.replaceAll(",", "")}.${decimals || "0"}`);
    const written = 10 ** -decimals.length / 2;
    const zeros = decimals === "" ? (/0*$/.exec(whole.replaceAll(",", ""))?.[0].length ?? 0) : 0;
    const round = zeros === 0 ? 0 : Math.min(10 ** zeros / 2, size * loosely);
    return { value: unit * size * (sign === "" ? 1 : -1), within: unit * Math.max(written, round) };
  }
  const share = fraction(words);
  if (share !== undefined) return { value: share, within: share * loosely };
  const count = counted(words);
  if (count === undefined) return undefined;
  return { value: count, within: count >= 20 && count % 10 === 0 ? count * loosely : 0.5 };
}
