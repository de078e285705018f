import { widgetViewType } from "../cells/index.js";
import type { KernelMessage } from "../jupyter/index.js";
import { asLines, type CellOutput, joined } from "./notebook.js";

type Bundle = Record<string, unknown>;

/** Content of a media type as the notebook's format stores it: texts as lines, JSON and base64 as they are. */
function stored(data: Bundle): Bundle {
  const isText = (type: string) =>
    type.startsWith("text/") || type === "image/svg+xml" || type === "application/javascript";
  return Object.fromEntries(
    Object.entries(data).map(([type, value]) => [
      type,
      isText(type) && typeof value === "string" ? asLines(value) : value,
    ]),
  );
}

/**
 * Gathers what a notebook's cells publish into the outputs that are stored, in the same form however the messages were cut: pieces of one
 * stream are joined, a display that was updated (a progress bar) keeps its last state, and nothing passing is stored.
 */
export class OutputCollector {
  private outputs: CellOutput[] = [];
  private clearNext = false;
  /** Displays by their passing id, in all cells: a later cell may update an earlier one's. */
  private readonly displays = new Map<string, CellOutput[]>();

  /** Begins the outputs of the next cell. */
  begin(): CellOutput[] {
    this.outputs = [];
    this.clearNext = false;
    return this.outputs;
  }

  /** Takes a message of a cell that has ended, into its outputs. */
  late(outputs: CellOutput[], message: KernelMessage): void {
    const { outputs: now, clearNext } = this;
    this.outputs = outputs;
    this.clearNext = false;
    this.take(message);
    this.outputs = now;
    this.clearNext = clearNext;
  }

  /** Takes a message of the running cell. */
  take({ type, content }: KernelMessage): void {
    if (type === "clear_output") {
      if (content["wait"] === true) this.clearNext = true;
      else this.outputs.length = 0;
      return;
    }
    const data = stored((content["data"] ?? {}) as Bundle);
    const metadata = (content["metadata"] ?? {}) as Bundle;
    const displayId = (content["transient"] as { display_id?: string } | undefined)?.display_id;
    if (type === "update_display_data") {
      for (const output of (displayId && this.displays.get(displayId)) || []) Object.assign(output, { data, metadata });
      return;
    }
    // Nobody keeps the models of a notebook that is run without a front end: a stored view would show an error.
    if (widgetViewType in data) return;
    if (type === "stream") this.stream(String(content["name"]), String(content["text"]));
    else if (type === "error") {
      const { ename, evalue, traceback } = content as { ename: string; evalue: string; traceback: string[] };
      this.add({ output_type: "error", ename, evalue, traceback });
    } else if (type === "display_data") this.add({ output_type: "display_data", data, metadata }, displayId);
    else if (type === "execute_result") {
      const execution_count = content["execution_count"] as number;
      this.add({ output_type: "execute_result", data, metadata, execution_count }, displayId);
    }
  }

  private stream(name: string, text: string): void {
    const last = this.outputs.at(-1);
    if (!this.clearNext && last?.output_type === "stream" && last.name === name) {
      last.text = asLines(overwritten(joined(last.text) + text));
    } else this.add({ output_type: "stream", name, text: asLines(overwritten(text)) });
  }

  private add(output: CellOutput, displayId?: string): void {
    if (this.clearNext) this.outputs.length = 0;
    this.clearNext = false;
    this.outputs.push(output);
    if (displayId === undefined) return;
    const known = this.displays.get(displayId);
    if (known) known.push(output);
    else this.displays.set(displayId, [output]);
  }
}

/** The text that is left when carriage returns have begun lines anew, as on a terminal. */
function overwritten(text: string): string {
  return text.includes("\r") ? text.replace(/\r+\n/g, "\n").replace(/^[^\n]*\r(?=[^\n])/gm, "") : text;
}
