import { describe, expect, test } from "vitest";
import {
  compareObservation,
  decideMachineCheck,
  kvmExceptionBitmap,
  MCE,
  machineCheckObservations,
  PAE,
  type Phase,
  phases,
  VMXE,
} from "../../src/kvm/index.js";
import { published } from "../support/facts.js";

const cr4 = (mce: number): number => PAE | VMXE | (mce ? MCE : 0);
const decide = (phase: Phase, host: number, guest: number, exceptionBitmap = kvmExceptionBitmap): string[] =>
  decideMachineCheck({ phase, hostCr4: cr4(host), guestCr4: cr4(guest), exceptionBitmap }).map(
    ({ outcome }) => outcome,
  );

describe("a machine check, by where it lands", () => {
  test.each<[Phase, string[], string[], string[], string[]]>([
    // phase; outcomes for host/guest MCE = 0/0, 0/1, 1/0, 1/1
    ["host", ["shutdown"], ["shutdown"], ["host handler"], ["host handler"]],
    [
      "entry: nothing loaded",
      ["shutdown", "entry failure"],
      ["shutdown", "entry failure"],
      ["host handler", "entry failure"],
      ["host handler", "entry failure"],
    ],
    ["entry: partly loaded", ["entry failure"], ["entry failure"], ["entry failure"], ["entry failure"]],
    [
      "entry: guest loaded",
      ["shutdown", "entry failure"],
      ["vm exit", "entry failure"],
      ["shutdown", "entry failure"],
      ["vm exit", "entry failure"],
    ],
    ["guest", ["shutdown"], ["vm exit"], ["shutdown"], ["vm exit"]],
    ["exit: guest still loaded", ["shutdown"], ["vm exit"], ["shutdown"], ["vm exit"]],
    ["exit: host loaded", ["shutdown"], ["shutdown"], ["host handler"], ["host handler"]],
  ])("%s", (phase, none, guestOnly, hostOnly, both) => {
    expect([decide(phase, 0, 0), decide(phase, 0, 1), decide(phase, 1, 0), decide(phase, 1, 1)]).toEqual([
      none,
      guestOnly,
      hostOnly,
      both,
    ]);
  });

  test("every phase is in the table above", () => {
    expect(phases).toHaveLength(7);
  });

  test("without the intercept the guest's own handler gets it", () => {
    expect(decide("guest", 1, 1, 0)).toEqual(["guest handler"]);
  });

  test("the register that decided is named", () => {
    const [decision] = decideMachineCheck({
      phase: "guest",
      hostCr4: cr4(1),
      guestCr4: cr4(0),
      exceptionBitmap: kvmExceptionBitmap,
    });
    expect(decision).toEqual({ outcome: "shutdown", decidedBy: "guest CR4" });
  });
});

describe("the recorded machine checks", () => {
  const { observations, caveats } = machineCheckObservations(published);
  const compared = observations.map(compareObservation);

  test("there are twenty, with their caveats", () => {
    expect(observations).toHaveLength(20);
    expect(caveats).toHaveLength(5);
  });

  test("the live CR4.MCE is as the rule gives it in every case", () => {
    expect(compared.filter(({ mceAgrees }) => !mceAgrees).map(({ observation }) => observation.id)).toEqual([]);
  });

  test("who dies is as predicted, but for the Linux that got the exception and then panicked by its own decision", () => {
    expect(compared.filter(({ lifeAgrees }) => !lifeAgrees).map(({ observation }) => observation.id)).toEqual([
      "linux-mce-on",
    ]);
  });

  test("who gets the exception differs exactly where the hypervisor asked for an exit: the emulator ignores that", () => {
    for (const { observation, deliveryAgrees } of compared) {
      const survivedGuest = observation.rule !== null && observation.liveMce === 1 && observation.intercepted;
      expect(deliveryAgrees, observation.id).toBe(!survivedGuest);
    }
  });
});
