import { z } from "zod";
import { confidenceInterval, Streams } from "../../engine/index.js";
import { playScenario, rules, simpleSystem, stepsToPhase } from "../../kvm/index.js";
import { lineFigure } from "../../plot/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";

// Question: what does the bug cost a fleet? Every input is an assumption: no published rate stands behind them, so they are swept.

const ruleNames = rules.map(({ name }) => name) as [string, ...string[]];
const share = z.number().min(0).max(1);

const Config = z.strictObject({
  rule: z.array(z.enum(ruleNames)).min(1).default(["before", "shadow"]).describe("rules for the guest's hardware CR4"),
  hosts: z.int().min(1).max(1_000_000).default(10_000).describe("hosts in the fleet"),
  machineChecksPerHostYear: z
    .number()
    .min(0)
    .max(100)
    .default(0.02)
    .describe("machine checks a host and year that the host would survive (assumption, swept in the notebook)"),
  guestsWithMceClear: z
    .array(share)
    .min(1)
    .default([0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1])
    .describe("share of the guests that leave CR4.MCE clear (assumption, swept)"),
  timeInGuest: share.default(0.8).describe("share of a CPU's time that is in guest mode (assumption)"),
  replications: z.int().min(2).max(1000).default(20).describe("independent years"),
  seed: z.int().min(0).default(1).describe("seed of the random streams"),
});

/** One rule and one share of guests. */
export interface FleetPoint {
  rule: string;
  hosts: number;
  rate: number;
  clear: number;
  timeInGuest: number;
  replications: number;
  seed: number;
}

/** Whether a machine check in a guest kills the host, played on the real rule and processor. */
function kills(rule: string, guestMce: number): boolean {
  const steps = [...stepsToPhase(4, guestMce), "CPU 0: MACHINE CHECK"];
  return playScenario({ ...simpleSystem, rule }, steps).at(-1)?.state.death !== "";
}

function simulate({ rule, hosts, rate, clear, timeInGuest, replications, seed }: FleetPoint) {
  const clearKills = kills(rule, 0);
  const setKills = kills(rule, 1);
  // The same streams for every rule: the same machine checks hit, and only what becomes of them differs.
  const streams = new Streams(seed).within(`fleet ${clear}`);
  const deaths = Array.from({ length: replications }, (_, r) => {
    const stream = streams.stream(`year ${r}`);
    let dead = 0;
    if (hosts * rate > 0) {
      for (let t = stream.exponential(1 / (hosts * rate)); t < 1; t += stream.exponential(1 / (hosts * rate))) {
        const inGuest = stream.chance(timeInGuest);
        const guestClear = stream.chance(clear);
        if (inGuest && (guestClear ? clearKills : setKills)) dead++;
      }
    }
    return dead;
  });
  const { mean, low, high } = confidenceInterval(deaths);
  return [{ rule, guestsWithMceClear: clear, hostsLost: mean, hostsLostLow: low < 0 ? 0 : low, hostsLostHigh: high }];
}

/** A row of the table. */
export type FleetRow = ReturnType<typeof simulate>[number];

/** How many hosts a fleet loses in a year to survivable machine checks that hit a guest. */
export const machineCheckFleet: Experiment<typeof Config, FleetPoint, FleetRow> = defineExperiment({
  name: "machine-check-fleet",
  title: "The bug in a fleet",
  question: "How many hosts die a year of machine checks they would have survived?",
  config: Config,
  points: (c) =>
    c.rule.flatMap((rule) =>
      c.guestsWithMceClear.map((clear) => ({
        rule,
        clear,
        hosts: c.hosts,
        rate: c.machineChecksPerHostYear,
        timeInGuest: c.timeInGuest,
        replications: c.replications,
        seed: c.seed,
      })),
    ),
  label: ({ rule, clear }) => `${rule}, ${100 * clear} % of the guests with MCE clear`,
  simulate,
  columns: {
    rule: { unit: "", description: "rule for the guest's hardware CR4" },
    guestsWithMceClear: { unit: "share", description: "share of the guests with CR4.MCE clear (assumption)" },
    hostsLost: { unit: "hosts/year", description: "hosts lost, mean over the replications" },
    hostsLostLow: { unit: "hosts/year", description: "lower end of its 95 % interval" },
    hostsLostHigh: { unit: "hosts/year", description: "upper end of its 95 % interval" },
  },
  figures: {
    lost: (rows, config) => {
      const names = [...new Set(rows.map((row) => row.rule))];
      return lineFigure({
        title: `Hosts lost a year, of ${config.hosts.toLocaleString("en")}`,
        caption: `With ${config.machineChecksPerHostYear} survivable machine checks a host and year, and ${100 * config.timeInGuest} % of the time in guests. All three inputs are assumptions. Interval: 95 % over ${config.replications} independent years.`,
        x: { title: "guests that leave CR4.MCE clear", unit: "%" },
        y: { title: "hosts lost", unit: "a year" },
        series: names.map((name) => {
          const mine = rows.filter((row) => row.rule === name);
          return {
            name,
            x: mine.map((row) => 100 * row.guestsWithMceClear),
            y: mine.map((row) => row.hostsLost),
            low: mine.map((row) => row.hostsLostLow),
            high: mine.map((row) => row.hostsLostHigh),
          };
        }),
      });
    },
  },
  claims: () => [],
});
