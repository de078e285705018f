import type { Facts } from "../../facts/index.js";
import { workloadAssumptions } from "../../host/index.js";

/** A load by its name on the command line: what a driver does for each request. */
export interface LoadPreset {
  name: string;
  /** What it is, as the help says it. */
  about: string;
  kind: "storage" | "network";
  /** Names of its assumptions in data/workload/storage.json. */
  work: string;
  device: string;
  depth: string;
  /** Pieces of a request and how they are mapped, for a request of so many pages. */
  pieces(pages: number): { segments: number; segmentPages: number; mapping: "each" | "list" | "two-step" };
  /** Who gets completions: the core that submitted, or so many of the cores in turn. */
  completions: "same" | number;
  /** What the device may do: 1 reads, 2 writes. */
  permission: number;
  /** Share of requests whose buffers stay mapped. */
  premapped: number;
  /** KiB of a request where the configuration does not say it: network loads have their own. */
  sizeKiB: number;
}

/** Each page lies somewhere else in memory; one range holds them all. */
const scattered = (pages: number) => ({ segments: pages, segmentPages: 1, mapping: "list" as const });
const apart = (pages: number) => ({ segments: pages, segmentPages: 1, mapping: "each" as const });

/** The loads, in the order in which they are shown. */
export const loads: readonly LoadPreset[] = [
  {
    name: "nvme",
    about: "NVMe reads: a queue a core, so that a core completes what it submitted",
    kind: "storage",
    work: "nvmeWork",
    device: "nvmeDevice",
    depth: "nvmeDepth",
    pieces: scattered,
    completions: "same",
    permission: 2,
    premapped: 0,
    sizeKiB: 4,
  },
  {
    name: "sas",
    about: "SAS reads: 16 queues for all cores, so that most requests complete on another core than they came from",
    kind: "storage",
    work: "sasWork",
    device: "sasDevice",
    depth: "sasDepth",
    pieces: scattered,
    completions: 16,
    permission: 2,
    premapped: 0,
    sizeKiB: 4,
  },
  {
    name: "nic-receive",
    about: "packets of a page, each mapped when its buffer is posted and unmapped when it has come",
    kind: "network",
    work: "packetWork",
    device: "packetDevice",
    depth: "packetDepth",
    pieces: apart,
    completions: "same",
    permission: 2,
    premapped: 0,
    sizeKiB: 4,
  },
  {
    name: "nic-page-pool",
    about: "packets of a page, received into pages that stay mapped and go round a page_pool",
    kind: "network",
    work: "packetWork",
    device: "packetDevice",
    depth: "packetDepth",
    pieces: apart,
    completions: "same",
    permission: 2,
    premapped: 1,
    sizeKiB: 4,
  },
  {
    name: "nic-transmit",
    about: "packets of a page with their header in another: two maps a packet",
    kind: "network",
    work: "packetWork",
    device: "packetDevice",
    depth: "packetDepth",
    pieces: (pages) => apart(pages + 1),
    completions: "same",
    permission: 1,
    premapped: 0,
    sizeKiB: 4,
  },
  {
    name: "nic-large-send",
    about: "sends of 64 KiB that the card cuts into packets: a map for the header and one for each page",
    kind: "network",
    work: "sendWork",
    device: "packetDevice",
    depth: "sendDepth",
    pieces: (pages) => apart(pages + 1),
    completions: "same",
    permission: 1,
    premapped: 0,
    sizeKiB: 64,
  },
  {
    name: "nic-large-send-two-step",
    about: "the same, all pieces in one range by the two-step API: one unmap a send",
    kind: "network",
    work: "sendWork",
    device: "packetDevice",
    depth: "sendDepth",
    pieces: (pages) => ({ segments: pages + 1, segmentPages: 1, mapping: "two-step" }),
    completions: "same",
    permission: 1,
    premapped: 0,
    sizeKiB: 64,
  },
];

/** What of a point is chosen. */
export interface Choice {
  load: string;
  policy: string;
  cores: number;
  sizeKiB: number;
  linkGbps: number;
  host: string;
  aged: number;
  agedSizes: "own" | "mixed";
  depth?: number;
}

/** A load by its name. */
export const loadNamed = (name: string): LoadPreset => loads.find((load) => load.name === name) as LoadPreset;

/** A number that data/workload/storage.json assumes. */
export function assumedOf(facts: Facts, name: string): number {
  const found = workloadAssumptions(facts, "storage")[name];
  if (found === undefined) throw new Error(`data/workload/storage.json: values.${name} is missing.`);
  return found.value;
}
