/** A live range: a map event, or what a partial unmap left of one. */
export interface Piece {
  start: number;
  /** The page after the last. */
  end: number;
  /** Number of the map event. */
  map: number;
  timeNs: number;
  cpu: number;
  /** How often events had been lost when it was mapped. */
  losses: number;
  space: number;
  /** The map event that this one seems to continue, as a further part of one request: number of it, −1 for none. */
  follows: number;
}

/** The live ranges' data in columns, by slot. Slots of ranges that went are used again. */
export class Pieces {
  starts = new Float64Array(1024);
  ends = new Float64Array(1024);
  maps = new Float64Array(1024);
  losses = new Int32Array(1024);
  follows = new Float64Array(1024);
  private times = new Float64Array(1024);
  private cpus = new Uint16Array(1024);
  private spaces = new Int32Array(1024);
  private readonly free: number[] = [];
  private used = 0;
  /** Map events that are live in more than one piece, or in a piece that is not the whole: number of pieces. */
  private readonly split = new Map<number, number>();
  private readonly live = new Set<number>();

  add(piece: Piece): number {
    const slot = this.free.pop() ?? this.used++;
    if (slot >= this.starts.length) this.grow();
    this.starts[slot] = piece.start;
    this.ends[slot] = piece.end;
    this.maps[slot] = piece.map;
    this.losses[slot] = piece.losses;
    this.times[slot] = piece.timeNs;
    this.cpus[slot] = piece.cpu;
    this.spaces[slot] = piece.space;
    this.follows[slot] = piece.follows;
    if (this.live.has(piece.map)) this.split.set(piece.map, (this.split.get(piece.map) ?? 1) + 1);
    else this.live.add(piece.map);
    return slot;
  }

  get(slot: number): Piece {
    return {
      start: this.starts[slot],
      end: this.ends[slot],
      map: this.maps[slot],
      timeNs: this.times[slot],
      cpu: this.cpus[slot],
      losses: this.losses[slot],
      space: this.spaces[slot],
      follows: this.follows[slot],
    };
  }

  drop(slot: number): void {
    const map = this.maps[slot];
    const pieces = this.split.get(map);
    if (pieces === undefined) this.live.delete(map);
    else if (pieces > 2) this.split.set(map, pieces - 1);
    else this.split.delete(map);
    this.free.push(slot);
  }

  /** Whether anything of a map event is still mapped. */
  isLive(map: number): boolean {
    return this.live.has(map);
  }

  private grow(): void {
    const grown = <T extends Float64Array | Int32Array | Uint16Array>(old: T, made: T): T => {
      made.set(old);
      return made;
    };
    const n = this.starts.length * 2;
    this.starts = grown(this.starts, new Float64Array(n));
    this.ends = grown(this.ends, new Float64Array(n));
    this.maps = grown(this.maps, new Float64Array(n));
    this.losses = grown(this.losses, new Int32Array(n));
    this.follows = grown(this.follows, new Float64Array(n));
    this.times = grown(this.times, new Float64Array(n));
    this.cpus = grown(this.cpus, new Uint16Array(n));
    this.spaces = grown(this.spaces, new Int32Array(n));
  }
}
