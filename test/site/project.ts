import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** A cell of a notebook, as short as a test wants to write it. */
export interface Cell {
  cell_type: "markdown" | "code" | "raw";
  id: string;
  source: string;
  metadata?: Record<string, unknown>;
  outputs?: Record<string, unknown>[];
  execution_count?: number | null;
  attachments?: Record<string, unknown>;
}

export const text = (source: string, id = `t${source.length}`): Cell => ({ cell_type: "markdown", id, source });

export const code = (source: string, outputs: Record<string, unknown>[] = [], id = `c${source.length}`): Cell => ({
  cell_type: "code",
  id,
  source,
  outputs,
  execution_count: 1,
});

/** The text of a notebook file. */
export function notebook(cells: Cell[]): string {
  return JSON.stringify({
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: "iommu-lab", language: "typescript" } },
    cells: cells.map((cell) => ({ metadata: {}, ...cell })),
  });
}

/** A PNG of one white pixel. */
export const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4////fwAJ+wP9KobjigAAAABJRU5ErkJggg==";

/** An output that shows content by media type. */
export const shown = (data: Record<string, unknown>, metadata: Record<string, unknown> = {}) => ({
  output_type: "display_data",
  data,
  metadata,
});

/** An output with a plot of the house, and its picture. */
export const plot = (title: string, caption: string, picture = true) =>
  shown(
    {
      "application/vnd.plotly.v1+json": {
        data: [{ type: "bar", x: ["a"], y: [1] }],
        layout: { title: { text: title }, height: 420, template: { layout: {} } },
      },
      "text/plain": `Figure: ${title}. ${caption}`,
      ...(picture ? { "image/png": png } : {}),
    },
    picture ? { "image/png": { width: 720, height: 420 } } : {},
  );

/** Writes a project's files into a folder and returns the folder. */
export function project(root: string, files: Record<string, string | Buffer>): string {
  for (const [file, content] of Object.entries({ "package.json": '{"version":"1.2.3"}', ...files })) {
    mkdirSync(dirname(join(root, file)), { recursive: true });
    writeFileSync(join(root, file), content);
  }
  return root;
}

/** A project with one notebook that uses everything once, and holds. */
export function smallProject(root: string): string {
  return project(root, {
    "README.md":
      "# small\n\nA project.\n\n| | | question |\n|---|---|---|\n| [01](notebooks/01-small.ipynb) | Small | Why? |\n",
    "CITATION.cff":
      "cff-version: 1.2.0\ntitle: small\nauthors:\n  - family-names: Doe\n    given-names: Jane\nversion: 1.2.3\ndate-released: 2026-11-22\n",
    "data/references.bib":
      "@article{doe-2015-maps, author = {Doe, Jane and Roe, Richard}, title = {On {Maps}}, journal = {Letters}, year = {2015}, doi = {10.1/x}}\n",
    "notebooks/glossary.md":
      "# Glossary\n\n## IOVA\n\nAn address that a *device* uses, see [PTE](#pte).\n\nMore.\n\n## PTE\n\nAn entry of a table.\n",
    "notebooks/01-small.ipynb": notebook([
      text(
        "# 01 · Small & neat\n\nAn [IOVA](glossary.md#iova) is explained by [Doe 2015](../data/references.bib#doe-2015-maps).",
        "intro",
      ),
      code("plotIt()", [plot("Bars", "They rise.")], "fig-bars"),
      text(
        "## What it says\n\nSee [figure 1](#cell-id=fig-bars) and [equation 1](#eq-1).\n\n$$ a = \\frac{b}{c} \\tag{1} $$",
        "says",
      ),
    ]),
  });
}
