import {
  aboutOf,
  decodeTrace,
  isTraceFile,
  isVersion2,
  type ReadOptions,
  type StepSink,
  stepsOf,
  TextReader,
  type TraceAbout,
  TraceError,
  TraceFileReader,
} from "../recordings/index.js";
import { type ByteProgress, openBytes } from "./bytes.js";

/** How a recording is read from a file. */
export interface FileReadOptions extends Omit<ReadOptions, "file"> {
  /** Called with the bytes done, and all of them. */
  progress?: ByteProgress;
  /** Stops the reading, which then throws the signal's reason. */
  signal?: AbortSignal;
  /** What goes into the header of a recording that is no trace file. */
  about?: Partial<TraceAbout>;
}

const longestOldFile = 1 << 28;
/** A line of version 2 holds a block of columns: this is some thousand times the largest that is written. */
const longestLine = 64 * 2 ** 20;

/**
 * Reads a recording from a file, of any form and packing, in constant memory (but for a trace file of version 1): its steps go to `sink`.
 * @param file a path, or "-" for standard input
 * @param sink made from the header as far as it is known before the first step
 * @returns the header
 * @throws TraceError naming the file, and the line or field
 */
export async function readRecording(file: string, sink: StepSink, options: FileReadOptions = {}): Promise<TraceAbout> {
  const name = file === "-" ? "standard input" : file;
  const chunks = openBytes(file, options.progress);
  const first = await chunks.next();
  options.signal?.throwIfAborted();
  const bytes = first.done ? new Uint8Array() : first.value;
  const beginning = new TextDecoder().decode(bytes.subarray(0, 4096));
  if (isTraceFile(beginning)) return readTraceFile(name, bytes, chunks, sink, options);
  const reader = new TextReader({ ...options, file: name }, sink);
  reader.push(bytes);
  for await (const chunk of chunks) {
    options.signal?.throwIfAborted();
    reader.push(chunk);
  }
  reader.end();
  return aboutOf(name, reader.clockName, options.about);
}

async function readTraceFile(
  name: string,
  first: Uint8Array,
  rest: AsyncGenerator<Uint8Array>,
  sink: StepSink,
  { signal }: FileReadOptions,
): Promise<TraceAbout> {
  const decoder = new TextDecoder();
  const beginning = [decoder.decode(first, { stream: true })];
  let begun = beginning[0].length;
  while (!beginning[beginning.length - 1].includes("\n") && begun < longestOldFile) {
    signal?.throwIfAborted();
    const next = await rest.next();
    if (next.done) break;
    beginning.push(decoder.decode(next.value, { stream: true }));
    begun += beginning[beginning.length - 1].length;
  }
  const text = beginning.join("");
  const end = text.indexOf("\n");
  const reader = isVersion2(end < 0 ? text : text.slice(0, end)) ? new TraceFileReader(name, sink) : undefined;
  // What has not ended with a line yet, or all of an old file.
  let parts: string[] = [];
  let waiting = 0;
  let length = text.length;
  const take = (more: string): void => {
    parts.push(more);
    waiting += more.length;
    if (!reader) return;
    if (waiting > longestLine)
      throw new TraceError(`${name}: has a line of more than 64 MiB; expected a trace file of version 2.`);
    if (!more.includes("\n")) return;
    parts = [linesOf(reader, parts.join(""))];
    waiting = parts[0].length;
  };
  take(text);
  for await (const chunk of rest) {
    signal?.throwIfAborted();
    length += chunk.length;
    if (!reader && length > longestOldFile)
      throw new TraceError(`${name}: is a trace file of version 1 of more than 256 MiB, or no trace file.`);
    take(decoder.decode(chunk, { stream: true }));
  }
  if (!reader) {
    const trace = decodeTrace(parts.join(""), name);
    sink.header?.(trace.about);
    stepsOf(trace, sink);
    return trace.about;
  }
  if (waiting > 0) reader.line(parts.join(""));
  reader.end();
  return reader.about!;
}

/** Passes on the whole lines of a text; returns the rest. */
function linesOf(reader: TraceFileReader, text: string): string {
  let from = 0;
  for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n", from)) {
    reader.line(text.slice(from, end));
    from = end + 1;
  }
  return text.slice(from);
}
