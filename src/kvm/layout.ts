import { type Phase, phases } from "./machine-check.js";

/**
 * How a state of the system is packed into two words: word 0 holds a byte a CPU, word 1 a byte a vCPU, then the machine checks still to
 * come and how the host died.
 */
/** CR4.MCE the CPU holds in root mode. */
export const LIVE = 1;
/** The kernel's copy: what the host means it to be. */
export const SHADOW = 2;
/** Three bits: index into `phases`. */
export const PHASE = 2;
/** Two bits: vCPU + 1, 0 for none. */
export const LOADED = 5;
/** In the host's machine-check handler. */
export const HANDLING = 128;
/** What the guest last wrote to CR4.MCE. */
export const WROTE = 1;
/** The read shadow in the VMCS. */
export const READS = 2;
/** The guest CR4 in the VMCS. */
export const HARDWARE = 4;
/** The host CR4 in the VMCS. */
export const VMCS_HOST = 8;
/** Two bits: a write that exited and is not handled yet: value + 1. */
export const PENDING = 4;
export const CREATED = 64;
export const REAL_MODE = 128;
/** Two bits. */
export const CHECKS = 24;
/** Three bits. */
export const DEATH = 26;

/** How the host can die; index 0 is alive. When machine checks on several CPUs kill it at once, the lowest index is kept. */
export const deaths: readonly string[] = [
  "",
  "a machine check in guest mode, though the host has MCE on",
  "a machine check in root mode, where the host's own MCE had been lost",
  "a second machine check while one was being handled",
  "a machine check in guest mode, the host has MCE off",
  "a machine check in root mode, the host has MCE off",
];
/** Indices of the two deaths that the properties forbid. */
export const DIED_IN_GUEST = 1;
export const DIED_IN_ROOT = 2;

export const ROOT = 0;
export const GUEST = 4;
export const HOST_LOADED = 6;

/** A CPU of a state, unpacked. */
export interface CpuState {
  /** CR4.MCE it holds in root mode. */
  live: number;
  /** What the host means it to be. */
  meant: number;
  phase: Phase;
  /** The vCPU loaded on it, or -1. */
  vcpu: number;
  /** In the host's machine-check handler. */
  handling: boolean;
}

/** A vCPU of a state, unpacked. */
export interface VcpuState {
  created: boolean;
  /** What the guest last wrote to CR4.MCE. */
  wrote: number;
  /** What the guest reads. */
  reads: number;
  /** MCE in the VMCS's guest CR4: what the hardware runs the guest with. */
  hardware: number;
  /** MCE in the VMCS's host CR4: what VM exit loads. */
  vmcsHost: number;
}

/** A state of the system, unpacked. */
export interface SystemState {
  cpus: CpuState[];
  vcpus: VcpuState[];
  /** How the host died; empty while it lives. */
  death: string;
}

/** Unpacks a state. */
export function decodeState(state: Uint32Array, cpus: number, vcpus: number): SystemState {
  const bit = (value: number, mask: number): number => (value & mask ? 1 : 0);
  return {
    cpus: Array.from({ length: cpus }, (_, c) => {
      const cpu = (state[0] >>> (c * 8)) & 255;
      return {
        live: bit(cpu, LIVE),
        meant: bit(cpu, SHADOW),
        phase: phases[(cpu >> PHASE) & 7],
        vcpu: ((cpu >> LOADED) & 3) - 1,
        handling: (cpu & HANDLING) !== 0,
      };
    }),
    vcpus: Array.from({ length: vcpus }, (_, v) => {
      const vcpu = (state[1] >>> (v * 8)) & 255;
      return {
        created: (vcpu & CREATED) !== 0,
        wrote: bit(vcpu, WROTE),
        reads: bit(vcpu, READS),
        hardware: bit(vcpu, HARDWARE),
        vmcsHost: bit(vcpu, VMCS_HOST),
      };
    }),
    death: deaths[(state[1] >>> DEATH) & 7],
  };
}

/** The name of a guest: A, B, C. */
export function guestName(vcpu: number): string {
  return String.fromCharCode(65 + vcpu);
}

/** A state in words, one line. */
export function describeState(state: Uint32Array, cpus: number, vcpus: number): string {
  const { cpus: hosts, vcpus: guests, death } = decodeState(state, cpus, vcpus);
  const parts = hosts.map(({ live, meant, phase, vcpu, handling }, c) => {
    const where = handling ? "in the machine-check handler" : phase;
    const lost = live === meant ? "" : ` (host means ${meant})`;
    return `CPU ${c}: ${where}${vcpu < 0 ? "" : `, guest ${guestName(vcpu)}`}, host MCE ${live}${lost}`;
  });
  for (const [u, { created, wrote, reads, hardware, vmcsHost }] of guests.entries()) {
    if (created)
      parts.push(`guest ${guestName(u)}: wrote ${wrote}, reads ${reads}, hardware ${hardware}, VMCS host ${vmcsHost}`);
  }
  if (death) parts.push(`THE HOST IS DEAD: ${death}`);
  return parts.join(" | ");
}
