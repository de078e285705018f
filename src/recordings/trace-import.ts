import { warningsOf } from "./account.js";
import { TraceCollector } from "./collect.js";
import { type ReadOptions, TextReader } from "./text/reader.js";
import type { Trace, TraceAbout } from "./trace.js";

/** What an import needs to know beyond the recording's own text. */
export interface ImportOptions extends ReadOptions {
  /** What goes into the trace's header; the rest is filled in from the recording. */
  about?: Partial<TraceAbout>;
}

/** An imported trace, and what could not be taken from the recording as it stands. */
export interface Imported {
  trace: Trace;
  /** Each a sentence: lost events, unmaps of what was mapped before the recording began, … */
  warnings: string[];
}

/**
 * Reads a recording of DMA-mapping requests that is in memory; {@link TextReader} reads one that streams.
 * - The kernel's own text for the tracepoints iommu:map and iommu:unmap (Linux 3.14 and later) and dma:* (6.12 and later), as
 *   `cat trace`, `trace_pipe`, `trace-cmd report` and `perf script` print it, and the output of this project's bpftrace script.
 *   A line written to trace_marker that says `phase NAME` begins a phase.
 * - Comma-separated values with a header line that names the columns: t_ns, cpu, op (M or U), dev, iova_pfn (hexadecimal), pages, and where
 *   known bytes, dir (0, 1, 2), paddr_pfn (hexadecimal), kind (page, coh, sg), ctx (s, h or .) and phase. Lines with # are comments.
 * @throws TraceError naming the file, the line and what was expected.
 */
export function importTrace(text: string, options: ImportOptions): Imported {
  const collector = new TraceCollector();
  const reader = new TextReader(options, collector);
  // In pieces: a string of a gigabyte is not cut by one search.
  for (let from = 0; from < text.length; from += 1 << 22) reader.pushText(text.slice(from, from + (1 << 22)));
  reader.end();
  const trace = collector.build(aboutOf(options.file, reader.clockName, options.about));
  return { trace, warnings: warningsOf(trace.account, trace.devices.length) };
}

/** The header of a recording that says nothing about itself. */
export function aboutOf(file: string, clock: string, about: Partial<TraceAbout> = {}): TraceAbout {
  const base = file.replace(/^.*\//, "");
  const name = about.name ?? (base.replace(/\..*$/, "") || "recording");
  return {
    name,
    title: name,
    source: `imported from ${base}`,
    kernel: "unknown",
    mode: "unknown",
    clock,
    caveats: [],
    ...about,
  };
}
