import type { MachineConfig } from "../config.js";
import type { Region, RegionSpec } from "./regions.js";

/** What locks, contended lines and the code of a host ask of its memory: {@link Machine}, or {@link ClusteredMachine} for many cores. */
export interface HostMachine {
  readonly config: Readonly<MachineConfig>;
  readonly cpus: number;
  readonly cores: number;
  /** Homes that serve requests for one line side by side: each socket's L3 what it can answer alone, or one for all. */
  readonly homes: number;
  /** The home that serves a CPU's request which stays in its L3's reach. */
  homeOf(cpu: number): number;
  core(cpu: number): number;
  socket(cpu: number): number;
  region(spec: RegionSpec): Region;
  read(cpu: number, address: number): number;
  write(cpu: number, address: number): number;
  atomic(cpu: number, address: number): number;
  reach(cpu: number, address: number, forWriting: boolean): 0 | 1 | 2;
  touchFootprint(cpu: number, lines: number): number;
  deviceWrite(address: number): number;
  flush(address: number): void;
}
