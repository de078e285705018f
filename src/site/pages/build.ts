/** The site: every page drawn, checked and written. */
import { existsSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";
import { ChromiumError } from "../chromium.js";
import { notebookText } from "../notebook.js";
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
import { escaped } from "./html.js";
import type { DrawnPage, Fault, Page } from "./model.js";
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
  /** Works and words that no page uses: not wrong, but worth knowing. */
  unused: { citations: string[]; terms: string[] };
}

/**
 * Makes the site in memory, and checks it.
 * @throws NotebookError for a notebook that cannot be read
 */
export async function makeSite(sources: SiteSources): Promise<BuiltSite> {
  const { root } = sources;
  const faults: Fault[] = [];
  const read = (file: string) => (existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "");
  const standing = standingPages(root, sources.executed);
  if (sources.drawing) await drawMissing(standing, sources.drawing);
  const site: Site = {
    root,
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
    site.files.set(page.url, drawShell(result, shell));
    if (page.notebook) site.files.set(downloadUrl(page), notebookText(page.notebook));
    sources.onPage?.(drawn.length, site.pages.size, page.url);
    await new Promise((resume) => setImmediate(resume));
  }
  site.files.set("assets/search-index.js", searchScript(drawn.filter(({ page }) => page.kind !== "source")));
  for (const [url, content] of assets()) site.files.set(url, content);
  const later = (url: string) => (shell.pdf && url.startsWith("pdf/")) || (sources.exists?.(url) ?? false);
  faults.push(...checkSite(site.files, later));
  return {
    files: site.files,
    pages: drawn.map(({ page }) => page.url),
    faults: faults.map(({ page, message }) => `${page}: ${message}`),
    unused: {
      citations: site.bibliography.keys.filter((key) => !site.used.citations.has(key)),
      terms: [...site.glossary.values()].filter(({ anchor }) => !site.used.terms.has(anchor)).map(({ title }) => title),
    },
  };
}

/** Gives every plot without a picture one. Where no browser can be started they stay without, which the page tells as a fault. */
async function drawMissing(pages: readonly Page[], drawing: () => Promise<Drawing>): Promise<void> {
  try {
    for (const output of pages.flatMap(({ notebook }) => (notebook ? plotsIn(notebook) : [])))
      if (!pictureOf(output)) await addPicture(output, plotOf(output)!, await drawing());
  } catch (error) {
    if (!(error instanceof ChromiumError)) throw error;
  }
}

function drawPage(site: Site, page: Page): DrawnPage {
  const context = new PageContext(site, page);
  const main = new MainPart(context);
  if (page.kind === "notebook") drawCells(context, main);
  else if (page.kind === "references") drawReferences(context, main);
  else if (page.kind === "source") drawSource(context, main);
  else if (existsSync(join(site.root, page.file))) main.markdown(readFileSync(join(site.root, page.file), "utf8"));
  else main.markdown(`# ${page.title}`);
  if (page.kind !== "references") main.html.push(referenceList(context));
  main.html.push(meanings(context));
  const description = main.lead === "" ? page.title : main.lead;
  return {
    page,
    main: main.html.filter((part) => part !== "").join("\n"),
    contents: main.contents,
    description: description.length > 200 ? `${description.slice(0, 197).replace(/\s\S*$/, "")} …` : description,
    sections: main.sections,
  };
}

/** The works that a page cites. */
function referenceList({ site, citations }: PageContext): string {
  if (citations.size === 0) return "";
  const keys = site.bibliography.keys.filter((key) => citations.has(key));
  const items = keys.map((key) => `<li id="ref-${key}">${site.bibliography.html(key)}</li>`);
  return `<section class="references" aria-labelledby="references"><h2 id="references">References</h2><ul>${items.join("")}</ul></section>`;
}

/** What the words of a page mean, for whoever points at them. */
function meanings({ site, terms }: PageContext): string {
  const items = [...terms].sort().map((anchor) => {
    const { text } = site.glossary.get(anchor)!;
    return `<p id="term-${anchor}">${escaped(text)}</p>`;
  });
  return items.length === 0 ? "" : `<div class="meanings" hidden>${items.join("")}</div>`;
}

function drawReferences({ site }: PageContext, main: MainPart): void {
  const items = site.bibliography.keys.map((key) => {
    main.say(site.bibliography.text(key));
    return `<li id="${key}">${site.bibliography.html(key)}</li>`;
  });
  main.html.push(`<h1>References</h1><ul class="references">${items.join("")}</ul>`);
}

function drawSource({ site, page }: PageContext, main: MainPart): void {
  const text = readFileSync(join(site.root, page.file), "utf8");
  main.html.push(
    `<h1 class="path">${escaped(page.file)}</h1>`,
    `<div class="listing file">${site.highlighter.html(text.trimEnd(), extname(page.file).slice(1), { lines: true })}</div>`,
  );
}
