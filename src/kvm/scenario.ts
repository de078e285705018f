import { decodeState, type SystemState } from "./layout.js";
import { machineCheckModel, type SystemConfig } from "./system.js";

/** One step of a scenario: what happened and the state after it. */
export interface ScenarioStep {
  action: string;
  state: SystemState;
}

/**
 * Plays a run of the system, step by step.
 * @param steps the start of each action's name, in order, as {@link machineCheckModel} words them: "CPU 0: VM entry"
 * @returns the initial state and the state after each step
 * @throws Error when no action of the state starts so, naming those there are
 * @example playScenario(simpleSystem, ["CPU 0: KVM creates guest A"])
 */
export function playScenario(config: SystemConfig, steps: readonly string[]): ScenarioStep[] {
  const model = machineCheckModel(config);
  const out = new Uint32Array(model.words);
  let state: Uint32Array | undefined;
  model.initial(out, () => {
    state ??= out.slice();
  });
  let at = state as unknown as Uint32Array;
  const played: ScenarioStep[] = [{ action: "start", state: decodeState(at, config.cpus, config.vcpus) }];
  for (const wanted of steps) {
    const names: string[] = [];
    let found: Uint32Array | undefined;
    let by = "";
    model.next(at, out, (action) => {
      const name = model.actionName(action, at);
      names.push(name);
      if (found === undefined && name.startsWith(wanted)) {
        found = out.slice();
        by = name;
      }
    });
    if (!found) throw new Error(`No step starts with "${wanted}" here; there are:\n  ${names.join("\n  ")}`);
    at = found;
    played.push({ action: by, state: decodeState(at, config.cpus, config.vcpus) });
  }
  return played;
}

const step = "CPU 0: goes on";
const enter: readonly string[] = ["CPU 0: VM entry", step, step, step];
const leave: readonly string[] = [step, step];

/** The steps that create a guest, let it set CR4.MCE as asked, and run it until the phase with this index in `phases`. */
export function stepsToPhase(phase: number, guestMce: number): string[] {
  const steps = ["CPU 0: KVM creates guest A"];
  if (guestMce) steps.push(...enter, "CPU 0: the guest writes CR4.MCE = 1", ...leave, "CPU 0: KVM handles the write");
  if (phase === 0) return steps;
  const way = [...enter, "CPU 0: guest A exits", ...leave];
  return [...steps, ...way.slice(0, phase)];
}
