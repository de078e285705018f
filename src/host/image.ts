/** Bytes of a block of an array: blocks that hold zeros alone are not kept. */
const BLOCK = 4096;
/** Arrays up to this size are written into the ones that are there. */
const SMALL = 1 << 16;

/** What a value is to an image: left as it is, a value of its own, or a node that holds others. */
type Part = { kind: "left" } | { kind: "value"; value: unknown } | Node;
type Node =
  | { kind: "flat"; at: number; plain: object }
  | { kind: "object"; at: number; plain: object | undefined; named: string; keys: string[]; parts: Part[] }
  | { kind: "array"; at: number; parts: Part[] }
  | { kind: "values"; at: number; values: unknown[] }
  | { kind: "map"; at: number; entries: [Part, Part][] }
  | { kind: "set"; at: number; items: Part[] }
  | { kind: "view"; at: number; bytes: Bytes; make: ViewMaker; offset: number; length: number };
type View = Int32Array;
type ViewMaker = new (buffer: ArrayBuffer, offset: number, length: number) => View;
/** The content of a buffer: its blocks that are not all zeros. */
interface Bytes {
  at: number;
  length: number;
  blocks: { from: number; bytes: Uint8Array }[];
  /** It was all zeros when the objects were new: blocks that are not kept need not be written. */
  fresh: boolean;
}

/** What objects held when they had just been made: large buffers of zeros, and each object's own values. */
export interface Fresh {
  zeros: ReadonlySet<ArrayBuffer>;
  values: ReadonlyMap<object, Readonly<Record<string, unknown>>>;
}

/**
 * A copy of what some objects have come to hold since they were made, to be put into others that were made in the same way: by value, with every
 * reference among them kept. A value that is as it was is not in it: those others may have been made with another one. Arrays of numbers are copied as blocks of memory. What is outside (a memory that hears of accesses, a clock, a stream) stays what it is
 * in those others; so do functions.
 */
export class Image {
  private readonly parts: Part[];
  private readonly nodes = new Map<object, Node>();
  private readonly buffers = new Map<ArrayBuffer, Bytes>();
  private count = 0;
  /** About how much memory the image takes. */
  byteLength = 0;

  /**
   * @param roots the objects
   * @param outside what is not theirs although they refer to it
   * @param fresh what {@link freshOf} gave when the objects were new
   * @throws Error naming a class that is held where its place in other objects is not known: in a list or a map that grew
   */
  constructor(
    roots: readonly object[],
    private readonly outside: ReadonlySet<unknown>,
    private readonly fresh: Fresh,
  ) {
    this.parts = roots.map((root) => this.partOf(root));
    this.nodes.clear();
    this.buffers.clear();
  }

  /** Puts the copy into objects that were made as those were that it was taken of. */
  putInto(roots: readonly object[]): void {
    new Putting(this.count).all(this.parts, roots);
  }

  private partOf(value: unknown): Part {
    if (typeof value === "function" || (typeof value === "object" && value !== null && this.outside.has(value)))
      return { kind: "left" };
    if (typeof value !== "object" || value === null) return { kind: "value", value };
    return this.nodes.get(value) ?? this.nodeOf(value);
  }

