import type { Account } from "../account.js";
import { blankStep, Ends, type RecordingEnd, type StepSink } from "../steps.js";
import { Layer, type MappingEvent } from "../text/event.js";
import { Op, type TracePhase } from "../trace.js";
import { PartsOfRequests } from "./parts.js";
import { type Piece, Pieces } from "./pieces.js";
import { LiveRanges } from "./ranges.js";

/** An address space: of a named device, or one of those that a recording without names is told to hold. */
interface Space {
  live: LiveRanges;
  /** The device's name, or "" where it is told from the addresses alone. */
  name: string;
  /** Whether it must be there: both of two overlapping ranges were unmapped. The first needs no proof. */
  proved: boolean;
  /** Live scatter lists by what names them in their unmap: the pieces' map numbers. */
  lists: Map<string, number[]>;
}

/** Above so many overlaps a second space is taken as proved: the list of doubtful ones ends somewhere. */
const mostDoubts = 100_000;
/** Without an unmap to prove it: ranges in each other's way beyond this number and this share of the maps are a second device, fewer are lost unmaps. */
const fewOverlaps = 8;
const overlapShare = 0.05;

/**
 * Finds which unmap ends which maps, and what must have been lost.
 *
 * A request of the DMA API is one allocation of addresses. The page table may be told of it in several maps (scatter-gather), and one
 * unmap ends them all; an unmap of a part leaves the rest. Ranges of one device never overlap, so a map of a range that is still mapped
 * means either a second device or a lost unmap:
 * - of a named device: a lost unmap;
 * - where events were lost since the range was mapped: a lost unmap, as many as there are lost events;
 * - else it may be a second device. That is proved when the older range is unmapped all the same; until then it is a doubt, and if it is
 *   never proved, the end of the recording says that the unmaps were lost.
 */
export class Matcher {
  private readonly spaces: Space[] = [];
  private readonly named = new Map<string, number>();
  private readonly unnamed: number[] = [];
  private readonly pieces = new Pieces();
  private readonly parts = new PartsOfRequests(this.pieces);
  private readonly step = blankStep();
  private readonly phases: TracePhase[] = [];
  /** Live map events in whose place another was put in doubt: which, and the spaces of both. */
  private readonly doubted = new Map<number, { by: number; space: number; bySpace: number }>();
  private steps = 0;
  /** Map events so far. */
  maps = 0;
  private ended = 0;
  /** Lost events that no lost unmap accounts for yet; and a count that grows with every loss. */
  private unexplained = 0;
  private losses = 0;
  /** Where each CPU's latest unnamed map ended, and in which space: a scatter list goes on there. */
  private readonly lastEnd: number[] = [];
  private readonly lastSpace: number[] = [];
  private readonly runStart: number[] = [];
  private readonly found: number[] = [];

  constructor(
    private readonly sink: StepSink,
    private readonly account: Account,
  ) {}

  /** Events were lost, or a line could not be read. */
  lose(events: number): void {
    this.unexplained += events;
    this.losses++;
  }

  /** The next step begins a phase. */
  phase(name: string, timeNs: number): void {
    if (this.phases.length < 255) this.phases.push({ name, timeNs, firstOp: this.steps, description: "" });
  }

  /** Whether a named device holds this page. */
  heldByName(pfn: number): boolean {
    for (const [, space] of this.named) if (this.spaces[space].live.firstIn(pfn, pfn + 1) >= 0) return true;
    return false;
  }

  /** Whether a device holds a page of the range. */
  holds(device: string, pfn: number, pages: number): boolean {
    const space = this.named.get(device);
    return space !== undefined && this.spaces[space].live.firstIn(pfn, pfn + pages) >= 0;
  }

