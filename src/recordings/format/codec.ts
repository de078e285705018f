import { TraceCollector } from "../collect.js";
import { blankStep, Ends, type StepSink } from "../steps.js";
import { Op, type Trace, TraceError } from "../trace.js";
import { decodeVersion1 } from "./version-1.js";
import { TraceFileReader, TraceFileWriter } from "./version-2.js";

/** Passes a trace on as the steps of a recording: each map is one map event, each unmap ends one. */
export function stepsOf(trace: Trace, sink: StepSink): void {
  const step = blankStep();
  const mapNumber = new Int32Array(trace.length);
  let maps = 0;
  for (let i = 0; i < trace.length; i++) {
    const map = trace.op[i] === Op.map;
    const of = trace.partner[i];
    if (map) mapNumber[i] = maps++;
    step.op = trace.op[i];
    step.timeNs = trace.timeNs[i];
    step.cpu = trace.cpu[i];
    step.context = trace.context[i];
    step.device = trace.device[i];
    step.iovaPfn = trace.iovaPfn[i];
    step.pages = trace.pages[i];
    step.bytes = trace.bytes[i];
    step.direction = trace.direction[i];
    step.kind = trace.kind[i];
    step.paddrPfn = trace.paddrPfn[i];
    step.ends = Ends.whole;
    step.map = map ? mapNumber[i] : mapNumber[of];
    if (!map) {
      step.ended = [mapNumber[of]];
      step.mappedNs = trace.timeNs[of];
      step.mappedCpu = trace.cpu[of];
    }
    sink.step(step);
  }
  sink.end({
    devices: [...trace.devices],
    deviceOf: trace.devices.map((_, i) => i),
    superseded: [],
    open: [],
    phases: trace.phases.map((phase) => ({ ...phase })),
    live: 2 * trace.maps - trace.length,
    clock: trace.about.clock,
    account: trace.account,
  });
}

/**
 * Writes a trace as the text of a trace file (version 2). Same trace, same text.
 * @throws TraceError when a value cannot be written (a time that is not a whole number of ns, say).
 * @public
 */
export function encodeTrace(trace: Trace): string {
  const lines: string[] = [];
  stepsOf(trace, new TraceFileWriter((line) => lines.push(line), trace.about));
  return lines.join("");
}

/** Whether a text is a trace file, of any version, by its beginning. Events of bpftrace and perf as JSON are none. */
export function isTraceFile(beginning: string): boolean {
  return /^\uFEFF?\s*\{(?!\s*"(?:type|linux-perf-json-version)":)/.test(beginning);
}

/** Whether a trace file is one of version 2 by its first line. */
export function isVersion2(firstLine: string): boolean {
  return /^\{.*"version":\s*2\b.*\}\s*$/.test(firstLine);
}

/**
 * Reads the text of a trace file, of version 1 or 2.
 * @param text the file's content
 * @param file its name, for the error message
 * @throws TraceError naming the file, the field and what was expected.
 */
export function decodeTrace(text: string, file: string): Trace {
  const end = text.indexOf("\n");
  if (!isVersion2(end < 0 ? text : text.slice(0, end))) return decodeVersion1(text, file);
  const collector = new TraceCollector();
  const reader = new TraceFileReader(file, collector);
  for (let from = 0; from < text.length; ) {
    const next = text.indexOf("\n", from);
    const line = next < 0 ? text.slice(from) : text.slice(from, next);
    reader.line(line);
    from += line.length + 1;
  }
  reader.end();
  if (reader.about === undefined) throw new TraceError(`${file}: is empty; expected a trace file`);
  return collector.build(reader.about);
}
