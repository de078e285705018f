import { z } from "zod";
import { cleanAccount } from "../account.js";
import { blankStep, Ends, type RecordedStep, type RecordingEnd, type StepSink } from "../steps.js";
import { Op, type TraceAbout, TraceError } from "../trace.js";
import { type ByteReader, ByteWriter } from "./bytes.js";
import { ColumnSchema, decodeColumn, type EncodedColumn, encodeColumn } from "./columns.js";

/*
 * Version 2 of the file can be written and read in constant memory: lines of JSON. The first names the format and what is recorded; each
 * further line holds up to 65,536 steps in columns; the last holds what is known only at the end (devices, phases, account).
 * data/traces/README.md describes it.
 */

const columnNames = [
  "timeNs",
  "cpu",
  "op",
  "context",
  "ended",
  "ends",
  "part",
  "device",
  "iovaPfn",
  "pages",
  "bytes",
  "direction",
  "kind",
  "paddrPfn",
] as const;
type ColumnName = (typeof columnNames)[number];

const stepsOfLine = 65_536;
/** In the column `op`: a map; an unmap that ends one map event, or several; of a part; one whose record was lost, of one map event or several. */
const code = { map: 0, unmap: 1, unmapRun: 2, part: 3, lost: 4, lostRun: 5 } as const;

export const AboutSchema = z.strictObject({
  name: z.string().min(1),
  title: z.string().min(1),
  source: z.string().min(1),
  kernel: z.string(),
  mode: z.enum(["strict", "lazy", "unknown"]),
  clock: z.string(),
  caveats: z.array(z.string()),
});
export const DeviceSchema = z.strictObject({ id: z.string().min(1), driver: z.string(), model: z.string() });
export const PhaseSchema = z.strictObject({
  name: z.string().min(1),
  timeNs: z.int(),
  firstOp: z.int().min(0),
  description: z.string(),
});

const FirstSchema = z.strictObject({
  format: z.literal("iommu-lab-trace"),
  version: z.literal(2),
  about: AboutSchema,
});
const StepsSchema = z.strictObject({
  steps: z.int().min(1).max(stepsOfLine),
  columns: z.strictObject(
    Object.fromEntries(columnNames.map((name) => [name, ColumnSchema])) as Record<ColumnName, typeof ColumnSchema>,
  ),
});
const number = z.int().min(0);
const AccountSchema = z.strictObject({
  lines: number,
  events: number,
  unreadable: number,
  lost: number,
  lostUnmaps: number,
  unmatchedUnmaps: number,
  partialUnmaps: number,
  emptyUnmaps: number,
  joined: number,
  openJoined: number.default(0),
  openDoubtful: number.default(0),
  guessed: number,
  named: z.boolean(),
  notes: z.array(z.string()),
});
const LastSchema = z.strictObject({
  end: z.literal(true),
  steps: number,
  maps: number,
  live: number,
  clock: z.string(),
  devices: z.array(DeviceSchema).max(65535),
  deviceOf: z.array(number).max(65536),
  superseded: z.array(z.tuple([number, number])),
  open: z.array(z.array(number).min(2)).optional(),
  phases: z.array(PhaseSchema).min(1).max(255),
  account: AccountSchema,
});

/** The first line of a file of version 2. */
export function firstLine(about: TraceAbout): string {
  return `${JSON.stringify({ format: "iommu-lab-trace", version: 2, about })}\n`;
}

/** Writes steps as the lines of a trace file, in constant memory. Same steps, same lines. */
export class TraceFileWriter implements StepSink {
  private writers = blankWriters();
  private previousIova: number[] = [];
  private previousPaddr: number[] = [];
  private time = 0;
  private inLine = 0;
  private steps = 0;
  private maps = 0;

  /**
   * @param write takes each line as it is done
   * @param about the header, which is the first line
   * @param describe sets devices and phases at the end
   */
  constructor(
    private readonly write: (line: string) => void,
    about: TraceAbout,
    private readonly describe: (end: RecordingEnd) => RecordingEnd = (end) => end,
  ) {
    write(firstLine(about));
  }

