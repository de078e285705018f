/** Public bug reports on the IOVA allocator as experiments on the allocator alone: each a fault and its cure, on the real algorithm. */
import { z } from "zod";
import { parseTrace, replay } from "../../iova/index.js";
import { barFigure } from "../../plot/index.js";
import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { reports } from "./cases.js";

// Question: what did the public reports on slow allocations see, and what does each cure change?

const titles = reports.map(({ title }) => title) as [string, ...string[]];
const roles = ["fault", "cure"] as const;
const Config = z.strictObject({
  reports: z.array(z.enum(titles)).min(1).default(titles).describe("public reports, by what they are about"),
  requests: z.int().min(100).max(100_000).default(2000).describe("requests after the scene is set (a count)"),
  seed: z.int().min(0).default(1).describe("seed of the orders that are left to chance"),
});

/** One side of one report. */
export interface ReportPoint {
  report: string;
  role: (typeof roles)[number];
  requests: number;
  seed: number;
}

/** A search is called slow from this many nodes on. */
const slowVisits = 100;

function simulate({ report, role, requests, seed }: ReportPoint) {
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

/** The public reports, each with its fault and its cure. */
export const allocatorReports: Experiment<typeof Config, ReportPoint, ReportRow> = defineExperiment({
  name: "allocator-reports",
  title: "Public reports of slow allocations",
  question: "What did the public reports on slow IOVA allocations see, and what does each cure change?",
  config: Config,
  points: ({ reports: chosen, requests, seed }) =>
    chosen.flatMap((report) => roles.map((role): ReportPoint => ({ report, role, requests, seed }))),
  label: ({ report, role }) => `${report}, ${role}`,
  simulate,
  columns: {
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
  },
  figures: {
    visits: (rows) =>
      barFigure({
        title: "A search's length, with the fault and with the cure",
        caption:
          "Nodes that a request's search steps on, on average, in the allocator alone: what it costs in time hangs on the host. The cures are one rule or one size each.",
        categories: [...new Set(rows.map(({ report }) => report))],
        x: { title: "report", unit: "" },
        y: { title: "nodes for each request", unit: "" },
        lying: true,
        series: roles.map((role) => ({
          name: role,
          values: rows.filter((row) => row.role === role).map(({ visits }) => visits),
        })),
      }),
  },
  claims: () => [],
});
