import { type AllocatorName, parseTrace, type ReplayTrace } from "../../iova/index.js";
import { loadTrace, openBytes } from "../../recorder/index.js";
import {
  busiestDevice,
  decodeTrace,
  importTrace,
  isTraceFile,
  requestsOf,
  type Trace,
  traceNames,
  warningsOf,
} from "../../recordings/index.js";
import { UserError } from "../errors.js";

/** What changes the requests that are replayed. */
export interface SourceFlags {
  device?: string;
  limit?: number;
  fallback32?: boolean;
  align?: boolean;
  entries?: number;
  cpus?: number;
  cachedPages?: number;
}

/** Allocators that have a clock: a recording's time is theirs. */
const timed: readonly AllocatorName[] = ["lazy", "fq6"];
/** Signs of a recording in the beginning of a text. */
const recordingSigns = /^\uFEFF?\s*\{|\b(?:un)?map: |\biommu:|\bdma_|^# tracer:|^cpus=\d|^t_ns,|^# iommu-lab/m;

/** The requests, as each allocator is given them. */
export interface Source {
  /** Whether they are a recording's. */
  recorded: boolean;
  requests(name: AllocatorName): ReplayTrace;
}

/** The requests of a file, under the settings that were asked for. */
export async function sourceOf(file: string, flags: SourceFlags): Promise<Source> {
  const recording = traceNames().includes(file) ? await loadTrace(file) : await recordingIn(file);
  if (typeof recording !== "string") {
    const device = deviceOf(recording, flags.device);
    const { devices } = recording;
    if (flags.device === undefined && devices.length > 1)
      process.stderr.write(
        `${file}: the requests of device ${devices[device].id}; --device chooses another (${devices.map(({ id }) => id).join(", ")}).\n`,
      );
    for (const warning of warningsOf(recording.account, devices.length)) process.stderr.write(`${file}: ${warning}\n`);
    const requests = (name: AllocatorName) =>
      changed(parseTrace(requestsOf(recording, device, { time: timed.includes(name) })), flags);
    return { recorded: true, requests };
  }
  if (flags.device !== undefined)
    throw new UserError(`--device: ${file} is no recording; its requests are of one device.`);
  try {
    parseTrace(recording);
  } catch (error) {
    throw new UserError(`${file}, ${(error as Error).message}`);
  }
  return { recorded: false, requests: () => changed(parseTrace(recording), flags) };
}

/** A recording; or the text, where it is none. */
async function recordingIn(file: string): Promise<Trace | string> {
  const decoder = new TextDecoder();
  let text = "";
  for await (const chunk of openBytes(file)) {
    text += decoder.decode(chunk, { stream: true });
    if (file !== "-" && recordingSigns.test(text.slice(0, 4096))) return loadTrace(file);
  }
  text += decoder.decode();
  if (!recordingSigns.test(text.slice(0, 4096))) return text.startsWith("\uFEFF") ? text.slice(1) : text;
  if (isTraceFile(text)) return decodeTrace(text, "standard input");
  return importTrace(text, { file: "standard input" }).trace;
}

function deviceOf(recording: Trace, asked: string | undefined): number {
  if (asked === undefined) return busiestDevice(recording);
  const byName = recording.devices.findIndex(({ id }) => id === asked);
  const device = byName >= 0 ? byName : /^\d+$/.test(asked) ? Number(asked) : -1;
  if (device >= 0 && device < recording.devices.length) return device;
  const known = recording.devices.map(({ id }, i) => `${i} (${id})`).join(", ");
  throw new UserError(`--device: there is no device "${asked}"; there are ${known}.`);
}

/** A trace under the settings that were asked for. */
function changed(trace: ReplayTrace, flags: SourceFlags): ReplayTrace {
  const { config } = trace;
  if (flags.fallback32) config.fallback32 = 1;
  if (flags.align !== undefined) config.aligned = config.align = flags.align ? 1 : 0;
  if (flags.entries !== undefined) config.entries = flags.entries;
  if (flags.cachedPages !== undefined) config.cached_pages = flags.cachedPages;
  if (flags.limit !== undefined)
    for (let op = 0; op < trace.kinds.length; op++) if (trace.kinds[op] === 0) trace.second[op] = flags.limit;
  if (flags.cpus !== undefined) {
    config.cpus = flags.cpus;
    for (let op = 0; op < trace.cpus.length; op++) trace.cpus[op] %= flags.cpus;
  }
  return trace;
}