  /** Takes the next step. */
  step(step: RecordedStep): void {
    const writers = this.writers;
    if (!Number.isInteger(step.timeNs))
      throw new TraceError(`operation ${this.steps}: timeNs is not a whole number of ns`);
    writers.timeNs.signed(step.timeNs - this.time);
    this.time = step.timeNs;
    writers.cpu.unsigned(step.cpu);
    writers.context.unsigned(step.context);
    if (step.op === Op.map) this.map(step);
    else this.unmap(step);
    this.steps++;
    if (++this.inLine === stepsOfLine) this.flush();
  }

  /** The recording ends. */
  end(end: RecordingEnd): void {
    this.flush();
    const { devices, deviceOf, superseded, open, phases, live, clock, account } = this.describe(end);
    const steps = this.steps;
    const maps = this.maps;
    const { lines, events, unreadable, lost, lostUnmaps, unmatchedUnmaps, partialUnmaps, emptyUnmaps, joined } =
      account;
    const { guessed, named, notes } = account;
    const counts = { lines, events, unreadable, lost, lostUnmaps, unmatchedUnmaps, partialUnmaps, emptyUnmaps, joined };
    const last = {
      ...{ end: true, steps, maps, live, clock, devices, deviceOf, superseded },
      ...(open.length > 0 ? { open: open.map((request) => request.maps) } : {}),
      phases,
    };
    // Recordings without requests that are open at the end have the bytes that they always had.
    const { openJoined, openDoubtful } = account;
    const opened = openJoined + openDoubtful > 0 ? { openJoined, openDoubtful } : {};
    this.write(`${JSON.stringify({ ...last, account: { ...counts, ...opened, guessed, named, notes } })}\n`);
  }

  private map(step: RecordedStep): void {
    const writers = this.writers;
    const previousIova = this.previousIova;
    const previousPaddr = this.previousPaddr;
    const { device } = step;
    this.maps++;
    writers.op.unsigned(code.map);
    writers.device.unsigned(device);
    writers.iovaPfn.signed(step.iovaPfn - (previousIova[device] ?? 0));
    previousIova[device] = step.iovaPfn;
    writers.pages.unsigned(step.pages);
    writers.bytes.unsigned(step.bytes);
    writers.direction.unsigned(step.direction);
    writers.kind.unsigned(step.kind);
    writers.paddrPfn.signed(step.paddrPfn - (previousPaddr[device] ?? 0));
    previousPaddr[device] = step.paddrPfn;
  }

  private unmap(step: RecordedStep): void {
    const writers = this.writers;
    const { ended, ends } = step;
    const run = ended.length > 1;
    writers.op.unsigned(
      ends === Ends.part
        ? code.part
        : ends === Ends.lost
          ? run
            ? code.lostRun
            : code.lost
          : run
            ? code.unmapRun
            : code.unmap,
    );
    if (ends === Ends.part) {
      writers.part.unsigned(step.pages);
      writers.part.unsigned(step.iovaPfn);
    }
    if (ends !== Ends.part && run) writers.ended.unsigned(ended.length);
    for (const map of ended) writers.ends.unsigned(this.maps - map);
  }

  private flush(): void {
    if (this.inLine === 0) return;
    const columns = Object.fromEntries(columnNames.map((name) => [name, encodeColumn(this.writers[name])]));
    this.write(`${JSON.stringify({ steps: this.inLine, columns })}\n`);
    this.writers = blankWriters();
    this.previousIova = [];
    this.previousPaddr = [];
    this.time = 0;
    this.inLine = 0;
  }
}

function blankWriters(): Record<ColumnName, ByteWriter> {
  return Object.fromEntries(columnNames.map((name) => [name, new ByteWriter()])) as Record<ColumnName, ByteWriter>;
}

/** A map event of the file that is still mapped. */
interface Mapped {
  device: number;
  iovaPfn: number;
  pages: number;
  timeNs: number;
  cpu: number;
}

