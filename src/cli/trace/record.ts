import { type Command, InvalidArgumentError, Option } from "commander";
import {
  planRecording,
  type Recorder,
  type RecordPlan,
  record,
  recorders,
  supposedSystem,
  thisSystem,
  traceInfo,
} from "../../recorder/index.js";
import { formatInfo } from "../../recordings/index.js";
import { printable, UserError } from "../errors.js";

interface RecordFlags {
  seconds: number;
  out: string;
  device?: string;
  with: Recorder;
  buffer: number;
  dryRun?: boolean;
  tracefs?: string;
}

/** `iommu-lab trace record`: records this machine's DMA-mapping requests, or says how. */
export function recordCommand(trace: Command): void {
  trace
    .command("record")
    .description(
      "record this machine's DMA map and unmap requests with the kernel's tracepoints (needs root), and say what was recorded",
    )
    .option("--seconds <n>", "for how long", seconds, 10)
    .option("-o, --out <file>", "where the recording goes", "recording.txt")
    .option("--device <bdf>", "only this device's requests, 0000:05:00.0 say (Linux 6.12 and later)")
    .addOption(new Option("--with <recorder>", "what records").choices([...recorders]).default("tracefs"))
    .option("--buffer <kib>", "size of each CPU's buffer in KiB", kib, 8192)
    .option(
      "--dry-run",
      "print the commands for this kernel (where it shows no tracefs, for an ordinary one) and change nothing",
    )
    .option("--tracefs <folder>", "where tracefs is mounted (default: /sys/kernel/tracing)")
    .action(async (flags: RecordFlags) => {
      const here = thisSystem(flags.tracefs);
      // A container, or a user who is not root, sees no tracefs: what is asked for is the commands, perhaps for another machine.
      const unseen = flags.dryRun === true && here.tracefs === undefined;
      const system = unseen ? supposedSystem(flags.tracefs) : here;
      const plan = planRecording(system, {
        seconds: flags.seconds,
        out: flags.out,
        recorder: flags.with,
        bufferKib: flags.buffer,
        ...(flags.device === undefined ? {} : { device: flags.device }),
      });
      for (const note of plan.notes) process.stderr.write(`${note}\n`);
      if (unseen)
        process.stdout.write(
          `# This machine shows no tracefs at ${JSON.stringify(system.tracefs?.root)}: these are the commands for Linux ${system.kernel}, not checked against the kernel that they will run on.\n`,
        );
      if (flags.dryRun) process.stdout.write(script(plan));
      else await run(plan, flags);
    });
}

/** The plan as a shell script. */
function script({ commands, files, options }: RecordPlan): string {
  const written = files.map(({ name, text }) => `cat > "$scratch"/${name} <<'END'\n${text}END\n`).join("");
  const scratch = commands.some((command) => command.includes('"$scratch"'));
  const [make, remove] = scratch ? ["scratch=$(mktemp -d)\n", '\nrm -r "$scratch"'] : ["", ""];
  return `# as root:\n${make}${written}${commands.join("\n")}${remove}\n# then: iommu-lab trace info ${options.out}\n`;
}

async function run(plan: RecordPlan, flags: RecordFlags): Promise<void> {
  const system = thisSystem(flags.tracefs);
  if (!system.root)
    throw new UserError(
      "trace record: needs root: tracepoints are read from tracefs, which only root may write to. Run it with sudo, or with --dry-run to see the commands.",
    );
  const stop = new AbortController();
  const interrupt = () => stop.abort();
  process.once("SIGINT", interrupt);
  process.stderr.write(`Recording ${plan.events.join(", ")} for ${flags.seconds} s (Ctrl-C ends it early) …\n`);
  try {
    const { seconds: took, bytes, lost, cpuSeconds } = await record(plan, system, { signal: stop.signal });
    const cost =
      cpuSeconds === undefined
        ? ""
        : `; reading took ${cpuSeconds.toFixed(2)} s of CPU time, and what each tracepoint costs its caller is not in it`;
    process.stderr.write(`${flags.out}: ${took.toFixed(1)} s, ${bytes} bytes, ${lost} events lost${cost}.\n`);
    if (lost > 0) process.stderr.write(`Events were lost: record again with --buffer ${2 * flags.buffer}.\n`);
  } finally {
    process.off("SIGINT", interrupt);
  }
  process.stdout.write(printable(formatInfo(await traceInfo(flags.out))));
}

function seconds(text: string): number {
  const value = text === "" ? Number.NaN : Number(text);
  if (value > 0 && value <= 86_400) return value;
  throw new InvalidArgumentError("Expected a time in seconds above 0 and at most 86400.");
}

function kib(text: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value >= 4 && value <= 4_194_304) return value;
  throw new InvalidArgumentError("Expected a size in KiB from 4 to 4194304.");
}
