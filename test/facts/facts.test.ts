import { expect, test } from "vitest";
import { FactFileSchema } from "../../src/facts/index.js";
import { published } from "../support/facts.js";

test("every record parses, and no id is used twice", () => {
  expect(published.all().length).toBeGreaterThan(200);
});

test("a record is found by its id, and a missing one is named", () => {
  expect(published.number("S3")).toBe(7);
  expect(() => published.record("NOPE")).toThrow('"NOPE"');
});

test("a calibration record is never also a prediction: the stock throughput of the published machine is predicted", () => {
  expect(published.record("PE1").use).toBe("calibration");
  expect(published.record("PE2").use).toBe("prediction");
});

test("what the DMA code takes over from another machine is an input, and an unknown use is refused", () => {
  for (const id of ["JG1", "JG2", "JG4"]) expect(published.record(id).use, id).toBe("input");
  const parsed = FactFileSchema.safeParse({ about: "a", records: [{ ...published.record("JG4"), use: "fitted" }] });
  expect(parsed.error?.issues[0]?.path).toEqual(["records", 0, "use"]);
});

test("the measurements that later kernels are held against are there, and what was read second-hand is none of them", () => {
  const modern = published.all().filter(({ id }) => /^M[HSF]\d+$/.test(id));
  expect(modern.length).toBe(88);
  const predictions = modern.filter(({ use }) => use === "prediction");
  expect(predictions.map(({ id }) => id)).toContain("MS7");
  for (const { id, confidence } of predictions) expect(confidence, id).toBe("read");
  for (const { id, confidence, use } of modern) if (confidence === "unverified") expect(use, id).toBe("context");
});
