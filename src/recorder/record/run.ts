import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { checkWritable, openWhole, type WholeFile, writeWhole } from "../../files/index.js";
import { TraceError } from "../../recordings/index.js";
import type { RecordPlan } from "./plan.js";
import type { RecordingSystem, Tracefs } from "./system.js";

/** What a recording cost and lost. */
export interface Recorded {
  seconds: number;
  bytes: number;
  /** Events that the kernel says it lost, where it says so. */
  lost: number;
  /** CPU time that the recorder itself took, in s; undefined where another program recorded. */
  cpuSeconds: number | undefined;
}

/** What {@link record} may be told. */
export interface RunOptions {
  signal?: AbortSignal;
  /** How often the pipe is read, in ms. */
  everyMs?: number;
}

/**
 * Carries out a plan: records for its time, or until the signal, into its file, and undoes what it changed, whatever happens.
 * @throws TraceError saying what went wrong and what is left to undo
 */
export async function record(plan: RecordPlan, system: RecordingSystem, options: RunOptions = {}): Promise<Recorded> {
  checkWritable(plan.options.out);
  if (plan.recorder !== "tracefs") return runCommands(plan, options);
  const { tracefs } = system;
  if (!tracefs) throw new TraceError("tracefs is not mounted");
  const { instance } = plan;
  try {
    tracefs.makeInstance(instance);
  } catch (error) {
    throw new TraceError(whyNot(error, tracefs, instance));
  }
  if (!tracefs.list(instance).includes("trace_pipe")) {
    tracefs.removeInstance(instance);
    throw new TraceError(
      `${tracefs.root} is no tracefs: a new folder in ${tracefs.root}/instances does not fill with its files.`,
    );
  }
  try {
    for (const { path, text } of plan.writes) writeSetting(tracefs, `${instance}/${path}`, text);
    return await readPipe(plan, tracefs, options);
  } finally {
    undo(plan, tracefs);
  }
}

function whyNot(error: unknown, tracefs: Tracefs, instance: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const at = `${tracefs.root}/${instance}`;
  if (code === "EEXIST")
    return `${at} is there already: another recording runs, or one was killed. Undo it with: rmdir ${at}`;
  if (code === "EACCES" || code === "EPERM")
    return `${at} cannot be made (${message}): recording needs root (CAP_SYS_ADMIN and CAP_DAC_OVERRIDE to write to tracefs). Run with sudo, or look with --dry-run.`;
  return `${at} cannot be made (${message}).`;
}

function writeSetting(tracefs: Tracefs, path: string, text: string): void {
  try {
    tracefs.write(path, text);
  } catch (error) {
    throw new TraceError(`${tracefs.root}/${path}: the kernel refuses "${text}" (${(error as Error).message})`);
  }
}

async function readPipe(plan: RecordPlan, tracefs: Tracefs, { signal, everyMs = 20 }: RunOptions): Promise<Recorded> {
  const { out, seconds } = plan.options;
  const pipe = tracefs.pipe(`${plan.instance}/trace_pipe`);
  let file: WholeFile;
  try {
    // What was there stays until this recording is whole.
    file = openWhole(out);
  } catch (error) {
    pipe.close();
    throw error;
  }
  const before = process.cpuUsage();
  const began = performance.now();
  const buffer = new Uint8Array(1 << 20);
  let bytes = 0;
  const drain = (): number => {
    let got = 0;
    for (let n = pipe.read(buffer); n > 0; n = pipe.read(buffer)) {
      file.write(buffer.subarray(0, n));
      got += n;
    }
    return got;
  };
  try {
    while (performance.now() - began < seconds * 1000 && !signal?.aborted) {
      bytes += drain();
      await wait(everyMs);
    }
    writeSetting(tracefs, `${plan.instance}/tracing_on`, "0");
    bytes += drain();
    file.commit();
  } finally {
    pipe.close();
    file.discard();
  }
  const { user, system } = process.cpuUsage(before);
  return {
    seconds: (performance.now() - began) / 1000,
    bytes,
    lost: lostEvents(plan, tracefs),
    cpuSeconds: (user + system) / 1e6,
  };
}

/** Overruns and drops of every CPU's buffer. */
function lostEvents({ instance }: RecordPlan, tracefs: Tracefs): number {
  let lost = 0;
  for (const cpu of tracefs.list(`${instance}/per_cpu`)) {
    const stats = tracefs.read(`${instance}/per_cpu/${cpu}/stats`) ?? "";
    for (const found of stats.matchAll(/^(?:overrun|commit overrun|dropped events): (\d+)$/gm))
      lost += Number(found[1]);
  }
  return lost;
}

/** Events off, then the instance away: its settings go with it. */
function undo({ instance, events }: RecordPlan, tracefs: Tracefs): void {
  for (const event of events) {
    try {
      tracefs.write(`${instance}/events/${event.replace(":", "/")}/enable`, "0");
    } catch {
      // The instance goes as a whole below; where that fails, the message says so.
    }
  }
  try {
    tracefs.removeInstance(instance);
  } catch (error) {
    throw new TraceError(
      `${tracefs.root}/${instance} could not be removed (${(error as Error).message}); undo the recording with: rmdir ${tracefs.root}/${instance}`,
    );
  }
}

/** Runs the commands of another recorder, one after the other, and removes what they left between them. */
async function runCommands(plan: RecordPlan, { signal }: RunOptions): Promise<Recorded> {
  const began = performance.now();
  const { out } = plan.options;
  // Beside the recording, where there is room for what may be gigabytes.
  const scratch = mkdtempSync(join(dirname(resolve(out)), ".iommu-lab-record-"));
  try {
    for (const { name, text } of plan.files) writeWhole(join(scratch, name), text);
    for (const command of plan.commands) {
      const code = await shell(command, scratch, signal);
      // timeout(1) says 124 where it ended the program, which is what was asked for.
      if (code !== 0 && code !== 124) throw new TraceError(`${command}\n  ended with exit code ${code}`);
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
  return { seconds: (performance.now() - began) / 1000, bytes: 0, lost: 0, cpuSeconds: undefined };
}

function shell(command: string, scratch: string, signal: AbortSignal | undefined): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn("sh", ["-c", command], {
      stdio: ["ignore", "inherit", "inherit"],
      env: { ...process.env, scratch },
    });
    const stop = () => child.kill("SIGINT");
    signal?.addEventListener("abort", stop);
    child.on("error", reject);
    child.on("close", (code) => {
      signal?.removeEventListener("abort", stop);
      resolve(code ?? 1);
    });
  });
}
