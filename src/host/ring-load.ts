/**
 * The load that test/bench/silicon/silicon.c runs for real: each core works, maps a page, and unmaps one of the pages that it has mapped before,
 * chosen at random. Nothing is received or sent, no device takes part, and no timer runs: what is left is what a program in user space can do too.
 */
import { DmaApi, type DmaClient, dmaCosts, type Part, STEP_STACK, variant } from "../dma/index.js";
import {
  type Behaviour,
  type Process,
  Processes,
  type RandomStream,
  Simulation,
  type StateMachine,
  Streams,
  type Wait,
  waiting,
} from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import { machineConfig, makeMachine } from "../machine/index.js";
import { dmaOptions } from "./dma-options.js";
import type { HostRun } from "./knobs.js";

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

class RingLoop implements StateMachine, DmaClient {
  api!: DmaApi;
  done = 0;
  stopAt = Number.POSITIVE_INFINITY;
  readonly rings: Float64Array[];
  private readonly kinds: number;
  private readonly cores: Process[];
  private readonly workCycles: number;
  private frame = 1;

  constructor(
    private readonly simulation: Simulation,
    processes: Processes,
    readonly load: RingLoad,
    count: number,
    gigahertz: number,
    private readonly random: RandomStream,
  ) {
    this.kinds = simulation.attach(this);
    this.workCycles = load.workNs * gigahertz;
    this.rings = Array.from({ length: count }, () => new Float64Array(load.depth));
    this.cores = this.rings.map((_, core) => processes.begin(`core ${core}`, () => this.run(core)));
  }

  /** Full rings, core by core, outside simulated time; then all cores begin. */
  begin(): void {
    for (const [core, ring] of this.rings.entries())
      for (let i = 0; i < ring.length; i++) ring[i] = this.api.mapAtBoot(core, this.nextFrame(), 1, 3);
    for (let core = 0; core < this.cores.length; core++) this.simulation.post(core, this.kinds, core);
  }

  dispatch(_kind: number, core: number): void {
    this.cores[core].resume();
  }

  /** No timer runs there. */
  dmaTimer(): void {}

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
      if (++this.done >= this.stopAt) this.simulation.stop();
    }
  }

  private nextFrame(): number {
    this.frame = 1 + (this.frame % (1 << 18));
    return this.frame;
  }

  private work(core: number): Wait {
    const cycles = Math.max(1, Math.round(this.workCycles * (0.75 + 0.5 * this.random.uniform())));
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    this.simulation.post(cycles, this.kinds, core);
    return waiting;
  }
}

/**
 * Runs the load on a host.
 * @param run the host, the way of mapping, the kind of lock, costs, seed and length; what it says of TCP_RR is not used
 * @throws RangeError where the host has not so many cores
 */
export function simulateRings(run: HostRun, load: RingLoad, facts: Facts): RingResult {
  const config = machineConfig(facts, run.machine, run.machineOverrides);
  const most = config.sockets * config.coresPerSocket;
  if (!Number.isInteger(run.cores) || run.cores < 1 || run.cores > most)
    throw new RangeError(`cores: accepts a whole number from 1 to the ${most} cores of the host; got ${run.cores}`);
  const machine = makeMachine(config);
  const simulation = new Simulation();
  const processes = new Processes(simulation);
  const streams = new Streams(run.seed);
  const loop = new RingLoop(simulation, processes, load, run.cores, config.gigahertz, streams.stream("workload"));
  const api = new DmaApi(
    machine,
    processes,
    dmaOptions(run, {
      config,
      machine,
      simulation,
      variant: variant(run.variant),
      costs: { ...dmaCosts(facts, config), ...run.costs },
      cores: run.cores,
      arbiter: streams.stream("lock arbiter"),
      maxRanges: run.cores * (load.depth + 1024) + 8192,
    }),
    loop,
  );
  loop.api = api;
  api.allocator?.reserve(0xfee00, 0xfeeff);
  // Linux v4.9 never takes the limit itself from a magazine, below which it would lie for good.
  api.allocator?.reserve(0xfffff, 0xfffff);
  loop.begin();
  const advanceTo = (count: number): void => {
    loop.stopAt = count;
    if (loop.done < count) simulation.run();
  };
  advanceTo(run.warmup);
  const start = simulation.now;
  const before = api.allocator?.statistics();
  api.reset();
  const first = loop.done;
  advanceTo(first + run.transactions);
  const elapsed = simulation.now - start;
  api.accounts.settle(simulation.now);
  const after = api.allocator?.statistics();
  const shares = api.accounts.byPart();
  for (const part of Object.keys(shares) as Part[]) shares[part] /= elapsed * run.cores;
  const maps = after && before ? after.allocations - before.allocations : 0;
  return {
    rate: ((loop.done - first) * config.gigahertz * 1e9) / elapsed,
    parts: shares,
    visitsPerMap: after && before && maps > 0 ? (after.visits - before.visits) / maps : 0,
  };
}
