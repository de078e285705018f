import { Context, Direction, Kind } from "../trace.js";
import { Layer, Line, type MappingEvent, reasons } from "./event.js";

/*
 * One line of the kernel's own text, as cat trace, trace_pipe, trace-cmd report, perf script or our bpftrace script print it:
 *
 *     ip-134     [001] .....  87.046162: map: IOMMU: iova=0x00000000fffff000 - 0x0000000100000000 paddr=0x00000001121d6000 size=4096
 *     ip-134     (  134) [001]    87.046162: map:    IOMMU: dev=0000:03:00.0 iova=0x00000000fffff000 paddr=0x00000001121d6000 size=4096
 *     ip   134 [001]    87.046162:     1 iommu:map: IOMMU: iova=… (perf)
 *     ip-134       1d.s2.  101us+: map: IOMMU: iova=… (latency format)
 *     ip-134     [001] .....  87.046162: dma_map_page: 0000:05:00.0 dir=FROM_DEVICE dma_addr=fffff000 size=2048 phys_addr=120000000 attrs=
 *     map 87046162774 1 0000:05:00.0 0xfffff000 0x1121d6000 4096 (our bpftrace script)
 *
 * The task's name may hold anything, so the event is looked for first and the rest is read backwards from it.
 */

/** The name of an event that matters, and what follows it. */
const named =
  /(?:^|[\s:])(map|unmap|dma_(?:map|unmap)_(?:page|phys|resource|sg)|dma_(?:alloc|free)(?:_pages|_sgt)?|tracing_mark_write|print):?\s+(?=IOMMU:|iova=|dev=|[^\s=]+ (?:dir|dma_addr)|\S*phase )/g;

/** What stands before an event: CPU, perhaps flags, the timestamp. */
const head =
  /\[(\d{1,5})\]\s+(?:([^\s[\]:]{2,12})\s+)?(\d{1,20}(?:\.\d{1,12})?):\s*(?:\(\+?[\d.]+\)\s*)?(?:\d+\s+)?(?:iommu|dma|ftrace)?$/;
/** The latency format: CPU and flags in one word, microseconds from the beginning (trace-cmd report -l: a timestamp); and its verbose form. */
const latencyHead = /\s(\d{1,5})([^\s\d]\S{2,10})\s+(?:(\d{1,15})(us)?|(\d{1,10}\.\d{1,12}))\s*[+!#*@$]?\s*:$/;
const latencyVerbose =
  /\s(\d{1,5})\s+(\d+)\s+[0-9a-f]{8}\s+[0-9a-f]{8}\s+\[([0-9a-f]{1,13})\]\s+\d+\.\d{3}ms \(\+\d+\.\d{3}ms\):$/;
const headWithoutCpu = /(?:^|\s)\d+(?:\/\d+)?\s+\d+\.\d+:\s*(?:\d+\s+)?(?:iommu|dma)?$/;
const headWithoutTime = /(?:^|\s)(?:\[\d{1,5}\]|\d+(?:\/\d+)?|\d+\s+\[\d{1,5}\])\s*(?:\d+\s+)?(?:iommu|dma)$/;

const iommuText =
  /^(?:IOMMU:\s*)?(?:dev=(\S+)\s+)?iova=(?:0x)?([0-9a-f]{1,16})(?:\s*-\s*0x([0-9a-f]{1,16}))?(?:\s+paddr=(?:0x)?([0-9a-f]{1,16}))?\s+size=(0x[0-9a-f]+|\d+)(?:\s+unmapped_size=(0x[0-9a-f]+|\d+))?(?:\s+dev=(\S+))?\s*$/i;
/** The option "fields" prints every number twice: iova=0xfffff000 (4294963200). */
const twice = /=(0x[0-9a-f]+|\d+) \((?:0x[0-9a-f]+|-?\d+)\)/g;

const dmaText = /^(\S+)\s+(?:dir=(\w+)\s+)?dma_addr=(?:0x)?([0-9a-f]{1,16})\s+size=(0x[0-9a-f]+|\d+)(?:\s|$)/i;
const physText = /\sphys_addr=(?:0x)?([0-9a-f]{1,16})(?:\s|$)/;
const listText =
  /^(\S+)\s+dir=(\w+)\s+(?:n?ents=\S+\s+(?:\(truncated\)\s+)?)*dma_addrs=\{([^}]*)\}\s+sizes=\{([^}]*)\}\s+phys_addrs=\{([^}]*)\}\s+attrs=/;
