import { describe, expect, test } from "vitest";
import {
  cr4ReadCost,
  exploreSystem,
  machineCheck,
  machineCheckExploration,
  machineCheckFleet,
  machineCheckTimeline,
  mceClaims,
  recordedMachineChecks,
} from "../../src/experiments/index.js";
import { simpleSystem } from "../../src/kvm/index.js";

describe("the table of who dies", () => {
  test("every rule, setting and phase has its row", async () => {
    const run = await machineCheck.run();
    expect(run.rows).toHaveLength(5 * 2 * 2 * 7);
    expect(run.table.numRows()).toBe(140);
  });

  test("the mails' outcomes come out, and each sentence gets its verdict", async () => {
    const { claims } = await machineCheck.run();
    expect(claims.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["mce-zeroed", "holds"],
      ["mce-guest-0", "holds"],
      ["mce-guest-1", "holds"],
      ["mce-after", "holds"],
      ["mce-shadows", "holds"],
    ]);
  });

  test("the host's MCE off and the guest's on: the fix leaves the hardware at 0, before it the guest had it", async () => {
    const { rows } = await machineCheck.run({ rule: ["before", "shadow"], hostMce: [0], guestMce: [1] });
    const inGuest = rows.filter((row) => row["phase"] === "guest");
    expect(inGuest.map((row) => [row["rule"], row["hardwareMce"], row["hostDies"]])).toEqual([
      ["before", 1, "no"],
      ["shadow", 0, "yes"],
    ]);
  });

  test("claims about what was not run are not answered", async () => {
    const { claims } = await machineCheck.run({ rule: ["svm"] });
    expect(claims.find(({ id }) => id === "mce-guest-0")?.verdict).toBe("not answered");
  });

  test("a wrong rule or bit is refused, naming field, value and what is accepted", async () => {
    await expect(machineCheck.run({ rule: ["after"] })).rejects.toThrow(/rule\.0: .*"before"\|.*\(got "after"\)/);
    await expect(machineCheck.run({ hostMce: [2 as 1] })).rejects.toThrow(/hostMce\.0.*\(got 2\)/);
  });

  test("the timeline ends with the host dead before the patch and alive after it", () => {
    expect(String((machineCheckTimeline({ rule: "before" }, 0).layout["title"] as { text: string }).text)).toContain(
      "dies",
    );
    expect(String((machineCheckTimeline({ rule: "shadow" }, 0).layout["title"] as { text: string }).text)).toContain(
      "lives",
    );
    expect(() => machineCheckTimeline({}, 0, "lunch")).toThrow('no phase "lunch"');
  });
});

describe("every reachable state", () => {
  test("the caveat of the mail holds for the patch and not for a rule that is computed at every entry", async () => {
    const run = await machineCheckExploration.run({ rule: ["shadow", "every-entry"], cpus: 2, vcpus: 1 });
    expect(run.claims.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["mce-cached", "depends"],
      ["mce-broken", "depends"],
    ]);
    expect(run.rows.every((row) => row["complete"])).toBe(true);
    const failing = run.rows.filter((row) => !row["holds"]);
    for (const row of failing) expect(String(row["counterexample"]).split(" → ")).toHaveLength(Number(row["steps"]));
  });

  test("progress is told and a listener can stop an exploration", () => {
    const system = {
      ...simpleSystem,
      rule: "shadow",
      cpus: 3,
      vcpus: 3,
      hostChanges: true,
      migrations: true,
      startWith: "any" as const,
    };
    let told = 0;
    const found = exploreSystem(system, (expanded) => {
      told = expanded;
      return false;
    });
    expect(told).toBe(100_000);
    expect(found.complete).toBe(false);
  });
});

