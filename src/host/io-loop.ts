/**
 * A load of requests to a device, as storage and packet drivers make them: each core works, maps a request's buffers and hands them over; the device
 * is done some time later, and a core (the same, or another) unmaps them.
 *
 * With no request under way it is the kernel's map benchmark: map, unmap, again. The load is closed: a core has so many requests under way, and makes the
 * next when one is complete; with enough of them, throughput is what the cores can do.
 */
import { DmaApi, type DmaCounts, dmaCosts, type Part, STEP_IDLE, STEP_STACK, variant } from "../dma/index.js";
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
import { type Rcache6Statistics, ringSlots, rulesOf } from "../iova/index.js";
import { type LockStatRow, machineConfig, makeMachine } from "../machine/index.js";
import { dmaOptions } from "./dma-options.js";
import { freshOf, Image } from "./image.js";
import type { HostRun } from "./knobs.js";
import { type ArmedWorks, ageStorage } from "./storage-ageing.js";
import { fillCaches, fillRings } from "./warm-caches.js";

/** What a core does again and again. Times in nanoseconds. */
export interface IoLoad {
  /** Work of a request outside DMA mapping. */
  workNs: number;
  /** Pieces of a request's buffers, and pages of each. */
  segments: number;
  segmentPages: number;
  /** Each piece mapped by itself, all as one scatter list, or with the two-step API (which takes one range, too). */
  mapping: "each" | "list" | "two-step";
  /** Share of requests whose buffers stay mapped: they go round a pool, and nothing is mapped or unmapped for them. */
  premapped: number;
  /** Requests of a core under way; 0 unmaps at once (the map benchmark). */
  depth: number;
  /** The device's time for a request. */
  deviceNs: number;
  /** Who gets completions: the core that submitted, or the cores among the first so many, in turn. */
  completions: "same" | number;
  /** What the device may do: 1 reads, 2 writes. */
  permission: number;
  /** The device's link: what it carries at most, all requests together, and the bytes of one (default: no limit). */
  link?: { gbps: number; bytes: number };
  /** Traffic before the start, outside simulated time, over the real allocator alone: what hours of it leave in the caches. */
  aged?: {
    requests: number;
    /** Requests a second. */
    rate: number;
    /** Requests until the load changes, on average. */
    spell: number;
    /** Pages of its requests. */
    sizes: readonly number[];
    /** Requests of a core under way, at most. */
    depth: number;
  };
}

/** What a run measured. */
export interface IoResult {
  /** Requests a second, all cores together. */
  rate: number;
  requests: number;
  cores: number;
  /** Mean time of mapping a request and of unmapping it (flushes and waits included), in ns. */
  mapNs: number;
  unmapNs: number;
  parts: Record<Part, number>;
  locks: LockStatRow[];
  counts: DmaCounts;
  stalePages: number;
  windowNs: number;
  windowMostNs: number;
  irqOffNs: number;
  /** Share of the time of the unmaps in which an invalidation is waited for, none of it for a lock or a place in the queue. */
  hardwareShare: number;
  elapsedNs: number;
  /** Time in flushes, all cores together: the timer's, and those of full rings. */
  flushNs: number;
  /** Magazines in the depots when the measurement begins and when it ends, and in all; 0 where there are none. */
  depotsAtStart: number;
  depots: number;
  magazines: number;
  /** Nodes that a search of the tree stepped on, for each request. */
  visits: number;
}

const WORKED = 0;
const COMPLETE = 1;

interface Request {
  core: number;
  pfns: number[];
}

class IoLoop implements StateMachine {
  readonly kinds: number;
  api!: DmaApi;
  done = 0;
  stopAt = 0;
  private readonly cores: { process: Process; idle: boolean; under: number; complete: Request[]; flushDue: boolean }[];
  private readonly list: { frame: number; pages: number }[];
  private readonly flying: Request[] = [];
  private next = 1 << 18;
  private turn = 0;
  private linkFree = 0;
  private readonly linkCycles: number;
  private readonly workCycles: number;
  private readonly deviceCycles: number;

  constructor(
    private readonly simulation: Simulation,
    processes: Processes,
    private readonly load: IoLoad,
    count: number,
    gigahertz: number,
    private readonly random: RandomStream,
  ) {
    this.kinds = simulation.attach(this);
    this.workCycles = load.workNs * gigahertz;
    this.deviceCycles = load.deviceNs * gigahertz;
    this.linkCycles = load.link === undefined ? 0 : (load.link.bytes * 8 * gigahertz) / load.link.gbps;
    this.list = Array.from({ length: load.segments }, () => ({ frame: 0, pages: load.segmentPages }));
    this.cores = Array.from({ length: count }, (_, core) => ({
      process: processes.begin(`core ${core}`, () => this.run(core)),
      idle: false,
      under: 0,
      complete: [],
      flushDue: false,
    }));
  }

