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
