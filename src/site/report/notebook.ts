/** The notebook that makes a report: the same tables and figures, cell by cell, to go on from. */
import { type RecordingReport, reportFigures, reportSections } from "../../experiments/index.js";
import { asLines, type Notebook, type NotebookCell, notebookText, withCellIds } from "../notebook.js";

/** What a report was made of. */
export interface ReportSource {
  /** The recording's name or path, relative to the notebook. */
  recording: string;
  /** The part that was replayed, where it is not the whole: steps left out at the beginning, and steps kept. */
  skip: number;
  limit: number;
  device: string;
}

/** The text of the notebook, not executed. */
export function reportNotebook(report: RecordingReport, { recording, skip, limit, device }: ReportSource): string {
  const text = (...lines: string[]): NotebookCell => ({
    cell_type: "markdown",
    metadata: {},
    source: asLines(lines.join("\n")),
  });
  const code = (...lines: string[]): NotebookCell => ({
    cell_type: "code",
    metadata: {},
    execution_count: null,
    outputs: [],
    source: asLines(lines.join("\n")),
  });
  const options = skip > 0 ? `, { skip: ${skip}, limit: ${limit} }` : "";
  const cells = [
    text(
      `# ${quoted(report.info.name)}: what it does to allocators, locks and IOTLB`,
      "",
      "Made by `iommu-lab trace report`. The path in the first cell is relative to this notebook.",
    ),
    code(
      'import { recordingReport, reportFigure, reportTable, reportText } from "iommu-lab/experiments";',
      'import { loadTrace } from "iommu-lab/recorder";',
      "",
      `const trace = await loadTrace(${JSON.stringify(recording)}${options});`,
      "const report = await recordingReport(trace, {",
      `  device: ${JSON.stringify(device)},`,
      '  onProgress: lab.onProgress("report"),',
      "  signal: lab.signal,",
      "});",
    ),
    ...reportSections(report).flatMap(({ id, title, tables, figures }) => [
      text(`## ${title}`),
      code(`reportText(report, ${JSON.stringify(id)})`),
      ...tables.map((_, i) => code(`reportTable(report, ${JSON.stringify(id)}${i > 0 ? `, ${i}` : ""})`)),
      ...figures
        .filter((name) => reportFigures[name](report) !== undefined)
        .map((name) => code(`reportFigure(report, ${JSON.stringify(name)})`)),
    ]),
  ];
  const notebook: Notebook = {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: {
      kernelspec: { display_name: "TypeScript (iommu-lab)", language: "typescript", name: "iommu-lab" },
      language_info: { name: "typescript", mimetype: "text/typescript", file_extension: ".ts" },
    },
    cells,
  } as Notebook;
  return notebookText(withCellIds(notebook));
}

/** A name in a text cell, which is Markdown: nothing of it is markup. */
function quoted(name: string): string {
  return name.replace(/[\\`*_{}[\]()#+!<>|~&$-]/g, "\\$&");
}