  /** Takes a map event. */
  map(event: MappingEvent, timeNs: number): void {
    const { pfn, pages } = event;
    const end = pfn + pages;
    const space = event.device === "" ? this.spaceFor(event, end, timeNs) : this.spaceOf(event.device);
    const { live, lists, name } = this.spaces[space];
    if (name !== "" && live.firstIn(pfn, end) >= 0) this.supersede(space, pfn, end, timeNs, event.cpu);
    const map = this.maps++;
    // What a driver says itself is whole.
    const follows = event.layer === Layer.dma ? -1 : this.parts.map(event.cpu, map, space, pfn, end);
    const slot = this.pieces.add({ start: pfn, end, map, timeNs, cpu: event.cpu, losses: this.losses, space, follows });
    live.add(pfn, slot);
    if (event.list !== "") {
      const known = lists.get(event.list);
      if (known) known.push(map, pfn);
      else lists.set(event.list, [map, pfn]);
    }
    const step = this.step;
    step.op = Op.map;
    step.timeNs = timeNs;
    step.cpu = event.cpu;
    step.context = event.context;
    step.device = space;
    step.iovaPfn = pfn;
    step.pages = pages;
    step.bytes = event.bytes;
    step.direction = event.direction;
    step.kind = event.kind;
    step.paddrPfn = event.paddrPfn;
    step.map = map;
    step.ends = Ends.whole;
    this.account.events++;
    this.emit();
  }

  /** Takes an unmap event. @param anyDevice whether a range of a named device may be meant though the event names none */
  unmap(event: MappingEvent, timeNs: number, anyDevice = false): void {
    if (event.unmapped === 0) {
      this.account.emptyUnmaps++;
      return;
    }
    this.parts.otherwise(event.cpu);
    const pages = event.unmapped > 0 ? event.unmapped : event.pages;
    if (event.list !== "") {
      this.unmapList(event, timeNs);
      return;
    }
    const end = event.pfn + pages;
    const space = event.device === "" ? this.holderOf(event.pfn, end, anyDevice) : (this.named.get(event.device) ?? -1);
    if (space < 0 || !this.clear(space, event.pfn, end, event, timeNs)) this.account.unmatchedUnmaps++;
  }

  /** Ends the recording. */
  end(clock: string): void {
    const { account, spaces, unnamed } = this;
    const doubts = unnamed.slice(1).filter((space) => !spaces[space].proved);
    const pairs = new Map<number, number>();
    for (const { bySpace } of this.doubted.values()) pairs.set(bySpace, (pairs.get(bySpace) ?? 0) + 1);
    for (const space of doubts)
      if ((pairs.get(space) ?? 0) > Math.max(fewOverlaps, overlapShare * this.maps)) this.prove(space);
    const real = unnamed.filter((space, i) => i === 0 || spaces[space].proved);
    const names = spaces.map((space) => space.name);
    real.forEach((space, i) => {
      names[space] = `space ${i}`;
    });
    const devices = spaces.map((_, space) => space).filter((space) => names[space] !== "");
    const deviceOf = spaces.map((_, space) => Math.max(0, devices.indexOf(names[space] === "" ? unnamed[0] : space)));
    const superseded: [number, number][] = [];
    for (const [map, { by, space, bySpace }] of this.doubted)
      if (!spaces[bySpace].proved && !this.standsApart(space)) superseded.push([map, by]);
    account.lostUnmaps += superseded.length;
    const { requests: open, doubtful } = this.parts.open(
      spaces.map((space) => space.live),
      new Set(superseded.map(([lost]) => lost)),
    );
    account.openJoined = open.reduce((sum, { maps }) => sum + maps.length - 1, 0);
    account.openDoubtful = doubtful;
    account.named = unnamed.length === 0;
    if (real.length < 2) account.guessed = 0;
    const live = this.maps - this.ended - superseded.length - account.openJoined;
    const phases =
      this.phases.length > 0 ? this.phases : [{ name: "recording", timeNs: 0, firstOp: 0, description: "" }];
    if (phases[0].firstOp > 0) phases.unshift({ name: "recording", timeNs: 0, firstOp: 0, description: "" });
    const end: RecordingEnd = {
      devices: devices.map((space) => ({ id: names[space], driver: "", model: "" })),
      deviceOf,
      superseded,
      open,
      phases,
      live,
      clock,
      account,
    };
    this.sink.end(end);
  }

