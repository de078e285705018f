import { lineBytes } from "../config.js";
import type { Machine } from "./machine.js";
import { frameBytes, type Region } from "./regions.js";

/** Frames that a CPU's list takes from the zone, or gives back, at a time: the kernel's default batch. */
const batch = 31;

/**
 * The page-frame allocator (mm/page_alloc.c): a list a CPU, last in, first out, filled and drained in batches from the zone under its lock.
 *
 * Charged: the CPU's list head, the struct page (one line) of each frame that moves, the zone's lock word on a batch.
 */
export class FrameAllocator {
  /** Core cycles of the last call. */
  lastCycles = 0;
  readonly region: Region;
  private readonly pages: Region;
  private readonly heads: Region;
  private readonly zone: Int32Array;
  private zoneLength: number;
  private readonly lists: Int32Array[];
  private readonly lengths: Int32Array;

  /**
   * @param frames how many 4 KiB frames there are
   * @param home the socket whose memory they are
   */
  constructor(
    private readonly machine: Machine,
    readonly name: string,
    readonly frames: number,
    home: number | "interleaved" = 0,
  ) {
    this.region = machine.region({ name, bytes: frames * frameBytes, home });
    this.pages = machine.region({ name: `struct pages of ${name}`, bytes: frames * lineBytes, home });
    this.heads = machine.region({ name: `free lists of ${name}`, bytes: (machine.cpus + 1) * lineBytes, home });
    this.zone = Int32Array.from({ length: frames }, (_, i) => frames - 1 - i);
    this.zoneLength = frames;
    this.lists = Array.from({ length: machine.cpus }, () => new Int32Array(6 * batch + 1));
    this.lengths = new Int32Array(machine.cpus);
  }

  /** Takes a frame. Returns its address. @throws RangeError when none is left */
  allocate(cpu: number): number {
    const machine = this.machine;
    const lists = this.lists;
    const lengths = this.lengths;
    const list = lists[cpu];
    let cost = machine.write(cpu, this.heads.base + (cpu + 1) * lineBytes);
    if (lengths[cpu] === 0) {
      cost += machine.atomic(cpu, this.heads.base);
      while (lengths[cpu] < batch && this.zoneLength > 0) {
        const frame = this.zone[--this.zoneLength];
        cost += machine.write(cpu, this.pages.base + frame * lineBytes);
        list[lengths[cpu]++] = frame;
      }
      if (lengths[cpu] === 0) throw new RangeError(`"${this.name}" has no frame left of ${this.frames}.`);
      list.subarray(0, lengths[cpu]).reverse();
    }
    const frame = list[--lengths[cpu]];
    this.lastCycles = cost + machine.write(cpu, this.pages.base + frame * lineBytes);
    return this.region.base + frame * frameBytes;
  }

  /** Gives a frame back. */
  free(cpu: number, address: number): void {
    const machine = this.machine;
    const lists = this.lists;
    const lengths = this.lengths;
    const frame = this.frameOf(address);
    const list = lists[cpu];
    let cost = machine.write(cpu, this.heads.base + (cpu + 1) * lineBytes);
    cost += machine.write(cpu, this.pages.base + frame * lineBytes);
    list[lengths[cpu]++] = frame;
    if (lengths[cpu] > 6 * batch) {
      cost += machine.atomic(cpu, this.heads.base);
      // The coldest frames go back: those at the bottom of the list.
      for (let i = 0; i < batch; i++) {
        cost += machine.write(cpu, this.pages.base + list[i] * lineBytes);
        this.zone[this.zoneLength++] = list[i];
      }
      list.copyWithin(0, batch, lengths[cpu]);
      lengths[cpu] -= batch;
    }
    this.lastCycles = cost;
  }

  /** Clears a frame, line by line. Returns core cycles. */
  zero(cpu: number, address: number): number {
    let cost = 0;
    for (let offset = 0; offset < frameBytes; offset += lineBytes) cost += this.machine.write(cpu, address + offset);
    return cost;
  }

  private frameOf(address: number): number {
    const frame = (address - this.region.base) / frameBytes;
    if (!Number.isInteger(frame) || frame < 0 || frame >= this.frames)
      throw new RangeError(`Address ${address} is no frame of "${this.name}".`);
    return frame;
  }
}
