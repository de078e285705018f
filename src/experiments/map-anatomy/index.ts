// Question: line by line, where do the cycles of one map and one unmap go?

import { defineExperiment, type Experiment } from "../frame/experiment.js";
import { type AnatomyPoint, Config, label, pointsOf } from "./config.js";
import { figures } from "./figures.js";
import { columns, type MapAnatomyRow, simulate } from "./rows.js";

/** Where the cycles of one map and one unmap go, line by line, each with its function of Linux v4.3. */
export const mapAnatomy: Experiment<typeof Config, AnatomyPoint, MapAnatomyRow> = defineExperiment({
  name: "map-anatomy",
  place: [2, 2],
  title: "Where the cycles of one dma_map and one dma_unmap go",
  question: "Line by line, what do one dma_map and one dma_unmap cost?",
  config: Config,
  points: pointsOf,
  label: ({ run, replication }) => `${label(run)}, run ${replication + 1}`,
  simulate,
  columns,
  figures,
  claims: () => [],
});

export type { AnatomyConfig, MapAnatomyConfig } from "./config.js";
