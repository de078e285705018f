/**
 * A load of requests to a device, as storage and packet drivers make them: each core works, maps a request's buffers and hands them over; the device
 * is done some time later, and a core (the same, or another) unmaps them.
 *
 * With no request under way it is the kernel's map benchmark: map, unmap, again. The load is closed: a core has so many requests under way, and makes the
 * next when one is complete; with enough of them, throughput is what the cores can do.
 */
import { type DmaApi, type DmaCounts, type Part, variant } from "../dma/index.js";
import {
  type Behaviour,
  type RandomStream,
  type StateMachine,
  type Streams,
  type Wait,
  waiting,
} from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import { type Rcache6Statistics, ringSlots, rulesOf } from "../iova/index.js";
import type { LockStatRow } from "../machine/index.js";
import { ServerCores, type ServerLoad, variedWork } from "./cores.js";
import { freshOf, Image } from "./image.js";
import type { HostRun } from "./knobs.js";
import { advanceTo, type ServerParts, serverParts, sharesOfTime, takenLocks, useDmaApi } from "./server.js";
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

class IoLoop implements StateMachine, ServerLoad {
  readonly cores: ServerCores;
  private readonly kinds: number;
  api!: DmaApi;
  done = 0;
  stopAt = 0;
  /** Of each core, its requests under way, and those that are complete and not yet unmapped. */
  private readonly queues: { under: number; complete: Request[] }[];
  private readonly list: { frame: number; pages: number }[];
  private readonly flying: Request[] = [];
  private next = 1 << 18;
  private turn = 0;
  private linkFree = 0;
  private readonly linkCycles: number;
  private readonly workCycles: number;
  private readonly deviceCycles: number;

  constructor(
    private readonly parts: ServerParts,
    private readonly load: IoLoad,
    private readonly random: RandomStream,
  ) {
    const { cores, processes, simulation } = parts;
    const { gigahertz } = parts.config;
    this.kinds = simulation.attach(this);
    this.workCycles = load.workNs * gigahertz;
    this.deviceCycles = load.deviceNs * gigahertz;
    this.linkCycles = load.link === undefined ? 0 : (load.link.bytes * 8 * gigahertz) / load.link.gbps;
    this.list = Array.from({ length: load.segments }, () => ({ frame: 0, pages: load.segmentPages }));
    this.queues = Array.from({ length: cores }, () => ({ under: 0, complete: [] }));
    this.cores = new ServerCores(processes, cores, this.kinds + WORKED, "awake", (core) => this.run(core));
  }

  /** All cores begin, each a little later than the one before. */
  begin(): void {
    for (let core = 0; core < this.cores.length; core++)
      this.parts.simulation.post(
        this.random.below(Math.max(1, Math.round(this.workCycles))) + core,
        this.kinds + WORKED,
        core,
      );
  }

  dispatch(kind: number, actor: number, data: number): void {
    if (kind === WORKED) {
      this.cores.resume(actor);
      return;
    }
    this.queues[actor].complete.push(this.flying[data]);
    this.cores.wake(actor);
  }

  private *run(core: number): Behaviour {
    yield waiting;
    const { load } = this;
    const own = this.queues[core];
    for (;;) {
      if (this.cores.takesFlush(core)) yield* this.api.flush(core);
      else if (own.complete.length > 0) yield* this.finish(core, own.complete.shift() as Request);
      else if (load.depth === 0) yield* this.finish(core, yield* this.submit(core));
      else if (own.under < load.depth) {
        const request = yield* this.submit(core);
        own.under++;
        this.handOver(core, request);
      } else yield this.cores.sleep(core);
    }
  }

  /** The device has the request: it goes over the link behind those before it, and is complete some time later, on the core that gets completions. */
  private handOver(core: number, request: Request): void {
    const { completions } = this.load;
    const to = completions === "same" ? core : this.turn++ % Math.min(completions, this.cores.length);
    const time = Math.round(variedWork(this.deviceCycles, this.random));
    const { now } = this.parts.simulation;
    this.linkFree = Math.max(now, this.linkFree) + this.linkCycles;
    this.flying.push(request);
    this.parts.simulation.post(
      Math.round(this.linkFree) - now + time,
      this.kinds + COMPLETE,
      to,
      this.flying.length - 1,
    );
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
    if (this.done >= this.stopAt) this.parts.simulation.stop();
    if (load.depth > 0) this.queues[request.core].under--;
    if (request.core !== core) this.cores.wake(request.core);
  }

