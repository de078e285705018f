import { confidenceInterval, Streams } from "../../engine/index.js";
import { playScenario, simpleSystem, stepsToPhase } from "../../kvm/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import type { FleetPoint } from "./config.js";

/** Whether a machine check in a guest kills the host, played on the real rule and processor. */
function kills(rule: string, guestMce: number): boolean {
  const steps = [...stepsToPhase(4, guestMce), "CPU 0: MACHINE CHECK"];
  return playScenario({ ...simpleSystem, rule }, steps).at(-1)?.state.death !== "";
}

/** Runs one point. */
export function simulate({ rule, hosts, rate, clear, timeInGuest, replications, seed }: FleetPoint) {
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

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<FleetRow>, Column>> = {
  rule: { unit: "", description: "rule for the guest's hardware CR4" },
  guestsWithMceClear: { unit: "share", description: "share of the guests with CR4.MCE clear (assumption)" },
  hostsLost: { unit: "hosts/year", description: "hosts lost, mean over the replications" },
  hostsLostLow: { unit: "hosts/year", description: "lower end of its 95 % interval" },
  hostsLostHigh: { unit: "hosts/year", description: "upper end of its 95 % interval" },
};
