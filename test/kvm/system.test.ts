import { describe, expect, test } from "vitest";
import { type Exploration, explore, type Violation } from "../../src/explore/index.js";
import {
  machineCheckModel,
  machineCheckProperties,
  playScenario,
  rule,
  rules,
  type SystemConfig,
  simpleSystem,
  stepsToPhase,
} from "../../src/kvm/index.js";

const check = (config: Partial<SystemConfig>): Exploration => {
  const full = { ...simpleSystem, ...config };
  return explore(machineCheckModel(full), { properties: machineCheckProperties(full) });
};
const inGuest = "no machine check in guest mode shuts the host down while the host has MCE on";
const inRoot = "no machine check in root mode shuts the host down while the host has MCE on";
const inForce = "in guest mode CR4.MCE is what the host means it to be";
const notLost = "in root mode CR4.MCE is what the host means it to be";
const broken = ({ violations }: Exploration): string[] => violations.map(({ property }) => property);
const words = (violation: Violation | undefined): string =>
  (violation?.trace ?? []).map(({ action }) => action).join("\n");

describe("what the mails say", () => {
  const outcome = (ruleName: string, guest: number): string => {
    const config = { ...simpleSystem, rule: ruleName };
    return playScenario(config, [...stepsToPhase(4, guest), "CPU 0: MACHINE CHECK"]).at(-1)?.state.death as string;
  };

  test("before the patch a guest with MCE clear kills the host, one with MCE set does not", () => {
    expect(outcome("before", 0)).toContain("in guest mode, though the host has MCE on");
    expect(outcome("before", 1)).toBe("");
  });

  test("after it, in both versions, the host handles both", () => {
    for (const name of ["live-read", "shadow"]) for (const guest of [0, 1]) expect(outcome(name, guest)).toBe("");
  });

  test("a handled machine check leaves the host in its handler, in root mode, with its own CR4.MCE", () => {
    const [cpu] =
      playScenario({ ...simpleSystem, rule: "shadow" }, [...stepsToPhase(4, 0), "CPU 0: MACHINE CHECK"]).at(-1)?.state
        .cpus ?? [];
    expect(cpu).toMatchObject({ phase: "host", handling: true, live: 1 });
  });

  test("with the host's MCE off the fix takes it from the guest too: hardware 0, and a machine check kills", () => {
    const config: SystemConfig = { ...simpleSystem, rule: "shadow", startWith: "off" };
    const steps = playScenario(config, [...stepsToPhase(4, 1), "CPU 0: MACHINE CHECK"]);
    expect(steps.at(-2)?.state.vcpus[0]).toMatchObject({ wrote: 1, reads: 1, hardware: 0 });
    expect(steps.at(-1)?.state.death).toContain("the host has MCE off");
  });
});

describe("every reachable state, with one CPU that keeps its MCE on", () => {
  test("before the patch the shortest way to lose the host is: create, enter, machine check", () => {
    const result = check({ rule: "before" });
    expect(broken(result)).toEqual([inGuest, inForce]);
    expect(result.violations[0].trace).toHaveLength(6);
    expect(words(result.violations[0])).toContain("MACHINE CHECK (entry: guest loaded)");
  });

  test.each(["live-read", "shadow", "every-entry", "svm"])("%s: nothing fails", (name) => {
    const result = check({ rule: name });
    expect(result).toMatchObject({ complete: true, violations: [] });
  });

  test("nor with two CPUs and guests that move between them, as long as the CPUs agree", () => {
    for (const hostCr4 of ["constant", "refreshed"] as const) {
      expect(check({ rule: "shadow", cpus: 2, vcpus: 2, migrations: true, hostCr4 }).violations).toEqual([]);
    }
  });

  test("nor with machine checks on every CPU at once", () => {
    expect(check({ rule: "shadow", cpus: 2, vcpus: 2, migrations: true, broadcast: true }).violations).toEqual([]);
    expect(broken(check({ rule: "before", cpus: 2, vcpus: 1, broadcast: true }))).toContain(inGuest);
  });

  test("nor with a guest that switches between real and protected mode", () => {
    expect(check({ rule: "shadow", modeSwitches: true }).violations).toEqual([]);
  });
});

describe("what the fix does not cover: a CR4 that is cached", () => {
  test.each([
    "live-read",
    "shadow",
    "svm",
  ])("%s: a host that turns MCE on after the guest was created stays unprotected", (name) => {
    const result = check({ rule: name, hostChanges: true, startWith: "off" });
    expect(broken(result)).toContain(inGuest);
    expect(words(result.violations.find(({ property }) => property === inGuest))).toContain(
      "the host sets its CR4.MCE to 1",
    );
  });

  test.each(["live-read", "shadow", "svm"])("%s: CPUs that differ are enough, without any change over time", (name) => {
    const result = check({ rule: name, cpus: 2, migrations: true, startWith: "any" });
    expect(broken(result)).toContain(inGuest);
    expect(words(result.violations.find(({ property }) => property === inGuest))).toContain("is scheduled away");
  });

  test("computed at every entry, nothing of that is left", () => {
    const result = check({
      rule: "every-entry",
      cpus: 2,
      vcpus: 2,
      hostChanges: true,
      migrations: true,
      startWith: "any",
    });
    expect(result).toMatchObject({ complete: true, violations: [] });
  });

  test("a host CR4 that is constant since creation loses the host's own MCE at VM exit, whatever the guest's rule", () => {
    for (const { name, savesHostAtEntry } of rules) {
      const failed = broken(check({ rule: name, hostCr4: "constant", hostChanges: true, startWith: "off" }));
      expect(failed.includes(notLost), name).toBe(!savesHostAtEntry);
      expect(failed.includes(inRoot), name).toBe(!savesHostAtEntry);
    }
  });

  test("refreshed at each entry, that half is closed: the half that was still open in 2015 is the guest's", () => {
    const result = check({ rule: "shadow", cpus: 2, vcpus: 2, hostChanges: true, migrations: true, startWith: "any" });
    expect(broken(result)).toEqual([inGuest, inForce]);
  });

  test("the two versions of the patch differ once VM exit has loaded a stale host CR4: one copies the loss, the other does not", () => {
    const config: SystemConfig = { ...simpleSystem, hostCr4: "constant", startWith: "off", hostChanges: true };
    const steps = [
      "CPU 0: KVM creates guest A",
      "CPU 0: the host sets its CR4.MCE to 1",
      ...stepsToPhase(4, 1).slice(1),
    ];
    const hardware = (name: string): number | undefined =>
      playScenario({ ...config, rule: name }, steps).at(-1)?.state.vcpus[0].hardware;
    expect(hardware("live-read")).toBe(0);
    expect(hardware("shadow")).toBe(1);
  });
});

