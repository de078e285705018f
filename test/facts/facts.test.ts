import { expect, test } from "vitest";
import { FactFileSchema, fact, factNumber, facts } from "../../src/facts/index.js";

test("every record parses, and no id is used twice", () => {
  expect(facts().length).toBeGreaterThan(200);
});

test("a record is found by its id, and a missing one is named", () => {
  expect(factNumber("S3")).toBe(7);
  expect(() => fact("NOPE")).toThrow('"NOPE"');
});

test("a calibration record is never also a prediction: the stock throughput of the published machine is predicted", () => {
  expect(fact("PE1").use).toBe("calibration");
  expect(fact("PE2").use).toBe("prediction");
});

test("what the DMA code takes over from another machine is an input, and an unknown use is refused", () => {
  for (const id of ["JG1", "JG2", "JG4"]) expect(fact(id).use, id).toBe("input");
  const parsed = FactFileSchema.safeParse({ about: "a", records: [{ ...fact("JG4"), use: "fitted" }] });
  expect(parsed.error?.issues[0]?.path).toEqual(["records", 0, "use"]);
});
