/** The facts as one immutable value: the data as it was generated, or with some of its numbers changed; and, where asked, who reads what. */
import { designs, ensembles, hardware, judging, observations, predictions, published, workload } from "./generated.js";
import { FactFileSchema, type FactRecord } from "./schema.js";

/** One value of data/ and what stands in its place. */
export interface DataChange {
  /** Where it stands: the folder, the file, then keys and positions: ["hardware", "hsw", "values", "mps", "value"]. */
  path: readonly (string | number)[];
  value: unknown;
}

/** The files of data/, by folder and name. */
export interface RawData {
  readonly published: Readonly<Record<string, unknown>>;
  readonly hardware: Readonly<Record<string, unknown>>;
  readonly workload: Readonly<Record<string, unknown>>;
  readonly observations: Readonly<Record<string, unknown>>;
  readonly designs: Readonly<Record<string, unknown>>;
  readonly ensembles: Readonly<Record<string, unknown>>;
  readonly judging: Readonly<Record<string, unknown>>;
  readonly predictions: Readonly<Record<string, unknown>>;
}

/**
 * Published records, hosts, workload assumptions and observations, passed into whatever depends on them. A value never changes:
 * {@link changed} makes another one, which shares what was not changed, and {@link noting} one that tells who reads what.
 */
export class Facts {
  private index: Map<string, FactRecord> | undefined;
  private rawIndex: Map<string, unknown> | undefined;

  private constructor(
    private readonly raw: RawData,
    /** Names the changes: an empty text without any. It is part of the name of every result, so that none is taken for another. */
    readonly key: string,
    private readonly note: ((name: string) => void) | undefined,
  ) {}

  /** The data of this version. Cheap: records are checked when the first is asked for. */
  static published(): Facts {
    return new Facts(
      { published, hardware, workload, observations, designs, ensembles, judging, predictions } as RawData,
      "",
      undefined,
    );
  }

  /**
   * These facts with other values in the place of some. It is for asking what depends on a figure.
   * @throws RangeError naming a path where nothing stands
   */
  changed(changes: readonly DataChange[]): Facts {
    if (changes.length === 0) return this;
    const raw = changes.reduce((data, { path, value }) => withValue(data, path, 0, value) as RawData, this.raw);
    const added = changes.map(({ path, value }) => [path, value]);
    const before = this.key === "" ? [] : (JSON.parse(this.key) as unknown[]);
    return new Facts(raw, JSON.stringify([...before, ...added]), this.note);
  }

  /** The same facts, which call `note` with the name of what is read: a record's id ("PE1"), or a file ("hardware/hsw"). */
  noting(note: (name: string) => void): Facts {
    const { note: before } = this;
    const copy = new Facts(
      this.raw,
      this.key,
      before === undefined
        ? note
        : (name) => {
            before(name);
            note(name);
          },
    );
    copy.index = this.records();
    copy.rawIndex = this.rawRecords();
    return copy;
  }

  /** Every record, in the order of the files: to list them. Whoever takes values goes through {@link record}. */
  all(): FactRecord[] {
    return [...this.records().values()];
  }

  /**
   * The record with this id.
   * @throws Error when there is none, naming the id.
   */
  record(id: string): FactRecord {
    this.note?.(id);
    const record = this.records().get(id);
    if (!record) throw new Error(`There is no published record "${id}" in data/published.`);
    return record;
  }

  /**
   * A record's value as one number.
   * @throws Error when the value is not a number.
   * @example Facts.published().number("S3") // 7
   */
  number(id: string): number {
    const { value } = this.record(id);
    if (typeof value !== "number") throw new Error(`Record "${id}" holds ${JSON.stringify(value)}, not one number.`);
    return value;
  }

  /**
   * A record's value as a list of numbers.
   * @throws Error when the value is not such a list.
   */
  numbers(id: string): number[] {
    const { value } = this.record(id);
    if (!Array.isArray(value) || !value.every((v) => typeof v === "number")) {
      throw new Error(`Record "${id}" holds ${JSON.stringify(value)}, not a list of numbers.`);
    }
    return value as number[];
  }