/** Reads the lines of a trace file as they come, and passes on its steps. @throws TraceError naming the file, the field and what was expected */
export class TraceFileReader {
  /** The header, once the first line is read. */
  about: TraceAbout | undefined;
  private readonly mapped = new Map<number, Mapped>();
  private readonly step = blankStep();
  private lines = 0;
  private steps = 0;
  private maps = 0;
  private mostDevice = -1;
  private ended = false;

  constructor(
    private readonly file: string,
    private readonly sink: StepSink,
  ) {}

  /** Takes the next line. */
  line(text: string): void {
    this.lines++;
    if (text.trim() === "") return;
    const json = this.json(text);
    if (this.lines === 1) {
      this.about = this.parsed(FirstSchema, json, "the first line").about;
      this.sink.header?.(this.about);
    } else if (this.ended) this.fail("the file", `goes on after its last line (line ${this.lines})`);
    else if (typeof json === "object" && json !== null && "end" in json) this.last(json);
    else this.stepsOf(json);
  }

  /** The file is at its end. */
  end(): void {
    if (!this.ended) this.fail("the file", "is cut off: its last line, which names devices and phases, is missing");
  }

  private json(text: string): unknown {
    try {
      return JSON.parse(text);
    } catch (error) {
      return this.fail(`line ${this.lines}`, `expected the JSON of a trace file (${(error as Error).message})`);
    }
  }

  private parsed<T>(schema: z.ZodType<T>, json: unknown, where: string): T {
    const parsed = schema.safeParse(json);
    if (parsed.success) return parsed.data;
    const [issue] = parsed.error.issues;
    return this.fail(`${where}${issue.path.length > 0 ? `, ${issue.path.join(".")}` : ""}`, issue.message);
  }

  private fail(field: string, expected: string): never {
    throw new TraceError(`${this.file}: ${field}: ${expected}`);
  }

  private stepsOf(json: unknown): void {
    const { steps, columns } = this.parsed(StepsSchema, json, `line ${this.lines}`);
    const reader = (name: ColumnName): ByteReader =>
      decodeColumn(columns[name] as EncodedColumn, (what) =>
        this.fail(`line ${this.lines}, columns.${name}.data`, what),
      );
    const readers = Object.fromEntries(columnNames.map((name) => [name, reader(name)])) as Record<
      ColumnName,
      ByteReader
    >;
    const step = this.step;
    const previousIova: number[] = [];
    const previousPaddr: number[] = [];
    let time = 0;
    for (let i = 0; i < steps; i++, this.steps++) {
      step.timeNs = time += readers.timeNs.signed();
      step.cpu = readers.cpu.unsigned(65535);
      step.context = readers.context.unsigned(3);
      const op = readers.op.unsigned(5);
      if (op === code.map) this.mapStep(readers, previousIova, previousPaddr);
      else this.unmapStep(op, readers);
      this.sink.step(step);
    }
    for (const name of columnNames) readers[name].finish();
  }

  private mapStep(readers: Record<ColumnName, ByteReader>, previousIova: number[], previousPaddr: number[]): void {
    const step = this.step;
    const device = readers.device.unsigned(65535);
    if (device > this.mostDevice) this.mostDevice = device;
    step.op = Op.map;
    step.device = device;
    step.iovaPfn = previousIova[device] = (previousIova[device] ?? 0) + readers.iovaPfn.signed();
    step.pages = readers.pages.unsigned(0xffffffff);
    step.bytes = readers.bytes.unsigned();
    step.direction = readers.direction.unsigned(3);
    step.kind = readers.kind.unsigned(3);
    step.paddrPfn = previousPaddr[device] = (previousPaddr[device] ?? 0) + readers.paddrPfn.signed();
    step.map = this.maps++;
    step.ends = Ends.whole;
    if (step.pages === 0)
      this.fail("columns.pages.data", `operation ${this.steps} maps no pages; expected at least one`);
    if (step.iovaPfn < 0)
      this.fail("columns.iovaPfn.data", `operation ${this.steps} has the page number ${step.iovaPfn}`);
    const { iovaPfn, pages, timeNs, cpu } = step;
    this.mapped.set(step.map, { device, iovaPfn, pages, timeNs, cpu });
  }

