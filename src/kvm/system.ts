import type { Model } from "../explore/index.js";
import { MCE, PAE, VMXE } from "./cr4.js";
import {
  CHECKS,
  CREATED,
  DEATH,
  DIED_IN_GUEST,
  DIED_IN_ROOT,
  describeState,
  GUEST,
  guestName,
  HANDLING,
  HARDWARE,
  HOST_LOADED,
  LIVE,
  LOADED,
  PENDING,
  PHASE,
  READS,
  REAL_MODE,
  ROOT,
  SHADOW,
  VMCS_HOST,
  WROTE,
} from "./layout.js";
import { decideMachineCheck, type Outcome, phases } from "./machine-check.js";
import { type Cr4Rule, rule as findRule } from "./rules.js";
import { symmetry } from "./symmetry.js";
import { kvmExceptionBitmap } from "./vmcs.js";

/** How the VMCS's host CR4 is kept: as it was when the vCPU was created, or refreshed at each entry (Linux d974baa398f3, record V2). */
export type HostCr4Policy = "constant" | "refreshed";

/** A bounded system of CPUs, vCPUs and what may happen to them. */
export interface SystemConfig {
  /** Physical CPUs, 1 to 4. */
  cpus: number;
  /** vCPUs, 1 to 3. */
  vcpus: number;
  /** The rule for the guest's hardware CR4, by name. */
  rule: string;
  hostCr4: HostCr4Policy;
  /** CR4.MCE of the CPUs at the start: all on, all off, or every combination. */
  startWith: "on" | "off" | "any";
  /** The host may change CR4.MCE of a CPU later, any number of times. */
  hostChanges: boolean;
  /** A vCPU may move to another CPU, any number of times. */
  migrations: boolean;
  /** The guest may write CR4.MCE, any number of times. */
  guestWrites: boolean;
  /** The guest may switch between real and protected mode. */
  modeSwitches: boolean;
  /** Machine checks in all, 0 to 3. */
  machineChecks: number;
  /** A machine check reaches every CPU at once. */
  broadcast: boolean;
}

/** The system of the mails: one CPU, one guest, machine checks on in the host and nothing that moves or changes. */
export const simpleSystem: SystemConfig = {
  cpus: 1,
  vcpus: 1,
  rule: "before",
  hostCr4: "refreshed",
  startWith: "on",
  hostChanges: false,
  migrations: false,
  guestWrites: true,
  modeSwitches: false,
  machineChecks: 1,
  broadcast: false,
};

// Action numbers: kind × 16 + CPU × 4 + vCPU (or value).
const kinds = [
  "create",
  "load",
  "unload",
  "begin entry",
  "go on",
  "guest writes",
  "guest exits",
  "handle write",
  "mode switch",
  "host sets",
  "machine check",
  "broadcast",
  "handled",
] as const;
type Kind = (typeof kinds)[number];
const actionOf = (kind: Kind, cpu: number, extra: number): number => kinds.indexOf(kind) * 16 + cpu * 4 + extra;
const A_LOAD = actionOf("load", 0, 0);
const A_UNLOAD = actionOf("unload", 0, 0);
const A_ENTER = actionOf("begin entry", 0, 0);
const A_STEP = actionOf("go on", 0, 0);
const A_WRITE = actionOf("guest writes", 0, 0);
const A_EXIT = actionOf("guest exits", 0, 0);
const A_HANDLE = actionOf("handle write", 0, 0);
const A_MODE = actionOf("mode switch", 0, 0);
const A_HOST = actionOf("host sets", 0, 0);
const A_CHECK = actionOf("machine check", 0, 0);
const A_BROADCAST = actionOf("broadcast", 0, 0);
const A_HANDLED = actionOf("handled", 0, 0);

function checkConfig(config: SystemConfig): void {
  const whole = (field: keyof SystemConfig, low: number, high: number): void => {
    const value = config[field];
    if (typeof value !== "number" || !Number.isInteger(value) || value < low || value > high) {
      throw new Error(
        `machine-check system: ${field} is ${String(value)}; it must be a whole number from ${low} to ${high}.`,
      );
    }
  };
  whole("cpus", 1, 4);
  whole("vcpus", 1, 3);
  whole("machineChecks", 0, 3);
  const oneOf = (field: keyof SystemConfig, accepted: readonly string[]): void => {
    const value = String(config[field]);
    if (!accepted.includes(value)) {
      throw new Error(`machine-check system: ${field} is "${value}"; it must be one of ${accepted.join(", ")}.`);
    }
  };
  oneOf("hostCr4", ["constant", "refreshed"]);
  oneOf("startWith", ["on", "off", "any"]);
}