  private emit(): void {
    this.steps++;
    this.sink.step(this.step);
  }

  private spaceOf(device: string): number {
    const known = this.named.get(device);
    if (known !== undefined) return known;
    const space = this.newSpace(device);
    this.named.set(device, space);
    return space;
  }

  private newSpace(name: string): number {
    const live = new LiveRanges((slot) => this.pieces.ends[slot]);
    return this.spaces.push({ live, name, proved: name !== "", lists: new Map() }) - 1;
  }

  /** The address space for a map that names no device. */
  private spaceFor(event: MappingEvent, end: number, timeNs: number): number {
    const { pfn, cpu } = event;
    if (this.unnamed.length === 0) this.unnamed.push(this.newSpace(""));
    // Addresses that ascend by chance look like a run too: only a recording that has shown runs has them.
    const goesOn = this.account.joined > 0 && this.lastEnd[cpu] === pfn;
    const start = goesOn ? this.runStart[cpu] : pfn;
    let space = goesOn ? this.lastSpace[cpu] : this.firstFree(pfn, end);
    const fits = space >= 0 && this.spaces[space].live.firstIn(pfn, end) < 0;
    const proved = space === this.unnamed[0] || (space >= 0 && this.spaces[space].proved);
    if (!fits || !(proved || goesOn)) {
      const lost = this.lostUnmapIn(pfn, end);
      if (lost >= 0) {
        this.supersede(lost, pfn, end, timeNs, cpu);
        space = lost;
      } else if (!fits) {
        const other = this.freeOrNew(start, end);
        if (start < pfn) {
          this.move(space, other, start, pfn);
          this.parts.move(cpu, other);
        }
        space = other;
      }
    }
    if (!this.standsApart(space) && space !== this.unnamed[0]) this.doubt(space, start, end);
    this.runStart[cpu] = start;
    this.lastEnd[cpu] = end;
    this.lastSpace[cpu] = space;
    return space;
  }

  /** The first unnamed space with room for a range, −1 for none. Where several have, it is a guess. */
  private firstFree(pfn: number, end: number): number {
    let chosen = -1;
    let free = 0;
    for (const space of this.unnamed) {
      if (this.spaces[space].live.firstIn(pfn, end) >= 0) continue;
      free++;
      if (chosen < 0) chosen = space;
    }
    if (free > 1) this.account.guessed++;
    return chosen;
  }

  private freeOrNew(pfn: number, end: number): number {
    const free = this.unnamed.find((space) => this.spaces[space].live.firstIn(pfn, end) < 0);
    if (free !== undefined) return free;
    const made = this.newSpace("");
    this.unnamed.push(made);
    return made;
  }

  /** A run that began in one space turns out to have no room in it: what it has mapped goes to the other. */
  private move(from: number, to: number, start: number, end: number): void {
    const slots: number[] = [];
    this.spaces[from].live.allIn(start, end, slots);
    for (const slot of slots) {
      const first = this.pieces.starts[slot];
      this.spaces[from].live.remove(first);
      this.spaces[to].live.add(first, slot);
      this.doubted.delete(this.pieces.maps[slot]);
    }
  }

  /** The unnamed space whose range here was mapped before events were lost, while lost events are left to explain it; −1 for none. */
  private lostUnmapIn(pfn: number, end: number): number {
    if (this.unexplained === 0) return -1;
    for (const space of this.unnamed) {
      const slot = this.spaces[space].live.firstIn(pfn, end);
      if (slot >= 0 && this.pieces.losses[slot] < this.losses) return space;
    }
    return -1;
  }

  /** A map goes to a space that is not proved, because others hold its range. */
  private doubt(bySpace: number, pfn: number, end: number): void {
    for (const space of this.unnamed) {
      if (space === bySpace || this.standsApart(space)) continue;
      const slots: number[] = [];
      this.spaces[space].live.allIn(pfn, end, slots);
      for (const slot of slots) {
        const map = this.pieces.maps[slot];
        if (!this.doubted.has(map)) this.doubted.set(map, { by: this.maps, space, bySpace });
      }
    }
    if (this.doubted.size > mostDoubts) this.prove(bySpace);
  }

