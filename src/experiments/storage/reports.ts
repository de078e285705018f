import type { Choice } from "./loads.js";

/** A public report of slow storage: a fault, and what cures it. */
export interface StorageReport {
  name: string;
  about: string;
  records: readonly string[];
  sides: { fault: Choice; cure: Choice };
}

const sas: Choice = {
  load: "sas",
  policy: "v5.12-smmu-strict",
  cores: 24,
  sizeKiB: 496,
  linkGbps: 1600,
  host: "kunpeng-920",
  aged: 150_000,
  agedSizes: "mixed",
};

/** The reports, in the order of their releases. */
export const reports: readonly StorageReport[] = [
  {
    name: "large requests",
    about: "requests of 124 pages are above the largest cached size; 16 pages are below",
    records: ["MS13", "MF11"],
    sides: { fault: sas, cure: { ...sas, sizeKiB: 64 } },
  },
  {
    name: "the retry of 5.11",
    about:
      "a search that fails below 4 GiB looks once more at what it skipped, under the lock, where 5.10 went above at once; it costs something only where the addresses there are used up, as by the caches of 96 CPUs; and below is tried for every request until 6.6",
    records: ["MS13", "MS14"],
    sides: {
      fault: { ...sas, cores: 96, depth: 42, aged: 300_000 },
      cure: { ...sas, cores: 96, depth: 42, aged: 300_000, policy: "v5.10-smmu-strict" },
    },
  },
  {
    name: "depot thrash",
    about:
      "after hours of a load that goes up and down a depot of 32 magazines sends ranges to the tree and fetches them again (measured while the load rises); from 6.7 it has no bound",
    records: ["MF1", "MF2"],
    sides: {
      fault: { ...sas, policy: "v5.12-smmu-lazy", cores: 96, sizeKiB: 4, agedSizes: "own", aged: 1_000_000 },
      cure: { ...sas, policy: "v6.18-smmu-lazy", cores: 96, sizeKiB: 4, agedSizes: "own", aged: 1_000_000 },
    },
  },
];

/** A report by its name. */
export const reportNamed = (name: string): StorageReport => reports.find((one) => one.name === name) as StorageReport;
