/**
 * Requests that were recorded, made by a simulated host: every core makes its own maps and unmaps when they are due, through the kernel's DMA
 * API, and contends with the others for its locks.
 *
 * The load is open: a request is due at its recorded time, sooner at a higher rate, whether or not the core is ready; one that comes late is
 * made as soon as the core has made those before it. An unmap waits for its map. So the cores fall behind where the API cannot keep up.
 */
import { type DmaApi, type DmaClient, type Part, STEP_IDLE } from "../dma/index.js";
import { type Behaviour, type EventHandle, type Process, type Simulation, waiting } from "../engine/index.js";
import type { Facts } from "../facts/index.js";
import type { HostMachine } from "../machine/index.js";
import { type HostRun, publishedStackCycles } from "./knobs.js";
import { dmaApiOf, serverParts, takenLocks } from "./server.js";
import type { HostResult } from "./simulate.js";

/** A stretch of recorded requests, element i of each list for operation i, in their order. Plain JSON. */
export interface RecordedLoad {
  /** CPUs that make requests, numbered 0, 1, 2 …; each is a core. */
  cores: number;
  /** When each is due, in ns from the first; never less than the one before. */
  timeNs: readonly number[];
  core: readonly number[];
  /** Pages of a map; 0 for an unmap. */
  pages: readonly number[];
  /** Of an unmap: the operation that mapped, or −1 − i for the i-th held range. Of a map: 0. */
  maps: readonly number[];
  /** First memory page of each map. */
  frame: readonly number[];
  /** What is mapped when the stretch begins, in the order in which it was mapped. */
  held: readonly { pages: number; core: number; frame: number }[];
  /** So many operations are made before the start, outside simulated time: the address space is then as the recording left it. */
  before: number;
  /** Of those that follow, so many are the warm-up. */
  warmup: number;
}

/** How the load is scaled. */
export interface LoadScale {
  /** How many times as fast requests come (1: as recorded). */
  rate: number;
  /** How many times as many cores make them: each copy of the load on cores of its own, all for one device. */
  copies: number;
}

/**
 * What a run of recorded requests measured, in the words of a host's run: a transaction is two requests, a map and an unmap. Times in core cycles.
 */
export interface LoadResult extends HostResult {
  cores: number;
  /** Requests measured: maps and unmaps. */
  requests: number;
  /** Requests a second: as they were due, and as they were done. */
  offered: number;
  achieved: number;
  /** How late requests began, beyond their due time: mean and most. */
  lateMean: number;
  lateMost: number;
  /** CPU cycles in the DMA API for each request, all cores together, waiting for locks and the flushes included. */
  cyclesPerRequest: number;
  /** The same by part of the time, but for what is none of the API's. */
  partsPerRequest: Partial<Record<Part, number>>;
}

const DUE = 0;
const AWAITED = 1;
/** Copies of a load have memory of their own: so many pages apart. */
const copyFrames = 16_777_216;

interface Core {
  process: Process;
  /** It sleeps: until an event of its own, or until a map is made. */
  asleep: boolean;
  event: EventHandle | undefined;
  flushDue: boolean;
  /** Its operations, in their order, and when each is due. */
  operations: number[];
  due: number[];
  lastDue: number;
}

/**
 * Runs a recorded load on a host as `run` describes it: its variant, machine, locks and costs; what it says of TCP_RR is not used.
 * The same arguments give the same result, everywhere.
 * @throws RangeError where the host does not have so many cores
 */
export function simulateRequests(run: HostRun, load: RecordedLoad, scale: LoadScale, facts: Facts): LoadResult {
  const host = new RequestHost(run, load, scale, facts);
  return host.result();
}

