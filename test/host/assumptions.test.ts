import { describe, expect, it } from "vitest";
import { workloadFile } from "../../src/facts/index.js";
import { assumedFields, hostRunDefaults, workloadAssumptions } from "../../src/host/index.js";

describe("the assumptions of the workload", () => {
  it("are a run's defaults, each with its reason and a range around it", () => {
    const all = workloadAssumptions();
    for (const field of assumedFields) {
      const { value, source, unit, assumption } = all[field];
      expect(hostRunDefaults[field], field).toBe(value);
      expect(source, field).toMatch(/^Assumed: /);
      expect(unit, field).not.toBe("");
      expect(assumption.low, field).toBeLessThanOrEqual(value);
      expect(assumption.high, field).toBeGreaterThanOrEqual(value);
    }
  });

  it("have no value in data/workload that no run takes, and a missing file is named", () => {
    expect(Object.keys((workloadFile("tcp-rr") as { values: object }).values).sort()).toEqual(
      [...assumedFields].sort(),
    );
    expect(() => workloadFile("udp")).toThrow("data/workload/udp.json");
  });
});
