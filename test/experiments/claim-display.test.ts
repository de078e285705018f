import { expect, test } from "vitest";
import { displayable } from "../../src/experiments/frame/claim-display.js";
import type { ClaimResult } from "../../src/experiments/index.js";

const claim: ClaimResult = {
  id: "S1",
  quote: "the RB tree is ~14-16 levels deep & <cold>",
  source: "a mail",
  published: { low: 14, high: 16, unit: "levels" },
  kind: "predicted number",
  simulated: { mean: 15.234, low: 15.1, high: 15.4, n: 5, level: 0.95, unit: "levels" },
  verdict: "holds",
  explanation: "It is.",
};
const bundle = (claims: ClaimResult[]): Record<string, string> =>
  (displayable(claims) as unknown as Record<symbol, () => Record<string, string>>)[Symbol.for("Jupyter.display")]();

test("a list of claims shows as a table of verdicts, with values, intervals and units, and nothing of it is markup", () => {
  const { "text/html": html, "text/plain": text } = bundle([claim]);
  expect(html).toContain("✓&nbsp;holds");
  expect(html).toContain("14 to 16 levels");
  expect(html).toContain("15.2 (15.1 to 15.4) levels");
  expect(html).not.toContain("<cold>");
  expect(text).toContain("✓ holds: “the RB tree");
  expect(text).toContain("published 14 to 16 levels; simulated 15.2 (15.1 to 15.4) levels");
});

test("a question shows its answer in place of a verdict", () => {
  const asked = { ...claim, quote: "Is 4 parallel arenas enough?", answer: "Yes, for 16 cores" };
  const { "text/html": html, "text/plain": text } = bundle([asked]);
  expect(html).toContain("✓ Yes, for 16 cores");
  expect(html).not.toContain("holds");
  expect(text).toMatch(/^✓ Yes, for 16 cores: “Is 4/);
});

test("it is still a list", () => {
  expect(displayable([claim]).map(({ id }) => id)).toEqual(["S1"]);
  expect(bundle([])["text/plain"]).toBe("");
});