  /** Whether a space is proved beyond the first. */
  private standsApart(space: number): boolean {
    return space !== this.unnamed[0] && this.spaces[space].proved;
  }

  private prove(proved: number): void {
    this.spaces[proved].proved = true;
    for (const [map, { space, bySpace }] of this.doubted)
      if (bySpace === proved || this.standsApart(space)) this.doubted.delete(map);
  }

  /** Ends the requests in the way of a map: their unmaps were lost. */
  private supersede(space: number, pfn: number, end: number, timeNs: number, cpu: number): void {
    const { live } = this.spaces[space];
    for (let slot = live.firstIn(pfn, end); slot >= 0; slot = live.firstIn(pfn, end)) {
      this.account.lostUnmaps++;
      if (this.unexplained > 0) this.unexplained--;
      const run: Piece[] = [];
      for (const one of this.requestOf(space, slot)) {
        const piece = this.pieces.get(one);
        this.doubted.delete(piece.map);
        this.take(space, one);
        if (!this.pieces.isLive(piece.map)) run.push(piece);
      }
      if (run.length === 0) continue;
      this.account.joined += run.length - 1;
      this.emitUnmap(run, Ends.lost, space, run[run.length - 1].end - run[0].start, timeNs, cpu, -1);
    }
  }

  /**
   * The slots of the request that a range belongs to, by ascending address: abutting maps that one CPU made one after the other are one, in a
   * recording that has shown such requests.
   */
  private requestOf(space: number, slot: number): number[] {
    const { live } = this.spaces[space];
    const { starts, ends, maps } = this.pieces;
    const run = [slot];
    if (this.account.joined === 0) return run;
    const follows = (first: number, second: number): boolean =>
      second >= 0 &&
      ends[first] === starts[second] &&
      maps[second] === maps[first] + 1 &&
      this.pieces.get(first).cpu === this.pieces.get(second).cpu;
    for (;;) {
      const [first] = run;
      const before = starts[first] > 0 ? live.firstIn(starts[first] - 1, starts[first]) : -1;
      if (before < 0 || !follows(before, first)) break;
      run.unshift(before);
    }
    for (;;) {
      const last = run[run.length - 1];
      const after = live.at(ends[last]);
      if (!follows(last, after)) return run;
      run.push(after);
    }
  }

  /** The space that an unmap without a device means; −1 where nothing is mapped there. */
  private holderOf(pfn: number, end: number, anyDevice: boolean): number {
    const { spaces, unnamed, pieces } = this;
    const only = !anyDevice && unnamed.length === 1 ? unnamed[0] : -1;
    if (only >= 0) return spaces[only].live.firstIn(pfn, end) >= 0 ? only : -1;
    const candidates = anyDevice ? spaces.map((_, space) => space) : unnamed;
    let best = -1;
    let bestFit = 0;
    let bestMap = 0;
    let equals = 0;
    const doubtful = unnamed.some((space, i) => i > 0 && !spaces[space].proved);
    for (const space of candidates) {
      const slot = spaces[space].live.firstIn(pfn, end);
      if (slot < 0) continue;
      const fit = this.fits(space, pfn, end);
      const map = pieces.maps[slot];
      if (fit > bestFit) equals = 0;
      if (fit === bestFit && best >= 0) equals++;
      // Devices complete roughly in the order in which they were asked; but a range whose unmap was lost is the older one.
      if (fit > bestFit || (fit === bestFit && (doubtful ? map > bestMap : map < bestMap))) {
        best = space;
        bestFit = fit;
        bestMap = map;
      }
    }
    if (equals > 0) this.account.guessed++;
    return best;
  }