describe("a second machine check", () => {
  test("while the first is being handled shuts any host down, which is no fault of CR4", () => {
    const result = check({ rule: "shadow", machineChecks: 2 });
    expect(result.violations).toEqual([]);
    const steps = [...stepsToPhase(4, 0), "CPU 0: MACHINE CHECK", "CPU 0: MACHINE CHECK"];
    expect(playScenario({ ...simpleSystem, rule: "shadow", machineChecks: 2 }, steps).at(-1)?.state.death).toContain(
      "second machine check",
    );
  });
});

describe("the explorer is complete for its bounds", () => {
  const moving: Partial<SystemConfig> = { hostChanges: true, migrations: true, startWith: "any" };

  test.each([
    ["before", 959, 7343],
    ["live-read", 865, 28304],
    ["shadow", 865, 28304],
    ["every-entry", 865, 11335],
    ["svm", 865, 15795],
  ])("%s: states of two CPUs and two guests, with CPUs that agree and with a host that changes", (name, still, changing) => {
    expect(check({ rule: name, cpus: 2, vcpus: 2, migrations: true }).states).toBe(still);
    expect(check({ rule: name, cpus: 2, vcpus: 2, ...moving }).states).toBe(changing);
  });

  test("renaming CPUs and guests leaves out no class: with and without it the same properties fail, at the same distance", () => {
    for (const { name } of rules) {
      const config = { ...simpleSystem, ...moving, rule: name, cpus: 2, vcpus: 2 } as SystemConfig;
      const model = machineCheckModel(config);
      const { canonical: _, ...plain } = model;
      const properties = machineCheckProperties(config);
      const [some, all] = [explore(model, { properties }), explore(plain, { properties })];
      const lengths = (e: Exploration): [string, number][] => e.violations.map((v) => [v.property, v.trace.length]);
      expect(lengths(some)).toEqual(lengths(all));
      expect(some.statesByDepth).toHaveLength(all.statesByDepth.length);
      // Each class has at most 2! × 2! members.
      expect(all.states).toBeLessThanOrEqual(some.states * 4);
      expect(all.states).toBeGreaterThan(some.states * 3);
    }
  });
});

describe("a rule that is changed is noticed", () => {
  // Each changed rule must break a property that holds for the real one, in a system where it is meant to be safe.
  const shadow = rule("shadow");
  const safe: SystemConfig = { ...simpleSystem, rule: "shadow", cpus: 2, migrations: true };
  const failing = (changed: typeof shadow): string[] =>
    broken(explore(machineCheckModel(safe, changed), { properties: machineCheckProperties(safe) }));

  test("unchanged, nothing fails", () => expect(failing(shadow)).toEqual([]));

  test("taking the bit from the guest", () => {
    expect(failing({ ...shadow, hardwareCr4: (i) => shadow.hardwareCr4({ ...i, hostShadow: i.guestCr4 }) })).toContain(
      inGuest,
    );
  });

  test("clearing the bit", () => {
    expect(failing({ ...shadow, hardwareCr4: (i) => shadow.hardwareCr4({ ...i, hostShadow: 0 }) })).toContain(inGuest);
  });

  test("the guest's bit and the host's", () => {
    expect(
      failing({ ...shadow, hardwareCr4: (i) => shadow.hardwareCr4({ ...i, hostShadow: i.hostShadow & i.guestCr4 }) }),
    ).toContain(inGuest);
  });
});

describe("bad input", () => {
  test.each([
    [{ cpus: 0 }, "cpus is 0; it must be a whole number from 1 to 4"],
    [{ vcpus: 4 }, "vcpus is 4; it must be a whole number from 1 to 3"],
    [{ machineChecks: 1.5 }, "machineChecks is 1.5"],
    [{ rule: "after" }, 'There is no rule "after"'],
    [{ hostCr4: "stale" as "constant" }, 'hostCr4 is "stale"; it must be one of constant, refreshed'],
  ])("%o", (config, message) => {
    expect(() => check(config)).toThrow(message);
  });

  test("a step that cannot be taken names those that can", () => {
    expect(() => playScenario(simpleSystem, ["CPU 0: VM entry"])).toThrow(
      /No step starts with.*\n {2}CPU 0: KVM creates guest A/,
    );
  });
});
