/** The site: every page drawn, checked and written. */
import { extname } from "node:path";
import { ChromiumError } from "../chromium.js";
import { type CodeCell, joined, type Notebook, notebookText } from "../notebook.js";
import type { Drawing } from "../picture.js";
import { addPicture } from "../run-notebook.js";
import { assets } from "./assets.js";
import { readBibliography } from "./bibliography.js";
import { drawCells, MainPart } from "./cells.js";
import { checkSite } from "./check.js";
import { citationHtml } from "./citation.js";
import { startHighlighter } from "./code.js";
import { PageContext, type Site } from "./context.js";
import { pictureOf, plotOf, plotsIn } from "./figures.js";
import { readGlossary } from "./glossary.js";
import { lines, type Markup, markup, none } from "./html.js";
import type { DrawnPage, Fault, Page } from "./model.js";
import { ProjectFiles } from "./project-files.js";
import { searchScript } from "./search.js";
import { downloadUrl, drawShell, type Shell } from "./shell.js";
import { standingPages } from "./sources.js";

/** What a site is made of. */
export interface SiteSources {
  /** The project's folder: notebooks/, data/references.bib, README.md. */
  root: string;
  /** A folder with executed notebooks that stand in for the stored ones of the same name. */
  executed?: string;
  /** Whether pages link to their PDFs, which are made afterwards. */
  pdf?: boolean;
  /** Draws the pictures of plots that have none; without it such plots are faults. Asked for with the first one. */
  drawing?: () => Promise<Drawing>;
  /** Whether a file that is not made here (the API reference) lies in the site's folder. */
  exists?: (url: string) => boolean;
  /** Told of each page that is drawn. */
  onPage?: (done: number, total: number, url: string) => void;
}

/** A site in memory. */
export interface BuiltSite {
  /** Contents by address. */
  files: Map<string, string | Uint8Array>;
  /** Addresses of the pages, in the order of the navigation; then those of files that pages link to. */
  pages: string[];
  /** What does not hold: a sentence each, beginning with the file. */
  faults: string[];
  /** Those of the faults for which nothing may be written: the site would give away what is not its own. */
  refused: string[];
  /** Notebooks that were saved while they ran: their pages are made, and say so. A sentence each, beginning with the file. */
  unfinished: string[];
  /** Works and words that no page uses: not wrong, but worth knowing. */
  unused: { citations: string[]; terms: string[] };
}

/**
 * Makes the site in memory, and checks it.
 * @throws NotebookError for a notebook that cannot be read
 */
export async function makeSite(sources: SiteSources): Promise<BuiltSite> {
  const project = new ProjectFiles(sources.root);
  const faults: Fault[] = [];
  const read = (file: string) => project.text(file, (message) => faults.push({ page: file, message, refused: true }));
  const standing = standingPages(project, sources.executed, (fault) => faults.push(fault));
  if (sources.drawing) await drawMissing(standing, sources.drawing);
  const site: Site = {
    project,
    pages: new Map(standing.map((page) => [page.file, page])),
    files: new Map(),
    faults,
    bibliography: readBibliography(read("data/references.bib"), (message) =>
      faults.push({ page: "data/references.bib", message }),
    ),
    glossary: readGlossary(read("notebooks/glossary.md"), (message) =>
      faults.push({ page: "notebooks/glossary.md", message }),
    ),
    highlighter: await startHighlighter(),
    used: { terms: new Set(), citations: new Set() },
  };
  if (site.bibliography.keys.length > 0) {
    const page = {
      kind: "references",
      file: "data/references.bib",
      url: "references.html",
      title: "References",
    } as const;
    site.pages.set(page.file, { ...page, part: "reference", figures: [], equations: [] });
  }
  const { version } = JSON.parse(read("package.json") || '{"version":"0"}') as { version: string };
  const api = sources.exists?.("api/index.html") ?? false;
  const shell: Shell = {
    pages: [...site.pages.values()],
    further: api ? [{ title: "API reference", url: "api/index.html" }] : [],
    version,
    citation: citationHtml(read("CITATION.cff"), (message) => faults.push({ page: "CITATION.cff", message })),
    pdf: sources.pdf ?? false,
  };
  // Links to further files add pages while this goes on.
  const drawn: DrawnPage[] = [];
  for (const page of site.pages.values()) {
    const result = drawPage(site, page);
    drawn.push(result);
    result.context.put(page.url, drawShell(result, shell).html);
    if (page.notebook) result.context.put(downloadUrl(page), notebookText(page.notebook));
    sources.onPage?.(drawn.length, site.pages.size, page.url);
    await new Promise((resume) => setImmediate(resume));
  }
  site.files.set("assets/search-index.js", searchScript(drawn.filter(({ page }) => page.kind !== "source")));
  for (const [url, content] of assets()) site.files.set(url, content);
  const later = (url: string) => (shell.pdf && url.startsWith("pdf/")) || (sources.exists?.(url) ?? false);
  faults.push(...checkSite(site.files, later));
  const halves = [...site.pages.values()].filter((page) => page.part !== "exercises" && isHalfRun(page.notebook));
  // What such a page lacks follows from one thing, which is said once; so does a link to a figure that is not there yet.
  const follows = ({ page, message, refused }: Fault) =>
    refused !== true &&
    !message.includes("ended with an error") &&
    halves.some(({ file, url }) => page === file || page === url || message.includes(file));
  const standingFaults = faults.filter((fault) => !follows(fault));
  return {
    files: site.files,
    pages: drawn.map(({ page }) => page.url),
    faults: standingFaults.map(told),
    refused: faults.filter(({ refused }) => refused).map(told),
    unfinished: halves.map(
      ({ file }) => `${file}: it was saved while it ran. Its page shows what there is; run it to its end and save it.`,
    ),
    unused: {
      citations: site.bibliography.keys.filter((key) => !site.used.citations.has(key)),
      terms: [...site.glossary.values()].filter(({ anchor }) => !site.used.terms.has(anchor)).map(({ title }) => title),
    },
  };
}