class RequestHost implements DmaClient {
  private readonly simulation: Simulation;
  private readonly machine: HostMachine;
  private readonly api: DmaApi;
  private readonly cores: Core[];
  private readonly kinds: number;
  private readonly gigahertz: number;
  /** Of each copy, the address that each operation mapped; −2 where it is not made yet. */
  private readonly pfns: Float64Array;
  private readonly heldPfns: Float64Array;
  /** Who waits for a map, by copy and operation. */
  private readonly awaited = new Map<number, number>();
  private readonly stackCycles: number;
  private readonly perCopy: number;
  private done = 0;
  private measured = 0;
  private lateSum = 0;
  private lateMost = 0;
  private firstDue = 0;
  private lastDue = 0;
  private lastEnd = 0;
  private readonly sliceEnds: number[] = [];
  private warm: boolean;
  /** The allocator's totals when the measurement begins. */
  private visitsBefore = { visits: 0, allocations: 0 };
  private readonly total: number;
  private readonly warmAt: number;

  constructor(
    private readonly run: HostRun,
    private readonly load: RecordedLoad,
    private readonly scale: LoadScale,
    facts: Facts,
  ) {
    this.perCopy = load.timeNs.length;
    const parts = serverParts(run, facts, {
      cores: load.cores * scale.copies,
      maxRanges: scale.copies * (load.held.length + this.perCopy) + 8192,
    });
    const { config, processes, streams, variant } = parts;
    this.simulation = parts.simulation;
    this.gigahertz = config.gigahertz;
    this.machine = parts.machine;
    this.stackCycles = publishedStackCycles(facts, config.gigahertz);
    this.kinds = this.simulation.attach(this);
    this.api = dmaApiOf(run, parts, this);
    this.pfns = new Float64Array(this.perCopy * scale.copies).fill(-2);
    this.heldPfns = new Float64Array(load.held.length * scale.copies);
    this.boot(variant.policy === "strict" ? 1 : run.flushEntries);
    this.api.begin();
    this.total = (this.perCopy - load.before) * scale.copies;
    this.warmAt = Math.min(this.total - 1, load.warmup * scale.copies);
    this.warm = this.warmAt <= 0;
    this.visitsBefore = this.api.allocator?.statistics() ?? this.visitsBefore;
    const offsets = streams.stream("when each copy begins");
    this.cores = this.schedule(offsets);
    for (const [id, core] of this.cores.entries())
      core.process = processes.begin(`core ${id}`, () => this.behaviour(id));
  }

  /** What is mapped before, and the operations before the start, outside simulated time; unmaps give back in batches, as flushes do. */
  private boot(batch: number): void {
    const { load, api, scale } = this;
    api.allocator?.reserve(0xfee00, 0xfeeff);
    const waits: { core: number; pfn: number; pages: number }[] = [];
    const giveBack = (): void => {
      for (const { core, pfn, pages } of waits.splice(0)) api.unmapAtBoot(core, pfn, pages);
    };
    for (const [i, { pages, core, frame }] of load.held.entries())
      for (let copy = 0; copy < scale.copies; copy++)
        this.heldPfns[copy * load.held.length + i] = api.mapAtBoot(
          copy * load.cores + core,
          frame + copy * copyFrames,
          pages,
          3,
        );
    for (let i = 0; i < load.before; i++)
      for (let copy = 0; copy < scale.copies; copy++) {
        const core = copy * load.cores + load.core[i];
        if (load.pages[i] > 0)
          this.pfns[copy * this.perCopy + i] = api.mapAtBoot(core, load.frame[i] + copy * copyFrames, load.pages[i], 3);
        else {
          waits.push({ core, pfn: this.mappedBy(copy, load.maps[i]), pages: this.pagesOf(load.maps[i]) });
          if (waits.length >= batch) giveBack();
        }
      }
    // A ring of unmaps is found as full as it was; the older tables begin empty.
    for (const one of waits.splice(0))
      if (!api.queueAtBoot(one.core, one.pfn, one.pages)) api.unmapAtBoot(one.core, one.pfn, one.pages);
  }

  private mappedBy(copy: number, map: number): number {
    return map >= 0 ? this.pfns[copy * this.perCopy + map] : this.heldPfns[copy * this.load.held.length - 1 - map];
  }

  private pagesOf(map: number): number {
    return map >= 0 ? this.load.pages[map] : this.load.held[-1 - map].pages;
  }

