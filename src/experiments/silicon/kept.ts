import { z } from "zod";
import type { Facts } from "../../facts/index.js";
import { configHash } from "../frame/hash.js";
import { changedReads } from "../frame/reads.js";
import type { SiliconPoint } from "./config.js";

/** A number; null stands for one that was not measured, which JSON has no way to write. */
const Cell = z.union([z.number(), z.string(), z.null()]);
const File = z.strictObject({
  about: z.string().min(1),
  machine: z.string(),
  /** Names the recording that was predicted: of another one of the same name nothing here is true. */
  recording: z.string(),
  /** What the predictions rest on, see `frame/reads.ts`. */
  reads: z.record(z.string(), z.string()),
  replications: z.int().min(2),
  draws: z.int().min(0),
  seed: z.int().min(0),
  /** Not as usual: see the fields of the configuration. */
  times: z.int().min(1).default(1),
  streamedLines: z.int().min(1).default(1),
  /** The revision whose code computed it, and when. */
  version: z.string(),
  date: z.iso.date(),
  columns: z.array(z.string()).min(1),
  rows: z.array(z.array(Cell)),
});

/** Predictions of a machine of many cores as data/predictions keeps them: minutes of computing, of which a test computes some anew. */
export type KeptPredictions = z.output<typeof File>;

const nameOf = (machine: string): string => `silicon-${machine}`;

/** The file of predictions that are not made as usual has both numbers in its name: "silicon-xeon-16-20-lines-4-times". */
const fileOf = (machine: string, { times, streamedLines }: Pick<SiliconPoint, "times" | "streamedLines">): string =>
  `${nameOf(machine)}${streamedLines > 1 ? `-${streamedLines}-lines` : ""}${times > 1 ? `-${times}-times` : ""}`;
const asUsual = { times: 1, streamedLines: 1 };

/** Names a recording by its content. */
export const recordingHash = (facts: Facts, machine: string): string =>
  configHash("recording", facts.observation(nameOf(machine)));

/**
 * The predictions of a machine that were kept; undefined where there are none.
 * @throws Error naming the file and the field at fault
 */
export function keptPredictions(
  facts: Facts,
  machine: string,
  how: Pick<SiliconPoint, "times" | "streamedLines"> = asUsual,
): KeptPredictions | undefined {
  const name = fileOf(machine, how);
  const found = facts.prediction(name);
  if (found === undefined) return undefined;
  const parsed = File.safeParse(found);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new Error(`data/predictions/${name}.json: ${issue.path.join(".")}: ${issue.message}`);
}

/** What names a row among those of its machine. */
interface KeptRow {
  variant: string;
  lock: string;
  workNs: number;
  cores: number;
  draw: number;
}

/** The rows of a point from those that were kept; undefined where it was not computed with these seeds and draws, for this recording. */
export function keptRows<Row extends KeptRow>(point: SiliconPoint, facts: Facts): Row[] | undefined {
  if (point.anew) return undefined;
  const kept = keptPredictions(facts, point.machine, point);
  if (!kept || kept.replications !== point.replications || kept.seed !== point.seed) return undefined;
  if (point.draws > 0 && point.draws !== kept.draws) return undefined;
  if (kept.recording !== recordingHash(facts, point.machine)) return undefined;
  if (changedReads(facts, kept.reads).length > 0) return undefined;
  const rows = kept.rows.map(
    (cells) => Object.fromEntries(kept.columns.map((name, i) => [name, cells[i] ?? Number.NaN])) as unknown as Row,
  );
  const lock = point.variant === "off" ? "none" : point.lock;
  const mine = rows.filter(
    (row) =>
      row.variant === point.variant && row.lock === lock && row.workNs === point.workNs && row.cores === point.cores,
  );
  return mine.length > 0 ? mine.filter(({ draw }) => draw === 0 || point.draws > 0) : undefined;
}
