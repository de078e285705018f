import type { Property } from "../explore/index.js";
import {
  DEATH,
  DIED_IN_GUEST,
  DIED_IN_ROOT,
  GUEST,
  HARDWARE,
  LIVE,
  LOADED,
  PHASE,
  READS,
  ROOT,
  SHADOW,
  WROTE,
} from "./layout.js";

/** The properties, each a sentence that holds in every reachable state, or has a shortest counterexample. */
export function machineCheckProperties({ cpus }: { cpus: number }): Property[] {
  const guestOn = (state: Uint32Array, c: number): number => {
    const cpu = (state[0] >>> (c * 8)) & 255;
    return ((cpu >> PHASE) & 7) === GUEST ? ((cpu >> LOADED) & 3) - 1 : -1;
  };
  return [
    {
      name: "no machine check in guest mode shuts the host down while the host has MCE on",
      holds: (state) => ((state[1] >>> DEATH) & 7) !== DIED_IN_GUEST,
    },
    {
      name: "no machine check in root mode shuts the host down while the host has MCE on",
      holds: (state) => ((state[1] >>> DEATH) & 7) !== DIED_IN_ROOT,
    },
    {
      name: "the guest reads back what it wrote",
      holds: (state) => {
        for (let c = 0; c < cpus; c++) {
          const v = guestOn(state, c);
          if (v < 0) continue;
          const vcpu = (state[1] >>> (v * 8)) & 255;
          if ((vcpu & WROTE) !== (vcpu & READS) >> 1) return false;
        }
        return true;
      },
    },
    {
      name: "in guest mode CR4.MCE is what the host means it to be",
      holds: (state) => {
        for (let c = 0; c < cpus; c++) {
          const v = guestOn(state, c);
          if (v < 0) continue;
          const vcpu = (state[1] >>> (v * 8)) & 255;
          const cpu = (state[0] >>> (c * 8)) & 255;
          if ((vcpu & HARDWARE) >> 2 !== (cpu & SHADOW) >> 1) return false;
        }
        return true;
      },
    },
    {
      name: "in root mode CR4.MCE is what the host means it to be",
      holds: (state) => {
        for (let c = 0; c < cpus; c++) {
          const cpu = (state[0] >>> (c * 8)) & 255;
          if (((cpu >> PHASE) & 7) === ROOT && (cpu & LIVE) !== (cpu & SHADOW) >> 1) return false;
        }
        return true;
      },
    },
  ];
}