/** Whether a notebook was saved in the middle of a run, as JupyterLab does by itself: some cells have run and some have not. */
function isHalfRun(notebook: Notebook | undefined): boolean {
  const code = (notebook?.cells ?? []).filter(
    (cell): cell is CodeCell => cell.cell_type === "code" && joined(cell.source).trim() !== "",
  );
  return (
    code.some((cell) => cell.execution_count !== null) &&
    code.some((cell) => mayNotWait(cell) && cell.execution_count === null)
  );
}

const told = ({ page, message }: Fault): string => `${page}: ${message}`;

/** Gives every plot without a picture one. Where no browser can be started they stay without, which the page tells as a fault. */
async function drawMissing(pages: readonly Page[], drawing: () => Promise<Drawing>): Promise<void> {
  try {
    for (const output of pages.flatMap(({ notebook }) => (notebook ? plotsIn(notebook) : [])))
      if (!pictureOf(output)) await addPicture(output, plotOf(output)!, await drawing());
  } catch (error) {
    if (!(error instanceof ChromiumError)) throw error;
  }
}

const mayNotWait = (cell: CodeCell): boolean =>
  !(Array.isArray(cell.metadata["tags"]) && (cell.metadata["tags"] as unknown[]).includes("skip-execution"));

function drawPage(site: Site, page: Page): DrawnPage & { context: PageContext } {
  const context = new PageContext(site, page);
  const main = new MainPart(context);
  if (page.kind === "notebook") {
    if (page.part !== "exercises" && isHalfRun(page.notebook))
      main.html.push(
        markup`<p class="note">This notebook was saved while it ran: some of its results are missing.</p>`,
      );
    drawCells(context, main);
  } else if (page.kind === "references") drawReferences(context, main);
  else if (page.kind === "source") drawSource(context, main);
  else main.markdown(page.text || `# ${page.title}`);
  if (page.kind !== "references") main.html.push(referenceList(context));
  main.html.push(meanings(context));
  const description = main.lead === "" ? page.title : main.lead;
  return {
    context,
    page,
    main: lines(main.html),
    contents: main.contents,
    description: description.length > 200 ? `${description.slice(0, 197).replace(/\s\S*$/, "")} …` : description,
    sections: main.sections,
  };
}

/** The works that a page cites. */
function referenceList({ site, citations }: PageContext): Markup {
  if (citations.size === 0) return none;
  const keys = site.bibliography.keys.filter((key) => citations.has(key));
  const items = keys.map((key) => markup`<li id="ref-${key}">${site.bibliography.html(key)}</li>`);
  return markup`<section class="references" aria-labelledby="references"><h2 id="references">References</h2><ul>${items}</ul></section>`;
}

/** What the words of a page mean, for whoever points at them. */
function meanings({ site, terms }: PageContext): Markup {
  const items = [...terms].sort().map((anchor) => {
    const { text } = site.glossary.get(anchor)!;
    return markup`<p id="term-${anchor}">${text}</p>`;
  });
  return items.length === 0 ? none : markup`<div class="meanings" hidden>${items}</div>`;
}

function drawReferences({ site }: PageContext, main: MainPart): void {
  const items = site.bibliography.keys.map((key) => {
    main.say(site.bibliography.text(key));
    return markup`<li id="${key}">${site.bibliography.html(key)}</li>`;
  });
  main.html.push(markup`<h1>References</h1><ul class="references">${items}</ul>`);
}

function drawSource({ site, page }: PageContext, main: MainPart): void {
  main.html.push(
    markup`<h1 class="path">${page.file}</h1>`,
    markup`<div class="listing file">${site.highlighter.html((page.text ?? "").trimEnd(), extname(page.file).slice(1), { lines: true })}</div>`,
  );
}
