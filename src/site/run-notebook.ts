import { type ExecuteReply, type Kernel, startInProcessKernel } from "../jupyter/index.js";
import { dressed } from "./dress.js";
import { type CellOutput, type CodeCell, joined, type Notebook, NotebookError, withCellIds } from "./notebook.js";
import { OutputCollector } from "./outputs.js";
import type { Drawing, PlotlyFigure } from "./picture.js";

/** How a notebook is run. */
export interface RunNotebookOptions {
  /** The notebook's name in messages. */
  name: string;
  /** The folder that the notebook is in. */
  folder: string;
  /** Go on after a cell that fails; its error becomes its output. */
  allowErrors?: boolean;
  /** Interrupt a cell after so many seconds; default: never. */
  timeoutSeconds?: number;
  /** Gives the drawing of static pictures, asked for with the first plot; without it, or where it gives none, plots get none. */
  drawing?: () => Promise<Drawing | undefined>;
  /** The folder of the points that were computed before, or "off" (default: the user's). */
  points?: string;
  /** Worker threads that its sweeps have at work at a time (default: one a core). */
  threads?: number;
  /** Ends the run with an AbortError, leaving nothing behind. */
  signal?: AbortSignal;
  /** Told when a cell begins and when it ends. */
  onProgress?: (progress: CellProgress) => void;
}

/** What is told while a notebook runs. */
export interface CellProgress {
  /** The code cell, counted from 1 among the code cells, and how many there are. */
  cell: number;
  cells: number;
  state: "running" | "done" | "failed";
  /** Since the cell began. */
  seconds: number;
}

/** How long a cell took. */
export interface CellTiming {
  /** Position in the notebook, counted from 1. */
  cell: number;
  id: string;
  executionCount: number;
  status: "ok" | "error";
  seconds: number;
}

/** An executed notebook; timings stand apart from it, so that the same run gives the same notebook. */
export interface NotebookRun {
  notebook: Notebook;
  timings: CellTiming[];
  seconds: number;
  pictures: number;
}

/** A cell failed: the message names notebook and cell and carries the traceback. */
export class CellError extends Error {
  override name = "CellError";
  constructor(
    message: string,
    /** Position of the cell in the notebook, counted from 1. */
    readonly cell: number,
  ) {
    super(message);
  }
}

const plotlyType = "application/vnd.plotly.v1+json";
const languages = ["typescript", "ts"];

/**
 * Runs every code cell of a notebook in a fresh kernel, in order, and returns the notebook with outputs, execution counts and static
 * pictures. A cell with the tag `skip-execution` is left as it is, one with the tag `raises-exception` may fail.
 * @throws CellError for a cell that fails, unless that is allowed; NotebookError for a notebook of another language.
 */
