/** What is remembered of a map event until its unmap. */
export interface LiveEvent {
  device: number;
  pages: number;
  cpu: number;
  timeNs: number;
  /** Its place among the steps. */
  step: number;
}

/** The map events that are mapped, by their numbers. In columns: there may be millions of them. */
export class LiveEvents {
  private readonly slots = new Map<number, number>();
  private readonly free: number[] = [];
  private devices = new Int32Array(256);
  private pages = new Uint32Array(256);
  private cpus = new Uint16Array(256);
  private times = new Float64Array(256);
  private steps = new Float64Array(256);

  add(map: number, device: number, pages: number, cpu: number, timeNs: number, step: number): void {
    const slot = this.free.pop() ?? this.slots.size;
    if (slot >= this.pages.length) this.grow();
    this.slots.set(map, slot);
    this.devices[slot] = device;
    this.pages[slot] = pages;
    this.cpus[slot] = cpu;
    this.times[slot] = timeNs;
    this.steps[slot] = step;
  }

  /** Forgets a map event. @returns what was known of it, undefined where it is not mapped */
  take(map: number): LiveEvent | undefined {
    const slot = this.slots.get(map);
    if (slot === undefined) return undefined;
    this.slots.delete(map);
    this.free.push(slot);
    return this.at(slot);
  }

  /** All that are mapped. */
  *[Symbol.iterator](): Generator<LiveEvent> {
    for (const slot of this.slots.values()) yield this.at(slot);
  }

  private at(slot: number): LiveEvent {
    return {
      device: this.devices[slot],
      pages: this.pages[slot],
      cpu: this.cpus[slot],
      timeNs: this.times[slot],
      step: this.steps[slot],
    };
  }

  private grow(): void {
    const grown = <T extends Float64Array | Int32Array | Uint32Array | Uint16Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    const n = this.pages.length * 2;
    this.devices = grown(this.devices, new Int32Array(n));
    this.pages = grown(this.pages, new Uint32Array(n));
    this.cpus = grown(this.cpus, new Uint16Array(n));
    this.times = grown(this.times, new Float64Array(n));
    this.steps = grown(this.steps, new Float64Array(n));
  }
}
