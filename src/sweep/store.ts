/**
 * The store of points: rows that were computed before, a file a point. One format and one key, for notebooks, sweeps, ledger and perturb.
 *
 * A point's file is FOLDER/CODE/ab/abcdef….json: the code that its rows follow from (see `pointCode`), then a hash of experiment and point, in
 * which configuration and seed are. In the file stand the records and files of the facts that were read, each with a hash of its content: where
 * the facts at hand differ in one of them, the file does not count. With changed facts a further hash over those contents is in the name.
 *
 * There are no locks. Whoever computes a point writes the same file, whole (`files`); who finds half a file, or none, computes. So kernels, threads
 * and machines may share a folder.
 */
import { randomUUID } from "node:crypto";
import { readdirSync, renameSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { computations, configHash, experiments, type RememberedPoints, type Row } from "../experiments/index.js";
import { canonicalJson, type Facts } from "../facts/index.js";
import { largestText, readSmall, StoreError, writeWhole } from "../files/index.js";
import { pointCode } from "./code.js";
import { Contents, short } from "./contents.js";

/** A point's file. */
interface StoredPoint {
  experiment: string;
  point: unknown;
  /** Hash of each record and file that was read. */
  reads: Record<string, string>;
  rows: Row[];
  /** Hash of all the text before it: a file that was cut or damaged is none. */
  sum: string;
}

/** How a {@link PointStore} keeps. */
export interface PointStoreOptions {
  /** The code that computes (default: as it is built now). */
  code?: string;
  /** About how many bytes it may keep; what was written longest ago goes first (default: without bound). */
  mostBytes?: number;
  /** Finds nothing: every point is computed anew, and kept. */
  fresh?: boolean;
  /** Experiments whose names mean one thing here (default: those of the registry). */
  takes?: (experiment: { name: string }) => boolean;
}

/** The name of a point: the same work has the same name in every sweep. */
export function pointHash(experiment: { name: string }, point: unknown): string {
  return configHash(`${experiment.name}/point`, point);
}

/**
 * Rows of points in a folder. Only experiments and computations of the registry take part, as a name means one thing there alone (or those that the
 * options name); and only rows that come back from JSON as they were. A folder that cannot be written is no hindrance: then points are computed each time.
 */
export class PointStore implements RememberedPoints {
  readonly code: string;
  private readonly takes: (experiment: { name: string }) => boolean;
  private readonly contents = new Contents();
  private written = Number.POSITIVE_INFINITY;

  constructor(
    readonly folder: string,
    private readonly options: PointStoreOptions = {},
  ) {
    this.code = options.code ?? pointCode();
    this.takes = options.takes ?? registered();
  }

  /** Whether it finds nothing, and only keeps. */
  get fresh(): boolean {
    return this.options.fresh ?? false;
  }

  /** The file of a point, computed from the facts as they are published. Two levels, so that no folder holds too many. */
  file(hash: string): string {
    return join(this.folder, this.code, hash.slice(0, 2), `${hash}.json`);
  }

  get(experiment: { name: string }, point: unknown, facts: Facts): Row[] | undefined {
    if (this.fresh || !this.takes(experiment)) return undefined;
    const file = this.file(pointHash(experiment, point));
    const asked = { name: experiment.name, point: canonicalJson(point) };
    const first = read(file, asked);
    if (first && this.holds(first, facts)) return rowsNoting(first, facts);
    if (facts.key === "" || !first) return undefined;
    const other = read(this.changedFile(file, Object.keys(first.reads), facts), asked);
    return other && this.holds(other, facts) ? rowsNoting(other, facts) : undefined;
  }

  put(experiment: { name: string }, point: unknown, facts: Facts, rows: readonly Row[], reads: Iterable<string>): void {
    if (!this.takes(experiment)) return;
    const text = JSON.stringify(rows);
    if (!isDeepStrictEqual(JSON.parse(text), rows)) return;
    const own = Object.fromEntries([...new Set(reads)].sort().map((name) => [name, this.contents.of(name, facts)]));
    const first = this.file(pointHash(experiment, point));
    // The point as it is published says what is read: where it is not there, these facts' reads stand for it.
    const asked = { name: experiment.name, point: canonicalJson(point) };
    const names = facts.key === "" ? [] : Object.keys(read(first, asked)?.reads ?? own);
    const head = JSON.stringify({ experiment: experiment.name, point, reads: own });
    const body = `${head.slice(0, -1)},"rows":${text}`;
    const whole = `${body},"sum":"${short(body)}"}\n`;
    try {
      // A damaged file counts as none, so there is no need to wait for the disk.
      writeWhole(facts.key === "" ? first : this.changedFile(first, names, facts), whole, false);
    } catch (error) {
      if (!(error instanceof StoreError)) throw error;
      return;
    }
    this.written += whole.length;
    const { mostBytes } = this.options;
    if (mostBytes === undefined || this.written < mostBytes / 8) return;
    this.written = 0;
    prune(this.folder, this.code, mostBytes);
  }

  /** Forgets every point, of whatever code. @throws StoreError where that is not allowed */
  forget(): void {
    try {
      for (const code of codesIn(this.folder)) {
        // Under another name first: somebody else may be writing into it, and would keep it from being emptied.
        const gone = join(this.folder, `forgotten-${randomUUID()}`);
        if (moved(join(this.folder, code), gone))
          rmSync(gone, { recursive: true, force: true, maxRetries: 5, retryDelay: 20 });
      }
    } catch (error) {
      throw new StoreError(`${this.folder}: the points cannot be forgotten (${(error as Error).message}).`);
    }
  }

  private holds({ reads }: StoredPoint, facts: Facts): boolean {
    return Object.entries(reads).every(([name, content]) => this.contents.of(name, facts) === content);
  }

  private changedFile(file: string, names: readonly string[], facts: Facts): string {
    const contents = names.map((name) => `${name} ${this.contents.of(name, facts)}`).join("\n");
    return file.replace(/\.json$/, `-${short(contents)}.json`);
  }
}

/** The rows of a point's file. Whoever hears who reads what must hear it of what is remembered, too. */
function rowsNoting({ rows, reads }: StoredPoint, facts: Facts): Row[] {
  for (const name of Object.keys(reads)) facts.noteRead(name);
  return rows;
}

/** Asked of every point, so that a store looks the registry through once. */
function registered(): (experiment: { name: string }) => boolean {
  const known: ReadonlySet<{ name: string }> = new Set([...experiments(), ...computations]);
  return (experiment) => known.has(experiment);
}

/** A point's file, where it is whole and is the one that was asked for; whatever else lies there is none. */
function read(file: string, asked: { name: string; point: string }): StoredPoint | undefined {
  try {
    const text = readSmall(file, largestText);
    const end = text.lastIndexOf(',"sum":"');
    if (end < 0) return undefined;
    const { experiment, point, reads, rows, sum } = JSON.parse(text) as Partial<Record<keyof StoredPoint, unknown>>;
    if (sum !== short(text.slice(0, end)) || experiment !== asked.name || canonicalJson(point) !== asked.point)
      return undefined;
    if (!isPlain(reads) || !Object.values(reads).every((content) => typeof content === "string")) return undefined;
    if (!Array.isArray(rows) || !rows.every(isPlain)) return undefined;
    return { experiment, point, reads: reads as Record<string, string>, rows: rows as Row[], sum };
  } catch {
    return undefined;
  }
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/** Renames a folder; false where somebody else has done so. */
function moved(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return false;
    throw error;
  }
}

/** The folders of a store that are a code's: nothing else in its folder is the store's. */
function codesIn(folder: string): string[] {
  try {
    return readdirSync(folder).filter((name) => /^[0-9a-f]{20}$/.test(name));
  } catch {
    return [];
  }
}

/** Removes what is too much: the points of other code first, the oldest at the beginning, then the oldest of this one. Others may do the same. */
function prune(folder: string, code: string, mostBytes: number): void {
  const files = codesIn(folder).flatMap((name) => {
    const root = join(folder, name);
    return list(root).map((file) => ({ file: join(root, file), own: name === code, ...sizeOf(join(root, file)) }));
  });
  let bytes = files.reduce((sum, { size }) => sum + size, 0);
  if (bytes <= mostBytes) return;
  files.sort((a, b) => Number(a.own) - Number(b.own) || a.at - b.at);
  for (const { file, size } of files) {
    if (bytes <= mostBytes * 0.75) break;
    rmSync(file, { force: true });
    bytes -= size;
  }
}

function list(root: string): string[] {
  try {
    return readdirSync(root, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".json"));
  } catch {
    return [];
  }
}

function sizeOf(file: string): { size: number; at: number } {
  const found = statSync(file, { throwIfNoEntry: false });
  return { size: found?.size ?? 0, at: found?.mtimeMs ?? 0 };
}