  private work(core: number): Wait {
    return this.cores.work(core, Math.max(1, Math.round(variedWork(this.workCycles, this.random))));
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

/** Ranges that may be live at once. */
function rangesOf(run: HostRun, load: IoLoad): number {
  const eachCore = Math.max(1, load.depth, load.aged?.depth ?? 0) * load.segments + 768;
  const queued = variant(run.variant).linux?.singleRing === "large" ? ringSlots.single : 0;
  return run.staticMaps + run.cores * eachCore + queued + 8192;
}

/** Leaves caches and rings of addresses as traffic before the start has: that of the load, or of hours that nobody asks about. */
function fillAtStart(api: DmaApi, run: HostRun, load: IoLoad, streams: Streams): void {
  const { linux, policy, reuse } = variant(run.variant);
  if (load.aged === undefined || !linux) api.allocator?.reserve(0xfee00, 0xfeeff);
  if (load.aged !== undefined) age(api, run, load, streams.stream("ageing"));
  const pages = load.mapping === "each" ? load.segmentPages : load.segments * load.segmentPages;
  if (policy === "lazy") fillRings(api, run.cores, linux?.singleRing === "large", load.aged === undefined ? 1 : pages);
  if (linux && reuse !== "bounce" && load.aged === undefined) fillCaches(api, run.cores);
}

/**
 * Runs a load of requests on a host.
 * @param run the host and the way of mapping; what it says of TCP_RR is not used
 * @throws RangeError where the host has not so many cores
 */
export function simulateIo(run: HostRun, load: IoLoad, facts: Facts): IoResult {
  const parts = serverParts(run, facts, { maxRanges: rangesOf(run, load) });
  const { simulation, streams } = parts;
  const loop = new IoLoop(parts, load, streams.stream("workload"));
  const api = useDmaApi(run, parts, loop);
  fillAtStart(api, run, load, streams);
  api.begin();
  loop.begin();
  advanceTo(loop, simulation, run.warmup);
  api.reset();
  return measured(loop, parts, run.transactions);
}

const inDepots = ({ depots = [] }: Partial<Rcache6Statistics>): number => depots.reduce((sum, one) => sum + one, 0);

/** So many requests more, and what they took. */
function measured(loop: IoLoop, { config, simulation, cores }: ServerParts, more: number): IoResult {
  const { api } = loop;
  const caches = (): Partial<Rcache6Statistics> => api.allocator?.statistics() ?? {};
  const start = { now: simulation.now, done: loop.done, caches: caches() };
  advanceTo(loop, simulation, start.done + more);
  const elapsed = simulation.now - start.now;
  const requests = loop.done - start.done;
  const shares = sharesOfTime(api, simulation.now, elapsed * cores);
  const steps = api.accounts.byStep();
  const sum = (test: (context: string, step: string) => boolean): number =>
    steps.reduce((total, { context, step, cycles }) => (test(context, step) ? total + cycles : total), 0);
  const ns = (cycles: number): number => cycles / config.gigahertz;
  const unmapping = sum((context) => context === "unmap" || context === "flush");
  const after = caches();
  const stale = api.watch.report(simulation.now);
  const locks = takenLocks(api);
  return {
    rate: (requests * config.gigahertz * 1e9) / elapsed,
    requests,
    cores,
    mapNs: ns(sum((context) => context === "map")) / requests,
    unmapNs: ns(unmapping) / requests,
    parts: shares,
    locks,
    counts: { ...api.counts },
    stalePages: stale.meanLive,
    windowNs: ns(stale.meanWindow),
    windowMostNs: ns(stale.maxWindow),
    irqOffNs: ns(locks.reduce((worst, { irqOffMax }) => Math.max(worst, irqOffMax), 0)),
    hardwareShare: unmapping > 0 ? sum((_, step) => step === "qi_submit_sync: poll") / unmapping : 0,
    elapsedNs: ns(elapsed),
    flushNs: ns(sum((context) => context === "flush")),
    depotsAtStart: inDepots(start.caches),
    depots: inDepots(after),
    magazines: after.magazines ?? 0,
    visits: ((after.visits ?? 0) - (start.caches.visits ?? 0)) / requests,
  };
}
