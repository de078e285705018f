import { parseTrace, replay } from "../../iova/index.js";
import type { Column } from "../frame/experiment.js";
import type { ColumnName } from "../frame/rows.js";
import { reports } from "./cases.js";
import type { ReportPoint } from "./config.js";

/** A search is called slow from this many nodes on. */
const slowVisits = 100;

/** Runs one point. */
export function simulate({ report, role, requests, seed }: ReportPoint) {
  const found = reports.find(({ title }) => title === report) as (typeof reports)[number];
  const { what, release, scene } = found[role];
  const { trace, setUp } = scene(requests, seed);
  const { visits, hits, pfns, caches } = replay(parseTrace(trace), "rcache6", { release });
  const measured = visits.length - setUp;
  const share = (counts: (i: number) => boolean) => {
    let count = 0;
    for (let i = setUp; i < visits.length; i++) if (counts(i)) count++;
    return (100 * count) / measured;
  };
  const sum = (of: Int32Array) => of.subarray(setUp).reduce((a, b) => a + b, 0);
  const treeLocks = caches?.treeLocks ?? new Int32Array(0);
  return [
    {
      report,
      role,
      what,
      release,
      records: found.records.join(", "),
      maps: measured,
      visits: sum(visits) / measured,
      worst: visits.subarray(setUp).reduce((a, b) => Math.max(a, b), 0),
      slow: share((i) => visits[i] >= slowVisits),
      treeLocks: sum(treeLocks) / measured,
      hits: share((i) => hits[i] === 1),
      failed: share((i) => pfns[i] < 0),
    },
  ];
}

/** A row of the table. */
export type ReportRow = ReturnType<typeof simulate>[number];

/** The columns of the table, with their units. */
export const columns: Readonly<Record<ColumnName<ReportRow>, Column>> = {
  report: { unit: "", description: "what the report is about" },
  role: { unit: "", description: "the fault, or its cure" },
  what: { unit: "", description: "what is done" },
  release: { unit: "", description: "release of Linux whose rules hold" },
  records: { unit: "", description: "published records that tell of it" },
  maps: { unit: "requests", description: "requests that are counted" },
  visits: { unit: "nodes", description: "nodes that a search steps on, for each request" },
  worst: { unit: "nodes", description: "nodes of the longest request" },
  slow: { unit: "%", description: `requests that step on ${slowVisits} nodes or more` },
  treeLocks: { unit: "acquisitions", description: "acquisitions of the tree's lock for each request" },
  hits: { unit: "%", description: "requests that a CPU's cache served" },
  failed: { unit: "%", description: "requests that got nothing" },
};