describe("what a CR4 read costs beside its copy in memory", () => {
  test("the copy is cheaper while it stays in L1, dearer when it must come from memory", async () => {
    const { rows, claims } = await cr4ReadCost.run({
      linesBetweenExits: [0, 524_288],
      exits: 50,
      exitsPerSecond: [1e5],
    });
    expect(Number(rows[0]["shadowCycles"])).toBeLessThan(24);
    expect(Number(rows[1]["shadowCycles"])).toBeGreaterThan(36);
    expect(Number(rows[0]["savedShare"])).toBeGreaterThan(0);
    expect(Number(rows[1]["savedShare"])).toBeLessThan(0);
    expect(claims.map(({ id, verdict }) => [id, verdict])).toEqual([
      ["cr4-read-cost", "depends"],
      ["cr4-shadow-worth", "depends"],
    ]);
    expect(claims[1]).toMatchObject({ kind: "question", answer: "It depends" });
  });

  test("whether it is worth it does not hang on the footprints of a run", async () => {
    const { claims } = await cr4ReadCost.run({ linesBetweenExits: [64], exits: 50 });
    expect(claims.find(({ id }) => id === "cr4-shadow-worth")?.verdict).toBe("depends");
  });
});

describe("the fleet", () => {
  test("after the patch no host is lost, before it as many as the inputs say, within four standard errors", async () => {
    const config = {
      hosts: 10_000,
      machineChecksPerHostYear: 0.05,
      guestsWithMceClear: [0, 0.2],
      timeInGuest: 0.5,
      replications: 50,
    };
    const { rows } = await machineCheckFleet.run(config);
    const lost = (rule: string, clear: number): number =>
      Number(rows.find((row) => row["rule"] === rule && row["guestsWithMceClear"] === clear)?.["hostsLost"]);
    expect(lost("shadow", 0.2)).toBe(0);
    expect(lost("before", 0)).toBe(0);
    const expected = 10_000 * 0.05 * 0.2 * 0.5;
    expect(Math.abs(lost("before", 0.2) - expected)).toBeLessThan(4 * Math.sqrt(expected / 50));
  });

  test("same seed, same rows; another seed, others", async () => {
    const rows = async (seed: number): Promise<string> => JSON.stringify((await machineCheckFleet.run({ seed })).rows);
    expect(await rows(3)).toBe(await rows(3));
    expect(await rows(3)).not.toBe(await rows(4));
  });
});

test("every quote is one of the mails' sentences, with its date", () => {
  for (const { quote, source } of Object.values(mceClaims)) {
    expect(quote.length).toBeGreaterThan(20);
    expect(source).toMatch(/2015-04-1[56]/);
  }
});

test("the recorded cases stand beside the rules: twenty rows, and every difference is one of the recording's caveats", () => {
  const table = recordedMachineChecks();
  expect(table.numRows()).toBe(20);
  const differences = (table.array("difference") as string[]).filter((words) => words !== "");
  expect(differences.filter((words) => words.includes("caveat 3"))).toHaveLength(8);
  expect(differences.filter((words) => words.includes("panicked"))).toHaveLength(1);
  expect(differences).toHaveLength(9);
});

describe("the labels of the maps", () => {
  const axis = (figure: { layout: Record<string, unknown> }, name: "xaxis" | "yaxis") =>
    figure.layout[name] as { ticktext: string[]; tickvals: string[]; autotickangles: number[]; type: string };
  const mostLines = (texts: readonly string[]): number => Math.max(...texts.map((text) => text.split("<br>").length));

  test("say the same as the columns and rows that they stand at, broken into lines", async () => {
    const figure = (await machineCheckExploration.run()).figure("guest-mode");
    for (const name of ["xaxis", "yaxis"] as const) {
      const { ticktext, tickvals, type } = axis(figure, name);
      expect(ticktext.map((text) => text.replaceAll("<br>", " "))).toEqual(tickvals);
      expect(type).toBe("category");
    }
  });

  test("leave room on a narrow page: one line under many columns, two under few, slanted to the left, rows' labels short", async () => {
    const many = (await machineCheck.run()).figure("host-on");
    const few = (await machineCheckExploration.run()).figure("root-mode");
    expect(axis(many, "xaxis").ticktext).toHaveLength(10);
    expect(mostLines(axis(many, "xaxis").ticktext)).toBe(1);
    expect(mostLines(axis(few, "xaxis").ticktext)).toBe(2);
    for (const figure of [many, few]) {
      expect(axis(figure, "xaxis").autotickangles.every((angle) => angle <= 0)).toBe(true);
      const lines = axis(figure, "yaxis").ticktext.flatMap((text) => text.split("<br>"));
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(18);
    }
  });
});
