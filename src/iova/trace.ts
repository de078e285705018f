/**
 * The trace format of the allocator fixtures: configuration lines, then one operation a line.
 *
 *     i KEY VALUE          configure (before the first operation)
 *     m PAGES LIMIT [CPU]  map; ids count 0, 1, 2 … over all m lines; LIMIT is the highest pfn, −1 for none
 *     u ID [CPU]           unmap what the map with this id got; ignored if that map failed or is unmapped already
 *     r LO HI              reserve a range
 *     w MICROSECONDS       advance the clock (deferred unmap, and the works of rcache6)
 *     x CPU                take a CPU offline (rcache6 and fq6 only)
 *     y CPU                bring it online again
 *
 * Empty lines and lines that start with # are skipped.
 */
import { maxPages, parsePfn } from "./pfn.js";

/** The settings a trace may carry, with their defaults. */
export interface TraceConfig {
  /** Never handed out, as is everything below it. */
  start_pfn: number;
  /** The limit for which the tree remembers its last node. */
  dma32: number;
  /** 1: align each range to its size. */
  aligned: number;
  /** 1: round PAGES up to a power of two before allocating, as the VT-d driver does. */
  roundup: number;
  /** 1: for a LIMIT above 0xfffff try 0xfffff first, then LIMIT. */
  fallback32: number;
  cpus: number;
  /** Pools: table entries. */
  entries: number;
  /** Pools: number of pools, 0 for 16. */
  npools: number;
  /** Pools: 1 where there is a pool for large requests. */
  large: number;
  /** Pools: log2 of the page size in bytes. */
  shift: number;
  /** Pools: base of the table in pages. */
  base: number;
  /** Pools: 1 where the boundary is counted from 0 and is the table's own size. */
  nospan: number;
  /** Pools: 1 where there is a flush callback. */
  flushcb: number;
  /** Pools: 1 to align each range to its size. */
  align: number;
  iommus: number;
  domains: number;
  /** Ticks a second of the kernel's timer. */
  hz: number;
  /** rcache6, fq6: 1 to try no 32-bit address first (the kernel's iommu.forcedac). */
  forcedac: number;
  /** rcache6, fq6: pages of the largest range that the caches keep, a power of two; 32 in every release of Linux. */
  cached_pages: number;
  /** rcache6, fq6: 1 where timers fire as the kernel's timer wheel rounds them, 0 for the exact tick. */
  wheel: number;
  /** rcache6: 1 where an unmap goes through the flush queue (fq6 always does); magazines: through v4.9's per-CPU tables. */
  fq: number;
  /** fq6: 1 for one ring, not one for each CPU. */
  single: number;
  /** fq6: slots of a ring; 0 for 256, or 32768 of a single one. */
  fq_size: number;
  /** fq6: the queue's timer in ms; 0 for 10, or 1000 of a single ring. */
  timeout: number;
}

/** The settings of a trace that names none. */
export const traceDefaults: Readonly<TraceConfig> = {
  start_pfn: 1,
  dma32: 0xfffff,
  aligned: 1,
  roundup: 1,
  fallback32: 0,
  cpus: 8,
  entries: 4096,
  npools: 0,
  large: 0,
  shift: 13,
  base: 0,
  nospan: 0,
  flushcb: 1,
  align: 0,
  iommus: 1,
  domains: 1,
  hz: 1000,
  forcedac: 0,
  cached_pages: 32,
  wheel: 1,
  fq: 0,
  single: 0,
  fq_size: 0,
  timeout: 0,
};

const flags: readonly (keyof TraceConfig)[] = [
  "aligned",
  "roundup",
  "fallback32",
  "large",
  "nospan",
  "flushcb",
  "align",
  "forcedac",
  "wheel",
  "fq",
  "single",
];
const positive: readonly (keyof TraceConfig)[] = ["cpus", "entries", "iommus", "domains", "hz", "cached_pages"];
/** What there is a table or a tree for, each. */
const counted: readonly (keyof TraceConfig)[] = ["cpus", "iommus", "domains"];
const mostCpus = 4096;

/** Kinds of operation, as in {@link ReplayTrace.kinds}. */
export const operationKinds = { MAP: 0, UNMAP: 1, RESERVE: 2, WAIT: 3, OFFLINE: 4, ONLINE: 5 } as const;
const { MAP, UNMAP, RESERVE, WAIT, OFFLINE, ONLINE } = operationKinds;

/** A trace, operation by operation, in flat arrays. */
export interface ReplayTrace {
  config: TraceConfig;
  kinds: Uint8Array;
  /** map: pages · unmap: id · reserve: lo · wait: microseconds */
  first: Float64Array;
  /** map: limit · reserve: hi */
  second: Float64Array;
  cpus: Int32Array;
  /** CPUs as the settings count them; {@link config} counts those too that only an operation names. */
  statedCpus: number;
  /** Number of map operations. */
  maps: number;
  /** Pages that the map with each id asks for. */
  pages: Float64Array;
}

/** A trace that cannot be read; the message starts with the line's number. */
export class ReplayTraceError extends Error {
  override name = "ReplayTraceError";
  constructor(
    readonly line: number,
    message: string,
  ) {
    super(`line ${line}: ${message}`);
  }
}