  private unmapStep(op: number, readers: Record<ColumnName, ByteReader>): void {
    const step = this.step;
    const mapped = this.mapped;
    step.op = Op.unmap;
    step.ends = op === code.part ? Ends.part : op === code.lost || op === code.lostRun ? Ends.lost : Ends.whole;
    const count = op === code.unmapRun || op === code.lostRun ? readers.ended.unsigned(this.maps) : 1;
    if (count < 1) this.fail("columns.ended.data", `operation ${this.steps} ends no map`);
    step.ended.length = 0;
    step.pages = 0;
    let first: Mapped | undefined;
    let latest = -1;
    step.map = Number.POSITIVE_INFINITY;
    for (let k = 0; k < count; k++) {
      const map = this.maps - readers.ends.unsigned(this.maps);
      const of = mapped.get(map);
      if (!of)
        this.fail(
          "columns.ends.data",
          `operation ${this.steps} unmaps what is not mapped (map ${map} of ${this.maps})`,
        );
      if (op !== code.part) mapped.delete(map);
      step.ended.push(map);
      step.pages += of.pages;
      if (k === 0) step.iovaPfn = of.iovaPfn;
      if (map < step.map) {
        step.map = map;
        first = of;
      }
      // A run that had no room in the space where it began was another's, which its last map event is the first to know.
      if (map > latest) {
        latest = map;
        step.device = of.device;
      }
    }
    if (op === code.part) {
      step.pages = readers.part.unsigned(0xffffffff);
      step.iovaPfn = readers.part.unsigned();
    }
    step.mappedNs = first!.timeNs;
    step.mappedCpu = first!.cpu;
  }

  private last(json: unknown): void {
    const last = this.parsed(LastSchema, json, "the last line");
    this.ended = true;
    if (last.steps !== this.steps)
      this.fail("the last line, steps", `expected ${this.steps}, as many as the file holds (got ${last.steps})`);
    if (last.maps !== this.maps)
      this.fail("the last line, maps", `expected ${this.maps}, as many as the file holds (got ${last.maps})`);
    const { deviceOf, devices, phases, superseded, open = [] } = last;
    if (deviceOf.length <= this.mostDevice || deviceOf.some((device) => device >= devices.length))
      this.fail(
        "the last line, deviceOf",
        `expected an index into the ${devices.length} devices for each of ${this.mostDevice + 1}`,
      );
    phases.forEach(({ firstOp }, i) => {
      if (firstOp > this.steps || firstOp < (i === 0 ? 0 : phases[i - 1].firstOp))
        this.fail(
          `the last line, phases.${i}.firstOp`,
          `expected at most ${this.steps} and not before the phase above it (got ${firstOp})`,
        );
    });
    const seen = new Set<number>();
    for (const [lost, by] of superseded) {
      if (lost >= by || by >= this.maps || !this.mapped.has(lost) || seen.has(lost))
        this.fail(
          "the last line, superseded",
          `[${lost}, ${by}] does not name a map that was never unmapped and a later one`,
        );
      seen.add(lost);
    }
    const requests = open.map((maps, i) => {
      for (const map of maps) {
        if (!this.mapped.has(map) || seen.has(map))
          this.fail(`the last line, open.${i}`, `${map} is not a map that was never unmapped, named once`);
        seen.add(map);
      }
      const latest = maps.reduce((last, map) => Math.max(last, map));
      return { device: this.mapped.get(latest)!.device, maps };
    });
    const { live, clock, account } = last;
    this.about = { ...this.about!, clock };
    this.sink.end({
      devices,
      deviceOf,
      superseded,
      open: requests,
      phases,
      live,
      clock,
      account: cleanAccount(account),
    });
  }
}
