import { type CallStep, callSteps } from "../dma/index.js";
import { type Figure, figure, lookOf, palette } from "../plot/index.js";

/** Who takes part, from left to right. */
const lanes = ["driver", "DMA API", "memory", "IOMMU", "NIC"] as const;
type Lane = (typeof lanes)[number];

/** The locks of the DMA API, as Linux names them. */
type Lock = "iova_rbtree_lock" | "async_umap_flush_lock" | "q_lock" | "device_domain_lock";
const locks: readonly Lock[] = ["iova_rbtree_lock", "async_umap_flush_lock", "q_lock", "device_domain_lock"];

/** One step of the way: a message from lane to lane, or work within one. */
export interface PathStep {
  from: Lane;
  to: Lane;
  /** What happens, in a few words. */
  label: string;
  /** The lock that is held meanwhile. */
  lock?: Lock;
  /** The step of the simulated programs that does it, as tables name it; the hardware's steps have none. */
  step?: string;
}

/** What a step of the DMA API's programs looks like on the way, by call and step; one that only waits for another has no picture. */
const pictureOf: Readonly<Record<string, Omit<PathStep, "step">>> = {
  "map __intel_map_single": { from: "driver", to: "DMA API", label: "dma_map(buffer)" },
  "map alloc_iova": { from: "DMA API", to: "DMA API", label: "find a free IOVA", lock: "iova_rbtree_lock" },
  "map __domain_mapping": { from: "DMA API", to: "memory", label: "write the PTE" },
  "unmap intel_unmap": { from: "driver", to: "DMA API", label: "dma_unmap(IOVA)" },
  "unmap find_iova": { from: "DMA API", to: "DMA API", label: "look the IOVA up", lock: "iova_rbtree_lock" },
  "unmap dma_pte_clear_level": { from: "DMA API", to: "memory", label: "clear the PTE" },
  "unmap qi_submit_sync: submit": { from: "DMA API", to: "IOMMU", label: "invalidate, and wait", lock: "q_lock" },
  "unmap iommu_flush_dev_iotlb": {
    from: "DMA API",
    to: "DMA API",
    label: "look for devices with ATS",
    lock: "device_domain_lock",
  },
  "unmap __free_iova": { from: "DMA API", to: "DMA API", label: "free the IOVA", lock: "iova_rbtree_lock" },
  "unmap add_unmap": {
    from: "DMA API",
    to: "DMA API",
    label: "put it into the table",
    lock: "async_umap_flush_lock",
  },
  "flush qi_submit_sync: submit": {
    from: "DMA API",
    to: "IOMMU",
    label: "table full: forget all",
    lock: "async_umap_flush_lock",
  },
  "flush iommu_flush_dev_iotlb": {
    from: "DMA API",
    to: "DMA API",
    label: "250 times: a device with ATS?",
    lock: "device_domain_lock",
  },
  "flush __free_iova": { from: "DMA API", to: "DMA API", label: "free 250 IOVAs", lock: "iova_rbtree_lock" },
};

/** What driver and hardware do between map and unmap of a buffer that receives a packet. */
const received: readonly PathStep[] = [
  { from: "DMA API", to: "driver", label: "the IOVA" },
  { from: "driver", to: "memory", label: "descriptor into the ring" },
  { from: "NIC", to: "IOMMU", label: "packet, in TLPs" },
  { from: "IOMMU", to: "IOMMU", label: "IOTLB: hit or miss" },
  { from: "IOMMU", to: "memory", label: "on a miss: walk" },
  { from: "IOMMU", to: "memory", label: "data to the buffer" },
  { from: "NIC", to: "driver", label: "completion" },
];

/**
 * The steps of one received packet, from `dma_map` to the end of its unmap, in order. The kernel's steps and their order are those of the
 * programs that the simulated cores run ({@link callSteps}).
 * @param mode how an unmap invalidates
 */
export function packetSteps(mode: "strict" | "deferred" = "strict"): PathStep[] {
  const { map, unmap } = callSteps(mode);
  const pictures = (noted: readonly CallStep[]): PathStep[] =>
    noted.flatMap(({ within, step, locks }) => {
      const picture = pictureOf[`${within} ${step}`];
      return picture && (picture.lock === undefined || locks.includes(picture.lock)) ? [{ ...picture, step }] : [];
    });
  return [...pictures(map), ...received, ...pictures(unmap)];
}

