import { lineBytes } from "../config.js";
import type { Machine } from "./machine.js";
import { frameBytes, type Region } from "./regions.js";

/** What a slab cache holds. */
export interface SlabSpec {
  name: string;
  /** Bytes of an object; objects begin on a line of their own (SLAB_HWCACHE_ALIGN). */
  objectBytes: number;
  /** Most objects alive at once, on each socket's memory. */
  capacity: number;
}

/**
 * A slab allocator after SLUB (mm/slub.c): a slab is a page frame of neighbouring objects; every CPU allocates from a slab of its own.
 *
 * The free list of a slab runs through its objects, last freed, first used; so a new object is often a warm line, and objects allocated
 * in a row are neighbours until frees have mixed them. An object freed by the CPU whose slab it is in goes back to that CPU's list; any other
 * free updates the slab's own list under a locked exchange. Charged: the CPU's head, the object's first line (the list runs
 * through it), the slab's descriptor and the node's partial list on the slow path.
 */
export class SlabCache {
  /** Core cycles of the last call. */
  lastCycles = 0;
  /** Objects alive. */
  live = 0;
  readonly objectBytes: number;
  private readonly perSlab: number;
  private readonly slabsPerNode: number;
  /** One region a socket, reserved on its first use. */
  private readonly nodes: (Region | undefined)[];
  private readonly heads: Region;
  private readonly descriptors: Region;
  private readonly next: Int32Array;
  private readonly used: Uint8Array;
  private readonly slabFree: Int32Array;
  private readonly slabCpu: Int32Array;
  private readonly inPartial: Uint8Array;
  private readonly current: Int32Array;
  private readonly cpuFree: Int32Array;
  private readonly partial: number[][];
  private readonly fresh: Int32Array;

  constructor(
    private readonly machine: Machine,
    readonly spec: SlabSpec,
  ) {
    this.objectBytes = Math.ceil(spec.objectBytes / lineBytes) * lineBytes;
    if (!(spec.objectBytes > 0 && this.objectBytes <= frameBytes))
      throw new RangeError(
        `Slab cache "${spec.name}": objects of ${spec.objectBytes} bytes; accepted are 1 to ${frameBytes}.`,
      );
    if (!(Number.isInteger(spec.capacity) && spec.capacity > 0))
      throw new RangeError(`Slab cache "${spec.name}": capacity ${spec.capacity}; accepted is a whole number above 0.`);
    const { sockets } = machine.config;
    this.perSlab = Math.floor(frameBytes / this.objectBytes);
    // Each CPU may sit on a slab that is not full.
    this.slabsPerNode = Math.ceil(spec.capacity / this.perSlab) + machine.cpus;
    const slabs = this.slabsPerNode * sockets;
    this.nodes = Array.from({ length: sockets }, () => undefined);
    this.heads = machine.region({
      name: `heads of ${spec.name}`,
      bytes: (machine.cpus + sockets) * lineBytes,
      home: 0,
    });
    this.descriptors = machine.region({ name: `slabs of ${spec.name}`, bytes: slabs * lineBytes, home: 0 });
    this.next = new Int32Array(slabs * this.perSlab).fill(-1);
    this.used = new Uint8Array(slabs * this.perSlab);
    this.slabFree = new Int32Array(slabs).fill(-1);
    this.slabCpu = new Int32Array(slabs).fill(-1);
    this.inPartial = new Uint8Array(slabs);
    this.current = new Int32Array(machine.cpus).fill(-1);
    this.cpuFree = new Int32Array(machine.cpus).fill(-1);
    this.partial = Array.from({ length: sockets }, () => []);
    this.fresh = new Int32Array(sockets);
  }

  /** Takes an object. Returns its address; {@link lastCycles} has the cost. @throws RangeError when the capacity is used up */
  allocate(cpu: number): number {
    const { machine } = this;
    let cost = machine.write(cpu, this.heads.base + cpu * lineBytes);
    let object = this.cpuFree[cpu];
    if (object < 0) {
      cost += this.refill(cpu);
      object = this.cpuFree[cpu];
    }
    const address = this.addressOf(object);
    // The next free object's number stands in this one.
    cost += machine.read(cpu, address);
    this.cpuFree[cpu] = this.next[object];
    this.used[object] = 1;
    this.live++;
    this.lastCycles = cost;
    return address;
  }

