/** Which files of the project become pages, and under which address. */
import { existsSync } from "node:fs";
import { basename, join, posix } from "node:path";
import { readRegular, realPlace } from "../../files/index.js";
import { joined, type Notebook, NotebookError, parseNotebook, withCellIds } from "../notebook.js";
import { figuresOf, withPictures } from "./figures.js";
import type { Fault, Page } from "./model.js";
import type { NotShown, ProjectFiles } from "./project-files.js";

/** Longer headings are cut where they become titles. */
const longestTitle = 200;
const largestNotebook = 64 * 2 ** 20;

/** The address of the page made of a project's file: notebooks lie at the top, everything else under `files/`. */
export function urlOf(file: string): string {
  if (file === "README.md") return "index.html";
  if (file === "data/references.bib") return "references.html";
  if (/^notebooks\/.*\.(?:ipynb|md)$/.test(file))
    return `${file.slice("notebooks/".length).replace(/\.\w+$/, "")}.html`;
  return `files/${file.endsWith(".md") ? file.slice(0, -3) : file}.html`;
}

/** A page of a notebook. */
export function notebookPage(file: string, notebook: Notebook): Page {
  const withIds = withCellIds(notebook);
  const texts = withIds.cells.filter((cell) => cell.cell_type === "markdown").map((cell) => joined(cell.source));
  const heading = texts.map(titleIn).find((found) => found !== undefined);
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

/** The first heading of the first level in a text. */
function titleIn(text: string): string | undefined {
  const line = text.split("\n").find((one) => /^#[ \t]+\S/.test(one));
  return line?.slice(1).trim().slice(0, longestTitle).replace(/#+$/, "").trim();
}

/** The numbers of the equations in a text, in their order. */
export function equationsIn(text: string): string[] {
  return [...text.matchAll(/\$\$[\s\S]*?\$\$/g)].flatMap(([math]) =>
    [...math.matchAll(/\\tag\*?\{([^}]{0,100})\}/g)].map((found) => found[1].trim()),
  );
}

function plainText(markdown: string): string {
  return markdown.replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").replace(/[*_`]/g, "");
}

/** A page of a Markdown file. */
export function textPage(file: string, text: string): Page {
  const heading = titleIn(text);
  const kind = file === "README.md" ? "home" : file === "notebooks/glossary.md" ? "glossary" : "text";
  const title = heading ? plainText(heading) : kind === "home" ? "iommu-lab" : file;
  const part = kind === "text" ? "files" : "reference";
  return { kind, file, url: urlOf(file), title, part, text, figures: [], equations: equationsIn(text) };
}

/**
 * The pages that always are: the first one, notebooks, exercises, solutions, glossary, where the files exist.
 * @param executed a folder with executed notebooks that stand in for the stored ones of the same name
 * @param fault told of each file that is refused
 * @throws NotebookError for a notebook that cannot be read
 */
export function standingPages(
  files: ProjectFiles,
  executed: string | undefined,
  fault: (fault: Fault) => void,
): Page[] {
  const refuse = (page: string, message: string) => fault({ page, message, refused: true });
  const text = (file: string) => files.text(file, (message) => refuse(file, message));
  const pages = [textPage("README.md", text("README.md"))];
  let found = 0;
  for (const folder of ["notebooks", "notebooks/exercises", "notebooks/solutions"]) {
    for (const file of files.notebooksIn(folder, refuse)) {
      found++;
      const bytes = files.read(file, "notebook");
      if (bytes instanceof Uint8Array) {
        const stored = parseNotebook(bytes.toString("utf8"), file);
        const fresh = executed === undefined ? undefined : executedNotebook(executed, file);
        pages.push(notebookPage(file, fresh ? withPictures(fresh, stored) : stored));
      } else refuse(file, `it ${bytes.why}.`);
    }
  }
  if (found === 0) {
    throw new NotebookError(`${join(files.root, "notebooks")}: expected at least one notebook (NAME.ipynb).`);
  }
  if (files.exists("notebooks/glossary.md"))
    pages.push(textPage("notebooks/glossary.md", text("notebooks/glossary.md")));
  return pages;
}

/** The notebook of the same name in a folder of executed ones, where it holds one. */
function executedNotebook(folder: string, file: string): Notebook | undefined {
  const inside = posix.relative("notebooks", file);
  const place = realPlace(folder, inside);
  if (place === undefined || !existsSync(join(folder, place))) return undefined;
  const path = join(folder, inside);
  return parseNotebook(readRegular(join(folder, place), path, largestNotebook).toString("utf8"), path);
}

/** What a link to a project's file leads to: a page of its own, made when it is asked for; or why there is none. */
export function pageOfFile(files: ProjectFiles, file: string): Page | NotShown {
  const place = files.place(file);
  if (typeof place !== "string") return place;
  if (files.isFolder(place)) {
    const readme = posix.join(file, "README.md");
    return files.exists(readme)
      ? pageOfFile(files, readme)
      : { why: "is a folder without a README.md", refused: false };
  }
  const bytes = files.read(file, "text");
  if (!(bytes instanceof Uint8Array)) return bytes;
  const text = bytes.toString("utf8");
  if (file.endsWith(".md")) return textPage(file, text);
  return { kind: "source", file, url: urlOf(file), title: file, part: "files", text, figures: [], equations: [] };
}