/** A number of such a list: the kernel pads none with zeros, so that 0x000 is what is left of another. */
const listed = /^(?:0x)?(?:0|[1-9a-f][0-9a-f]{0,15})$/i;
const unlistText = /^(\S+)\s+dir=(\w+)\s+(?:n?ents=\S+\s+(?:\(truncated\)\s+)?)*phys_addrs=\{([^}]*)\}\s+attrs=/;
/** trace-cmd and perf print such a list as decimal numbers with spaces between them and no braces (libtraceevent). */
const decimals = /\b(dma_addrs|sizes|phys_addrs)=(\d{1,20}(?: \d{1,20})*)(?= \w+=)/g;
const allocText = /\s(?:virt_addr|phys_addrs|flags|attrs)=/;

const bpftraceText =
  /^(map|unmap) (\d{1,20}) (\d{1,5}) (\S+) (?:0x)?([0-9a-f]{1,16}) (?:(?:0x)?([0-9a-f]{1,16}) )?(\d{1,16})(?: (\d{1,16}))?$/;
/** The line with which the output of our own script begins. */
export const bpftraceHeader = "# iommu-lab bpftrace 1";

// A terminal's colours, as less -R and grep --color leave them.
const colours = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, "g");
const quotes = /^(?:\s*[>|])+ ?/;
/** Words that only such an event has: a line with one of them that cannot be read is counted. */
const signs =
  /iova=|paddr=|dma_addrs?=|unmapped_size|phys_addrs?=|\b(?:un)?map: |IOMMU: *iova|\bdma_(?:un)?map_(?:page|phys|resource|sg):|\d:\s+(?:dma:)?dma_(?:un)?map\w*$/;
/** Events of the same tracers that ask for nothing. */
const others =
  /\b(?:io_page_fault|(?:at|de)tach_device_(?:to|from)_domain|(?:add|remove)_device_(?:to|from)_group|dma_sync_(?:single|sg)_for_(?:cpu|device)|dma_(?:map|alloc)_\w*_?err|dma_(?:map|alloc)_sgt?_err|(?:un)?map_sg|bounce_\w+|qi_submit|tlb_flush|cache_tag_\w+)(?::|\s)/;
/** Addresses as an event has them, an event's text, or a time and an event's name. */
const values =
  /(?:iova|paddr|dma_addrs?|phys_addrs?)=(?:0x)?[0-9a-f]|IOMMU: *iova|\.\d+: +(?:dma_)?(?:un)?map(?:_[a-z]+)?: /;