const forms: Record<string, { text: string; kind: number; least: number; most: number }> = {
  m: { text: "m PAGES LIMIT [CPU]", kind: MAP, least: 3, most: 4 },
  u: { text: "u ID [CPU]", kind: UNMAP, least: 2, most: 3 },
  r: { text: "r LO HI", kind: RESERVE, least: 3, most: 3 },
  w: { text: "w MICROSECONDS", kind: WAIT, least: 2, most: 2 },
  x: { text: "x CPU", kind: OFFLINE, least: 2, most: 2 },
  y: { text: "y CPU", kind: ONLINE, least: 2, most: 2 },
};

/**
 * Reads a trace.
 * @throws ReplayTraceError naming the line, what stands there and what is accepted
 */
export function parseTrace(text: string): ReplayTrace {
  const config: TraceConfig = { ...traceDefaults };
  const lines = text.split("\n");
  const kinds = new Uint8Array(lines.length);
  const first = new Float64Array(lines.length);
  const second = new Float64Array(lines.length);
  const cpus = new Int32Array(lines.length);
  const pages = new Float64Array(lines.length);
  let count = 0;
  let maps = 0;
  for (let i = 0; i < lines.length; i++) {
    const words = lines[i].trim().split(/\s+/);
    if (words[0] === "" || words[0].startsWith("#")) continue;
    const number = i + 1;
    if (words[0] === "i") {
      if (count > 0) throw new ReplayTraceError(number, `"${lines[i].trim()}" configures after the first operation`);
      configure(config, words, number);
      continue;
    }
    const form = Object.hasOwn(forms, words[0]) ? forms[words[0]] : undefined;
    if (!form)
      throw new ReplayTraceError(
        number,
        `"${shorten(lines[i])}" is no operation; a line starts with i, m, u, r, w, x or y`,
      );
    if (words.length < form.least || words.length > form.most) {
      throw new ReplayTraceError(number, `"${shorten(lines[i])}" does not read as ${form.text}`);
    }
    kinds[count] = form.kind;
    switch (form.kind) {
      case MAP:
        first[count] = whole(words[1], 1, maxPages, "PAGES", number);
        second[count] = pfn(words[2], "LIMIT", number);
        cpus[count] = cpu(words[3], number);
        pages[maps++] = first[count];
        break;
      case UNMAP:
        first[count] = whole(words[1], 0, Number.MAX_SAFE_INTEGER, "ID", number);
        if (first[count] >= maps) {
          throw new ReplayTraceError(
            number,
            `unmap of id ${first[count]}, but only ${maps} map${maps === 1 ? "" : "s"} came before (ids count from 0)`,
          );
        }
        cpus[count] = cpu(words[2], number);
        break;
      case RESERVE:
        first[count] = pfn(words[1], "LO", number);
        second[count] = pfn(words[2], "HI", number);
        if (first[count] > second[count]) throw new ReplayTraceError(number, `LO ${words[1]} is above HI ${words[2]}`);
        break;
      case WAIT:
        first[count] = whole(words[1], 0, Number.MAX_SAFE_INTEGER, "MICROSECONDS", number);
        break;
      default:
        cpus[count] = cpu(words[1], number);
    }
    count++;
  }
  const statedCpus = config.cpus;
  // A CPU that the settings do not count is there all the same.
  for (let k = 0; k < count; k++) config.cpus = Math.max(config.cpus, cpus[k] + 1);
  return {
    config,
    kinds: kinds.slice(0, count),
    first: first.slice(0, count),
    second: second.slice(0, count),
    cpus: cpus.slice(0, count),
    statedCpus,
    maps,
    pages: pages.slice(0, maps),
  };
}

function configure(config: TraceConfig, words: string[], line: number): void {
  const [, key, text] = words;
  if (words.length !== 3) throw new ReplayTraceError(line, `"${words.join(" ")}" does not read as i KEY VALUE`);
  if (!Object.hasOwn(config, key)) {
    throw new ReplayTraceError(
      line,
      `there is no setting "${key}"; the settings are ${Object.keys(traceDefaults).join(", ")}`,
    );
  }
  const name = key as keyof TraceConfig;
  if (name === "start_pfn" || name === "dma32") config[name] = pfn(text, key, line);
  else if (flags.includes(name)) config[name] = whole(text, 0, 1, key, line);
  else if (name === "shift") config[name] = whole(text, 0, 32, key, line);
  else {
    const most = counted.includes(name) ? mostCpus : 0x7fff_ffff;
    config[name] = whole(text, positive.includes(name) ? 1 : 0, most, key, line);
  }
}

function whole(text: string, low: number, high: number, field: string, line: number): number {
  const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= low && value <= high) return value;
  throw new ReplayTraceError(line, `${field} is "${shorten(text)}"; a whole number from ${low} to ${high} is accepted`);
}

function pfn(text: string, field: string, line: number): number {
  const value = parsePfn(text);
  if (value !== undefined) return value;
  throw new ReplayTraceError(
    line,
    `${field} is "${shorten(text)}"; a page frame number below 2^52 is accepted, or -1 for 2^64 - 1`,
  );
}

function cpu(text: string | undefined, line: number): number {
  return text === undefined ? 0 : whole(text, 0, mostCpus - 1, "CPU", line);
}

function shorten(text: string): string {
  const trimmed = text.trim();
  return trimmed.length > 60 ? `${trimmed.slice(0, 57)}…` : trimmed;
}