  /** Gives an object back. @throws RangeError for an address that is not a live object of this cache */
  free(cpu: number, address: number): void {
    const object = this.objectAt(address);
    if (object < 0 || this.used[object] === 0)
      throw new RangeError(`Address ${address} is no live object of slab cache "${this.spec.name}".`);
    const { machine } = this;
    this.used[object] = 0;
    this.live--;
    let cost = machine.write(cpu, address);
    const slab = Math.floor(object / this.perSlab);
    if (this.current[cpu] === slab) {
      this.next[object] = this.cpuFree[cpu];
      this.cpuFree[cpu] = object;
      this.lastCycles = cost + machine.write(cpu, this.heads.base + cpu * lineBytes);
      return;
    }
    cost += machine.atomic(cpu, this.descriptors.base + slab * lineBytes);
    this.next[object] = this.slabFree[slab];
    this.slabFree[slab] = object;
    if (this.slabCpu[slab] < 0 && this.inPartial[slab] === 0) {
      const node = Math.floor(slab / this.slabsPerNode);
      this.inPartial[slab] = 1;
      this.partial[node].push(slab);
      cost += machine.atomic(cpu, this.heads.base + (machine.cpus + node) * lineBytes);
    }
    this.lastCycles = cost;
  }

  /** Gives the CPU a slab with a free object. */
  private refill(cpu: number): number {
    const { machine } = this;
    const node = machine.socket(cpu);
    const old = this.current[cpu];
    let cost = 0;
    if (old >= 0) {
      cost += machine.atomic(cpu, this.descriptors.base + old * lineBytes);
      if (this.slabFree[old] >= 0) {
        // Others have freed into the own slab meanwhile.
        this.cpuFree[cpu] = this.slabFree[old];
        this.slabFree[old] = -1;
        return cost;
      }
      this.slabCpu[old] = -1;
    }
    cost += machine.atomic(cpu, this.heads.base + (machine.cpus + node) * lineBytes);
    const partial = this.partial[node].pop();
    let slab: number;
    if (partial !== undefined) {
      slab = partial;
      this.inPartial[slab] = 0;
    } else slab = this.newSlab(node);
    cost += machine.atomic(cpu, this.descriptors.base + slab * lineBytes);
    this.cpuFree[cpu] = this.slabFree[slab];
    this.slabFree[slab] = -1;
    this.slabCpu[slab] = cpu;
    this.current[cpu] = slab;
    return cost;
  }

  private newSlab(node: number): number {
    if (this.fresh[node] >= this.slabsPerNode)
      throw new RangeError(
        `Slab cache "${this.spec.name}" is full: ${this.live} objects live, made for ${this.spec.capacity} on each socket.`,
      );
    this.nodes[node] ??= this.machine.region({
      name: `objects of ${this.spec.name}`,
      bytes: this.slabsPerNode * frameBytes,
      home: node,
    });
    const slab = node * this.slabsPerNode + this.fresh[node]++;
    const first = slab * this.perSlab;
    for (let i = 0; i < this.perSlab; i++) this.next[first + i] = i + 1 < this.perSlab ? first + i + 1 : -1;
    this.slabFree[slab] = first;
    return slab;
  }

  private addressOf(object: number): number {
    const slab = Math.floor(object / this.perSlab);
    const node = Math.floor(slab / this.slabsPerNode);
    const region = this.nodes[node] as Region;
    return (
      region.base + (slab - node * this.slabsPerNode) * frameBytes + (object - slab * this.perSlab) * this.objectBytes
    );
  }

  private objectAt(address: number): number {
    for (const [node, region] of this.nodes.entries()) {
      if (!region || address < region.base || address >= region.base + region.bytes) continue;
      const slab = Math.floor((address - region.base) / frameBytes);
      const offset = address - region.base - slab * frameBytes;
      const index = offset / this.objectBytes;
      return Number.isInteger(index) && index < this.perSlab
        ? (node * this.slabsPerNode + slab) * this.perSlab + index
        : -1;
    }
    return -1;
  }
}