  /** All cores begin, each a little later than the one before. */
  begin(): void {
    for (let core = 0; core < this.cores.length; core++)
      this.simulation.post(
        this.random.below(Math.max(1, Math.round(this.workCycles))) + core,
        this.kinds + WORKED,
        core,
      );
  }

  dispatch(kind: number, actor: number, data: number): void {
    if (kind === WORKED) {
      this.cores[actor].process.resume();
      return;
    }
    const request = this.flying[data];
    this.cores[actor].complete.push(request);
    this.wake(actor);
  }

  dmaTimer(core: number): void {
    this.cores[core].flushDue = true;
    this.wake(core);
  }

  private wake(core: number): void {
    const one = this.cores[core];
    if (!one.idle) return;
    one.idle = false;
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    one.process.resume();
  }

  private *run(core: number): Behaviour {
    yield waiting;
    const { load } = this;
    for (;;) {
      const me = this.cores[core];
      const request = me.complete.shift();
      if (me.flushDue) {
        me.flushDue = false;
        if (request) me.complete.unshift(request);
        yield* this.api.flush(core);
      } else if (request !== undefined) yield* this.finish(core, request);
      else if (load.depth === 0) yield* this.finish(core, yield* this.submit(core));
      else if (me.under < load.depth) {
        const made = yield* this.submit(core);
        me.under++;
        const to = load.completions === "same" ? core : this.turn++ % Math.min(load.completions, this.cores.length);
        const index = this.place(made);
        const time = Math.round(this.deviceCycles * (0.75 + 0.5 * this.random.uniform()));
        const { now } = this.simulation;
        // One request after the other goes over the link.
        this.linkFree = Math.max(now, this.linkFree) + this.linkCycles;
        this.simulation.post(Math.round(this.linkFree) - now + time, this.kinds + COMPLETE, to, index);
      } else {
        me.idle = true;
        this.api.accounts.enter(core, STEP_IDLE, 0, this.simulation.now);
        yield waiting;
      }
    }
  }

  /** Work, and the maps. */
  private *submit(core: number): Behaviour<Request> {
    const { load, api } = this;
    yield this.work(core);
    const request: Request = { core, pfns: [] };
    if (load.premapped > 0 && this.random.chance(load.premapped)) yield* api.recycle(core, this.turn);
    else {
      for (const piece of this.list) {
        piece.frame = this.next;
        this.next = (1 << 18) + ((this.next + piece.pages) % (1 << 18));
      }
      if (load.mapping === "list") request.pfns.push(yield* api.mapList(core, this.list, load.permission));
      else if (load.mapping === "two-step") request.pfns.push(yield* api.mapInSteps(core, this.list, load.permission));
      else
        for (const { frame, pages } of this.list)
          request.pfns.push(yield* api.map(core, frame, pages, load.permission));
    }
    return request;
  }

  /** The unmaps; the submitting core may make its next request. */
  private *finish(core: number, request: Request): Behaviour {
    const { load, api } = this;
    if (request.pfns.length === 1) yield* api.unmapList(core, request.pfns[0], this.list);
    else for (const pfn of request.pfns) yield* api.unmap(core, pfn, load.segmentPages);
    this.done++;
    if (this.done >= this.stopAt) this.simulation.stop();
    const owner = this.cores[request.core];
    if (load.depth > 0) owner.under--;
    if (request.core !== core) this.wake(request.core);
  }

  private work(core: number): Wait {
    const cycles = Math.max(1, Math.round(this.workCycles * (0.75 + 0.5 * this.random.uniform())));
    this.api.accounts.enter(core, STEP_STACK, 0, this.simulation.now);
    this.simulation.post(cycles, this.kinds + WORKED, core);
    return waiting;
  }

  /** A place for a request that is under way. */
  private place(request: Request): number {
    this.flying.push(request);
    return this.flying.length - 1;
  }
}

/** Lets the load's earlier traffic go over an allocator like the domain's, which no memory hears, and gives the domain what that has become. */
function age(api: DmaApi, run: HostRun, load: IoLoad, random: RandomStream): void {
  const { linux, policy, reuse } = variant(run.variant);
  if (load.aged === undefined || linux === undefined || reuse === "bounce") return;
  const hook: ArmedWorks = { onArm: () => {} };
  const twin = api.twin((bin) => hook.onArm(bin));
  if (twin === undefined || api.allocator === undefined) return;
  twin.reserve(0xfee00, 0xfeeff);
  const outside = new Set<unknown>();
  const fresh = freshOf([twin], outside);
  const { gaveUpLow } = ageStorage(
    twin,
    {
      ...load.aged,
      cores: run.cores,
      completions: load.completions,
      limit: api.highest,
      lowFirst: rulesOf(linux.release).lowFirst,
      ring: policy === "lazy" ? ringSlots.perCpu - 1 : 0,
    },
    random,
    hook,
  );
  new Image([twin], outside, fresh).putInto([api.allocator]);
  if (gaveUpLow) api.giveUpLow();
}

