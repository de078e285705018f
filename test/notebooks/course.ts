import { readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { type CodeCell, joined, type Notebook, type NotebookCell, parseNotebook } from "../../src/site/index.js";

/** The project's folder. */
export const root: string = fileURLToPath(new URL("../..", import.meta.url));

/** A notebook of the course, with its path from the project's folder. */
export interface CourseNotebook {
  path: string;
  notebook: Notebook;
}

function inFolder(folder: string): CourseNotebook[] {
  return readdirSync(`${root}/${folder}`)
    .filter((name) => name.endsWith(".ipynb"))
    .sort()
    .map((name) => {
      const path = `${folder}/${name}`;
      return { path, notebook: parseNotebook(readFileSync(`${root}/${path}`, "utf8"), path) };
    });
}

/** The notebooks 00, 01 … in order. */
export const chapters = (): CourseNotebook[] => inFolder("notebooks");
export const exercises = (): CourseNotebook[] => inFolder("notebooks/exercises");
export const solutions = (): CourseNotebook[] => inFolder("notebooks/solutions");

/** A cell's text. */
export const text = (cell: NotebookCell): string => joined(cell.source);

/** The texts of a notebook's markdown cells, in order. */
export const prose = ({ notebook }: CourseNotebook): string[] =>
  notebook.cells.filter((cell) => cell.cell_type === "markdown").map(text);

export const codeCells = ({ notebook }: CourseNotebook): CodeCell[] =>
  notebook.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");

/** A heading's fragment, as code hosts make it: lower case, spaces to hyphens, other punctuation dropped. */
export const fragment = (heading: string): string =>
  heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_\- ]/gu, "")
    .replaceAll(" ", "-");

/** A link in markdown: its text and where it leads. */
export interface Link {
  text: string;
  target: string;
}

/** The links of a markdown text, without those in code. */
export function links(markdown: string): Link[] {
  const plain = markdown.replace(/^```.*?^```$/gms, "");
  return [...plain.matchAll(/\[((?:[^\]\\]|\\.)*)\]\(([^)\s]+)\)/g)].map(([, label, target]) => ({
    text: label,
    target,
  }));
}