/** A line's head that ends before its event: a task or a CPU, perhaps the flags and a piece of the timestamp, and nothing after it. */
const stub = /(?:-|\s)\d+\s+(?:\(\s*[\d-]+\)\s+)?\[\d{1,5}\]?(?:\s+[.\w#-]{1,9})?\s*[\d.]*:?\s*$/;
/** A head's task and CPU, and another CPU behind it. */
const twoHeads = /(?:-|\s)\d+\s+(?:\([^)]{1,10}\)\s+)?\[\d{1,5}\]\s.*\[\d{1,5}\]\s/;
/** What stands between events without being one: stacks, headers of the tools, output of a shell. */
const between =
  /\d:\s+\S|^\s*(?:=>|<=|\[?[0-9a-f]{8,16}\b|[$>|@#]|cpus=|version\s*=|CPU\s*\d+ is empty|Attaching \d+ probe|trace-cmd|\{|\}|<\.\.\.>|-{3})/;
const lostText =
  /\[LOST (?:(\d+) )?EVENTS\]|\[(\d+) EVENTS DROPPED\]|^LOST (\d+) events|^Lost (\d+) events|lost (\d+) (?:events|chunks)/;

export const pageBytes = 4096;
const maxPages = 0xffffffff;
const pagesOfSpace = 0x10_0000_0000_0000;

const directions: Record<string, number> = {
  BIDIRECTIONAL: Direction.bidirectional,
  TO_DEVICE: Direction.toDevice,
  FROM_DEVICE: Direction.fromDevice,
};

/** How lines are read. */
export interface LineOptions {
  /** Set by the first line in the latency format, whose times are whole microseconds. */
  latency: boolean;
  /** The text is the output of our bpftrace script. */
  bpftrace: boolean;
}

/**
 * Reads one line into `event`.
 * @returns a value of `Line`
 */
export function readKernelLine(text: string, event: MappingEvent, options: LineOptions): number {
  let line = text;
  event.afterCut = false;
  if (line.includes("\x1b")) line = line.replace(colours, "");
  const first = line.charCodeAt(0);
  if (first === 62 || first === 124 || (first === 32 && quotes.test(line))) line = line.replace(quotes, "");
  if (options.bpftrace) {
    const found = bpftraceText.exec(line);
    if (found) return bpftraceEvent(found, event);
  }
  let read = -1;
  let damaged = false;
  let seen = false;
  named.lastIndex = 0;
  for (let tries = 0; tries < 8; tries++) {
    const found = named.exec(line);
    if (found === null) break;
    seen = true;
    const before = line.slice(0, found.index + 1);
    event.reset();
    const known = readHead(before, event, options);
    if (known !== 0) {
      if (read < 0) {
        event.text = known === 1 ? headless(before) : known === 2 ? reasons.noCpu : reasons.noTime;
        if (known > 1) return Line.bad;
        damaged = true;
      }
      continue;
    }
    read = readEvent(found[1], line.slice(named.lastIndex), event);
    if (read !== Line.bad) {
      event.afterCut = damaged || first === 35 || hasTwoHeads(before);
      return read;
    }
    // A line that was cut may go on with the next one: what is whole of it is the later event.
    named.lastIndex = found.index + found[0].length;
    damaged = true;
    const rest = line.slice(named.lastIndex);
    if (!/\[\d{1,5}\]/.test(rest)) break;
  }
  if (damaged || seen) return Line.bad;
  if (line.trim() === "") return Line.blank;
  if (line.includes("LOST") || line.includes("ost ") || line.includes("DROPPED")) {
    const lost = lostText.exec(line);
    if (lost) {
      event.count = Number(lost[1] ?? lost[2] ?? lost[3] ?? lost[4] ?? lost[5] ?? 0);
      return Line.lost;
    }
  }
  // A comment with an event's values was cut, and what is left of an event was joined to it.
  if (first === 35 ? values.test(line) : stub.test(line)) return bad(event, reasons.cut);
  if (first === 35 || !signs.test(line) || others.test(line)) {
    // Not a comment, not between events: perhaps what is left of a line that was cut. The reader says so.
    return first === 35 || others.test(line) || between.test(line) ? Line.other : Line.unknown;
  }
  event.text = /^\s*0x[0-9a-f]+ (?:paddr|size)=/.test(line) ? reasons.wrapped : reasons.cut;
  return Line.bad;
}

/** Whether another event's head stands before an event's own: that one was cut before its name, and this one joined to it. */
function hasTwoHeads(before: string): boolean {
  const open = before.indexOf("[");
  return open >= 0 && before.indexOf("[", open + 1) >= 0 && twoHeads.test(before);
}

/** 0: read; 1: not there; 2: without a CPU; 3: of perf, without a timestamp. */
function readHead(before: string, event: MappingEvent, options: LineOptions): number {
  const text = before.trimEnd();
  // "iommu:map" of perf: the colon belongs to the event.
  const plain = head.exec(text.endsWith("iommu:") || text.endsWith("dma:") ? text.slice(0, -1) : text);
  if (plain) {
    event.cpu = Number(plain[1]);
    event.stamp = plain[3];
    event.context = plain[2] === undefined ? Context.unknown : contextOf(plain[2]);
    return event.cpu <= 65535 ? 0 : 1;
  }
  const terse = latencyHead.exec(text);
  if (terse) {
    const [, cpu, , count, us, seconds] = terse;
    options.latency ||= seconds === undefined;
    event.cpu = Number(cpu);
    event.stamp = seconds ?? (us === undefined ? count : micros(count));
    event.context = contextOf(terse[2]);
    return event.cpu <= 65535 ? 0 : 1;
  }
  const verbose = latencyVerbose.exec(text);
  if (verbose) {
    options.latency = true;
    event.cpu = Number(verbose[1]);
    event.stamp = micros(String(Number.parseInt(verbose[3], 16)));
    const flags = Number(verbose[2]);
    event.context = flags & 8 ? Context.hardirq : flags & 16 ? Context.softirq : Context.task;
    return event.cpu <= 65535 ? 0 : 1;
  }
  const perf = text.endsWith("iommu:") || text.endsWith("dma:") ? text.slice(0, -1) : text;
  if (headWithoutCpu.test(perf)) return 2;
  return perf !== text && headWithoutTime.test(perf) ? 3 : 1;
}

/** Why an event has no head. */
function headless(before: string): string {
  if (/\d,\d{3,9}:\s*$/.test(before)) return reasons.comma;
  return /\|\s+\/\*\s*$/.test(before) ? reasons.graph : reasons.cut;
}

/** Whole microseconds as seconds with decimals. */
function micros(count: string): string {
  return `${count.slice(0, -6) || "0"}.${count.slice(-6).padStart(6, "0")}`;
}

/** Third of the latency flags: h or H in a hard interrupt, s in a soft one. */
function contextOf(flags: string): number {
  const flag = flags.charCodeAt(2);
  // h, H, z, Z
  if (flag === 104 || flag === 72 || flag === 122 || flag === 90) return Context.hardirq;
  return flag === 115 ? Context.softirq : Context.task;
}

function readEvent(name: string, text: string, event: MappingEvent): number {
  switch (name) {
    case "map":
    case "unmap":
      return iommuEvent(name === "map" ? Line.map : Line.unmap, text, event);
    case "tracing_mark_write":
    case "print": {
      const phase = /\bphase\s+(\S+)/.exec(text)?.[1];
      if (phase === undefined) return Line.other;
      event.text = phase.slice(0, 100);
      return Line.phase;
    }
    case "dma_map_sg":
      return listEvent(text, event);
    case "dma_unmap_sg":
      return unlistEvent(text, event);
    default:
      return dmaEvent(name, text, event);
  }
}

function iommuEvent(what: number, text: string, event: MappingEvent): number {
  let found = iommuText.exec(text);
  if (!found && text.includes(" (")) found = iommuText.exec(text.replace(twice, "=$1").replaceAll(",", ""));
  if (!found) return bad(event, /^IOMMU:\s*iova=0x[0-9a-f]+ -\s*$/.test(text) ? reasons.wrapped : reasons.cut);
  const size = Number(found[5]);
  event.layer = Layer.iommu;
  if (low(found[2]) !== 0 || size % pageBytes !== 0 || size === 0) return bad(event, reasons.pages);
  event.pfn = high(found[2]);
  event.pages = size / pageBytes;
  if (!fits(event)) return bad(event, reasons.large);
  if (found[3] !== undefined && !endsAt(event.pfn + event.pages, found[3])) return bad(event, reasons.end);
  event.device = found[1] ?? found[7] ?? "";
  if (what === Line.map) {
    if (found[4] === undefined) return bad(event, reasons.paddr);
    event.paddrPfn = high(found[4]);
    return found[6] === undefined ? what : bad(event, reasons.cut);
  }
  if (found[4] !== undefined) return bad(event, reasons.cut);
  if (found[6] !== undefined) {
    const unmapped = Number(found[6]);
    if (unmapped % pageBytes !== 0) return bad(event, reasons.cut);
    event.unmapped = unmapped / pageBytes;
    if (event.unmapped > event.pages) widen(event);
  }
  return what;
}

/** More went than was asked: a huge page is unmapped whole, from where it begins. */
function widen(event: MappingEvent): void {
  const start = event.pfn - (event.pfn % event.unmapped);
  if (start + event.unmapped >= event.pfn + event.pages) event.pfn = start;
  event.pages = event.unmapped;
}

function dmaEvent(name: string, text: string, event: MappingEvent): number {
  const found = dmaText.exec(text);
  // Nothing in such an event has a colon and a space: another event follows.
  if (!found || text.includes(": ")) return bad(event, reasons.cut);
  const coherent = name.includes("alloc") || name.includes("free");
  const what = name.includes("unmap") || name.includes("free") ? Line.unmap : Line.map;
  const phys = physText.exec(text);
  if (coherent ? !allocText.test(text) : !text.includes(" attrs=")) return bad(event, reasons.cut);
  if (!coherent && what === Line.map && !phys) return bad(event, reasons.cut);
  event.layer = Layer.dma;
  event.device = found[1];
  event.direction = directions[found[2] ?? ""] ?? (coherent ? Direction.bidirectional : Direction.unknown);
  event.kind = coherent ? Kind.coherent : Kind.page;
  if (!span(event, found[3], Number(found[4]))) return Line.other;
  if (phys) event.paddrPfn = high(phys[1]);
  return fits(event) ? what : bad(event, reasons.large);
}

/** Pages of a byte range. False for the address that stands for a failed map, and for nothing. */
function span(event: MappingEvent, address: string, bytes: number): boolean {
  if (/^f{16}$/i.test(address) || bytes === 0) return false;
  event.pfn = high(address);
  event.pages = Math.floor((low(address) + bytes + pageBytes - 1) / pageBytes);
  event.bytes = bytes;
  return true;
}

/** A list's event as the kernel prints it. */
function asPrinted(text: string): string {
  if (text.includes("={")) return text;
  return text.replace(decimals, (_, name: string, numbers: string) => {
    const hex = numbers.split(" ").map((number) => `0x${BigInt(number).toString(16)}`);
    return `${name}={${hex.join(",")}}`;
  });
}

function listEvent(text: string, event: MappingEvent): number {
  const found = listText.exec(asPrinted(text));
  if (!found || text.includes(": ")) return bad(event, reasons.cut);
  const addresses = found[3].split(",");
  const sizes = found[4].split(",");
  if (addresses.length !== sizes.length || found[3] === "") return bad(event, reasons.cut);
  event.layer = Layer.dma;
  event.device = found[1];
  event.direction = directions[found[2]] ?? Direction.unknown;
  event.kind = Kind.scatterlist;
  event.list = listKey(found[5]);
  const physical = found[5].split(",");
  for (const numbers of [addresses, sizes, physical])
    if (!numbers.every((number) => listed.test(number))) return bad(event, reasons.cut);
  const ranges: { pfn: number; pages: number }[] = [];
  let bytes = 0;
  for (let i = 0; i < addresses.length; i++) {
    const address = addresses[i].replace("0x", "");
    const size = Number(sizes[i]);
    if (!(size > 0)) return bad(event, reasons.cut);
    bytes += size;
    const pfn = high(address);
    const pages = Math.floor((low(address) + size + pageBytes - 1) / pageBytes);
    const last = ranges.at(-1);
    // One allocation holds the whole list: a part begins in the page where the part before it ended, or in the next.
    if (last && (pfn === last.pfn + last.pages || pfn === last.pfn + last.pages - 1))
      last.pages = pfn + pages - last.pfn;
    else ranges.push({ pfn, pages });
  }
  event.pfn = ranges[0].pfn;
  event.pages = ranges[0].pages;
  event.bytes = bytes;
  event.paddrPfn = high(physical[0].replace("0x", ""));
  if (ranges.length > 1) event.ranges = ranges;
  return fits(event) ? Line.map : bad(event, reasons.large);
}

function unlistEvent(text: string, event: MappingEvent): number {
  const found = unlistText.exec(asPrinted(text));
  if (!found || found[3] === "" || text.includes(": ")) return bad(event, reasons.cut);
  event.layer = Layer.dma;
  event.device = found[1];
  event.direction = directions[found[2]] ?? Direction.unknown;
  event.kind = Kind.scatterlist;
  event.list = listKey(found[3]);
  event.pfn = 0;
  event.pages = 1;
  return Line.unmap;
}

/** An unmap of a list names its physical addresses only: the first and the number of them tell lists apart. */
function listKey(addresses: string): string {
  const comma = addresses.indexOf(",");
  return comma < 0 ? addresses : `${addresses.slice(0, comma)}/${addresses.split(",").length}`;
}

function bpftraceEvent(found: RegExpExecArray, event: MappingEvent): number {
  event.reset();
  const what = found[1] === "map" ? Line.map : Line.unmap;
  const [, , stamp, cpu, device, address, paddr, size, unmapped] = found;
  event.layer = Layer.iommu;
  event.cpu = Number(cpu);
  event.stamp = `${stamp.slice(0, -9) || "0"}.${stamp.slice(-9).padStart(9, "0")}`;
  event.device = device === "-" ? "" : device;
  if (what === Line.map ? paddr === undefined || unmapped !== undefined : paddr !== undefined && unmapped !== undefined)
    return bad(event, reasons.cut);
  // An unmap has the sizes asked for and done where a map has the physical address and the size.
  const asked = what === Line.map || paddr === undefined ? Number(size) : Number.parseInt(paddr, 10);
  if (low(address) !== 0 || asked === 0 || asked % pageBytes !== 0) return bad(event, reasons.pages);
  event.pfn = high(address);
  event.pages = asked / pageBytes;
  if (what === Line.map) event.paddrPfn = high(paddr);
  else if (paddr !== undefined) {
    if (Number(size) % pageBytes !== 0) return bad(event, reasons.cut);
    event.unmapped = Number(size) / pageBytes;
    if (event.unmapped > event.pages) widen(event);
  }
  return fits(event) ? what : bad(event, reasons.large);
}

function bad(event: MappingEvent, reason: string): number {
  event.text = reason;
  return Line.bad;
}

const fits = (event: MappingEvent): boolean => event.pages <= maxPages && event.pfn + event.pages <= pagesOfSpace;

/** Page number of a hexadecimal address: the last three digits are the byte in the page, the rest fits a double exactly. */
function high(hex: string): number {
  return hex.length <= 3 ? 0 : Number.parseInt(hex.slice(0, -3), 16);
}

function low(hex: string): number {
  return Number.parseInt(hex.slice(-3), 16);
}

/** Whether a range ends where its text says; the end of the last page of the space is printed as 0. */
function endsAt(endPfn: number, hex: string): boolean {
  return low(hex) === 0 && high(hex) === (endPfn === pagesOfSpace ? 0 : endPfn);
}
