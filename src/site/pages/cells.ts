/** A notebook's cells as the main part of a page. */
import { type CodeCell, joined, type NotebookCell } from "../notebook.js";
import type { PageContext } from "./context.js";
import { lines, type Markup, markup, type Root, textIn, written } from "./html.js";
import { renderMarkdown } from "./markdown.js";
import type { Heading, Section } from "./model.js";
import { drawOutput } from "./output.js";

/** The main part of a page, gathered piece by piece. */
export class MainPart {
  readonly html: Markup[] = [];
  readonly contents: Heading[] = [];
  readonly sections: Section[] = [];
  /** Its first paragraph. */
  lead = "";

  constructor(private readonly context: PageContext) {}

  /** Adds a text in Markdown. */
  markdown(text: string): void {
    const { tree, headings } = renderMarkdown(text, this.context);
    this.contents.push(...headings.filter(({ level }) => level === 2 || level === 3));
    this.split(tree);
    this.html.push(written(tree));
  }

  /** Adds words under the last heading, for the search. */
  say(text: string): void {
    const words = text.replace(/\s+/g, " ").trim();
    if (words === "") return;
    const last = this.sections.at(-1) ?? this.section(this.context.page.title, "");
    last.text = `${last.text} ${words}`.trim();
  }

  private section(title: string, anchor: string): Section {
    const section = { title, anchor, text: "" };
    this.sections.push(section);
    return section;
  }

  private split(tree: Root): void {
    for (const child of tree.children) {
      if (child.type === "element" && /^h[1-6]$/.test(child.tagName))
        this.section(textIn(child).trim(), String(child.properties["id"] ?? ""));
      else {
        const words = textIn(child as never)
          .replace(/\s+/g, " ")
          .trim();
        if (this.lead === "" && !words.startsWith("Reading: ") && child.type === "element" && child.tagName === "p")
          this.lead = words;
        this.say(words);
      }
    }
  }
}

/** Draws every cell of a page's notebook. */
export function drawCells(context: PageContext, main: MainPart): void {
  const cells = context.page.notebook?.cells ?? [];
  if (cells.length === 0) {
    context.fault("the notebook has no cells.");
    main.html.push(markup`<h1>${context.page.title}</h1><p>This notebook is empty.</p>`);
  }
  for (const [i, cell] of cells.entries()) {
    context.attachments = (cell as { attachments?: PageContext["attachments"] }).attachments ?? {};
    if (hidden(cell)) continue;
    if (cell.cell_type === "markdown") {
      main.html.push(markup`<div class="cell text" id="cell-${cell.id!}">`);
      main.markdown(joined(cell.source));
      main.html.push(markup`</div>`);
    } else if (cell.cell_type === "code") drawCode(context, main, cell, i + 1);
    else main.html.push(markup`<pre class="raw" tabindex="0">${joined(cell.source)}</pre>`);
  }
}

const tags = (cell: NotebookCell): string[] =>
  Array.isArray(cell.metadata["tags"]) ? (cell.metadata["tags"] as string[]) : [];

const hidden = (cell: NotebookCell): boolean => tags(cell).includes("remove-cell");

/** Outputs that JupyterLab keeps folded until the reader asks for them: those that answer a question to the reader. */
const outputsHidden = (cell: CodeCell): boolean =>
  (cell.metadata["jupyter"] as { outputs_hidden?: unknown } | undefined)?.outputs_hidden === true;

function drawCode(context: PageContext, main: MainPart, cell: CodeCell, position: number): void {
  const source = joined(cell.source);
  const where = `cell ${position} ("${cell.id}")`;
  if (source.trim() === "" && cell.outputs.length === 0) return;
  // An exercise's first cells are the reader's to run.
  const mayWait = context.page.part === "exercises" || tags(cell).includes("skip-execution");
  if (cell.execution_count === null && source.trim() !== "" && !mayWait)
    context.fault(`${where} has not been run; execute the notebook first.`);
  const failed = cell.outputs.find((output) => output.output_type === "error");
  if (failed && !tags(cell).includes("raises-exception"))
    context.fault(`${where} ended with an error: ${String((failed as { ename?: string }).ename)}.`);
  const count = source.trimEnd().split("\n").length;
  const change = /^\s*\/\/ Change this\b/i.test(source);
  const toRun = cell.execution_count === null && context.page.part === "exercises";
  const what = change ? "Code to change" : toRun ? "Code to start from" : "Code";
  const label = markup`${what} <span class="lines">${count} ${count === 1 ? "line" : "lines"}</span>`;
  main.html.push(
    markup`<div class="cell code${change ? " change" : ""}" id="cell-${cell.id!}">`,
    markup`<details class="source" open><summary>${label}</summary>${context.highlighter.html(source.trimEnd(), "typescript")}</details>`,
  );
  const outputs = cell.outputs.map((output, index) => drawOutput(context, cell, output, index));
  const shown = lines(outputs.map((output) => output.html));
  if (shown.html !== "")
    main.html.push(
      outputsHidden(cell)
        ? markup`<details class="outputs fold reveal"><summary>Reveal the result</summary>${shown}</details>`
        : markup`<div class="outputs">${shown}</div>`,
    );
  main.html.push(markup`</div>`);
  for (const { text } of outputs) main.say(text);
}
