/** The report on a recording: what the workload does, and what it would gain from each change. */
import { type Basis, basisOf, Facts } from "../../facts/index.js";
import {
  busiestDevice,
  RecordingSummary,
  stepsOf,
  type Trace,
  TraceError,
  type TraceInfo,
  withheld,
} from "../../recordings/index.js";
import {
  type Computation,
  keep,
  pointsOfHost,
  type RememberedPoints,
  recall,
  withRemembered,
} from "../frame/remembered.js";
import {
  type AllocatorRow,
  type PoolTableRow,
  recordedAllocators,
  replayInTurns,
  replayPoolTables,
} from "./allocators.js";
import { recordingHash } from "./content.js";
import { stretchesOf } from "./load.js";
import { hostCores, runsOf, type Simulated, simulateStretches } from "./locks.js";
import { type Capacity, type InFlight, inFlight, iotlbCapacity } from "./translations.js";

/** How a report is made. */
export interface ReportOptions {
  /** Whose requests are replayed: a device's id or index; the one with most requests where none is named. */
  device?: string | number;
  /** Simulated stretches of the recording, and the operations of each (default 4 of 4,000); no stretches: nothing is simulated on a host. */
  stretches?: number;
  operations?: number;
  /** Simulated ways of mapping, each with the one that it would replace (default: every one that stands for a change). */
  ways?: readonly string[];
  /** What the whole recording holds, where the trace is a part of it. */
  info?: TraceInfo;
  /** Called between steps. */
  onProgress?: (done: number, total: number, label: string) => void;
  signal?: AbortSignal;
  /** Reports that were made before (default: what a notebook's kernel offers); false makes it anew. */
  remembered?: RememberedPoints | false;
}

/** As the points' store knows them. */
export const recordingReports: Computation = { name: "own-recording/report" };

/** A report, as data. */
export interface RecordingReport {
  info: TraceInfo;
  /** Of the trace in memory: what it cannot tell, and which part of the recording it is. */
  caveats: string[];
  device: { id: string; driver: string; maps: number };
  /** Devices whose requests are not replayed. */
  otherDevices: string[];
  /** Why nothing is said of one device, where that is so. */
  withheld: string | undefined;
  allocators: AllocatorRow[];
  /** The lazy pools with tables of the sizes that Linux has (record K29). */
  poolTables: PoolTableRow[];
  translations: InFlight & { capacity: Capacity };
  /** Locks and gains; undefined where nothing was simulated. */
  simulated: Simulated | undefined;
}

/** So much of the past is made before a stretch begins: a search is as long as the holes that the past has left. */
const mostBefore = 100_000;

/** The device that was asked for. @throws TraceError naming the devices there are */
export function deviceOf(trace: Trace, asked: string | number | undefined): number {
  if (asked === undefined) return busiestDevice(trace);
  const named = trace.devices.findIndex(({ id }) => id === asked);
  const index = named >= 0 ? named : Number(asked);
  if (asked !== "" && Number.isInteger(index) && index >= 0 && index < trace.devices.length) return index;
  const known = trace.devices.map(({ id }, i) => `${i} (${id})`).join(", ");
  throw new TraceError(`there is no device "${asked}"; there are ${known}.`);
}

/** A name that comes from the recording, without what a terminal or a page would obey. */
function printable(text: string): string {
  return [...text].map((letter) => (obeyed.test(letter) ? "?" : letter)).join("");
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const obeyed = /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/;

/** What a trace holds. */
export function infoOf(trace: Trace): TraceInfo {
  const summary = new RecordingSummary();
  stepsOf(trace, summary);
  return summary.info(trace.about);
}

/**
 * Makes the report on a recording.
 * @throws TraceError where there is no such device; the signal's reason where it was aborted
 * @example (await recordingReport(await loadTrace("igb"))).allocators[0].visitsP99
 */
export async function recordingReport(
  trace: Trace,
  options: ReportOptions = {},
  { facts }: Basis = basisOf(Facts.published()),
): Promise<RecordingReport> {
  const store = options.remembered === undefined ? await pointsOfHost() : options.remembered || undefined;
  if (store === undefined) return made(trace, options, facts);
  const { device, stretches, operations, ways, info } = options;
  const asked = { recording: recordingHash(trace), device, stretches, operations, ways, info };
  const inputs = JSON.parse(JSON.stringify(asked)) as unknown;
  const before = recall<RecordingReport>(store, recordingReports, inputs, facts);
  if (before !== undefined) {
    options.onProgress?.(1, 1, withRemembered("done", 1));
    return before;
  }
  const reads = new Set<string>();
  const report = await made(
    trace,
    options,
    facts.noting((name) => reads.add(name)),
  );
  keep(store, recordingReports, inputs, facts, report, reads);
  return report;
}

async function made(trace: Trace, options: ReportOptions, facts: Facts): Promise<RecordingReport> {
  const device = deviceOf(trace, options.device);
  const info = options.info ?? infoOf(trace);
  const why = withheld(trace.account);
  const steps = recordedAllocators.flatMap((name) => [[name, "strict"] as const, [name, "lazy"] as const]);
  const allocators: AllocatorRow[] = [];
  let done = 0;
  const stretches = stretchesOf(trace, device, {
    operations: options.operations ?? 4000,
    before: mostBefore,
    count: why === undefined ? (options.stretches ?? 4) : 0,
    cores: hostCores,
  });
  const total = steps.length + 2 + runsOf(stretches.loads.length, stretches.cores, options.ways);
  // Whoever interrupts is heard only while nothing is computed.
  const pause = async (): Promise<void> => {
    await new Promise((resolve) => setTimeout(resolve, 0));
    options.signal?.throwIfAborted();
  };
  const turn = async (label: string): Promise<void> => {
    options.onProgress?.(done++, total, label);
    await pause();
  };
  await turn("what is mapped at a time");
  const translations = { ...inFlight(trace, device), capacity: iotlbCapacity(facts) };
  const poolTables: PoolTableRow[] = [];
  if (why === undefined) {
    const watch = { scratch: new Float64Array(trace.length) };
    for (const [name, policy] of steps) {
      await turn(`${name}, ${policy}`);
      const turns = replayInTurns(trace, device, name, policy, watch);
      let step = turns.next();
      for (; !step.done; step = turns.next()) {
        const part = Math.floor((100 * step.value) / trace.length);
        if (part > 0) options.onProgress?.(done - 1, total, `${name}, ${policy}, ${part} %`);
        await pause();
      }
      allocators.push(step.value);
    }
    await turn("pools, other tables");
    poolTables.push(...replayPoolTables(trace, device, facts.record("K29").value as readonly number[], watch));
  }
  const simulated =
    stretches.loads.length === 0
      ? undefined
      : await simulateStretches({ loads: stretches.loads, cpus: stretches.cpus, turn, facts, ways: options.ways });
  options.onProgress?.(total, total, "done");
  const { id, driver } = trace.devices[device];
  let maps = 0;
  for (let op = 0; op < trace.length; op++) if (trace.device[op] === device && trace.op[op] === 0) maps++;
  return {
    info: {
      ...info,
      name: printable(info.name),
      kernel: printable(info.kernel),
      warnings: info.warnings.map(printable),
    },
    caveats: trace.about.caveats.map(printable),
    device: { id: printable(id), driver: printable(driver), maps },
    otherDevices: trace.devices.filter((_, i) => i !== device).map((other) => printable(other.id)),
    withheld: why,
    allocators,
    poolTables,
    translations,
    simulated,
  };
}
