import type { ClaimResult } from "./claim.js";
import { shortNumber as short } from "./headline.js";

const escapeHtml = (text: string): string => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** A claim's published value in words: "14 to 16 levels"; empty where none was published. */
export function publishedText({ published }: ClaimResult): string {
  if (!published) return "";
  const { low, high, unit } = published;
  return `${low === high ? short(low) : `${short(low)} to ${short(high)}`} ${unit}`.trim();
}

/** A claim's simulated value with its interval in words: "15.2 (14.9 to 15.5) levels"; empty where none was simulated. */
export function simulatedText({ simulated }: ClaimResult): string {
  if (!simulated) return "";
  const { mean, low, high, unit } = simulated;
  return `${short(mean)} (${short(low)} to ${short(high)}) ${unit}`.trim();
}

/** The mark before a verdict, so that it does not hang on colour alone. */
const marks: Readonly<Record<ClaimResult["verdict"], string>> = {
  holds: "✓",
  "does not hold": "✗",
  depends: "±",
  "not decidable": "≈",
  calibration: "=",
  "not answered": "?",
};

function html(claims: readonly ClaimResult[]): string {
  const style = "text-align:left;vertical-align:top;white-space:normal;padding:.4em .8em";
  const cell = (text: string, tag = "td"): string => `<${tag} style="${style}">${text}</${tag}>`;
  const head = ["verdict", "the sentence", "kind", "published", "simulated", "why"]
    .map((name) => cell(name, "th"))
    .join("");
  const body = claims.map((claim) =>
    [
      cell(
        claim.answer === undefined
          ? `${marks[claim.verdict]}&nbsp;${claim.verdict.replaceAll(" ", "&nbsp;")}`
          : escapeHtml(`${marks[claim.verdict]} ${claim.answer}`),
      ),
      cell(`“${escapeHtml(claim.quote)}”<br><small>${escapeHtml(claim.source)}</small>`),
      cell(claim.kind),
      cell(escapeHtml(publishedText(claim))),
      cell(escapeHtml(simulatedText(claim))),
      cell(escapeHtml(claim.explanation)),
    ].join(""),
  );
  return `<table><thead><tr>${head}</tr></thead><tbody>${body.map((row) => `<tr>${row}</tr>`).join("")}</tbody></table>`;
}

/** Claims as text, a paragraph each. */
export function claimsText(claims: readonly ClaimResult[]): string {
  return claims
    .map((claim) => {
      const values = [
        publishedText(claim) && `published ${publishedText(claim)}`,
        simulatedText(claim) && `simulated ${simulatedText(claim)}`,
      ].filter(Boolean);
      return [
        `${marks[claim.verdict]} ${claim.answer ?? claim.verdict}: “${claim.quote}” (${claim.source}; ${claim.kind})`,
        ...(values.length > 0 ? [`  ${values.join("; ")}`] : []),
        `  ${claim.explanation}`,
      ].join("\n");
    })
    .join("\n");
}

/** The same list, which a notebook shows as a table of verdicts. */
export function displayable<T extends ClaimResult>(claims: readonly T[]): T[] {
  return Object.defineProperty([...claims], Symbol.for("Jupyter.display"), {
    value: () => ({ "text/html": html(claims), "text/plain": claimsText(claims) }),
  });
}
