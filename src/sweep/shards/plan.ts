import { join } from "node:path";
import { ConfigError, configHash } from "../../experiments/index.js";
import { largestText, readSmall, StoreError, writeWhole } from "../../files/index.js";
import { pointHash } from "../store.js";
import { sumOf } from "./line.js";
import type { Work } from "./work.js";

/** The points of a sweep by name, configuration by configuration. */
export class Plan {
  /** The different points, in the order in which they come first. */
  readonly points: readonly string[];
  private readonly places = new Map<string, { configuration: number; point: number }>();
  private last: { configuration: number; points: readonly unknown[] } | undefined;

  constructor(
    private readonly work: Work,
    /** Of each configuration its points. */
    readonly configurations: readonly (readonly string[])[],
  ) {
    for (const [configuration, hashes] of configurations.entries())
      for (const [point, hash] of hashes.entries())
        if (!this.places.has(hash)) this.places.set(hash, { configuration, point });
    this.points = [...this.places.keys()];
  }

  has(hash: string): boolean {
    return this.places.has(hash);
  }

  /** A point itself. */
  point(hash: string): unknown {
    const place = this.places.get(hash);
    if (!place) throw new Error(`The sweep has no point ${hash}.`);
    // Neighbours are often asked for in turn, and a configuration of many fields takes milliseconds.
    if (this.last?.configuration !== place.configuration) {
      const { experiment, configurations } = this.work;
      const config = experiment.parse(configurations[place.configuration].input);
      this.last = { configuration: place.configuration, points: experiment.points(config) };
    }
    return this.last.points[place.point];
  }
}

const head = (key: string): string => `points of a sweep, a configuration a line: ${key}`;

/**
 * The plan of a sweep. Whoever comes first asks the experiment about every configuration, and leaves the points' names in the folder, where
 * the file's name says for which sweep and code they hold: the same bytes, whoever writes them.
 * @param code names the code that makes points of configurations
 * @throws ConfigError where the experiment refuses a configuration
 */
export function planOf(folder: string, work: Work, code: string): Plan {
  const key = configHash("plan", [work.identity, work.configurations.length, code]);
  const file = join(folder, `plan-${key}.txt`);
  const kept = read(file, key, work.configurations.length);
  if (kept) return new Plan(work, kept);
  const { experiment, configurations } = work;
  const parse = experiment.parser();
  const hashes = configurations.map(({ input }) =>
    experiment.points(parse(input)).map((point) => pointHash(experiment, point)),
  );
  if (hashes.every((own) => own.length === 0)) throw new ConfigError(`${experiment.name}: the sweep has no points.`);
  const text = `${head(key)}\n${hashes.map((own) => own.join(" ")).join("\n")}\n`;
  try {
    writeWhole(file, `${text}${sumOf(text)}\n`, false);
  } catch (error) {
    // It saves time alone.
    if (!(error instanceof StoreError)) throw error;
  }
  return new Plan(work, hashes);
}

function read(file: string, key: string, configurations: number): string[][] | undefined {
  let text: string;
  try {
    text = readSmall(file, largestText);
  } catch {
    return undefined;
  }
  const end = text.lastIndexOf("\n", text.length - 2) + 1;
  if (sumOf(text.slice(0, end)) !== text.slice(end, -1)) return undefined;
  const [first, ...lines] = text.slice(0, end - 1).split("\n");
  if (first !== head(key) || lines.length !== configurations) return undefined;
  return lines.map((line) => (line === "" ? [] : line.split(" ")));
}
