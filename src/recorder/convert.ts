import { openWhole } from "../files/index.js";
import {
  aboutOf,
  type RecordedStep,
  type RecordingEnd,
  type StepSink,
  type TraceAbout,
  type TraceDescription,
  TraceError,
  TraceFileWriter,
} from "../recordings/index.js";
import { type FileReadOptions, readRecording } from "./read.js";

/** What was written. */
export interface Converted {
  maps: number;
  steps: number;
  bytes: number;
  end: RecordingEnd;
}

/** How a recording is converted. */
export interface ConvertOptions extends FileReadOptions {
  /** Header, devices and phases, set over those of the recording. */
  description?: TraceDescription;
}

/**
 * Writes a recording of any form, trace files of older versions too, as a trace file of the present version, in constant memory: whole or
 * not at all.
 * @throws TraceError naming the file; StoreError where `out` cannot be written
 */
export async function convertRecording(file: string, out: string, options: ConvertOptions = {}): Promise<Converted> {
  // Refused before anything is read.
  const staged = openWhole(out);
  const result = { maps: 0, steps: 0, bytes: 0, end: undefined as RecordingEnd | undefined };
  // Written at once, line by line: a queue of lines would grow with the recording.
  const write = (line: string): void => {
    result.bytes += Buffer.byteLength(line);
    staged.write(line);
  };
  try {
    await readWithHeader(file, write, result, options);
  } catch (error) {
    staged.discard();
    throw error;
  }
  staged.commit();
  return result as Converted;
}

async function readWithHeader(
  file: string,
  write: (line: string) => void,
  result: { maps: number; steps: number; end: RecordingEnd | undefined },
  options: ConvertOptions,
): Promise<void> {
  const { description = {} } = options;
  let writer: TraceFileWriter | undefined;
  const name = file === "-" ? "standard input" : file;
  // The first line is the header, which a trace file knows at once and a text only guesses at: it is written with the first step.
  const header = (about: TraceAbout): TraceFileWriter =>
    new TraceFileWriter(write, { ...about, ...options.about, ...description.about }, (end) =>
      described(end, description, name),
    );
  const sink: StepSink = {
    header: (about) => {
      writer ??= header(about);
    },
    step(step: RecordedStep): void {
      writer ??= header(aboutOf(name, "the recording's", options.about));
      if (step.op === 0) result.maps++;
      result.steps++;
      writer.step(step);
    },
    end(end: RecordingEnd): void {
      writer ??= header(aboutOf(name, end.clock, options.about));
      result.end = end;
      writer.end(end);
    },
  };
  await readRecording(file, sink, options);
}

/** The end of a recording with the devices' drivers and the phases that a description gives. */
function described(end: RecordingEnd, { devices, phases }: TraceDescription, file: string): RecordingEnd {
  for (const { id } of devices ?? [])
    if (!end.devices.some((device) => device.id === id))
      throw new TraceError(`devices: "${id}" is not in the trace; it has ${end.devices.map((d) => d.id).join(", ")}.`);
  const { account } = end;
  if (phases && account.joined + account.partialUnmaps + account.lostUnmaps > 0)
    throw new TraceError(
      `${file}: phases by the number of their first operation cannot be set where several events are one operation (scatter-gather, partial or lost unmaps); mark them in the recording: echo "phase NAME" > trace_marker.`,
    );
  return {
    ...end,
    devices: end.devices.map((device) => devices?.find(({ id }) => id === device.id) ?? device),
    phases: phases ? phases.map((phase) => ({ ...phase })) : end.phases,
  };
}
