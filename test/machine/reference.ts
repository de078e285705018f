import type { MachineConfig } from "../../src/machine/index.js";

/**
 * The machine's caches once more, slow and plain, to compare with: every cache is a list of its sets, every set a list of entries, every
 * copy carries the value that was written. A read checks that it sees the newest value, so a protocol that reads stale data throws.
 */
interface Copy {
  line: number;
  value: number;
}
interface Slot extends Copy {
  usedAt: number;
}
interface Directory {
  /** Cores that may hold the line. */
  valid: Set<number>;
  /** The core that has it alone, if any. */
  owner: number | undefined;
  /** Whether that core has written it. */
  modified: boolean;
  /** The socket that has it alone, if any. */
  socket: number | undefined;
  /** Whether that socket's L3 is newer than memory. */
  l3Modified: boolean;
}

/** A private cache: sets of copies, the most recently used first. */
class Private {
  private readonly sets: Copy[][];
  constructor(
    sets: number,
    readonly ways: number,
  ) {
    this.sets = Array.from({ length: sets }, () => []);
  }
  private set(line: number): Copy[] {
    return this.sets[line % this.sets.length];
  }
  find(line: number): Copy | undefined {
    return this.set(line).find((copy) => copy.line === line);
  }
  use(line: number): Copy | undefined {
    const copy = this.find(line);
    if (copy) {
      this.drop(line);
      this.set(line).unshift(copy);
    }
    return copy;
  }
  add(copy: Copy): Copy | undefined {
    this.set(copy.line).unshift(copy);
    return this.set(copy.line).length > this.ways ? this.set(copy.line).pop() : undefined;
  }
  drop(line: number): void {
    const set = this.set(line);
    const i = set.findIndex((copy) => copy.line === line);
    if (i >= 0) set.splice(i, 1);
  }
  largestSet(): number {
    return Math.max(...this.sets.map((set) => set.length));
  }
}

export class ReferenceMachine {
  readonly l1: Private[];
  readonly l2: Private[];
  readonly l3: (Slot | undefined)[][][];
  private readonly directory = new Map<number, Directory>();
  private readonly memory = new Map<number, number>();
  private readonly newest = new Map<number, number>();
  private readonly cores: number;
  private tick = 0;
  memoryWrites = 0;

  constructor(
    private readonly c: MachineConfig,
    private readonly home: (line: number) => number,
  ) {
    this.cores = c.sockets * c.coresPerSocket;
    const sets = (kiB: number, ways: number) => (kiB * 16) / ways;
    this.l1 = Array.from({ length: this.cores }, () => new Private(sets(c.l1KiB, c.l1Ways), c.l1Ways));
    this.l2 = Array.from({ length: this.cores }, () => new Private(sets(c.l2KiB, c.l2Ways), c.l2Ways));
    this.l3 = Array.from({ length: c.sockets }, () =>
      Array.from({ length: sets(c.l3KiB, c.l3Ways) }, () => Array.from({ length: c.l3Ways }, () => undefined)),
    );
  }

  read(cpu: number, line: number): number {
    const core = cpu % this.cores;
    const { cost, value } = this.load(core, line);
    if (value !== (this.newest.get(line) ?? 0))
      throw new Error(`core ${core} read value ${value} of line ${line}; the newest is ${this.newest.get(line)}`);
    return cost;
  }

  write(cpu: number, line: number): number {
    return this.store(cpu % this.cores, line, this.c.storeHitCycles, 0);
  }

  atomic(cpu: number, line: number): number {
    return this.store(cpu % this.cores, line, this.c.l1Cycles, this.c.atomicCycles);
  }

  deviceRead(line: number): number {
    const { c } = this;
    const d = this.entry(line);
    const here = this.inL3(c.deviceSocket, line);
    const there = this.elsewhere(c.deviceSocket, line);
    if (here) {
      if (d.owner === undefined) return c.l3Cycles;
      return d.modified ? c.dirtySameSocketCycles : c.cleanSnoopCycles;
    }
    if (there !== undefined) return d.modified || d.l3Modified ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
    return this.home(line) === c.deviceSocket ? c.dramLocalCycles : c.dramRemoteCycles;
  }

