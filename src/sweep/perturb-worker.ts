import { experimentByName, type Interval, type Row } from "../experiments/index.js";
import { type DataChange, Facts, Memo } from "../facts/index.js";
import type { ClaimRun } from "../study/index.js";
import { serve } from "./serve.js";
import { PointStore, pointHash } from "./store.js";

/** What a worker is asked: a claimRun, with some of the data changed. */
export interface Question {
  claimRun: ClaimRun;
  changes: readonly DataChange[];
  /** The rows, where the changes cannot touch them: then only the claims are judged anew. */
  rows?: readonly Row[];
  /** Rows of points that another claimRun has computed with the same changes, by the point's hash. */
  known?: ReadonlyMap<string, Row[]>;
  /** Where points are kept that were computed before. */
  store?: { folder: string; code: string };
}

/** A simulated value, and the published one that it is held against. */
export interface Answer {
  /** "lock-contention: PE2". */
  id: string;
  factId?: string;
  published?: { low: number; high: number };
  simulated: Interval & { unit: string };
}

/** What a claimRun gives. */
export interface Answered {
  answers: Answer[];
  rows: Row[];
  /** The points that were computed, by their hash. */
  computed: Map<string, Row[]>;
  /** Records and files that were read for the rows, and for the judgement alone. */
  read: { forRows: string[]; forClaims: string[] };
}

/** Kept from one question to the next: what a memo gives depends on the facts that were read, so changed ones are never taken for others. */
const memo = new Memo();

/** A thread's work: a claimRun with changed data. A value that the model does not take comes back as the sentence that refuses it. */
function ask({ claimRun, changes, rows: given, known, store }: Question): Answered | { refused: string } {
  const reads = new Set<string>();
  try {
    const facts = Facts.published()
      .changed(changes)
      .noting((name) => reads.add(name));
    const basis = { facts, memo };
    const experiment = experimentByName(claimRun.experiment);
    const config = experiment.parse(claimRun.input, facts);
    const computed = new Map<string, Row[]>();
    const remembered = store && new PointStore(store.folder, store);
    const simulate = (point: unknown): Row[] => {
      const own = new Set<string>();
      const simulated = experiment.simulate(point, { memo, facts: facts.noting((name) => own.add(name)) });
      remembered?.put(experiment, point, facts, simulated, own);
      return simulated;
    };
    const rowsOf = (point: unknown): Row[] => {
      const hash = pointHash(experiment, point);
      const before = known?.get(hash) ?? computed.get(hash) ?? remembered?.get(experiment, point, facts);
      const own = before ?? simulate(point);
      if (!known?.has(hash)) computed.set(hash, own);
      return own;
    };
    const rows = given ?? experiment.points(config, basis).flatMap(rowsOf);
    const forRows = [...reads];
    const id = (name: string): string => `${experiment.name}: ${name}`;
    const claims = experiment.claims(rows, config, facts).flatMap(({ id: name, published, simulated }): Answer[] => {
      if (!simulated) return [];
      const factId = published?.factId;
      const range = published ? { published: { low: published.low, high: published.high } } : {};
      return [{ id: id(name), ...(factId === undefined ? {} : { factId }), ...range, simulated }];
    });
    const compared = (experiment.compared?.(rows, facts) ?? []).map(
      ({ id: name, factId, published, simulated }): Answer => ({
        id: id(name),
        factId,
        published: { low: published, high: published },
        simulated,
      }),
    );
    const answers = [...claims, ...compared];
    if (answers.some(({ simulated: { mean } }) => !Number.isFinite(mean)))
      return { refused: "the simulation gives no number" };
    const forClaims = [...reads].filter((name) => !forRows.includes(name));
    return { answers, rows: given ? [] : [...rows], computed, read: { forRows, forClaims } };
  } catch (error) {
    return { refused: String((error as Error).message ?? error) };
  }
}

serve(ask);
