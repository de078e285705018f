import { expect, test } from "vitest";
import { type ClaimResult, mergedNodes, pageSizes } from "../../src/experiments/index.js";
import { mergeAnswers, threadContext } from "../../src/study/index.js";
import { published } from "../support/facts.js";

test("every number of the thread is answered by a claim, or is context with a reason", async () => {
  const structure = await mergedNodes.run({ parts: ["structure"] });
  const answered = [
    ...structure.claims,
    ...mergedNodes.collect(mergedNodes.parse({}), []).claims,
    ...pageSizes.collect(pageSizes.parse({}), []).claims,
  ];
  const ids = new Set(answered.flatMap(({ id, published }) => [id, published?.factId]));
  const records = published.all().filter(({ topic }) => topic === "thread");
  expect(records).toHaveLength(11);
  for (const { id, use } of records) {
    if (use === "context") expect(threadContext[id], id).toMatch(/\w+ \w+/);
    else expect(ids, id).toContain(id);
  }
});

test("of several runs, each claim keeps its first answer", () => {
  const claim = (id: string, verdict: ClaimResult["verdict"], explanation: string): ClaimResult => ({
    id,
    quote: "q",
    source: "s",
    kind: "predicted number",
    verdict,
    explanation,
  });
  const merged = mergeAnswers([
    [claim("a", "holds", "first"), claim("b", "not answered", "needs more"), claim("c", "not answered", "needs more")],
    [claim("a", "depends", "second"), claim("b", "depends", "second"), claim("c", "not answered", "still")],
  ]);
  expect(merged.map(({ verdict, explanation }) => `${verdict}: ${explanation}`)).toEqual([
    "holds: first",
    "depends: second",
    "not answered: needs more",
  ]);
});