  private nodeOf(value: object): Node {
    const at = this.count++;
    const note = <N extends Node>(node: N): N => {
      this.nodes.set(value, node);
      return node;
    };
    if (ArrayBuffer.isView(value)) {
      const view = value as View;
      const bytes = this.bytesOf(view.buffer as ArrayBuffer);
      const make = view.constructor as unknown as ViewMaker;
      return note({ kind: "view", at, bytes, make, offset: view.byteOffset, length: view.length });
    }
    if (Array.isArray(value)) {
      this.byteLength += 8 * value.length;
      if (value.every((item) => typeof item === "number")) return note({ kind: "values", at, values: value.slice() });
      const node = note({ kind: "array", at, parts: [] as Part[] });
      for (const item of value) node.parts.push(this.partOf(item));
      return node;
    }
    if (value instanceof Map) {
      this.byteLength += 40 * value.size;
      const node = note({ kind: "map", at, entries: [] as [Part, Part][] });
      for (const [key, item] of value) node.entries.push([this.partOf(key), this.partOf(item)]);
      return node;
    }
    if (value instanceof Set) {
      this.byteLength += 40 * value.size;
      const node = note({ kind: "set", at, items: [] as Part[] });
      for (const item of value) node.items.push(this.partOf(item));
      return node;
    }
    this.byteLength += 128;
    const plain = Object.getPrototypeOf(value) === Object.prototype;
    const entries = Object.entries(value);
    if (plain && entries.every(([, item]) => (typeof item !== "object" || item === null) && typeof item !== "function"))
      return note({ kind: "flat", at, plain: { ...value } });
    const copy = plain ? ({ ...value } as Record<string, unknown>) : undefined;
    const node = note({
      kind: "object",
      at,
      plain: copy,
      named: value.constructor.name,
      keys: [] as string[],
      parts: [] as Part[],
    });
    const before = plain ? undefined : this.fresh.values.get(value);
    for (const [key, item] of entries) {
      if (before && Object.hasOwn(before, key) && Object.is(before[key], item) && !isObject(item)) continue;
      const part = this.partOf(item);
      node.keys.push(key);
      node.parts.push(part);
      // The copy gives new objects their shape; it must not hold what the old ones hold.
      if (copy && part.kind !== "value") copy[key] = null;
    }
    return node;
  }

  private bytesOf(buffer: ArrayBuffer): Bytes {
    const known = this.buffers.get(buffer);
    if (known) return known;
    const blocks: Bytes["blocks"] = [];
    for (let from = 0; from < buffer.byteLength; ) {
      let to = from;
      while (to < buffer.byteLength && !isZero(buffer, to)) to = Math.min(to + BLOCK, buffer.byteLength);
      if (to > from) blocks.push({ from, bytes: new Uint8Array(buffer.slice(from, to)) });
      this.byteLength += to - from;
      from = to + BLOCK;
    }
    const bytes = { at: this.count++, length: buffer.byteLength, blocks, fresh: this.fresh.zeros.has(buffer) };
    this.buffers.set(buffer, bytes);
    return bytes;
  }
}

function isZero(buffer: ArrayBuffer, from: number): boolean {
  const length = Math.min(BLOCK, buffer.byteLength - from);
  const whole = length >> 2;
  const words = new Int32Array(buffer, from, whole);
  for (let i = 0; i < whole; i++) if (words[i] !== 0) return false;
  const rest = new Uint8Array(buffer, from + whole * 4, length - whole * 4);
  return rest.every((byte) => byte === 0);
}