/** CR4 of a 64-bit KVM host, with or without MCE. */
const hostValue = (mce: number): number => PAE | VMXE | (mce ? MCE : 0);
/** CR4 as the guest wants it, with or without MCE. */
const guestValue = (mce: number): number => PAE | (mce ? MCE : 0);

/**
 * The system as a model for the explorer.
 *
 * The rule and the processor's decisions are the real functions ({@link Cr4Rule.hardwareCr4}, {@link decideMachineCheck}), tabulated once
 * over the values of the MCE bits; the steps of KVM and of the processor are the transitions. All but the machine checks may happen any
 * number of times: the state space is finite without bounds on them.
 * @throws Error naming the field, its value and what is accepted
 */
export function machineCheckModel(config: SystemConfig, cr4Rule: Cr4Rule = findRule(config.rule)): Model {
  checkConfig(config);
  const { cpus, vcpus } = config;

  // Bit of the hardware CR4 by (guest's wish) + 2 × (live) + 4 × (shadow) + 8 × (real mode).
  const hardware = new Uint8Array(16);
  for (let i = 0; i < 16; i++) {
    const value = cr4Rule.hardwareCr4({
      guestCr4: guestValue(i & 1),
      hostCr4: hostValue((i >> 1) & 1),
      hostShadow: hostValue((i >> 2) & 1),
      realMode: (i & 8) !== 0,
    });
    hardware[i] = value & MCE ? HARDWARE : 0;
  }
  // Decisions by phase × 4 + (live) + 2 × (guest's hardware bit).
  const decisions: Outcome[][] = Array.from({ length: phases.length * 4 }, (_, i) =>
    decideMachineCheck({
      phase: phases[i >> 2],
      hostCr4: hostValue(i & 1),
      guestCr4: hostValue((i >> 1) & 1),
      exceptionBitmap: kvmExceptionBitmap,
    }).map(({ outcome }) => outcome),
  );
  const inGuestMode = (phase: number): boolean => phase >= 3 && phase <= 5;

  /** KVM's vmx_set_cr4 for a vCPU on a CPU: what the guest asked for, what it reads, what the hardware gets. */
  const setCr4 = (vcpu: number, cpu: number, wish: number): number => {
    const bits = hardware[wish | ((cpu & LIVE) << 1) | ((cpu & SHADOW) << 1) | (vcpu & REAL_MODE ? 8 : 0)];
    return (vcpu & ~(READS | HARDWARE | (3 << PENDING))) | (wish ? READS : 0) | bits;
  };

  const cpuAt = (words: Uint32Array, c: number): number => (words[0] >>> (c * 8)) & 255;
  const vcpuAt = (words: Uint32Array, v: number): number => (words[1] >>> (v * 8)) & 255;
  const setCpu = (words: Uint32Array, c: number, value: number): void => {
    words[0] = (words[0] & ~(255 << (c * 8))) | (value << (c * 8));
  };
  const setVcpu = (words: Uint32Array, v: number, value: number): void => {
    words[1] = (words[1] & ~(255 << (v * 8))) | (value << (v * 8));
  };
  const loaded = (cpu: number): number => ((cpu >> LOADED) & 3) - 1;

  /** VM exit (also a failed entry) loads the host CR4 of the VMCS and leaves the CPU in root mode. */
  const backToRoot = (cpu: number, vcpu: number): number =>
    (cpu & ~(LIVE | (7 << PHASE))) | (vcpu & VMCS_HOST ? LIVE : 0);

  const die = (words: Uint32Array, death: number): void => {
    const before = (words[1] >>> DEATH) & 7;
    if (before === 0 || death < before) words[1] = (words[1] & ~(7 << DEATH)) | (death << DEATH);
  };

  /** Delivers a machine check to CPU c of `words` with one of the decisions open to it. */
  const deliver = (words: Uint32Array, c: number, choice: number): void => {
    const cpu = cpuAt(words, c);
    const phase = (cpu >> PHASE) & 7;
    const v = loaded(cpu);
    const vcpu = v < 0 ? 0 : vcpuAt(words, v);
    if (cpu & HANDLING) {
      die(words, 3);
      return;
    }
    switch (decisions[phase * 4 + (cpu & LIVE) + (vcpu & HARDWARE ? 2 : 0)][choice]) {
      case "host handler":
        // Before anything is loaded the entry starts over; after the host's state is loaded the exit is complete.
        setCpu(words, c, (cpu & ~(7 << PHASE)) | HANDLING);
        return;
      case "vm exit":
      case "entry failure":
        setCpu(words, c, backToRoot(cpu, vcpu) | HANDLING);
        return;
      case "guest handler":
        return;
      default: {
        const wanted = (cpu & SHADOW) !== 0;
        die(words, inGuestMode(phase) ? (wanted ? DIED_IN_GUEST : 4) : wanted ? DIED_IN_ROOT : 5);
      }
    }
  };
  const choices = (words: Uint32Array, c: number): number => {
    const cpu = cpuAt(words, c);
    if (cpu & HANDLING) return 1;
    const v = loaded(cpu);
    const vcpu = v < 0 ? 0 : vcpuAt(words, v);
    return decisions[((cpu >> PHASE) & 7) * 4 + (cpu & LIVE) + (vcpu & HARDWARE ? 2 : 0)].length;
  };

  const next: Model["next"] = (state, out, emit) => {
    const w0 = state[0];
    const w1 = state[1];
    if ((w1 >>> DEATH) & 7) return;
    const reset = (): void => {
      out[0] = w0;
      out[1] = w1;
    };
    for (let c = 0; c < cpus; c++) {
      const cpu = (w0 >>> (c * 8)) & 255;
      const phase = (cpu >> PHASE) & 7;
      const v = loaded(cpu);
      const vcpu = v < 0 ? 0 : (w1 >>> (v * 8)) & 255;
      if (cpu & HANDLING) {
        reset();
        setCpu(out, c, cpu & ~HANDLING);
        emit(A_HANDLED + c * 4);
        continue;
      }
      if (phase === ROOT) {
        if (config.hostChanges) {
          reset();
          setCpu(out, c, cpu & SHADOW ? cpu & ~(LIVE | SHADOW) : cpu | LIVE | SHADOW);
          emit(A_HOST + c * 4 + (cpu & SHADOW ? 0 : 1));
        }
        if (v < 0) {
          for (let u = 0; u < vcpus; u++) {
            const other = (w1 >>> (u * 8)) & 255;
            if (!(other & CREATED)) {
              // vmx_create_vcpu: the constant part of the host's state is written, then the reset writes CR4 = 0. Guests start in real mode.
              reset();
              const host = cpu & LIVE ? VMCS_HOST : 0;
              setVcpu(out, u, setCr4(CREATED | host | (config.modeSwitches ? REAL_MODE : 0), cpu, 0));
              setCpu(out, c, cpu | ((u + 1) << LOADED));
              emit(c * 4 + u);
            } else if (!isLoaded(w0, cpus, u)) {
              reset();
              setCpu(out, c, cpu | ((u + 1) << LOADED));
              emit(A_LOAD + c * 4 + u);
            }
          }
        } else {
          if (config.migrations) {
            reset();
            setCpu(out, c, cpu & ~(3 << LOADED));
            emit(A_UNLOAD + c * 4 + v);
          }
          const pending = (vcpu >> PENDING) & 3;
          if (pending !== 0) {
            reset();
            setVcpu(out, v, setCr4(vcpu, cpu, pending - 1));
            emit(A_HANDLE + c * 4 + v);
          } else {
            // vmx_vcpu_run: refresh the host CR4 from the kernel's copy where the kernel does that, then enter.
            let entering = vcpu;
            if (cr4Rule.savesHostAtEntry) entering = (entering & ~VMCS_HOST) | (cpu & LIVE ? VMCS_HOST : 0);
            else if (config.hostCr4 === "refreshed")
              entering = (entering & ~VMCS_HOST) | (cpu & SHADOW ? VMCS_HOST : 0);
            if (cr4Rule.everyEntry) entering = setCr4(entering, cpu, entering & READS ? 1 : 0);
            reset();
            setVcpu(out, v, entering);
            setCpu(out, c, cpu + (1 << PHASE));
            emit(A_ENTER + c * 4 + v);
            if (config.modeSwitches) {
              // enter_pmode and enter_rmode change VME in the VMCS's guest CR4 and leave MCE as it is.
              reset();
              setVcpu(out, v, vcpu ^ REAL_MODE);
              emit(A_MODE + c * 4 + v);
            }
          }
        }
      } else if (phase === GUEST) {
        if (config.guestWrites) {
          // MCE belongs to the host: a write that differs from what the guest reads exits, one that does not changes nothing.
          const value = vcpu & READS ? 0 : 1;
          reset();
          setVcpu(out, v, (vcpu & ~WROTE) | value | ((value + 1) << PENDING));
          setCpu(out, c, cpu + (1 << PHASE));
          emit(A_WRITE + c * 4 + value);
        }
        reset();
        setCpu(out, c, cpu + (1 << PHASE));
        emit(A_EXIT + c * 4 + v);
      } else {
        // Loading on; the step after "guest still loaded" loads the host CR4 of the VMCS, the one after that is root mode.
        reset();
        let moved = phase === HOST_LOADED ? cpu & ~(7 << PHASE) : cpu + (1 << PHASE);
        if (phase === HOST_LOADED - 1) moved = (moved & ~LIVE) | (vcpu & VMCS_HOST ? LIVE : 0);
        setCpu(out, c, moved);
        emit(A_STEP + c * 4 + v);
      }
    }
    const left = (w1 >>> CHECKS) & 3;
    if (left === 0) return;
    const w1Less = (w1 & ~(3 << CHECKS)) | ((left - 1) << CHECKS);
    if (config.broadcast) {
      let combinations = 1;
      for (let c = 0; c < cpus; c++) combinations *= choices(state, c);
      for (let pick = 0; pick < combinations; pick++) {
        out[0] = w0;
        out[1] = w1Less;
        let rest = pick;
        for (let c = 0; c < cpus; c++) {
          const open = choices(state, c);
          const choice = rest % open;
          rest = (rest - choice) / open;
          deliver(out, c, choice);
        }
        emit(A_BROADCAST);
      }
      return;
    }
    for (let c = 0; c < cpus; c++) {
      const open = choices(state, c);
      for (let choice = 0; choice < open; choice++) {
        out[0] = w0;
        out[1] = w1Less;
        deliver(out, c, choice);
        emit(A_CHECK + c * 4 + choice);
      }
    }
  };

  return {
    name: `machine check, rule ${cr4Rule.name}, ${cpus} CPU, ${vcpus} vCPU`,
    words: 2,
    initial(out, emit) {
      const starts = config.startWith === "any" ? 1 << cpus : 1;
      for (let start = 0; start < starts; start++) {
        out[0] = 0;
        out[1] = config.machineChecks << CHECKS;
        for (let c = 0; c < cpus; c++) {
          const on = config.startWith === "any" ? (start >> c) & 1 : config.startWith === "on" ? 1 : 0;
          setCpu(out, c, on ? LIVE | SHADOW : 0);
        }
        emit();
      }
    },
    next,
    canonical: symmetry(cpus, vcpus),
    actionName(action, before) {
      const kind = kinds[action >> 4];
      const c = (action >> 2) & 3;
      const extra = action & 3;
      const cpu = `CPU ${c}`;
      switch (kind) {
        case "create":
          return `${cpu}: KVM creates guest ${guestName(extra)} and resets it: the guest's CR4.MCE is 0`;
        case "load":
          return `${cpu}: guest ${guestName(extra)} is scheduled here`;
        case "unload":
          return `${cpu}: guest ${guestName(extra)} is scheduled away`;
        case "begin entry":
          return `${cpu}: VM entry to guest ${guestName(extra)} begins`;
        case "go on":
          return `${cpu}: goes on`;
        case "guest writes":
          return `${cpu}: the guest writes CR4.MCE = ${extra}: VM exit`;
        case "guest exits":
          return `${cpu}: guest ${guestName(extra)} exits for another reason`;
        case "handle write":
          return `${cpu}: KVM handles the write of guest ${guestName(extra)} to CR4`;
        case "mode switch":
          return `${cpu}: guest ${guestName(extra)} switches between real and protected mode`;
        case "host sets":
          return `${cpu}: the host sets its CR4.MCE to ${extra}`;
        case "machine check":
          return `${cpu}: MACHINE CHECK (${phases[(cpuAt(before, c) >> PHASE) & 7]})`;
        case "broadcast":
          return "MACHINE CHECK on every CPU";
        case "handled":
          return `${cpu}: the host's machine-check handler is done`;
      }
    },
    describe: (state) => describeState(state, cpus, vcpus),
  };
}

function isLoaded(w0: number, cpus: number, vcpu: number): boolean {
  for (let c = 0; c < cpus; c++) if (((w0 >>> (c * 8 + LOADED)) & 3) === vcpu + 1) return true;
  return false;
}
