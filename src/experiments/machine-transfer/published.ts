import type { FactRecord } from "../../facts/index.js";

/** The published medians of a host: sibling, same socket, other socket, in ns; and the published spread over pairs, where there is one. */
export const records: Readonly<Record<string, { id: string; spread: ([number, number] | undefined)[] }>> = {
  "sandy-bridge-ep": { id: "H1", spread: [undefined, [23, 63], [99, 172]] },
  "westmere-ep": { id: "H2", spread: [undefined, [36, 38], [68, 80]] },
  "broadwell-ep": { id: "H4", spread: [undefined, [33, 55], [115, 145]] },
};

export const medians = (record: FactRecord) => record.value as number[];
