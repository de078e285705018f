import { RbTreeAllocator } from "../iova/index.js";
import { type Figure, figure, lookOf, palette } from "../plot/index.js";

/** What a driver asks of the allocator, in the order of the picture: a map, or the end of a map of so many pages below the top. */
type Request = { map: true } | { free: number };

/** The allocator of v4.3, which tells where it stands. */
class WatchedTree extends RbTreeAllocator {
  /** Lowest page of the remembered node, or null. */
  get rememberedPage(): number | null {
    return this.remembered === 0 ? null : this.tree.lo(this.remembered);
  }

  /** Lowest pages of the nodes that the next search looks at, for a given number of them: from the remembered node downwards. */
  below(page: number | null, count: number): number[] {
    const lows = this.tree.ranges().map(([lo]) => lo);
    const under = page === null ? lows : lows.filter((lo) => lo < page);
    return under.sort((a, b) => b - a).slice(0, count);
  }
}

/** One step of the walk's story: what was asked, and what the allocator did. */
export interface WalkStep {
  /** What happens, in a few words. */
  label: string;
  /** Pages that are mapped after the step. */
  mapped: number[];
  /** Where the remembered node was before the step, or null. */
  from: number | null;
  /** Where it is after the step, or null. */
  remembered: number | null;
  /** Pages of the nodes that the search looked at, in its order. */
  looked: number[];
  /** The page that a map got, or that a free gave back. */
  taken?: number;
  freed?: number;
}

const top = 24;
const boot = 11;
const requests: readonly Request[] = [
  { free: 21 },
  { map: true },
  { map: true },
  { free: 19 },
  { map: true },
  { map: true },
];

/**
 * The walk in steps, by the real allocator on an address space of 24 pages: a free moves the remembered node up, the next search fills the
 * hole, and the one after it must look at every node below, down to the first free page.
 */
export function walkSteps(): WalkStep[] {
  const tree = new WatchedTree({ dma32: top });
  const mapped = () => tree.tree.ranges().flatMap(([lo, hi]) => Array.from({ length: hi - lo + 1 }, (_, i) => lo + i));
  for (let i = 0; i < boot; i++) tree.allocate(1, top);
  const steps: WalkStep[] = [
    {
      label: `${boot} buffers mapped, top down`,
      mapped: mapped(),
      from: null,
      remembered: tree.rememberedPage,
      looked: [],
    },
  ];
  for (const request of requests) {
    const from = tree.rememberedPage;
    if ("free" in request) {
      tree.free(request.free);
      const label = `free ${request.free}: the mark moves up`;
      steps.push({ label, mapped: mapped(), from, remembered: tree.rememberedPage, looked: [], freed: request.free });
      continue;
    }
    const before = tree.statistics().visits;
    const candidates = tree.below(from, Number.POSITIVE_INFINITY);
    const taken = tree.allocate(1, top);
    const visits = tree.statistics().visits - before;
    steps.push({
      label: `map: ${visits === 1 ? "1 node" : `${visits} nodes`} looked at`,
      mapped: mapped(),
      from,
      remembered: tree.rememberedPage,
      looked: candidates.slice(0, visits),
      taken,
    });
  }
  return steps;
}

/** A kind of mark in the picture. */
interface Mark {
  name: string;
  marker: Record<string, unknown>;
  /** The pages that it marks in a step. */
  pages: (step: WalkStep) => number[];
}

const present = (page: number | null | undefined): number[] => (page === null || page === undefined ? [] : [page]);

/** What happens to the allocator's walk: the remembered node, the search downwards from it, and what a free does to it, step by step. */
export function walkPicture(): Figure {
  const steps = walkSteps();
  const looked = lookOf("part", "tree").colour;
  const way = lookOf("way", "strict").colour;
  const marks: readonly Mark[] = [
    {
      name: "mapped",
      marker: { color: palette[7], size: 15, symbol: "square", opacity: 0.45 },
      pages: (step) => step.mapped,
    },
    { name: "looked at", marker: { color: looked, size: 15, symbol: "square" }, pages: (step) => step.looked },
    {
      name: "given back",
      marker: { color: way, size: 13, symbol: "square-open", line: { width: 2 } },
      pages: (step) => present(step.freed),
    },
    {
      name: "handed out",
      marker: { color: lookOf("way", "deferred").colour, size: 15, symbol: "square" },
      pages: (step) => present(step.taken),
    },
    {
      name: "remembered",
      marker: { color: lookOf("lock", "iova_rbtree_lock").colour, size: 9, symbol: "triangle-down" },
      pages: (step) => present(step.remembered),
    },
  ];
  const data = steps.flatMap((step, row) =>
    marks.map(({ name, marker, pages }) => {
      const at = pages(step);
      return {
        type: "scatter",
        mode: "markers",
        name,
        legendgroup: name,
        showlegend: row === 0,
        x: at.length > 0 ? at : [null],
        y: at.length > 0 ? at.map(() => (name === "remembered" ? row - 0.42 : row)) : [null],
        marker,
        hovertemplate: `step ${row}: ${step.label}<br>page %{x}: ${name}<extra></extra>`,
      };
    }),
  );
  const opacity = (shown: number) => steps.flatMap((_, row) => marks.map(() => (shown < 0 || row <= shown ? 1 : 0.08)));
  const choice = (shown: number, label: string) => ({
    label,
    method: "restyle",
    args: [{ opacity: opacity(shown) }],
  });
  const walks = steps.filter(({ looked: of }) => of.length > 1).map(({ looked: of }) => of.length);
  const sentence = steps
    .map(({ label, taken }, row) => `${row} ${label}${taken === undefined ? "" : `, gets page ${taken}`}`)
    .join("; ");
  return figure({
    title: "What happens to the allocator's walk",
    caption: `One row a step, the addresses of a small device from left to right; the allocator of Linux v4.3 itself. A search begins below the remembered node and goes down (left) node by node. A free above it moves it up; the next map fills the hole at once, and the one after that passes every node in between: ${walks.join(" and ")} here, many more on a busy host (drawn below).`,
    alt: `What happens to the allocator's walk, in ${steps.length} steps. ${sentence}.`,
    data,
    layout: {
      height: 130 + 46 * steps.length,
      margin: { b: 110 },
      xaxis: {
        title: { text: "I/O virtual address (page number)" },
        range: [Math.min(...steps.flatMap((step) => step.mapped)) - 1, top + 1],
        dtick: 2,
        showgrid: false,
      },
      yaxis: {
        tickmode: "array",
        tickvals: steps.map((_, row) => row),
        ticktext: steps.map(({ label }, row) => `${row}. ${label}`),
        range: [steps.length - 0.4, -0.8],
        showgrid: false,
      },
      sliders: [
        {
          active: 0,
          pad: { t: 46 },
          currentvalue: { prefix: "step: " },
          steps: [choice(-1, "all"), ...steps.map((_, row) => choice(row, String(row)))],
        },
      ],
    },
  });
}