  /** Each core's operations, and when they are due. Copies begin up to a mean gap of one core apart, so that they do not march in step. */
  private schedule(offsets: { below(limit: number): number }): Core[] {
    const { load, scale, perCopy } = this;
    const first = load.timeNs[load.before] ?? 0;
    const span = (load.timeNs[perCopy - 1] ?? 0) - first;
    const cores = Array.from(
      { length: load.cores * scale.copies },
      (): Core => ({
        process: undefined as unknown as Process,
        asleep: false,
        event: undefined,
        flushDue: false,
        operations: [],
        due: [],
        lastDue: 0,
      }),
    );
    const toCycles = (ns: number): number => Math.round((ns * this.gigahertz) / scale.rate);
    const gap = Math.max(1, toCycles((span * load.cores) / Math.max(1, perCopy - load.before)));
    for (let copy = 0; copy < scale.copies; copy++) {
      const offset = copy === 0 ? 0 : offsets.below(gap);
      for (let i = load.before; i < perCopy; i++) {
        const core = cores[copy * load.cores + load.core[i]];
        core.operations.push(copy * perCopy + i);
        core.due.push(offset + toCycles(load.timeNs[i] - first));
      }
    }
    return cores;
  }

  result(): LoadResult {
    if (this.done < this.total) this.simulation.run();
    const { api, gigahertz } = this;
    api.accounts.settle(this.simulation.now);
    const parts = api.accounts.byPart();
    const cores = this.cores.length;
    const requests = Math.max(1, this.measured);
    const cycles = Math.max(1, this.lastEnd - this.firstDue);
    const all = Object.values(parts).reduce((sum, spent) => sum + spent, 0);
    const partsPerRequest: Partial<Record<Part, number>> = {};
    let spentInApi = 0;
    for (const [part, spent] of Object.entries(parts) as [Part, number][]) {
      if (part !== "stack" && part !== "waiting") {
        partsPerRequest[part] = spent / requests;
        spentInApi += spent;
      }
      parts[part] = spent / all;
    }
    const perSecond = (count: number, time: number): number => (count * gigahertz * 1e9) / Math.max(1, time);
    const tables = api.tableUse();
    return {
      throughput: perSecond(this.measured / 2, cycles),
      transactions: this.measured / 2,
      cycles,
      gigahertz,
      parts,
      steps: api.accounts.byStep(),
      locks: takenLocks(api),
      lockTimes: api.lockTimes(),
      counts: { ...api.counts },
      allocator: api.allocator?.statistics(),
      visitsPerMap: this.visitsPerMap(),
      stale: api.watch.report(this.simulation.now),
      exposure: undefined,
      pinned: undefined,
      emptyTables: tables.empty,
      tableCount: tables.tables,
      liveMaps: tables.leaves,
      events: this.simulation.dispatched,
      slices: this.slices(),
      cores,
      requests: this.measured,
      offered: perSecond(this.measured, this.lastDue - this.firstDue),
      achieved: perSecond(this.measured, cycles),
      lateMean: this.lateSum / requests,
      lateMost: this.lateMost,
      cyclesPerRequest: spentInApi / requests,
      partsPerRequest,
    };
  }

  /** Transactions a second in each piece of the measurement. */
  private slices(): number[] {
    let before = this.firstDue;
    return this.sliceEnds.map((end) => {
      const took = Math.max(1, end - before);
      before = end;
      return ((this.measured / this.run.slices / 2) * this.gigahertz * 1e9) / took;
    });
  }

  private visitsPerMap(): number {
    const after = this.api.allocator?.statistics();
    const maps = (after?.allocations ?? 0) - this.visitsBefore.allocations;
    return after !== undefined && maps > 0 ? (after.visits - this.visitsBefore.visits) / maps : 0;
  }

  // the cores

  private *behaviour(id: number): Behaviour {
    const core = this.cores[id];
    for (let k = 0; k < core.operations.length; k++) {
      const operation = core.operations[k];
      yield* this.until(id, core.due[k]);
      const copy = Math.floor(operation / this.perCopy);
      const i = operation - copy * this.perCopy;
      const map = this.load.maps[i];
      const unmaps = this.load.pages[i] === 0;
      if (unmaps && map >= 0 && this.pfns[copy * this.perCopy + map] === -2)
        yield* this.mapMade(id, copy * this.perCopy + map);
      this.otherWork(id, core.due[k] - core.lastDue);
      core.lastDue = core.due[k];
      this.begins(core.due[k]);
      if (unmaps) yield* this.unmap(id, copy, map);
      else yield* this.map(id, operation, copy, i);
      this.ends(core.due[k]);
    }
    // What is deferred is still flushed when its timer fires.
    for (;;) yield* this.until(id, Number.POSITIVE_INFINITY);
  }