export async function runNotebook(notebook: Notebook, options: RunNotebookOptions): Promise<NotebookRun> {
  const { name, signal } = options;
  const language = notebook.metadata.kernelspec?.language ?? notebook.metadata.language_info?.name ?? "typescript";
  if (!languages.includes(language.toLowerCase())) {
    throw new NotebookError(
      `${name}: metadata.kernelspec.language: expected "typescript" (got ${JSON.stringify(language)}).`,
    );
  }
  signal?.throwIfAborted();
  const started = performance.now();
  const result = structuredClone(withCellIds(notebook));
  const tagged = (cell: CodeCell, tag: string) =>
    Array.isArray(cell.metadata["tags"]) && cell.metadata["tags"].includes(tag);
  const cells = result.cells.filter(
    (cell): cell is CodeCell =>
      cell.cell_type === "code" && joined(cell.source).trim() !== "" && !tagged(cell, "skip-execution"),
  );
  for (const cell of result.cells) {
    if (cell.cell_type === "code" && joined(cell.source).trim() === "")
      Object.assign(cell, { outputs: [], execution_count: null });
  }
  const timings: CellTiming[] = [];
  const collector = new OutputCollector();
  const kernel = await startInProcessKernel({
    cwd: options.folder,
    env: {
      ...(options.points === undefined ? {} : { IOMMU_LAB_POINTS: options.points }),
      ...(options.threads === undefined ? {} : { IOMMU_LAB_JOBS: String(options.threads) }),
    },
  });
  const stop = () => void kernel.shutdown();
  signal?.addEventListener("abort", stop);
  const ended = new Map<string, { position: number; cell: CodeCell; outputs: CellOutput[] }>();
  /** The first error that came after its cell had ended. */
  let lateError: CellError | undefined;
  const mayFail = (cell: CodeCell) => options.allowErrors === true || tagged(cell, "raises-exception");
  const unsubscribe = kernel.subscribe((message) => {
    const late = message.parentId === undefined ? undefined : ended.get(message.parentId);
    if (!late || message.type === "status") return;
    collector.late(late.outputs, message);
    if (message.type !== "error" || mayFail(late.cell)) return;
    lateError ??= new CellError(failure(name, late.position, message.content, undefined), late.position);
  });
  try {
    for (const [i, cell] of cells.entries()) {
      const position = result.cells.indexOf(cell) + 1;
      const began = performance.now();
      const seconds = () => (performance.now() - began) / 1000;
      const tell = (state: CellProgress["state"]) =>
        options.onProgress?.({ cell: i + 1, cells: cells.length, state, seconds: seconds() });
      tell("running");
      const outputs = collector.begin();
      cell.outputs = outputs;
      const { id, reply } = await abortable(executed(kernel, cell, collector, options.timeoutSeconds), signal);
      ended.set(id, { position, cell, outputs });
      cell.execution_count = reply.executionCount;
      const failed = reply.status !== "ok";
      timings.push({
        cell: position,
        id: cell.id!,
        executionCount: reply.executionCount,
        status: failed ? "error" : "ok",
        seconds: seconds(),
      });
      tell(failed ? "failed" : "done");
      if (lateError) throw lateError;
      if (failed && !mayFail(cell))
        throw new CellError(failure(name, position, reply, options.timeoutSeconds), position);
    }
  } finally {
    unsubscribe();
    signal?.removeEventListener("abort", stop);
    await kernel.shutdown();
  }
  const plots = cells.flatMap((cell) => cell.outputs).filter((output) => plotOf(output) !== undefined);
  let pictures = 0;
  for (const output of plots) {
    const drawing = await options.drawing?.();
    if (drawing === undefined) break;
    signal?.throwIfAborted();
    await addPicture(output, plotOf(output)!, drawing);
    pictures++;
  }
  return {
    notebook: dressed(result),
    timings,
    seconds: (performance.now() - started) / 1000,
    pictures,
  };
}

/** Runs a cell to its end. The kernel waits a while for what its timers still do, and what comes later still is added to its outputs. */
async function executed(
  kernel: Kernel,
  cell: CodeCell,
  collector: OutputCollector,
  timeoutSeconds: number | undefined,
): Promise<{ id: string; reply: ExecuteReply }> {
  const execution = kernel.execute(joined(cell.source), {
    allowStdin: false,
    ...(timeoutSeconds === undefined ? {} : { timeout: timeoutSeconds * 1000 }),
  });
  for await (const message of execution) collector.take(message);
  return { id: execution.id, reply: await execution.reply };
}

function abortable<T>(work: Promise<T>, signal: AbortSignal | undefined): Promise<T> {
  if (!signal) return work;
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) return abort();
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}

function failure(name: string, cell: number, reply: Partial<ExecuteReply>, timeoutSeconds: number | undefined): string {
  const why = reply.timedOut ? `ran into the time limit of ${timeoutSeconds} s` : "failed";
  const trace = reply.traceback ?? [`${reply.ename ?? "Error"}: ${reply.evalue ?? "no reason given"}`];
  return `${name}: cell ${cell} ${why}:\n${trace.join("\n")}`;
}

function plotOf(output: CellOutput): PlotlyFigure | undefined {
  return "data" in output
    ? ((output.data as Record<string, unknown>)[plotlyType] as PlotlyFigure | undefined)
    : undefined;
}

/** Adds the static picture of a plot beside it, with its size on the page. */
export async function addPicture(output: CellOutput, figure: PlotlyFigure, drawing: Drawing): Promise<void> {
  const { png, width, height } = await drawing.draw(figure);
  Object.assign(output.data as Record<string, unknown>, { "image/png": Buffer.from(png).toString("base64") });
  output.metadata = { ...(output.metadata as Record<string, unknown>), "image/png": { width, height } };
}
