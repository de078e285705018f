import { TraceError } from "../../recordings/index.js";
import { bpftraceScript } from "./bpftrace.js";
import type { RecordingSystem, Tracefs } from "./system.js";

/** What makes the recording. */
export const recorders = ["tracefs", "trace-cmd", "perf", "bpftrace"] as const;
/** One of {@link recorders}. */
export type Recorder = (typeof recorders)[number];

/** What is to be recorded. */
export interface RecordOptions {
  seconds: number;
  out: string;
  /** A device's name, "0000:05:00.0": only its requests, where the kernel can tell. */
  device?: string;
  /** Default: tracefs. */
  recorder?: Recorder;
  /** Size of each CPU's buffer in KiB. */
  bufferKib: number;
}

/** A change of a tracing file, with what it stands for in a shell. */
export interface Write {
  path: string;
  text: string;
}

/** How a recording is made: nothing in it has been done yet. */
export interface RecordPlan {
  recorder: Recorder;
  options: RecordOptions;
  /** Tracepoints, as system:event. */
  events: string[];
  /** Of tracefs: the instance's folder, and the files written in it in order. */
  instance: string;
  writes: Write[];
  /** The shell commands that do the same; of trace-cmd, perf and bpftrace, what is run, with a new folder in the variable `scratch`. */
  commands: string[];
  /** The text of files in that folder that the commands need. */
  files: { name: string; text: string }[];
  /** What a person must know first, each a sentence. */
  notes: string[];
}

const instance = "instances/iommu-lab";
const wanted = /^dma_(?:map|unmap|alloc|free)(?:_page|_phys|_resource|_sg|_pages|_sgt)?$/;
const bdf = /^[\w:.-]{1,64}$/;

/**
 * Plans a recording for a system: which events there are, where they go, and what is undone afterwards.
 * @throws TraceError saying what is missing and what helps
 */
export function planRecording(system: RecordingSystem, options: RecordOptions): RecordPlan {
  const { device, recorder = "tracefs" } = options;
  if (device !== undefined && !bdf.test(device))
    throw new TraceError(
      `--device: expected a device's name as in /sys/bus/pci/devices, 0000:05:00.0 say (got "${device}")`,
    );
  const { tracefs } = system;
  if (!tracefs)
    throw new TraceError(
      "tracefs is not mounted, or may not be seen without root; run as root, after: mount -t tracefs tracefs /sys/kernel/tracing; --dry-run prints the commands of an ordinary kernel",
    );
  if (recorder !== "tracefs" && !system.tools.includes(recorder))
    throw new TraceError(
      `${recorder} is not installed; there are tracefs${system.tools.map((tool) => `, ${tool}`).join("")}.`,
    );
  const notes: string[] = [];
  const events = eventsOf(tracefs, device, notes);
  const plan = { recorder, options, events, instance, writes: [], commands: [], files: [], notes };
  switch (recorder) {
    case "tracefs":
      return tracefsPlan(plan, tracefs);
    case "trace-cmd":
      return { ...plan, commands: traceCmd(events, options) };
    case "perf":
      return { ...plan, commands: perf(events, options) };
    case "bpftrace": {
      notes.push(
        "bpftrace names the device of each map by kernel probes on the DMA API's functions, which cost more than tracepoints.",
      );
      const text = bpftraceScript(tracefs.read("available_filter_functions") ?? "", device);
      return {
        ...plan,
        events: ["iommu:map", "iommu:unmap"],
        files: [{ name: "requests.bt", text }],
        commands: [
          `timeout -s INT ${options.seconds} bpftrace "$scratch"/requests.bt > "$scratch"/recording.txt`,
          ...putInPlace(options.out),
        ],
      };
    }
  }
}