  /** How well the live ranges of a space match [pfn, end): 3 exactly, 2 one begins there, 1 some overlap. */
  private fits(space: number, pfn: number, end: number): number {
    const { live } = this.spaces[space];
    let slot = live.at(pfn);
    if (slot < 0) return 1;
    while (this.pieces.ends[slot] < end) {
      slot = live.at(this.pieces.ends[slot]);
      if (slot < 0) return 2;
    }
    return this.pieces.ends[slot] === end ? 3 : 2;
  }

  /** Unmaps [pfn, end) in a space. False where nothing was mapped there. */
  private clear(space: number, pfn: number, end: number, event: MappingEvent, timeNs: number): boolean {
    const found = this.found;
    const pieces = this.pieces;
    const account = this.account;
    const { live } = this.spaces[space];
    found.length = 0;
    live.allIn(pfn, end, found);
    if (found.length === 0) return false;
    account.events++;
    let run: Piece[] = [];
    let partial: Piece | undefined;
    let runs = 0;
    for (const slot of found) {
      const piece = pieces.get(slot);
      const doubt = this.doubted.size > 0 ? this.doubted.get(piece.map) : undefined;
      if (doubt) this.prove(doubt.bySpace);
      this.take(space, slot);
      if (piece.start < pfn) this.put(space, { ...piece, end: pfn });
      if (piece.end > end) this.put(space, { ...piece, start: end });
      if (pieces.isLive(piece.map)) {
        partial = piece;
        continue;
      }
      if (run.length > 0 && run[run.length - 1].end !== piece.start) {
        this.endRun(run, space, timeNs, event);
        runs++;
        run = [];
      }
      run.push(piece);
    }
    if (run.length > 0) {
      this.endRun(run, space, timeNs, event);
      runs++;
    }
    if (runs === 0 && partial) {
      account.partialUnmaps++;
      const pages = Math.min(end, partial.end) - Math.max(pfn, partial.start);
      this.emitUnmap([partial], Ends.part, space, pages, timeNs, event.cpu, event.context);
    }
    return true;
  }

  private unmapList(event: MappingEvent, timeNs: number): void {
    const space = this.named.get(event.device);
    const list = space === undefined ? undefined : this.spaces[space].lists.get(event.list);
    const run: Piece[] = [];
    while (space !== undefined && list && list.length > 0 && run.length === 0) {
      const [map, pfn] = list.splice(0, 2);
      const slot = this.spaces[space].live.at(pfn);
      if (slot < 0 || this.pieces.maps[slot] !== map) continue;
      run.push(this.pieces.get(slot));
      this.take(space, slot);
      this.account.events++;
      this.endRun(run, space, timeNs, event);
    }
    if (list?.length === 0 && space !== undefined) this.spaces[space].lists.delete(event.list);
    if (run.length === 0) this.account.unmatchedUnmaps++;
  }

  private endRun(run: Piece[], space: number, timeNs: number, event: MappingEvent): void {
    this.account.joined += run.length - 1;
    this.parts.ended(run);
    this.emitUnmap(run, Ends.whole, space, run[run.length - 1].end - run[0].start, timeNs, event.cpu, event.context);
  }

  private emitUnmap(
    run: Piece[],
    ends: number,
    space: number,
    pages: number,
    timeNs: number,
    cpu: number,
    context: number,
  ): void {
    const step = this.step;
    step.op = Op.unmap;
    step.timeNs = timeNs;
    step.cpu = cpu;
    step.context = context < 0 ? 3 : context;
    step.device = space;
    step.iovaPfn = run[0].start;
    step.pages = pages;
    step.ends = ends;
    step.ended.length = 0;
    let first = run[0];
    for (const piece of run) {
      step.ended.push(piece.map);
      if (piece.map < first.map) first = piece;
    }
    step.map = first.map;
    step.mappedNs = first.timeNs;
    step.mappedCpu = first.cpu;
    if (ends !== Ends.part) this.ended += run.length;
    this.emit();
  }

  private take(space: number, slot: number): void {
    this.spaces[space].live.remove(this.pieces.starts[slot]);
    this.pieces.drop(slot);
  }

  private put(space: number, piece: Piece): void {
    this.spaces[space].live.add(piece.start, this.pieces.add(piece));
  }
}
