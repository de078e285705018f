/** The measured hosts: their files in data/hardware, and the model's parameters that follow from them and from their latency records. */
import { z } from "zod";
import { type Basis, basisOf, Facts } from "../../facts/index.js";
import { completionOverhead, type LinkConfig, pcieLink, readRequestBytes, wirePs } from "../../machine/index.js";
import { fitDramExtra, fitIotlb, hitLatency } from "./calibrate.js";
import { latencyPoints, type PageSetting } from "./published.js";

/** Names of the hosts, as the configuration takes them. */
export const hostNames = ["hsw", "hsw2", "ivb", "ivb-remote", "snb", "bdw", "cascade-lake"] as const;
/** One of {@link hostNames}. */
export type HostName = (typeof hostNames)[number];

const Value = z.strictObject({
  value: z.number(),
  unit: z.string(),
  source: z.string().min(8),
  assumption: z.strictObject({ low: z.number(), high: z.number() }).optional(),
});
const HostFile = z.strictObject({
  title: z.string(),
  about: z.string(),
  bandwidthRecords: z.string().nullable(),
  latencyRecords: z.record(z.enum(["off", "4K", "2M"]), z.string()).or(z.record(z.string(), z.string())),
  pageSizes: z.strictObject({ value: z.array(z.enum(["4K", "2M", "1G"])), source: z.string().min(8) }),
  values: z.record(z.string(), Value),
});
type HostFileContent = z.infer<typeof HostFile>;

/** Latency of a 64-byte read that hits everywhere, and what DRAM adds. Nanoseconds. */
export interface ModeLatency {
  hitNs: number;
  dramExtraNs: number;
}

/** A host, ready to be simulated. */
export interface PageHost {
  name: HostName;
  title: string;
  about: string;
  link: LinkConfig;
  pageSizes: readonly ("4K" | "2M" | "1G")[];
  bandwidthRecords: string | null;
  latencyRecords: Partial<Record<PageSetting, string>>;
  off: ModeLatency;
  on: ModeLatency;
  iotlbEntries: number;
  missNs: number;
  llcBytes: number;
  ddioBytes: number;
  coherentWalks: boolean;
  structureEntries: number;
  superpagesAs4K: boolean;
  postedHeaders: number;
  postedData: number;
  /** Reads in flight of the device measured on it, where that is a record of its own; otherwise as fitted on Haswell. */
  tags: number | null;
  /** Every parameter with its value, unit and source, for display. */
  parameters: { name: string; value: number | string; unit: string; source: string; assumed: boolean }[];
}

/**
 * A measured host, calibrated on its latency records.
 * @throws Error naming the file and field at fault
 */
export function pageHost(name: HostName, basis: Basis = basisOf(Facts.published())): PageHost {
  return basis.memo.of(basis, "page host", name, ({ facts }) => {
    const parsed = HostFile.safeParse(facts.hardware(name));
    if (parsed.success) return calibrated(name, parsed.data, facts);
    const issue = parsed.error.issues[0];
    throw new Error(`data/hardware/${name}.json: ${issue.path.join(".")}: ${issue.message}`);
  });
}

function calibrated(name: HostName, file: HostFileContent, facts: Facts): PageHost {
  const given = (field: string): number => {
    const entry = file.values[field];
    if (!entry) throw new Error(`data/hardware/${name}.json: values.${field} is missing`);
    return entry.value;
  };
  const records = file.latencyRecords as Partial<Record<PageSetting, string>>;
  const llcBytes = given("llcKiB") * 1024;
  const parameters: PageHost["parameters"] = Object.entries(file.values).map(([field, entry]) => ({
    name: field,
    value: entry.value,
    unit: entry.unit,
    source: entry.source,
    assumed: entry.assumption !== undefined,
  }));
  const add = (field: string, value: number, unit: string, source: string): number => {
    parameters.push({ name: field, value, unit, source, assumed: false });
    return value;
  };
  let off: ModeLatency;
  let on: ModeLatency;
  let iotlb: { entries: number; missNs: number };
  // The run that shows the IOTLB at work: with 4 KiB pages, or with superpages where they behave as 4 KiB pages.
  const missing = records["4K"] ?? records["2M"];
  if (records.off && missing) {
    const onPoints = latencyPoints(facts, missing);
    const fit = fitIotlb(onPoints);
    iotlb = fit;
    add("iotlbEntries", fit.entries, "entries", `fitted to ${missing}, 512 KiB to 4 MiB`);
    add("missNs", fit.missNs, "ns", `fitted to ${missing}, 512 KiB to 4 MiB`);
    const dramExtra = fitDramExtra(onPoints, llcBytes, fit.hitNs, fit);
    if (file.values["offReadsFromMemory"]?.value === 1) {
      // Held out: nothing of the run with the IOMMU off sets a parameter, so its record tests this guess.
      const source = `onHitNs and onDramExtraNs: a guess that ${records.off} tests`;
      off = { hitNs: add("offHitNs", fit.hitNs + dramExtra, "ns", source), dramExtraNs: 0 };
    } else {
      if (facts.record(records.off).use !== "calibration")
        throw new Error(`data/hardware/${name}.json: latencyRecords.off: ${records.off} is no calibration record`);
      const offPoints = latencyPoints(facts, records.off);
      const offHit = hitLatency(offPoints);
      off = {
        hitNs: add("offHitNs", offHit, "ns", `${records.off}, windows up to 256 KiB`),
        dramExtraNs: add("offDramExtraNs", fitDramExtra(offPoints, llcBytes, offHit), "ns", `${records.off}, 64 MiB`),
      };
    }
    on = {
      hitNs: add("onHitNs", fit.hitNs, "ns", `${missing}, windows up to 256 KiB`),
      dramExtraNs: add("onDramExtraNs", dramExtra, "ns", `${missing}, 64 MiB`),
    };
  } else {
    off = { hitNs: given("hitNs"), dramExtraNs: given("dramExtraNs") };
    on = off;
    iotlb = { entries: given("iotlbEntries"), missNs: given("missNs") };
  }
  return {
    name,
    title: file.title,
    about: file.about,
    link: pcieLink(given("linkGeneration") as 3, given("linkWidth") as 8, {
      mps: given("mps"),
      mrrs: given("mrrs"),
      rcb: given("rcb"),
    }),
    pageSizes: file.pageSizes.value,
    bandwidthRecords: file.bandwidthRecords,
    latencyRecords: records,
    off,
    on,
    iotlbEntries: iotlb.entries,
    missNs: iotlb.missNs,
    llcBytes,
    ddioBytes: Math.floor((llcBytes * given("ddioPercent")) / 100),
    coherentWalks: given("coherentWalks") === 1,
    structureEntries: given("structureEntries"),
    superpagesAs4K: given("superpagesAs4K") === 1,
    postedHeaders: given("postedHeaders"),
    postedData: given("postedData"),
    tags: file.values["tags"]?.value ?? null,
    parameters,
  };
}

/** Picoseconds that a lone 64-byte read spends on the host's own link: they are part of the measured latency. */
export function wireShare(link: LinkConfig): number {
  return wirePs(link, readRequestBytes(link)) + wirePs(link, 64 + completionOverhead(link));
}