/**
 * The path of one received packet as a picture: a lane for each that takes part, time downwards, marks where a lock is held.
 * @param mode how an unmap invalidates: `"strict"` at once, `"deferred"` for 250 buffers together
 * @throws Error naming the modes
 */
export function packetPath(mode: "strict" | "deferred" = "strict"): Figure {
  if (mode !== "strict" && mode !== "deferred")
    throw new Error(`There is no mode ${JSON.stringify(mode)}; there are "strict" and "deferred".`);
  const steps = packetSteps(mode);
  const at = (lane: Lane): number => lanes.indexOf(lane);
  const middle = ({ from, to }: PathStep): number => (from === to ? at(from) : (at(from) + at(to)) / 2);
  const text = (step: PathStep, i: number): string => `${i + 1} ${step.label}`;
  const arrows = steps.flatMap(({ from, to }, i) =>
    from === to
      ? []
      : [
          {
            x: at(to),
            y: i,
            ax: at(from),
            ay: i,
            xref: "x",
            yref: "y",
            axref: "x",
            ayref: "y",
            text: "",
            showarrow: true,
            arrowhead: 2,
            arrowwidth: 1.5,
            arrowcolor: palette[7],
          },
        ],
  );
  const held = locks
    .map((lock) => ({
      lock,
      colour: lookOf("lock", lock).colour,
      steps: steps.flatMap((step, i) => (step.lock === lock ? [i] : [])),
    }))
    .filter((entry) => entry.steps.length > 0);
  const takes = steps.filter(({ lock }) => lock === "iova_rbtree_lock").length;
  const flushing =
    mode === "deferred" ? " The flush happens once for 250 buffers, all under async_umap_flush_lock." : "";
  return figure({
    title: `The path of one received packet, ${mode} mode`,
    caption: `Time runs downwards; an arrow is a message or an access, a mark a lock that is held. One buffer takes the tree's lock ${takes} times; the hardware's part needs none.${flushing}`,
    alt: `The path of one received packet, ${mode} mode, in ${steps.length} steps. ${steps.map((step, i) => `${text(step, i)} (${step.from === step.to ? step.from : `${step.from} to ${step.to}`}${step.lock ? `, under ${step.lock}` : ""})`).join("; ")}.`,
    data: [
      {
        type: "scatter",
        mode: "lines",
        x: lanes.flatMap((_, lane) => [lane, lane, null]),
        y: lanes.flatMap(() => [-0.5, steps.length - 0.5, null]),
        line: { color: "rgba(127,127,127,0.45)", width: 1, dash: "dot" },
        hoverinfo: "skip",
        showlegend: false,
      },
      ...held.map(({ lock, colour, steps: marked }) => ({
        type: "scatter",
        mode: "markers",
        name: `under ${lock}`,
        showlegend: true,
        x: marked.map(() => at("DMA API")),
        y: marked,
        marker: { color: colour, size: 12, symbol: "square" },
        text: marked.map((i) => text(steps[i], i)),
        hovertemplate: `%{text}<br>under ${lock}<extra></extra>`,
      })),
      {
        type: "scatter",
        mode: "text",
        x: steps.map((step) => middle(step)),
        y: steps.map((step, i) => (step.from === step.to ? i : i - 0.32)),
        text: steps.map((step, i) => (step.from === step.to ? `   ${text(step, i)}` : text(step, i))),
        textposition: steps.map((step) =>
          step.from !== step.to ? "middle center" : step.from === "IOMMU" ? "middle left" : "middle right",
        ),
        textfont: { size: 12 },
        hoverinfo: "skip",
        showlegend: false,
      },
    ],
    layout: {
      annotations: arrows,
      xaxis: {
        side: "top",
        tickmode: "array",
        tickvals: lanes.map((_, i) => i),
        ticktext: lanes.map((lane) => `<b>${lane}</b>`),
        range: [-0.55, lanes.length - 0.55],
        showgrid: false,
        ticks: "",
        fixedrange: true,
      },
      yaxis: { visible: false, range: [steps.length - 0.4, -0.8], fixedrange: true },
      legend: { orientation: "h", x: 0, xanchor: "left", y: 0, yanchor: "top" },
      height: 90 + 32 * steps.length,
      margin: { t: 30, r: 12, b: 56, l: 12 },
    },
  });
}
