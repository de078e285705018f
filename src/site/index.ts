/**
 * Notebooks as documents: executed without Jupyter, given static pictures, and made a web site.
 *
 * `runNotebook` runs the cells over the kernel's own session and returns the notebook as it is stored; the same run gives the same bytes.
 * `startDrawing` draws plotly figures in a headless Chromium, exactly as a page does, with the project's own plotly.js.
 * `reportPage` and `reportNotebook` make the report on a recording a page without any script, and the notebook that made it.
 * `buildSite` makes pages of the executed notebooks, the glossary, the references and the README, and checks that every link, figure,
 * equation, citation and word in them resolves; nothing of a page is ever loaded from elsewhere.
 */
export { type ApiReference, ApiReferenceError, writeApiReference } from "./api-reference.js";
export { ChromiumError, launchChromium } from "./chromium.js";
export { dressed } from "./dress.js";
export { compareNotebooks, type Drift, driftText } from "./drift.js";
export { type Migrated, migrateImports, migrateNotebook } from "./migrate.js";
export {
  asLines,
  type CellOutput,
  type CodeCell,
  joined,
  type Notebook,
  type NotebookCell,
  NotebookError,
  notebookText,
  parseNotebook,
  withCellIds,
} from "./notebook.js";
export { type Spoken, spoken } from "./numbers/spoken.js";
export { checkNumbers, tiedNumbers, type WrongNumber, wrongNumberText } from "./numbers.js";
export { OutputCollector } from "./outputs.js";
export { type BuiltSite, makeSite, type SiteSources } from "./pages/build.js";
export { type SiteServer, serveSite } from "./pages/serve.js";
export { buildSite, SiteError, type SiteOptions } from "./pages/write.js";
export { type Drawing, type Picture, type PictureOptions, type PlotlyFigure, startDrawing } from "./picture.js";
export { type ReportSource, reportNotebook } from "./report/notebook.js";
export { reportPage } from "./report/page.js";
export {
  notebookHash,
  progressFiles,
  type ReproducedNotebook,
  type ReproduceOptions,
  reproduceNotebooks,
} from "./reproduce.js";
export {
  CellError,
  type CellProgress,
  type CellTiming,
  type NotebookRun,
  type RunNotebookOptions,
  runNotebook,
} from "./run-notebook.js";
