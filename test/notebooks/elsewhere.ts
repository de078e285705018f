/** Numbers of the chapters' prose that stand in no stored output (a control's other positions, another setting), and how they come out. */
import { lockContention, mapAnatomy, pageSizes, recordedMachine, undisturbed } from "../../src/experiments/index.js";
import { published } from "../support/facts.js";

export interface Elsewhere {
  notebook: string;
  cell: string;
  /** A passage of the cell, with its numbers in braces. */
  says: string;
  values: () => Promise<number[]>;
}

const link = {
  parts: ["grid" as const],
  hosts: ["hsw" as const],
  directions: ["read" as const],
  tags: [256],
  generation: 3 as const,
  width: 16 as const,
  deviceTlbEntries: 0,
};
const bandwidths = async (config: { dmaBytes: number[]; walkers: number; windows: number[] }) =>
  (await pageSizes.run({ ...link, pages: ["4K", "off"], ...config })).rows.map((row) => Number(row["gbps"]));

const throughput = async (variants: string[], staticMaps: number, holes: number) =>
  (
    await lockContention.run({ variants, cores: [8], staticMaps: [staticMaps], holes: [holes], replications: 1 })
  ).rows.map((row) => row.throughput);

/** Rates of the machine of 16 CPUs in its second recording over those in the first, a run each. */
const again = (): number[] => {
  const [first, second] = ["xeon-16", "xeon-16-again"].map((name) => recordedMachine(published, name).runs);
  return first.map((run, i) => {
    const [before, after] = [run, second[i]].map(
      (one) => undisturbed(one, one.transactionsPerSecond)?.median ?? Number.NaN,
    );
    return after / before;
  });
};
const apart = (): number[] =>
  again()
    .map((ratio) => Math.abs(100 * ratio - 100))
    .sort((a, b) => a - b);

export const elsewhere: Elsewhere[] = [
  {
    notebook: "09-why-believe-this",
    cell: "silicon-sixteen-says",
    says: "a run moves by {6} % in the median and by more than 15 % in one of {ten}",
    values: async () => {
      const all = apart();
      return [all[all.length >> 1], all.length / all.filter((percent) => percent > 15).length];
    },
  },
  {
    notebook: "09-why-believe-this",
    cell: "silicon-sixteen",
    says: "(a line between them takes {2} ns then, and {90} otherwise)",
    values: async () => {
      const { transfers, transfersAfter } = recordedMachine(published, "xeon-16");
      return [transfers, transfersAfter].map(([near]) => near.modifiedNs?.median ?? Number.NaN);
    },
  },
  {
    notebook: "02-lock-contention",
    cell: "d224eb42bdd8",
    says: "Where [page walks](glossary.md#page-walk) look into the caches, {37} %.",
    values: async () => {
      const { rows } = await mapAnatomy.run({ coherent: true, cores: [1], replications: 1 });
      const cycles = (of: typeof rows) => of.reduce((sum, row) => sum + row.cycles, 0);
      const map = rows.filter((row) => row.call === "dma_map");
      return [(100 * cycles(map.filter((row) => row.function === "__domain_mapping"))) / cycles(map)];
    },
  },
  {
    notebook: "03-merging-nodes",
    cell: "live-answer",
    says: "at 8 cores from 73 to {25} %. The merged one does not notice ({82} % both times)",
    values: async () => {
      const [off] = await throughput(["off"], 0, 0);
      return (await throughput(["deferred", "merged-deferred"], 32_768, 0.01)).map((rate) => (100 * rate) / off);
    },
  },
  {
    notebook: "03-merging-nodes",
    cell: "live-answer",
    says: "with none at all the stock tree reaches {73} %, too",
    values: async () => {
      const [off, stock] = await throughput(["off", "deferred"], 0, 0);
      return [(100 * stock) / off];
    },
  },
  {
    notebook: "04-page-sizes",
    cell: "live-answer",
    says: "With 16 of them 4K pages lose nothing up to 16 GiB, and {an eighth} over 128 GiB.",
    values: async () => {
      const [paged, off] = await bandwidths({ dmaBytes: [512], walkers: 16, windows: [2 ** 37] });
      return [1 - paged / off];
    },
  },
  {
    notebook: "04-page-sizes",
    cell: "live-answer",
    says: "For reads of 64 bytes even 32 are too few: there {23} of {87} Gb/s are left.",
    values: () => bandwidths({ dmaBytes: [64], walkers: 32, windows: [2 ** 37] }),
  },
];
