import { z } from "zod";
import { cleanAccount } from "../account.js";
import { Op, type Trace, TraceError } from "../trace.js";
import type { ByteReader } from "./bytes.js";
import { ColumnSchema, decodeColumn } from "./columns.js";
import { AboutSchema, DeviceSchema, PhaseSchema } from "./version-2.js";

/*
 * Version 1, which data/traces holds: one JSON object. A header that a person can read, then the columns, each a run of variable-length integers (LEB128),
 * compressed (zlib) and in base64, with its count and the CRC-32 of the uncompressed bytes. data/traces/README.md describes it.
 * Unmaps carry only what their map does not tell: time, CPU, context, and how many maps ago it was.
 */

const columnNames = [
  "timeNs",
  "cpu",
  "op",
  "context",
  "ends",
  "device",
  "iovaPfn",
  "pages",
  "bytes",
  "direction",
  "kind",
  "paddrPfn",
] as const;
type ColumnName = (typeof columnNames)[number];

/** Columns with one value an operation; the others have one a map, but for `ends`, which has one an unmap. */
const perOp: ReadonlySet<ColumnName> = new Set<ColumnName>(["timeNs", "cpu", "op", "context"]);

const FileSchema = z.strictObject({
  format: z.literal("iommu-lab-trace"),
  version: z.literal(1),
  about: AboutSchema,
  devices: z.array(DeviceSchema).max(65535),
  phases: z.array(PhaseSchema).min(1).max(255),
  ops: z.int().min(0).max(100_000_000),
  maps: z.int().min(0).max(100_000_000),
  columns: z.strictObject(
    Object.fromEntries(columnNames.map((name) => [name, ColumnSchema])) as Record<ColumnName, typeof ColumnSchema>,
  ),
});

/**
 * Reads the text of a trace file of version 1.
 * @param text the file's content
 * @param file its name, for the error message
 * @throws TraceError naming the file, the field and what was expected.
 */
export function decodeVersion1(text: string, file: string): Trace {
  const fail = (field: string, expected: string): never => {
    throw new TraceError(`${file}: ${field}: ${expected}`);
  };
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (error) {
    return fail("the file", `expected the JSON of a trace file (${(error as Error).message})`);
  }
  const parsed = FileSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    return fail(issue.path.join(".") || "the file", issue.message);
  }
  const { about, devices, phases, ops, maps, columns } = parsed.data;
  phases.forEach((phase, i) => {
    if (phase.firstOp > ops || phase.firstOp < (i === 0 ? 0 : phases[i - 1].firstOp)) {
      fail(`phases.${i}.firstOp`, `expected at most ${ops} and not before the phase above it (got ${phase.firstOp})`);
    }
  });
  const readers = {} as Record<ColumnName, ByteReader>;
  for (const name of columnNames) {
    const wanted = perOp.has(name) ? ops : name === "ends" ? ops - maps : maps;
    const column = columns[name];
    if (column.values !== wanted) {
      fail(
        `columns.${name}.values`,
        `expected ${wanted} for ${ops} operations with ${maps} maps (got ${column.values})`,
      );
    }
    readers[name] = decodeColumn(column, (what) => fail(`columns.${name}.data`, what));
  }
  const trace = {
    about,
    account: cleanAccount({ events: ops }),
    devices,
    phases,
    length: ops,
    maps,
    timeNs: new Float64Array(ops),
    cpu: new Uint16Array(ops),
    op: new Uint8Array(ops),
    device: new Uint16Array(ops),
    iovaPfn: new Float64Array(ops),
    pages: new Uint32Array(ops),
    bytes: new Uint32Array(ops),
    direction: new Uint8Array(ops),
    kind: new Uint8Array(ops),
    context: new Uint8Array(ops),
    phase: new Uint8Array(ops),
    paddrPfn: new Float64Array(ops),
    partner: new Int32Array(ops).fill(-1),
  } satisfies Trace;
  const previousIova = new Float64Array(devices.length);
  const previousPaddr = new Float64Array(devices.length);
  const mapOp = new Int32Array(maps);
  let map = 0;
  let time = 0;
  let phase = 0;
  for (let i = 0; i < ops; i++) {
    while (phase + 1 < phases.length && phases[phase + 1].firstOp <= i) phase++;
    trace.phase[i] = phase;
    time += readers.timeNs.signed();
    trace.timeNs[i] = time;
    trace.cpu[i] = readers.cpu.unsigned(65535);
    trace.op[i] = readers.op.unsigned(1);
    trace.context[i] = readers.context.unsigned(3);
    if (trace.op[i] === Op.unmap) {
      const ago = readers.ends.unsigned(maps);
      const of = ago >= 1 && ago <= map ? mapOp[map - ago] : -1;
      if (of < 0 || trace.partner[of] >= 0) {
        fail("columns.ends.data", `operation ${i} unmaps what is not mapped (a map ${ago} maps ago, of ${map})`);
      }
      trace.partner[of] = i;
      trace.partner[i] = of;
      trace.device[i] = trace.device[of];
      trace.iovaPfn[i] = trace.iovaPfn[of];
      trace.pages[i] = trace.pages[of];
      trace.bytes[i] = trace.bytes[of];
      trace.direction[i] = trace.direction[of];
      trace.kind[i] = trace.kind[of];
      trace.paddrPfn[i] = trace.paddrPfn[of];
      continue;
    }
    if (map === maps) fail("maps", `expected as many as the column "op" has, which is more than ${maps}`);
    mapOp[map++] = i;
    const device = readers.device.unsigned(devices.length - 1);
    trace.device[i] = device;
    trace.iovaPfn[i] = previousIova[device] += readers.iovaPfn.signed();
    trace.pages[i] = readers.pages.unsigned(0xffffffff);
    trace.bytes[i] = readers.bytes.unsigned(0xffffffff);
    trace.direction[i] = readers.direction.unsigned(3);
    trace.kind[i] = readers.kind.unsigned(3);
    trace.paddrPfn[i] = previousPaddr[device] += readers.paddrPfn.signed();
    if (trace.pages[i] === 0) fail("columns.pages.data", `operation ${i} maps no pages; expected at least one`);
    if (trace.iovaPfn[i] < 0) fail("columns.iovaPfn.data", `operation ${i} has the page number ${trace.iovaPfn[i]}`);
  }
  if (map !== maps) fail("maps", `expected ${map}, as many as the column "op" has (got ${maps})`);
  for (const name of columnNames) readers[name].finish();
  return trace;
}