/**
 * Runs a load of requests on a host.
 * @param run the host and the way of mapping; what it says of TCP_RR is not used
 * @throws RangeError where the host has not so many cores
 */
export function simulateIo(run: HostRun, load: IoLoad, facts: Facts): IoResult {
  const config = machineConfig(facts, run.machine, run.machineOverrides);
  const most = config.sockets * config.coresPerSocket;
  if (!Number.isInteger(run.cores) || run.cores < 1 || run.cores > most)
    throw new RangeError(
      `cores: accepts a whole number from 1 to the ${most} cores of ${run.machine}; got ${run.cores}`,
    );
  const machine = makeMachine(config);
  const simulation = new Simulation();
  const processes = new Processes(simulation);
  const streams = new Streams(run.seed);
  const how = variant(run.variant);
  const loop = new IoLoop(simulation, processes, load, run.cores, config.gigahertz, streams.stream("workload"));
  const api = new DmaApi(
    machine,
    processes,
    dmaOptions(run, {
      config,
      machine,
      simulation,
      variant: how,
      costs: { ...dmaCosts(facts, config), ...run.costs },
      cores: run.cores,
      arbiter: streams.stream("lock arbiter"),
      maxRanges:
        run.staticMaps +
        run.cores * (Math.max(1, load.depth, load.aged?.depth ?? 0) * load.segments + 768) +
        (how.linux?.singleRing === "large" ? ringSlots.single : 0) +
        8192,
    }),
    loop,
  );
  loop.api = api;
  if (load.aged === undefined || !how.linux) api.allocator?.reserve(0xfee00, 0xfeeff);
  const single = how.linux?.singleRing === "large";
  if (load.aged !== undefined) age(api, run, load, streams.stream("ageing"));
  const pages = load.mapping === "each" ? load.segmentPages : load.segments * load.segmentPages;
  if (how.policy === "lazy") fillRings(api, run.cores, single, load.aged === undefined ? 1 : pages);
  if (how.linux && how.reuse !== "bounce" && load.aged === undefined) fillCaches(api, run.cores);
  api.begin();
  loop.begin();
  const advanceTo = (count: number): void => {
    loop.stopAt = count;
    if (loop.done < count) simulation.run();
  };
  advanceTo(run.warmup);
  const start = simulation.now;
  api.reset();
  const caches = (): Partial<Rcache6Statistics> => api.allocator?.statistics() ?? {};
  const inDepots = ({ depots = [] }: Partial<Rcache6Statistics>): number => depots.reduce((sum, one) => sum + one, 0);
  const before = caches();
  const first = loop.done;
  advanceTo(first + run.transactions);
  const elapsed = simulation.now - start;
  const requests = loop.done - first;
  api.accounts.settle(simulation.now);
  const parts = api.accounts.byPart();
  for (const part of Object.keys(parts) as Part[]) parts[part] /= elapsed * run.cores;
  const steps = api.accounts.byStep();
  const sum = (test: (context: string, step: string) => boolean): number =>
    steps.reduce((total, { context, step, cycles }) => (test(context, step) ? total + cycles : total), 0);
  const ns = (cycles: number): number => cycles / config.gigahertz;
  const unmapping = sum((context) => context === "unmap" || context === "flush");
  const after = caches();
  const stale = api.watch.report(simulation.now);
  const locks = api.locks.map((lock) => lock.statistics.columns()).filter((row) => row.acquisitions > 0);
  return {
    rate: (requests * config.gigahertz * 1e9) / elapsed,
    requests,
    cores: run.cores,
    mapNs: ns(sum((context) => context === "map")) / requests,
    unmapNs: ns(unmapping) / requests,
    parts,
    locks,
    counts: { ...api.counts },
    stalePages: stale.meanLive,
    windowNs: ns(stale.meanWindow),
    windowMostNs: ns(stale.maxWindow),
    irqOffNs: ns(locks.reduce((worst, { irqOffMax }) => Math.max(worst, irqOffMax), 0)),
    hardwareShare: unmapping > 0 ? sum((_, step) => step === "qi_submit_sync: poll") / unmapping : 0,
    elapsedNs: ns(elapsed),
    flushNs: ns(sum((context) => context === "flush")),
    depotsAtStart: inDepots(before),
    depots: inDepots(after),
    magazines: after.magazines ?? 0,
    visits: ((after.visits ?? 0) - (before.visits ?? 0)) / requests,
  };
}
