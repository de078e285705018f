/**
 * The load that test/bench/silicon/silicon.c runs for real: each core works, maps a page, and unmaps one of the pages that it has mapped before,
 * chosen at random. Nothing is received or sent, no device takes part, and no timer runs: what is left is what a program in user space can do too.
 */
import type { DmaApi, Part } from "../dma/index.js";
import { type Behaviour, type RandomStream, type StateMachine, type Wait, waiting } from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import { ServerCores, type ServerLoad, variedWork } from "./cores.js";
import type { HostRun } from "./knobs.js";
import { advanceTo, type ServerParts, serverParts, sharesOfTime, useDmaApi, visitsPerMap } from "./server.js";

/** What a core does again and again. */
export interface RingLoad {
  /** Work between two pages, in ns: from three to five quarters of it, evenly. */
  workNs: number;
  /** Pages that a core has mapped. */
  depth: number;
}

/** What a run of it measured. */
export interface RingResult {
  /** Transactions a second (a map and an unmap each), all cores together. */
  rate: number;
  /** Share of the cores' time by what it went into. */
  parts: Record<Part, number>;
  /** Nodes that a map examined, in the mean. */
  visitsPerMap: number;
}

const WORKED = 0;

class RingLoop implements StateMachine, ServerLoad {
  api!: DmaApi;
  done = 0;
  stopAt = Number.POSITIVE_INFINITY;
  readonly cores: ServerCores;
  private readonly rings: Float64Array[];
  private readonly kinds: number;
  private readonly workCycles: number;
  private frame = 1;

  constructor(
    private readonly parts: ServerParts,
    private readonly load: RingLoad,
    private readonly random: RandomStream,
  ) {
    const { config, cores, processes, simulation } = parts;
    this.kinds = simulation.attach(this);
    this.workCycles = load.workNs * config.gigahertz;
    this.rings = Array.from({ length: cores }, () => new Float64Array(load.depth));
    this.cores = new ServerCores(processes, cores, this.kinds + WORKED, "awake", (core) => this.run(core));
  }

  /** Full rings, core by core, outside simulated time; then all cores begin. */
  begin(): void {
    for (const [core, ring] of this.rings.entries())
      for (let i = 0; i < ring.length; i++) ring[i] = this.api.mapAtBoot(core, this.nextFrame(), 1, 3);
    for (let core = 0; core < this.rings.length; core++) this.parts.simulation.post(core, this.kinds + WORKED, core);
  }

  dispatch(_kind: number, core: number): void {
    this.cores.resume(core);
  }

  private *run(core: number): Behaviour {
    yield waiting;
    const { api, load, random } = this;
    const ring = this.rings[core];
    for (;;) {
      yield this.work(core);
      const fresh = yield* api.map(core, this.nextFrame(), 1, 3);
      const place = random.below(load.depth);
      const old = ring[place];
      ring[place] = fresh;
      yield* api.unmap(core, old, 1);
      if (++this.done >= this.stopAt) this.parts.simulation.stop();
    }
  }

  private nextFrame(): number {
    this.frame = 1 + (this.frame % (1 << 18));
    return this.frame;
  }

  private work(core: number): Wait {
    return this.cores.work(core, Math.max(1, Math.round(variedWork(this.workCycles, this.random))));
  }
}

/**
 * Runs the load on a host.
 * @param run the host, the way of mapping, the kind of lock, costs, seed and length; what it says of TCP_RR is not used
 * @throws RangeError where the host has not so many cores
 */
export function simulateRings(run: HostRun, load: RingLoad, facts: Facts): RingResult {
  const parts = serverParts(run, facts, { maxRanges: run.cores * (load.depth + 1024) + 8192 });
  const { config, simulation, streams } = parts;
  const loop = new RingLoop(parts, load, streams.stream("workload"));
  const api = useDmaApi(run, parts, loop);
  api.allocator?.reserve(0xfee00, 0xfeeff);
  // Linux v4.9 never takes the limit itself from a magazine, below which it would lie for good.
  api.allocator?.reserve(0xfffff, 0xfffff);
  loop.begin();
  advanceTo(loop, simulation, run.warmup);
  const start = simulation.now;
  const before = api.allocator?.statistics();
  api.reset();
  const first = loop.done;
  advanceTo(loop, simulation, first + run.transactions);
  const elapsed = simulation.now - start;
  return {
    rate: ((loop.done - first) * config.gigahertz * 1e9) / elapsed,
    parts: sharesOfTime(api, simulation.now, elapsed * run.cores),
    visitsPerMap: visitsPerMap(before, api.allocator?.statistics()),
  };
}