/** What an {@link Image} asks of objects while they are new. */
export function freshOf(roots: readonly object[], outside: ReadonlySet<unknown>): Fresh {
  const zeros = new Set<ArrayBuffer>();
  const values = new Map<object, Record<string, unknown>>();
  const seen = new Set<unknown>(outside);
  const look = (value: unknown): void => {
    if (typeof value !== "object" || value === null || seen.has(value)) return;
    seen.add(value);
    if (ArrayBuffer.isView(value)) {
      const buffer = value.buffer as ArrayBuffer;
      let at = 0;
      while (at < buffer.byteLength && isZero(buffer, at)) at += BLOCK;
      if (buffer.byteLength > SMALL && at >= buffer.byteLength) zeros.add(buffer);
    } else if (Array.isArray(value) || value instanceof Set) {
      for (const item of value) look(item);
    } else if (value instanceof Map) {
      for (const [key, item] of value) {
        look(key);
        look(item);
      }
    } else {
      values.set(value, { ...value });
      for (const item of Object.values(value)) look(item);
    }
  };
  for (const root of roots) look(root);
  return { zeros, values };
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null;
const isPlain = (value: unknown): value is object =>
  isObject(value) && Object.getPrototypeOf(value) === Object.prototype;

/** One copy on its way into other objects. */
class Putting {
  /** What stands for a node or a buffer in them, by its number. */
  private readonly made: unknown[];

  constructor(count: number) {
    this.made = new Array(count).fill(undefined);
  }

  all(parts: readonly Part[], roots: readonly object[]): void {
    for (const [i, part] of parts.entries()) this.put(part, roots[i]);
  }

  /** @param there what stands in the place now @returns what is to stand there */
  private put(part: Part, there: unknown): unknown {
    if (part.kind === "left") return there;
    if (part.kind === "value") return part.value;
    const known = this.made[part.at];
    if (known !== undefined) return known;
    switch (part.kind) {
      case "flat":
        // A spread keeps the shape that the object's literal gave it, and with it what is compiled for that shape.
        return this.note(part, isPlain(there) ? Object.assign(there, part.plain) : { ...part.plain });
      case "object":
        return this.object(part, there);
      case "view":
        return this.view(part, there);
      case "values": {
        const list = this.note(part, Array.isArray(there) ? (there as unknown[]) : []);
        list.length = 0;
        for (const value of part.values) list.push(value);
        return list;
      }
      case "array":
        return this.array(part, there);
      case "map": {
        const map = this.note(part, there instanceof Map ? there : new Map());
        const before = new Map(map);
        map.clear();
        for (const [key, item] of part.entries) {
          const own = this.put(key, undefined);
          map.set(own, this.put(item, before.get(own)));
        }
        return map;
      }
      default: {
        const set = this.note(part, there instanceof Set ? there : new Set());
        set.clear();
        for (const item of part.items) set.add(this.put(item, undefined));
        return set;
      }
    }
  }

  private note<T>(node: Node, value: T): T {
    this.made[node.at] = value;
    return value;
  }

  private object(node: Node & { kind: "object" }, there: unknown): unknown {
    const fits = isObject(there) && there.constructor.name === node.named;
    if (!fits && node.plain === undefined)
      throw new Error(`An image holds a ${node.named} in a place where new objects have none.`);
    const own = this.note(node, (fits ? there : { ...node.plain }) as Record<string, unknown>);
    const { keys, parts } = node;
    for (let i = 0; i < keys.length; i++) {
      const before = own[keys[i]];
      const now = this.put(parts[i], fits ? before : undefined);
      if (now !== before) own[keys[i]] = now;
    }
    return own;
  }

  private array(node: Node & { kind: "array" }, there: unknown): unknown {
    const list = this.note(node, Array.isArray(there) ? (there as unknown[]) : []);
    const before = list.slice();
    list.length = 0;
    for (const [i, part] of node.parts.entries()) list.push(this.put(part, before[i]));
    return list;
  }

  private view({ at, bytes, make, offset, length }: Node & { kind: "view" }, there: unknown): unknown {
    const same =
      ArrayBuffer.isView(there) &&
      there.constructor === make &&
      there.byteOffset === offset &&
      there.buffer.byteLength === bytes.length;
    const buffer = this.buffer(bytes, same ? (there.buffer as ArrayBuffer) : undefined);
    const view =
      same && there.buffer === buffer && (there as View).length === length ? there : new make(buffer, offset, length);
    this.made[at] = view;
    return view;
  }

  private buffer(bytes: Bytes, there: ArrayBuffer | undefined): ArrayBuffer {
    const known = this.made[bytes.at] as ArrayBuffer | undefined;
    if (known) return known;
    const small = bytes.length <= SMALL;
    const buffer = there && (small || bytes.fresh) ? there : new ArrayBuffer(bytes.length);
    this.made[bytes.at] = buffer;
    const target = new Uint8Array(buffer);
    if (buffer === there && small) target.fill(0);
    for (const { from, bytes: block } of bytes.blocks) target.set(block, from);
    return buffer;
  }
}
