import { readFileSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type AnyExperiment, experiments, type PointMemory, type Row, rememberPoints } from "../experiments/index.js";
import { StoreError, writeWhole } from "../files/index.js";
import { codeHash } from "./code.js";
import { type PointOptions, pointHash } from "./points.js";

/** A point's result as it is kept, one file a point, named by the point's hash. */
interface StoredPoint {
  experiment: string;
  /** The code that computed it, see {@link codeHash}. */
  code: string;
  point: unknown;
  rows: Row[];
}

/**
 * Results of points in a folder, one file a point. Whoever computes a point, a run here or another machine, writes the same file; a run
 * that is killed loses at most the points it was on.
 */
export class PointStore {
  constructor(
    private readonly folder: string,
    private readonly code: string = codeHash(),
  ) {}

  /** The file of a point. Two levels, so that no folder holds too many. */
  file(hash: string): string {
    return join(this.folder, hash.slice(0, 2), `${hash}.json`);
  }

  /** The rows of a point, where they are kept and were computed by this code. A damaged file counts as none. */
  get(hash: string): Row[] | undefined {
    try {
      const stored = JSON.parse(readFileSync(this.file(hash), "utf8")) as StoredPoint;
      return stored.code === this.code && Array.isArray(stored.rows) ? stored.rows : undefined;
    } catch {
      return undefined;
    }
  }

  /** Keeps the rows of a point. @throws StoreError when they cannot be written */
  put(hash: string, experiment: string, point: unknown, rows: Row[]): void {
    const stored: StoredPoint = { experiment, code: this.code, point, rows };
    // A damaged file counts as none, so there is no need to wait for the disk.
    writeWhole(this.file(hash), `${JSON.stringify(stored)}\n`, false);
  }

  /** The options with which a run of these points takes what is kept, and keeps what it computes. */
  options(experiment: AnyExperiment, points: readonly unknown[]): Required<Pick<PointOptions, "known" | "onPoint">> {
    const known = new Map<string, Row[]>();
    const byHash = new Map<string, unknown>();
    for (const point of points) {
      const hash = pointHash(experiment, point);
      byHash.set(hash, point);
      const rows = this.get(hash);
      if (rows) known.set(hash, rows);
    }
    return { known, onPoint: (hash, rows) => this.put(hash, experiment.name, byHash.get(hash), rows) };
  }
}

/**
 * From here on, every run in this process takes points from a folder and keeps there what it computes: so the kernels of a run that
 * executes all notebooks, and its ledger, compute each point once between them. Only experiments of the registry take part, as a name
 * means one thing there alone; and only rows that come back from JSON as they were. A folder that cannot be written is no hindrance here.
 * @public
 */
export function sharePoints(folder: string): void {
  rememberPoints(sharedPoints(new PointStore(folder)));
}

function sharedPoints(store: PointStore): PointMemory {
  const registered = (experiment: { name: string }): boolean =>
    (experiments() as readonly { name: string }[]).includes(experiment);
  return {
    get: (experiment, point) => (registered(experiment) ? store.get(pointHash(experiment, point)) : undefined),
    put(experiment, point, rows) {
      if (!registered(experiment) || !isDeepStrictEqual(JSON.parse(JSON.stringify(rows)), rows)) return;
      try {
        store.put(pointHash(experiment, point), experiment.name, point, rows);
      } catch (error) {
        if (!(error instanceof StoreError)) throw error;
      }
    },
  };
}
