/**
 * The dress of a stored notebook: what every reader of the file should find, whatever shows it (JupyterLab, nbconvert, a code host).
 * Nothing of it is computed by a cell, so that it can be put on and taken off without running anything.
 */
import { languageInfo } from "../jupyter/index.js";
import { type CellOutput, type CodeCell, joined, type Notebook } from "./notebook.js";
import { figuresOf, textsOf } from "./pages/figures.js";

type Bundle = Record<string, unknown>;
const dataOf = (output: CellOutput): Bundle => ("data" in output ? (output["data"] as Bundle) : {});
const metadataOf = (output: CellOutput): Bundle => ("metadata" in output ? (output["metadata"] as Bundle) : {});
const textOf = (value: unknown): string =>
  typeof value === "string" || Array.isArray(value) ? joined(value as string | string[]) : "";

/** Whether an output is a progress bar. */
export function isProgress(output: CellOutput): boolean {
  return textOf(dataOf(output)["text/html"]).includes("<progress ");
}

/** Whether an output is the bar of work that is done, which says nothing any more. */
export function isFinished(output: CellOutput): boolean {
  const [, done, total] = /\((\d+) of (\d+)\)\s*$/.exec(textOf(dataOf(output)["text/plain"])) ?? [];
  return isProgress(output) && done !== undefined && done === total;
}

/** Whether an output is the caption of the figure before it, which `dressed` wrote. */
export function isCaption(output: CellOutput): boolean {
  return (metadataOf(output)["iommu-lab"] as { caption?: unknown } | undefined)?.caption === true;
}

const escaped = (text: string): string =>
  text.replace(/[&<>]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;" })[c]!);

/**
 * A notebook as it is stored. Each figure has a caption with its number below it, and a text for those who cannot see it beside its
 * picture; bars of work that is done are gone; the language is said in full; and a folded output says so in both of the format's words.
 * Dressing a dressed notebook changes nothing.
 */
export function dressed(notebook: Notebook): Notebook {
  const result = structuredClone(notebook);
  result.metadata.language_info = { ...languageInfo() };
  const cells = result.cells.filter((cell): cell is CodeCell => cell.cell_type === "code");
  for (const cell of cells) {
    cell.outputs = cell.outputs.filter((output) => !isCaption(output) && !isFinished(output));
    if ((cell.metadata["jupyter"] as { outputs_hidden?: unknown } | undefined)?.outputs_hidden === true)
      cell.metadata["collapsed"] = true;
  }
  // From the last to the first: a caption moves the outputs behind it.
  for (const { number, cell: id, output: index } of figuresOf(result).reverse()) {
    const { outputs } = cells.find((cell) => cell.id === id)!;
    const figure = outputs[index];
    const { title, caption, alt } = textsOf(figure);
    for (const type of Object.keys(dataOf(figure)).filter((type) => type.startsWith("image/")))
      Object.assign(metadataOf(figure), { [type]: { ...(metadataOf(figure)[type] as Bundle | undefined), alt } });
    const told = caption === "" ? title : caption;
    outputs.splice(index + 1, 0, {
      output_type: "display_data",
      data: {
        "text/html": [`<p><b>Figure ${number}.</b> ${escaped(told)}</p>`],
        "text/plain": [`Figure ${number}. ${told}`],
      },
      metadata: { "iommu-lab": { caption: true } },
    });
  }
  return result;
}