  /** The raw content of data/hardware/NAME.json, to be checked by the schema of the room that uses it. */
  hardware(name: string): unknown {
    return this.file("hardware", name);
  }

  /** The raw content of data/workload/NAME.json: defaults of a run's fields, which experiments sweep over their whole range. */
  workload(name: string): unknown {
    return this.file("workload", name);
  }

  /** The raw content of data/observations/NAME.json. */
  observation(name: string): unknown {
    return this.file("observations", name);
  }

  /** The raw content of data/designs/NAME.json: what is drawn of everything that nobody published. */
  design(name: string): unknown {
    return this.file("designs", name);
  }

  /** The raw content of data/judging/NAME.json: what was written down before anything was judged. */
  judging(name: string): unknown {
    return this.file("judging", name);
  }

  /** The raw content of data/ensembles/NAME.json, the design of this name as it was run; undefined where it was not. */
  ensemble(name: string): unknown {
    return Object.hasOwn(this.raw.ensembles, name) ? this.file("ensembles", name) : undefined;
  }

  /** The raw content of data/predictions/NAME.json: rows that take minutes, as they were computed; undefined where nobody did. */
  prediction(name: string): unknown {
    return Object.hasOwn(this.raw.predictions, name) ? this.file("predictions", name) : undefined;
  }

  /** What a name of {@link noting} stands for: the same object in two values of facts where nothing of it was changed. */
  under(name: string): unknown {
    const at = name.indexOf("/");
    if (at < 0) return this.rawRecords().get(name);
    const folder = this.raw[name.slice(0, at) as keyof RawData];
    return folder?.[name.slice(at + 1)];
  }

  /** Notes that a record or file is read, as {@link record} does: for a result that was kept with what it read. */
  noteRead(name: string): void {
    this.note?.(name);
  }

  /** The files of data/ as they are in these facts. */
  files(): RawData {
    return this.raw;
  }

  private file(folder: Exclude<keyof RawData, "published">, name: string): unknown {
    this.note?.(`${folder}/${name}`);
    const content = this.raw[folder][name];
    if (content === undefined || !Object.hasOwn(this.raw[folder], name))
      throw new Error(`There is no data/${folder}/${name}.json.`);
    return content;
  }

  private rawRecords(): Map<string, unknown> {
    if (this.rawIndex) return this.rawIndex;
    const found = new Map<string, unknown>();
    this.rawIndex = found;
    for (const content of Object.values(this.raw.published))
      for (const record of (content as { records: { id: string }[] }).records) found.set(record.id, record);
    return found;
  }

  private records(): Map<string, FactRecord> {
    if (this.index) return this.index;
    const found = new Map<string, FactRecord>();
    for (const [file, content] of Object.entries(this.raw.published)) {
      const parsed = FactFileSchema.safeParse(content);
      if (!parsed.success) {
        const issue = parsed.error.issues[0];
        throw new Error(`data/published/${file}.json: ${issue.path.join(".")}: ${issue.message}`);
      }
      for (const record of parsed.data.records) {
        if (found.has(record.id)) throw new Error(`data/published/${file}.json: the id "${record.id}" is used twice`);
        found.set(record.id, record);
      }
    }
    this.index = found;
    return found;
  }
}

/** A copy with one value replaced that shares everything beside the path. */
function withValue(place: unknown, path: readonly (string | number)[], at: number, value: unknown): unknown {
  if (at === path.length) return value;
  const step = path[at];
  if (typeof place !== "object" || place === null || !Object.hasOwn(place, step))
    throw new RangeError(`data/${path.join("/")}: nothing stands there that could be changed.`);
  const copy = (Array.isArray(place) ? [...place] : { ...place }) as Record<string | number, unknown>;
  copy[step] = withValue(copy[step], path, at + 1, value);
  return copy;
}
