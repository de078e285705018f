import type { ColumnTable } from "arquero";
import { Facts } from "../../facts/index.js";
import { type Comparison, compareObservation, machineCheckObservations } from "../../kvm/index.js";
import { tableOf } from "../frame/experiment.js";

/** Why a recorded case differs from the rules; empty where it agrees. */
export function explainDifference({ observation, mceAgrees, lifeAgrees, deliveryAgrees }: Comparison): string {
  if (!mceAgrees) return "the live CR4.MCE differs";
  if (!lifeAgrees) return `the handler got it, as predicted; what came after was its decision. ${observation.note}`;
  if (deliveryAgrees) return "";
  return observation.delivered === "guest"
    ? "the emulator delivers to the guest even where the hypervisor asked for an exit (caveat 3)"
    : "who got it differs";
}

/** The recorded machine checks beside what the rules give, one case a row. */
export function recordedMachineChecks(facts: Facts = Facts.published()): ColumnTable {
  const rows = machineCheckObservations(facts).observations.map((observation) => {
    const compared = compareObservation(observation);
    const lives = compared.predicted !== "shutdown";
    return {
      case: observation.id,
      running: observation.running,
      rule: observation.rule ?? "",
      hostMce: observation.hostMce,
      guestMce: observation.guestMce ?? "",
      liveMce: `${observation.liveMce}, rule gives ${compared.predictedMce}`,
      machine: `${observation.alive ? "lived" : "died"}, rule gives ${lives ? "lives" : "dies"}`,
      delivered: `${observation.delivered}, rule gives ${compared.predicted}`,
      difference: explainDifference(compared),
    };
  });
  return tableOf(rows, {
    case: { unit: "", description: "the recorded case" },
    running: { unit: "", description: "what ran when the machine check was injected" },
    rule: { unit: "", description: "the rule for the guest's hardware CR4" },
    hostMce: { unit: "", description: "CR4.MCE of the host" },
    guestMce: { unit: "", description: "what the guest asked for" },
    liveMce: { unit: "", description: "CR4.MCE at the injection" },
    machine: { unit: "", description: "what became of the machine" },
    delivered: { unit: "", description: "who got the exception" },
    difference: { unit: "", description: "why recording and rule differ" },
  });
}
