import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { basename, dirname, join, resolve } from "node:path";
import { canonicalJson } from "../experiments/index.js";
import { largestText, readBounded, readSmall, writeWhole } from "../files/index.js";
import { codeHash } from "../sweep/index.js";
import { joined, type Notebook, notebookText, parseNotebook } from "./notebook.js";
import type { Drawing } from "./picture.js";
import { type CellProgress, type CellTiming, runNotebook } from "./run-notebook.js";

/** How notebooks are reproduced. */
export interface ReproduceOptions {
  /** Where the executed notebooks go. */
  folder: string;
  /** How many run at a time. */
  jobs: number;
  signal?: AbortSignal;
  /** A folder through which the notebooks share computed points. */
  points?: string;
  /** Gives the drawing of pictures; without it plots get none. */
  drawing?: () => Promise<Drawing>;
  /** Told of every cell, with its notebook. */
  onProgress?: (notebook: string, progress: CellProgress) => void;
  /** Told of every notebook that is done. */
  onNotebook?: (result: ReproducedNotebook) => void;
}

/** A notebook that was executed. */
export interface ReproducedNotebook {
  /** Its path as it was given. */
  file: string;
  /** Names the notebook's cells and the code that runs them. */
  hash: string;
  /** As it was before: with the stored outputs. */
  stored: Notebook;
  notebook: Notebook;
  timings: CellTiming[];
  seconds: number;
  /** True where the result of an interrupted run was taken. */
  resumed: boolean;
}

/** What an unfinished run leaves beside each executed notebook. */
interface Kept {
  hash: string;
  /** SHA-256 of the executed notebook. */
  output: string;
  timings: CellTiming[];
  seconds: number;
}

const sha256 = (text: string): string => createHash("sha256").update(text).digest("hex");

/** Names what a notebook's outputs follow from: its cells, and the code. */
export function notebookHash(notebook: Notebook): string {
  const cells = notebook.cells.map(({ cell_type, source, metadata }) => ({
    cell_type,
    source: joined(source),
    metadata,
  }));
  return sha256(`${codeHash()}\n${canonicalJson(cells)}`).slice(0, 20);
}

/**
 * Executes notebooks, several at a time, each in a kernel of its own, into a folder. Each is written whole when it is done. What an
 * interrupted run has finished is taken over, as long as notebook and code are the same; removing {@link progressFiles} ends that.
 * @throws CellError for a cell that fails, StoreError for a result that cannot be written; the others' results are kept
 */
export async function reproduceNotebooks(
  files: readonly string[],
  options: ReproduceOptions,
): Promise<ReproducedNotebook[]> {
  const read = files.map((file) => parseNotebook(readBounded(file).toString("utf8"), file));
  const results: ReproducedNotebook[] = [];
  const failure = new AbortController();
  const signal = options.signal ? AbortSignal.any([options.signal, failure.signal]) : failure.signal;
  let next = 0;
  // Each thread compiles the laboratory's code and ages its hosts anew: as many as there are cores in all, and not in each notebook.
  const side = Math.min(options.jobs, files.length);
  const threads = Math.max(1, Math.floor(availableParallelism() / side));
  const worker = async (): Promise<void> => {
    for (let i = next++; i < files.length; i = next++) {
      signal.throwIfAborted();
      results[i] = await reproduceOne(files[i], read[i], { ...options, signal, threads });
      options.onNotebook?.(results[i]);
    }
  };
  const workers = Array.from({ length: side }, async () => {
    try {
      await worker();
    } catch (error) {
      failure.abort(error);
      throw error;
    }
  });
  const ended = await Promise.allSettled(workers);
  options.signal?.throwIfAborted();
  if (failure.signal.aborted) throw failure.signal.reason;
  const broken = ended.find((end) => end.status === "rejected");
  if (broken) throw broken.reason;
  return results;
}

async function reproduceOne(
  file: string,
  stored: Notebook,
  options: ReproduceOptions & { threads: number },
): Promise<ReproducedNotebook> {
  const target = join(options.folder, basename(file));
  const hash = notebookHash(stored);
  const kept = keptRun(target, hash);
  if (kept) return { file, hash, stored, ...kept, resumed: true };
  const { notebook, timings, seconds } = await runNotebook(stored, {
    name: file,
    folder: dirname(resolve(file)),
    ...(options.signal ? { signal: options.signal } : {}),
    ...(options.drawing ? { drawing: options.drawing } : {}),
    threads: options.threads,
    // Fresh, whoever reproduces: no points but those that these notebooks compute.
    points: options.points === undefined ? "off" : resolve(options.points),
    onProgress: (progress) => options.onProgress?.(file, progress),
  });
  const text = notebookText(notebook);
  writeWhole(target, text);
  writeWhole(keptFile(target), `${JSON.stringify({ hash, output: sha256(text), timings, seconds } satisfies Kept)}\n`);
  return { file, hash, stored, notebook, timings, seconds, resumed: false };
}

function keptFile(target: string): string {
  return `${target}.done.json`;
}

function keptRun(
  target: string,
  hash: string,
): { notebook: Notebook; timings: CellTiming[]; seconds: number } | undefined {
  try {
    const kept = JSON.parse(readSmall(keptFile(target))) as Kept;
    const text = readSmall(target, largestText);
    if (kept.hash !== hash || kept.output !== sha256(text)) return undefined;
    return { notebook: parseNotebook(text, target), timings: kept.timings, seconds: kept.seconds };
  } catch {
    return undefined;
  }
}

/** The files that an unfinished run leaves beside the notebooks: remove them, and the next run begins anew. */
export function progressFiles(folder: string, files: readonly string[]): string[] {
  return files.map((file) => keptFile(join(folder, basename(file))));
}
