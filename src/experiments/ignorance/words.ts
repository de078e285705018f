import { shortNumber as short } from "../frame/headline.js";
import type { Margin } from "../frame/verdict.js";
import { assumptionName } from "./assumed.js";
import type { Slice } from "./decides.js";
import type { Prior } from "./judge.js";

const percent = (share: number): string => `${Math.round(100 * share)} %`;

/** A margin in words: "29 to 38 %", "at most 50 %". */
export function marginText({ low, high }: Margin, unit: string): string {
  const ends = Number.isFinite(low)
    ? Number.isFinite(high)
      ? `${short(low)} to ${short(high)}`
      : `at least ${short(low)}`
    : `at most ${short(high)}`;
  return `${ends} ${unit}`.trim();
}

const sliceText = ({ from, to, inside }: Slice): string => {
  const say = (value: Slice["from"]): string => (typeof value === "number" ? short(value) : String(value));
  return `${percent(inside)} at ${from === to ? say(from) : `${say(from)} to ${say(to)}`}`;
};

/** Designs that are no draws: every case that there is. */
export const caseDesigns: readonly string[] = ["recordings", "ablations", "hosts"];
/**
 * What stands in a margin's place for a design where a question is answered by the settings of a run, and by no draws.
 * @public to whoever writes a margin
 */
export const bySettings = "settings";

/** What the draws say about a quantity, in a sentence or three. */
export function priorText({
  margin,
  share,
  predictive,
  draws,
  drawn,
  planned,
  decider,
  verdict,
  design,
}: Prior): string {
  const { unit } = margin;
  const run = `${drawn.toLocaleString("en")} were run${planned === undefined ? "" : ` of the design's ${planned.toLocaleString("en")}`}`;
  const some = drawn > draws || planned !== undefined ? ` that hold it (${run})` : "";
  const what = caseDesigns.includes(design) ? "cases that there are" : "draws of what nobody published";
  const first = `Of ${draws.toLocaleString("en")} ${what}${some}, ${percent(share.mean)} lie within the margin (${marginText(margin, unit)}); 95 % lie between ${short(predictive.low)} and ${short(predictive.high)}.`;
  if (verdict === "not decidable")
    return `${first} Other seeds could make that ${percent(share.least)} or ${percent(share.most)}, which leaves the verdict open.`;
  if (!decider) return verdict === "depends" ? `${first} No assumption alone decides.` : first;
  const sides =
    decider.inside === undefined || decider.outside === undefined
      ? ""
      : `; draws ${decider.inside} and ${decider.outside} lie on either side`;
  return `${first} What decides most is “${assumptionName(decider.assumption)}”: inside lie ${sliceText(decider.most)}, ${sliceText(decider.fewest)}${sides}.`;
}