/** The tracepoints of this kernel that tell of requests. */
function eventsOf(tracefs: Tracefs, device: string | undefined, notes: string[]): string[] {
  const dma = tracefs
    .list("events/dma")
    .filter((event) => wanted.test(event))
    .sort()
    .map((event) => `dma:${event}`);
  const iommu = ["map", "unmap"]
    .filter((event) => tracefs.list("events/iommu").includes(event))
    .map((event) => `iommu:${event}`);
  if (dma.length > 0 && device !== undefined) {
    notes.push(
      `Only ${device} is recorded, from the dma:* tracepoints; requests of the two-step calls (Linux 6.16 and later, block devices) appear in iommu:map alone, which names no device: leave out --device to record them.`,
    );
    return dma;
  }
  if (dma.length === 0) {
    notes.push(
      "This kernel has no dma:* tracepoints (Linux 6.12 and later): devices are not named, and results per device will be withheld where they would be guesses.",
    );
    notes.push(
      "The DMA API passes iommu:map and iommu:unmap only since Linux 5.11 with VT-d and 5.5 with AMD: an older kernel's recording stays empty.",
    );
    if (device !== undefined)
      notes.push(`--device ${device} cannot be kept to: iommu:map names no device; all devices are recorded.`);
  }
  if (dma.length + iommu.length === 0)
    throw new TraceError(
      `${tracefs.root} has no events iommu:map, iommu:unmap or dma:*; the kernel needs CONFIG_IOMMU_API and CONFIG_FTRACE, and root to see them`,
    );
  return [...dma, ...iommu];
}

function tracefsPlan(plan: RecordPlan, tracefs: Tracefs): RecordPlan {
  const { device, seconds, out, bufferKib } = plan.options;
  const clocks = tracefs.read("trace_clock") ?? "";
  const clock = ["mono", "boot", "global", "local"].find((name) => clocks.includes(name)) ?? "local";
  const writes: Write[] = [
    { path: "tracing_on", text: "0" },
    { path: "buffer_size_kb", text: String(bufferKib) },
    { path: "trace_clock", text: clock },
  ];
  for (const event of plan.events) {
    const folder = `events/${event.replace(":", "/")}`;
    if (device !== undefined && event.startsWith("dma:"))
      writes.push({ path: `${folder}/filter`, text: `device == "${device}"` });
    writes.push({ path: `${folder}/enable`, text: "1" });
  }
  writes.push({ path: "tracing_on", text: "1" });
  const own = `${quoted(tracefs.root)}/${instance}`;
  const at = (path: string) => `${own}/${path}`;
  const commands = [
    `mkdir ${own}`,
    ...writes.map(({ path, text }) => `echo ${/^\w+$/.test(text) ? text : `'${text}'`} > ${at(path)}`),
    `timeout ${seconds} cat ${at("trace_pipe")} > ${quoted(out)}`,
    `echo 0 > ${at("tracing_on")}`,
    `cat ${at("per_cpu/cpu*/stats")}   # overrun: and dropped events: were lost`,
    `rmdir ${own}   # undoes everything: the settings were the instance's own`,
  ];
  return { ...plan, writes, commands };
}

function traceCmd(events: string[], { seconds, out, device, bufferKib }: RecordOptions): string[] {
  const which = events
    .map(
      (event) => `-e ${event}${device !== undefined && event.startsWith("dma:") ? ` -f 'device == "${device}"'` : ""}`,
    )
    .join(" ");
  return [
    `trace-cmd record -C mono -b ${bufferKib} ${which} -o "$scratch"/trace.dat sleep ${seconds}`,
    'trace-cmd report -t -i "$scratch"/trace.dat > "$scratch"/recording.txt',
    ...putInPlace(out),
  ];
}

function perf(events: string[], { seconds, out, device, bufferKib }: RecordOptions): string[] {
  const pages = Math.max(1, 2 ** Math.floor(Math.log2(bufferKib / 4)));
  const which = events
    .map(
      (event) =>
        `-e ${event}${device !== undefined && event.startsWith("dma:") ? ` --filter 'device == "${device}"'` : ""}`,
    )
    .join(" ");
  return [
    `perf record -a -k mono -m ${pages} ${which} -o "$scratch"/perf.data -- sleep ${seconds}`,
    'perf script -F comm,pid,cpu,time,event,trace --ns -i "$scratch"/perf.data > "$scratch"/recording.txt',
    ...putInPlace(out),
  ];
}

/** What was there is written over only when there is something to put in its place. */
const putInPlace = (out: string): string[] => [`cat "$scratch"/recording.txt > ${quoted(out)}`];

/** A word for a shell. */
export function quoted(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}
