/** Bytes of a page frame. */
export const frameBytes = 4096;
/** Where the modelled memory ends: addresses stay small integers, which is what makes an access cheap. */
const memoryBytes = 0x8000_0000;

/** What a region is for, how large it is and where its memory is attached. */
export interface RegionSpec {
  name: string;
  /** Size in bytes; rounded up to whole page frames. */
  bytes: number;
  /** The socket that the memory is attached to, or page frames taken from all sockets in turn. */
  home: number | "interleaved";
}

/** A reserved piece of memory. */
export interface Region extends RegionSpec {
  /** Address of its first byte, page-aligned. */
  base: number;
}

/** The host's memory: regions one after another, and the home socket of each page frame. */
export class PhysicalMemory {
  /** Bytes reserved so far. */
  bytes = 0;
  readonly regions: Region[] = [];
  private homes: Uint8Array = new Uint8Array(1024);

  /** Reserves a region behind the others. @throws RangeError when the size is not positive or the memory is used up */
  reserve(spec: RegionSpec, sockets: number): Region {
    if (!(spec.bytes > 0)) throw new RangeError(`Region "${spec.name}": ${spec.bytes} bytes; accepted is more than 0.`);
    const frames = Math.ceil(spec.bytes / frameBytes);
    const bytes = frames * frameBytes;
    if (this.bytes + bytes > memoryBytes)
      throw new RangeError(
        `Region "${spec.name}": ${bytes} bytes do not fit; ${memoryBytes - this.bytes} of the modelled ${memoryBytes} bytes are free.`,
      );
    const region: Region = { ...spec, bytes, base: this.bytes };
    const first = this.bytes / frameBytes;
    if (first + frames > this.homes.length) {
      const grown = new Uint8Array(Math.max(first + frames, this.homes.length * 2));
      grown.set(this.homes);
      this.homes = grown;
    }
    for (let i = 0; i < frames; i++) this.homes[first + i] = spec.home === "interleaved" ? i % sockets : spec.home;
    this.bytes += bytes;
    this.regions.push(region);
    return region;
  }

  /** The socket that a line's memory is attached to. */
  home(line: number): number {
    return this.homes[line >>> 6];
  }
}
