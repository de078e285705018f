import type { MachineConfig } from "../config.js";
import type { Region, RegionSpec } from "./regions.js";

/** What locks, contended lines and the code of a host ask of its memory: {@link Machine}, or {@link ClusteredMachine} for many cores. */
export interface HostMachine {
  /** Geometry and costs. */
  readonly config: Readonly<MachineConfig>;
  /** Logical CPUs. */
  readonly cpus: number;
  /** Cores. */
  readonly cores: number;
  /** Homes that serve requests for one line side by side: each socket's L3 what it can answer alone, or one for all. */
  readonly homes: number;
  /** The home that serves a CPU's request which stays in its L3's reach. */
  homeOf(cpu: number): number;
  /** The core of a CPU. */
  core(cpu: number): number;
  /** The socket of a CPU. */
  socket(cpu: number): number;
  /** Reserves memory. */
  region(spec: RegionSpec): Region;
  /** A load; returns its cost in core cycles. */
  read(cpu: number, address: number): number;
  /** A store; returns its cost in core cycles. */
  write(cpu: number, address: number): number;
  /** A locked read-modify-write; returns its cost in core cycles. */
  atomic(cpu: number, address: number): number;
  /** How far an access would have to go: 0 stays in its core, 1 within reach of its L3, 2 beyond. */
  reach(cpu: number, address: number, forWriting: boolean): 0 | 1 | 2;
  /** What other work of the core does to its caches; returns core cycles. */
  touchFootprint(cpu: number, lines: number): number;
  /** A device writes a line; returns core cycles until it is visible. */
  deviceWrite(address: number): number;
  /** The line leaves all caches. */
  flush(address: number): void;
}
