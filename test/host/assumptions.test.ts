import { describe, expect, it } from "vitest";
import { assumedFields, hostRunDefaults, workloadAssumptions } from "../../src/host/index.js";
import { published } from "../support/facts.js";

describe("the assumptions of the workload", () => {
  it("are a run's defaults, each with its reason and a range around it", () => {
    const all = workloadAssumptions(published);
    for (const field of assumedFields) {
      const { value, source, unit, assumption } = all[field];
      expect(hostRunDefaults(published)[field], field).toBe(value);
      expect(source, field).toMatch(/^Assumed: /);
      expect(unit, field).not.toBe("");
      expect(assumption.low, field).toBeLessThanOrEqual(value);
      expect(assumption.high, field).toBeGreaterThanOrEqual(value);
    }
  });

  it("have no value in data/workload that no run takes, and a missing file is named", () => {
    expect(Object.keys((published.workload("tcp-rr") as { values: object }).values).sort()).toEqual(
      [...assumedFields].sort(),
    );
    expect(() => published.workload("udp")).toThrow("data/workload/udp.json");
  });
});
