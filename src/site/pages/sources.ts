/** Which files of the project become pages, and under which address. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { joined, type Notebook, NotebookError, parseNotebook, withCellIds } from "../notebook.js";
import { figuresOf, withPictures } from "./figures.js";
import type { Page } from "./model.js";

/** The address of the page made of a project's file: notebooks lie at the top, everything else under `files/`. */
export function urlOf(file: string): string {
  if (file === "README.md") return "index.html";
  if (file === "data/references.bib") return "references.html";
  if (/^notebooks\/.*\.(?:ipynb|md)$/.test(file))
    return `${file.slice("notebooks/".length).replace(/\.\w+$/, "")}.html`;
  return `files/${file.endsWith(".md") ? file.slice(0, -3) : file}.html`;
}

/** The notebooks of a folder in the order of their names. */
function notebooksIn(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return [];
  return readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ipynb"))
    .sort()
    .map((name) => posix.join(folder, name));
}

/** A page of a notebook. */
export function notebookPage(file: string, notebook: Notebook): Page {
  const withIds = withCellIds(notebook);
  const texts = withIds.cells.filter((cell) => cell.cell_type === "markdown").map((cell) => joined(cell.source));
  const heading = texts.map((text) => /^#\s+(.+?)\s*#*$/m.exec(text)?.[1]).find((found) => found !== undefined);
  const folder = file.split("/").at(-2);
  return {
    kind: "notebook",
    file,
    url: urlOf(file),
    title: heading ? plainText(heading).replace(/^\d+\s*[·.:–-]\s*/, "") : basename(file, ".ipynb"),
    part: folder === "exercises" || folder === "solutions" ? folder : "notebooks",
    notebook: withIds,
    figures: figuresOf(withIds),
    equations: equationsIn(texts.join("\n\n")),
  };
}

/** The numbers of the equations in a text, in their order. */
export function equationsIn(text: string): string[] {
  return [...text.matchAll(/\$\$[\s\S]*?\$\$/g)].flatMap(([math]) =>
    [...math.matchAll(/\\tag\*?\{([^}]*)\}/g)].map((found) => found[1].trim()),
  );
}

function plainText(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*_`]/g, "");
}

/** A page of a Markdown file. */
export function textPage(root: string, file: string): Page {
  const text = existsSync(join(root, file)) ? readFileSync(join(root, file), "utf8") : "";
  const heading = /^#\s+(.+?)\s*#*$/m.exec(text)?.[1];
  const kind = file === "README.md" ? "home" : file === "notebooks/glossary.md" ? "glossary" : "text";
  const title = heading ? plainText(heading) : kind === "home" ? "iommu-lab" : file;
  const part = kind === "text" ? "files" : "reference";
  return { kind, file, url: urlOf(file), title, part, figures: [], equations: equationsIn(text) };
}

/**
 * The pages that always are: the first one, notebooks, exercises, solutions, glossary, where the files exist.
 * @param executed a folder with executed notebooks that stand in for the stored ones of the same name
 * @throws NotebookError for a notebook that cannot be read
 */
export function standingPages(root: string, executed?: string): Page[] {
  const pages = [textPage(root, "README.md")];
  for (const folder of ["notebooks", "notebooks/exercises", "notebooks/solutions"]) {
    for (const file of notebooksIn(root, folder)) {
      const stored = parseNotebook(readFileSync(join(root, file), "utf8"), file);
      const fresh = executed === undefined ? undefined : join(executed, posix.relative("notebooks", file));
      const notebook =
        fresh && existsSync(fresh) ? withPictures(parseNotebook(readFileSync(fresh, "utf8"), fresh), stored) : stored;
      pages.push(notebookPage(file, notebook));
    }
  }
  if (!pages.some((page) => page.kind === "notebook")) {
    throw new NotebookError(`${join(root, "notebooks")}: expected at least one notebook (NAME.ipynb).`);
  }
  if (existsSync(join(root, "notebooks/glossary.md"))) pages.push(textPage(root, "notebooks/glossary.md"));
  return pages;
}

/** Folders and files of the project that a link may lead to; all else (packages, results, settings) stays out of the site. */
const linkable = /^(?:src|data|test|notebooks)(?:\/|$)|^[\w.-]+$/;
const longest = 400_000;

/** What a link to a project's file leads to: a page of its own, made when it is asked for; or why there is none. */
export function pageOfFile(root: string, file: string): Page | string {
  if (!linkable.test(file) || /(?:^|\/)(?:node_modules|\.git|\.venv)(?:\/|$)/.test(file))
    return "is not a file of the project";
  const path = join(root, file);
  if (!existsSync(path)) return "does not exist";
  if (statSync(path).isDirectory()) {
    const readme = posix.join(file, "README.md");
    return existsSync(join(root, readme)) ? textPage(root, readme) : "is a folder without a README.md";
  }
  if (file.endsWith(".md")) return textPage(root, file);
  if (statSync(path).size > longest) return `is too large for a page (${Math.round(statSync(path).size / 1000)} kB)`;
  return { kind: "source", file, url: urlOf(file), title: file, part: "files", figures: [], equations: [] };
}
