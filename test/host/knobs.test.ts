import { describe, expect, it } from "vitest";
import { costSources } from "../../src/dma/index.js";
import { lockContention, mergedNodes } from "../../src/experiments/index.js";
import {
  assumptions,
  changeOf,
  type HostRun,
  hostOfDefaults,
  hostRunDefaults,
  type Knob,
  type KnobValue,
  knobs,
  smallAssumptions,
  workloadAssumptions,
} from "../../src/host/index.js";
import { hostAssumptions } from "../../src/machine/index.js";
import { published } from "../support/facts.js";

const all: readonly Knob[] = knobs();
const defaults = hostRunDefaults(published);

/** Another value than the default that a knob accepts. */
function another({ accepts, fallback, name }: Knob): KnobValue {
  const value = fallback(published);
  if (accepts.kind === "boolean") return !value;
  if (accepts.kind === "choice") return accepts.values.find((one) => one !== value) as string;
  if (name === "cores") return 2;
  return accepts.low === value ? accepts.high : accepts.low;
}

describe("every knob", () => {
  it("has a name of its own, says what it is, and accepts its default and both ends of its range", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const knob of all) {
      expect(knob.about, knob.name).not.toBe("");
      const { ends } = knob.assumption ?? {};
      const values = [knob.fallback(published)].filter((value) => value !== undefined);
      if (ends) expect(ends(published).low[0], knob.name).not.toBe("");
      const { accepts } = knob;
      for (const value of values)
        if (accepts.kind === "choice") expect(accepts.values, knob.name).toContain(value);
        else if (accepts.kind === "boolean") expect(typeof value, knob.name).toBe("boolean");
        else if (value !== accepts.word)
          expect(Number(value) >= accepts.low && Number(value) <= accepts.high, knob.name).toBe(true);
    }
  });

  it("changes a run where it is set, and nothing where it is at its default", () => {
    for (const knob of all) {
      const changed = { ...defaults, ...knob.put(another(knob), published) };
      expect(changed, knob.name).not.toEqual(defaults);
      const value = knob.fallback(published);
      if (knob.kind === "run" && value !== undefined)
        expect({ ...defaults, ...knob.put(value, published) }, knob.name).toEqual(defaults);
    }
  });

  it("can be swept by lock-contention and replaced in merged-nodes; where it is set it is a column of the table", () => {
    for (const knob of all) {
      const listed = knob.name === "lock" ? "locks" : knob.name === "profile" ? "profiles" : knob.name;
      const value = another(knob);
      // A hand-off in cycles a waiter is the ticket lock's alone.
      const locks = knob.name === "handoffCycles" ? { locks: ["ticket" as const] } : {};
      const fixed = { cores: [2], variants: ["deferred"], replications: 1, ...locks };
      const config = lockContention.parse({ ...fixed, [listed]: [value] });
      const [point] = lockContention.points(config);
      expect(point.settings, knob.name).toHaveProperty(knob.name);
      expect(point.run, knob.name).toMatchObject(knob.put(value, published));
      expect(Object.keys(lockContention.columns)).toContain(knob.name);
      const host = knob.name === "host" ? { cores: 2 } : {};
      const assume = { ...host, [knob.name]: value };
      const recovery = mergedNodes.points(mergedNodes.parse({ parts: ["recovery"], replications: 1, assume }));
      expect((recovery[0] as { run: Partial<HostRun> }).run, knob.name).toMatchObject(knob.put(value, published));
    }
  });

  it("is refused, with what it accepts, where it is out of its bounds", () => {
    for (const { name, accepts } of all) {
      if (accepts.kind !== "whole" && accepts.kind !== "number") continue;
      const value = name === "cores" ? 99 : accepts.high + 1;
      const listed = { variants: ["deferred"], [name]: [value] };
      expect(() => lockContention.parse(listed), name).toThrow(new RegExp(`${name}\\.0: accepts .*got ${value}`));
      expect(() => mergedNodes.parse({ assume: { [name]: value } }), name).toThrow(
        new RegExp(`assume\\.${name}: accepts`),
      );
    }
  });
});

describe("nothing that is assumed is without its knob", () => {
  it("of the costs of the DMA code, of the host, of the workload", () => {
    const changes = all.map((knob) => knob.put(another(knob), published));
    for (const { field } of costSources)
      expect(
        changes.some(({ costs }) => costs !== undefined && field in costs),
        field,
      ).toBe(true);
    for (const { field } of hostAssumptions(published, hostOfDefaults))
      expect(
        changes.some(({ machineOverrides }) => machineOverrides !== undefined && field in machineOverrides),
        field,
      ).toBe(true);
    for (const [field, { value, source, unit, assumption }] of Object.entries(workloadAssumptions(published))) {
      expect(
        changes.some((change) => field in change),
        field,
      ).toBe(true);
      expect(defaults[field as keyof HostRun], field).toBe(value);
      expect(source, field).toMatch(/^Assumed: /);
      expect(unit, field).not.toBe("");
      expect(assumption.low <= value && value <= assumption.high, field).toBe(true);
    }
    expect(() => published.workload("udp")).toThrow("data/workload/udp.json");
  });

  it("and every one with a range is moved by the sensitivity, alone or together with its kind", () => {
    const named = new Set([...assumptions(published), ...smallAssumptions(published)].map(({ name }) => name));
    for (const { assumption } of all) if (assumption) expect(named).toContain(assumption.label);
    for (const { name, low, high } of assumptions(published))
      expect(Object.keys(low[1]).length + Object.keys(high[1]).length, name).toBeGreaterThan(0);
  });
});

describe("several changes", () => {
  it("of costs and of the host's values add up; of a field the last one counts", () => {
    const change = changeOf({ relaxCycles: 5, apiCycles: 7, ddioWays: 0, irqSaveCycles: 9, cores: 3 }, published);
    expect(change).toEqual({
      costs: { relaxCycles: 5, apiCycles: 7 },
      machineOverrides: { ddioWays: 0, irqSaveCycles: 9 },
      cores: 3,
    });
    expect(changeOf({ cores: undefined }, published)).toEqual({});
  });
});