  deviceWrite(line: number): number {
    const { c } = this;
    const d = this.entry(line);
    const here = this.inL3(c.deviceSocket, line);
    const there = this.elsewhere(c.deviceSocket, line);
    let cost = c.l3Cycles;
    if (there !== undefined) cost = d.modified || d.l3Modified ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
    else if (here && d.modified) cost = c.dirtySameSocketCycles;
    else if (here && d.valid.size > 0) cost = c.cleanSnoopCycles;
    this.invalidate(line, () => true);
    if (there !== undefined) this.dropL3(there, line);
    const value = ++this.tick;
    this.newest.set(line, value);
    if (c.ddioWays === 0) {
      if (here) this.dropL3(c.deviceSocket, line);
      this.memory.set(line, value);
      this.directory.delete(line);
      return Math.max(cost, this.home(line) === c.deviceSocket ? c.dramLocalCycles : c.dramRemoteCycles);
    }
    Object.assign(d, { owner: undefined, modified: false, socket: c.deviceSocket, l3Modified: true });
    d.valid.clear();
    if (here) {
      here.usedAt = ++this.tick;
      here.value = value;
    } else this.intoL3(c.deviceSocket, line, value, c.ddioWays);
    return cost;
  }

  flush(line: number): number {
    const d = this.entry(line);
    if (d.modified || d.l3Modified) {
      this.memoryWrites++;
      this.memory.set(line, this.newest.get(line) as number);
    }
    this.invalidate(line, () => true);
    for (let socket = 0; socket < this.c.sockets; socket++) if (this.inL3(socket, line)) this.dropL3(socket, line);
    this.directory.delete(line);
    return 0;
  }

  private load(core: number, line: number): { cost: number; value: number } {
    const { c } = this;
    const socket = Math.floor(core / c.coresPerSocket);
    const first = this.l1[core].use(line);
    if (first) return { cost: c.l1Cycles, value: first.value };
    const second = this.l2[core].use(line);
    if (second) {
      this.intoL1(core, { line, value: second.value });
      return { cost: c.l2Cycles, value: second.value };
    }
    const d = this.entry(line);
    const slot = this.inL3(socket, line);
    let cost: number;
    let value: number;
    if (slot) {
      slot.usedAt = ++this.tick;
      if (d.owner !== undefined && d.owner !== core) {
        cost = d.modified ? c.dirtySameSocketCycles : c.cleanSnoopCycles;
        this.cleanOwner(line, socket);
      } else {
        cost = c.l3Cycles;
        const alone = [...d.valid].every((other) => other === core);
        if (alone && d.socket === socket) d.owner = core;
      }
      value = slot.value;
    } else {
      const there = this.elsewhere(socket, line);
      if (there !== undefined) {
        const dirty = d.modified || d.l3Modified;
        cost = dirty ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
        this.cleanOwner(line, there);
        value = (this.inL3(there, line) as Slot).value;
        if (dirty) {
          this.memory.set(line, value);
          this.memoryWrites++;
        }
        d.l3Modified = false;
        d.socket = undefined;
      } else {
        cost = this.home(line) === socket ? c.dramLocalCycles : c.dramRemoteCycles;
        value = this.memory.get(line) ?? 0;
        d.socket = socket;
        d.owner = core;
      }
      this.intoL3(socket, line, value, c.l3Ways);
    }
    d.valid.add(core);
    this.intoL2(core, { line, value });
    this.intoL1(core, { line, value });
    return { cost, value };
  }

  private store(core: number, line: number, hitCost: number, extra: number): number {
    const { c } = this;
    const socket = Math.floor(core / c.coresPerSocket);
    const d = this.entry(line);
    const inL1 = this.l1[core].use(line) !== undefined;
    // The L2 is looked up only behind the L1.
    const inL2 = !inL1 && this.l2[core].use(line) !== undefined;
    const value = ++this.tick;
    let cost: number;
    if ((inL1 || inL2) && d.owner === core) cost = inL1 ? hitCost : c.l2Cycles;
    else {
      const slot = this.inL3(socket, line);
      const there = this.elsewhere(socket, line);
      const others = [...d.valid].some((other) => other !== core);
      if (slot) {
        slot.usedAt = ++this.tick;
        if (d.socket === undefined) cost = c.cleanCrossSocketCycles;
        else if (d.modified) cost = c.dirtySameSocketCycles;
        else cost = others ? c.cleanSnoopCycles : c.l3Cycles;
      } else if (there !== undefined)
        cost = d.modified || d.l3Modified ? c.dirtyCrossSocketCycles : c.cleanCrossSocketCycles;
      else cost = this.home(line) === socket ? c.dramLocalCycles : c.dramRemoteCycles;
      const l3Modified = slot !== undefined && d.l3Modified;
      this.invalidate(line, (other) => other !== core);
      if (there !== undefined) this.dropL3(there, line);
      Object.assign(d, { owner: core, socket, l3Modified });
      d.valid.clear();
      d.valid.add(core);
      d.modified = true;
      if (!slot) this.intoL3(socket, line, value, c.l3Ways);
      if (!inL1 && !inL2) this.intoL2(core, { line, value });
    }
    d.modified = true;
    if (!inL1) this.intoL1(core, { line, value });
    const copy = this.l1[core].find(line);
    if (copy) copy.value = value;
    this.newest.set(line, value);
    return cost + extra;
  }