  private *map(id: number, operation: number, copy: number, i: number): Behaviour {
    this.pfns[operation] = yield* this.api.map(id, this.load.frame[i] + copy * copyFrames, this.load.pages[i], 3);
    const waiter = this.awaited.get(operation);
    if (waiter === undefined) return;
    this.awaited.delete(operation);
    this.simulation.post(0, this.kinds + AWAITED, waiter);
  }

  private *unmap(id: number, copy: number, map: number): Behaviour {
    const pfn = this.mappedBy(copy, map);
    // A map that failed has nothing to unmap.
    if (pfn >= 0) yield* this.api.unmap(id, pfn, this.pagesOf(map));
  }

  /** Sleeps until a time, and flushes meanwhile where the timer says so. */
  private *until(id: number, time: number): Behaviour {
    const core = this.cores[id];
    for (;;) {
      if (core.flushDue) {
        core.flushDue = false;
        yield* this.api.flush(id);
        continue;
      }
      const { now } = this.simulation;
      if (time <= now) return;
      if (Number.isFinite(time)) core.event = this.simulation.schedule(time - now, this.kinds + DUE, id);
      yield* this.sleep(id);
    }
  }

  /** Sleeps until a map is made by another core. */
  private *mapMade(id: number, operation: number): Behaviour {
    const core = this.cores[id];
    this.awaited.set(operation, id);
    while (this.awaited.has(operation) || this.pfns[operation] === -2) {
      if (core.flushDue) {
        core.flushDue = false;
        yield* this.api.flush(id);
      } else yield* this.sleep(id);
    }
  }

  private *sleep(id: number): Behaviour {
    const core = this.cores[id];
    this.api.accounts.enter(id, STEP_IDLE, 0, this.simulation.now);
    core.asleep = true;
    yield waiting;
    core.asleep = false;
    if (core.event !== undefined) this.simulation.cancel(core.event);
    core.event = undefined;
  }

  /** An event of a core's is due. */
  dispatch(kind: number, id: number): void {
    const core = this.cores[id];
    if (kind === DUE) core.event = undefined;
    if (core.asleep) core.process.resume();
  }

  /** The deferred flush timer has expired on a core. */
  dmaTimer(id: number): void {
    const core = this.cores[id];
    core.flushDue = true;
    if (core.asleep) core.process.resume();
  }

  /** The core's other work since its last request, as far as it touches memory: no more than a transaction's worth. */
  private otherWork(id: number, gap: number): void {
    const share = Math.min(1, Math.max(0, gap) / this.stackCycles);
    const lines = Math.round(this.run.stackLines * share);
    if (lines > 0 && this.api.allocator) this.machine.touchFootprint(id, lines);
  }

  // the measurement

  private begins(due: number): void {
    if (!this.warm) return;
    const late = this.simulation.now - due;
    this.lateSum += late;
    if (late > this.lateMost) this.lateMost = late;
    if (this.measured === 0) this.firstDue = due;
    if (due > this.lastDue) this.lastDue = due;
    this.measured++;
  }

  private ends(due: number): void {
    this.done++;
    this.lastEnd = this.simulation.now;
    if (!this.warm && this.done >= this.warmAt) {
      this.warm = true;
      this.api.reset();
      this.visitsBefore = this.api.allocator?.statistics() ?? this.visitsBefore;
      this.firstDue = due;
    }
    const { slices } = this.run;
    const measured = this.done - this.warmAt;
    if (measured > 0 && measured >= ((this.sliceEnds.length + 1) * (this.total - this.warmAt)) / slices)
      this.sliceEnds.push(this.lastEnd);
    if (this.done >= this.total) this.simulation.stop();
  }
}