  /** The owner's newest value goes to its L3 and to its own older copy; the line is shared from now on. */
  private cleanOwner(line: number, socket: number): void {
    const d = this.entry(line);
    if (d.owner === undefined) return;
    if (d.modified) {
      const { value } = (this.l1[d.owner].find(line) ?? this.l2[d.owner].find(line)) as Copy;
      const second = this.l2[d.owner].find(line);
      if (second) second.value = value;
      (this.inL3(socket, line) as Slot).value = value;
      d.l3Modified = true;
    }
    d.owner = undefined;
    d.modified = false;
  }

  private intoL1(core: number, copy: Copy): void {
    const victim = this.l1[core].add(copy);
    if (!victim) return;
    const d = this.entry(victim.line);
    if (d.owner !== core || !d.modified) return;
    const second = this.l2[core].use(victim.line);
    if (second) second.value = victim.value;
    else this.intoL2(core, victim);
  }

  private intoL2(core: number, copy: Copy): void {
    const victim = this.l2[core].add(copy);
    if (!victim) return;
    const d = this.entry(victim.line);
    if (d.owner !== core || !d.modified || this.l1[core].find(victim.line)) return;
    (this.inL3(Math.floor(core / this.c.coresPerSocket), victim.line) as Slot).value = victim.value;
    d.valid.delete(core);
    Object.assign(d, { owner: undefined, modified: false, l3Modified: true });
  }

  private intoL3(socket: number, line: number, value: number, ways: number): void {
    const sets = this.l3[socket];
    const set = sets[line % sets.length];
    let way = 0;
    for (let i = 1; i < ways; i++) if ((set[i]?.usedAt ?? 0) < (set[way]?.usedAt ?? 0)) way = i;
    const victim = set[way];
    if (victim) {
      const d = this.entry(victim.line);
      if (d.socket === socket) {
        const newest = d.owner !== undefined && d.modified ? d.owner : undefined;
        const copy =
          newest === undefined ? victim : (this.l1[newest].find(victim.line) ?? this.l2[newest].find(victim.line));
        if (d.modified || d.l3Modified) {
          this.memory.set(victim.line, (copy as Copy).value);
          this.memoryWrites++;
        }
        Object.assign(d, { owner: undefined, modified: false, l3Modified: false, socket: undefined });
      }
      const here = (core: number) => Math.floor(core / this.c.coresPerSocket) === socket;
      this.invalidate(victim.line, here);
      for (const core of [...d.valid]) if (here(core)) d.valid.delete(core);
    }
    set[way] = { line, value, usedAt: ++this.tick };
  }

  private invalidate(line: number, which: (core: number) => boolean): void {
    for (let core = 0; core < this.cores; core++) {
      if (!which(core)) continue;
      this.l1[core].drop(line);
      this.l2[core].drop(line);
    }
  }

  inL3(socket: number, line: number): Slot | undefined {
    const sets = this.l3[socket];
    return sets[line % sets.length].find((slot) => slot?.line === line);
  }

  private elsewhere(socket: number, line: number): number | undefined {
    for (let other = 0; other < this.c.sockets; other++) if (other !== socket && this.inL3(other, line)) return other;
    return undefined;
  }

  private dropL3(socket: number, line: number): void {
    const sets = this.l3[socket];
    const set = sets[line % sets.length];
    set[set.findIndex((slot) => slot?.line === line)] = undefined;
  }

  entry(line: number): Directory {
    let d = this.directory.get(line);
    if (!d) {
      d = { valid: new Set(), owner: undefined, modified: false, socket: undefined, l3Modified: false };
      this.directory.set(line, d);
    }
    return d;
  }
}
