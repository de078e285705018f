import { availableParallelism } from "node:os";
import type { ProgressListener, Row } from "../experiments/index.js";
import { type DataChange, type DataValue, dataValues, Facts, isNamed } from "../facts/index.js";
import { claimRuns as allClaimRuns, type ClaimRun } from "../study/index.js";
import type { Answer, Answered, Question } from "./perturb-worker.js";
import type { PointStore } from "./store.js";
import { WorkerPool } from "./worker-pool.js";

/** How the figures are moved. */
export interface PerturbOptions {
  /** By how much, as a share (default 0.1). */
  share?: number;
  /** Only figures of these names, or whose ids begin so (default: all). */
  only?: readonly string[];
  /** What is asked (default: the claimRuns of the experiments). */
  claimRuns?: readonly ClaimRun[];
  jobs?: number;
  /** Takes points from here, and keeps them here. */
  store?: PointStore | undefined;
  /** Hears of figures that are done. */
  onProgress?: ProgressListener;
  signal?: AbortSignal;
}

/** What moving a figure does to one simulated or published value. */
export interface Effect {
  /** "lock-contention: PE2". */
  on: string;
  /** The value that the figure had meanwhile, as a multiple of its own. */
  factor: number;
  /** value: a simulated value leaves its interval. margin: the distance to the published value changes. */
  kind: "value" | "margin";
  before: number;
  /** The simulated value's interval, or of a margin what its noise may be. */
  low: number;
  high: number;
  after: number;
  unit: string;
}

/** What became of a figure. */
export interface Influence {
  id: string;
  kind: DataValue["kind"];
  quantity: string;
  unit: string;
  values: readonly number[];
  /**
   * moves: a claim's margin or a simulated value. echo: only the values that are held against this very figure follow it. no influence: it
   * is read, and nothing leaves its interval. not used: nothing that answers a claim reads it. fixed: it cannot be moved, `why` says why.
   */
  outcome: "moves" | "echo" | "no influence" | "not used" | "fixed";
  why?: string;
  /** Who reads it, of the claims' claimRuns: names of experiments. */
  readBy: string[];
  /** The strongest effect up and down, in the first claimRun that shows one. */
  effects: Effect[];
  /** True where something is compared with this very figure. */
  compared: boolean;
}

type Asked = Answered | { refused: string };
interface Baseline extends Answered {
  claimRun: ClaimRun;
}

/** Distance of a simulated value from both ends of what was published, as shares of the end where it is not 0. */
function margins({ published, simulated }: Answer): [number, number] | undefined {
  if (!published) return undefined;
  const from = (end: number): number => (end === 0 ? simulated.mean : (simulated.mean - end) / Math.abs(end));
  return [from(published.low), from(published.high)];
}

const differs = (a: number, b: number): boolean => Math.abs(a - b) > 1e-9 * Math.max(Math.abs(a), Math.abs(b));

/** What a change of a figure does to one answer; undefined where nothing moves beyond its noise. */
export function effectOn(before: Answer, after: Answer, own: boolean, factor: number): Effect | undefined {
  const { mean, low, high, unit } = before.simulated;
  const now = after.simulated.mean;
  const edge = 1e-9 * Math.abs(mean);
  if (!own)
    return now < low - edge || now > high + edge
      ? { on: before.id, factor, kind: "value", before: mean, low, high, after: now, unit }
      : undefined;
  const [a, b] = [margins(before), margins(after)];
  if (!a || !b || !before.published) return undefined;
  // A simulated value that stays as it is brings no noise into its margin; one that follows the figure brings its interval.
  const noise = (end: number): number => (differs(mean, now) ? (high - low) / 2 / (Math.abs(end) || 1) : 0);
  for (const k of [0, 1] as const) {
    const allowed = noise([before.published.low, before.published.high][k]) + 1e-9;
    if (Math.abs(b[k] - a[k]) > allowed)
      return {
        on: before.id,
        factor,
        kind: "margin",
        before: a[k],
        low: a[k] - allowed,
        high: a[k] + allowed,
        after: b[k],
        unit: "of the published value",
      };
  }
  return undefined;
}

/** How far beyond its noise an effect goes. */
const strength = ({ before, low, high, after }: Effect): number =>
  Math.abs(after - before) / Math.max((high - low) / 2, 1e-3 * Math.abs(before), 1e-12);

/** The values that a figure is given, the first that the model takes counts: the share, the next whole number, twice or half. */
function attempts(figure: DataValue, share: number, up: boolean): { factor: number; change: DataChange }[] {
  const exact = up ? 1 + share : 1 - share;
  const list = [{ factor: exact, change: figure.times(exact) }];
  const [value] = figure.values;
  if (figure.kind === "published" || figure.values.length !== 1 || value === 0) return list;
  const others = [Math.round(value * exact), value + (up ? 1 : -1), up ? value * 2 : value / 2];
  for (const other of others)
    if (Number.isInteger(other) && other !== value) list.push({ factor: other / value, change: figure.instead(other) });
  return list;
}

/**
 * Moves each figure of data/ up and down, and finds what depends on it: a published value must move its claim's margin, a parameter a
 * simulated value beyond its interval. A figure's own echo does not count: where the value that is held against a figure follows it, the
 * margin stays. Only the claimRuns that read a figure are run again, the cheapest first, until one shows an effect.
 */
export async function perturb(options: PerturbOptions = {}): Promise<Influence[]> {
  const {
    share = 0.1,
    only,
    claimRuns = allClaimRuns,
    jobs = availableParallelism(),
    onProgress,
    signal,
    store,
  } = options;
  if (!(share > 0 && share < 1)) throw new RangeError(`share: between 0 and 1; got ${share}.`);
  const figures = dataValues(Facts.published()).filter(
    ({ id }) => only === undefined || only.some((name) => isNamed(id, name)),
  );
  // Threads of its own: they compute with changed data.
  const script = new URL("./perturb-worker.js", import.meta.url).href;
  const pool = new WorkerPool<Question, Asked>(script, { jobs, keep: false, signal });
  const where = store && !store.fresh ? { store: { folder: store.folder, code: store.code } } : {};
  const ask = (question: Question): Promise<Asked> => pool.run({ ...question, ...where }, question.claimRun.experiment);
  let done = 0;
  onProgress?.(0, figures.length, "as it is");
  try {
    const baselines = await Promise.all(
      claimRuns.map(async (claimRun): Promise<Baseline> => {
        const result = await ask({ claimRun, changes: [] });
        if ("refused" in result) throw new Error(`${claimRun.experiment}: ${result.refused}`);
        return { claimRun, ...result };
      }),
    );
    const study = new Study(baselines, ask, share);
    const finish = (influence: Influence): Influence => {
      onProgress?.(++done, figures.length, influence.id);
      return influence;
    };
    const published = figures.filter(({ kind }) => kind === "published");
    const found = [
      study.ofPublished(published, finish),
      ...figures.filter(({ kind }) => kind === "parameter").map(async (figure) => [finish(await study.of(figure))]),
    ];
    const byId = new Map((await Promise.all(found)).flat().map((influence) => [influence.id, influence]));
    return figures.map(({ id }) => byId.get(id) as Influence);
  } finally {
    await pool.end();
  }
}

class Study {
  constructor(
    private readonly baselines: readonly Baseline[],
    private readonly ask: (question: Question) => Promise<Asked>,
    private readonly share: number,
  ) {}

  /** The claimRuns that read a figure, in their order. */
  private readers(figure: DataValue): Baseline[] {
    return this.baselines.filter(
      ({ read }) => read.forRows.includes(figure.readAs) || read.forClaims.includes(figure.readAs),
    );
  }

  private question(baseline: Baseline, figures: readonly DataValue[], changes: readonly DataChange[]): Question {
    const { claimRun, rows, read } = baseline;
    const judged = figures.every(({ readAs }) => !read.forRows.includes(readAs));
    return { claimRun, changes, ...(judged ? { rows } : {}) };
  }

  private begin(figure: DataValue, readers: readonly Baseline[]): Omit<Influence, "outcome"> {
    const { id, kind, quantity, unit, values, readAs } = figure;
    const compared = readers.some(({ answers }) => answers.some(({ factId }) => factId === readAs));
    const readBy = [...new Set(readers.map(({ claimRun }) => claimRun.experiment))];
    return { id, kind, quantity, unit, values, readBy, effects: [], compared };
  }

  /** One figure by itself. */
  async of(figure: DataValue): Promise<Influence> {
    const readers = this.readers(figure);
    const about = this.begin(figure, readers);
    if (figure.fixed !== undefined) return { ...about, outcome: "fixed", why: figure.fixed };
    if (readers.length === 0) return { ...about, outcome: "not used" };
    let echo = false;
    let refused: string | undefined;
    const usable: Record<"up" | "down", { factor: number; change: DataChange }[]> = {
      up: attempts(figure, this.share, true),
      down: attempts(figure, this.share, false),
    };
    // What the claimRuns have in common (the runs without an IOMMU, say) is computed once a value.
    const known = new Map<number, Map<string, Row[]>>();
    for (const baseline of readers) {
      const both = await Promise.all(
        (["up", "down"] as const).map(async (way) => {
          while (usable[way].length > 0) {
            const { factor, change } = usable[way][0];
            const before = known.get(factor) ?? new Map<string, Row[]>();
            const result = await this.ask({ ...this.question(baseline, [figure], [change]), known: before });
            if (!("refused" in result)) {
              known.set(factor, new Map([...before, ...result.computed]));
              return { factor, result };
            }
            refused ??= result.refused;
            usable[way].shift();
          }
          return undefined;
        }),
      );
      const effects: Effect[] = [];
      for (const tried of both) {
        if (!tried) continue;
        const after = new Map(tried.result.answers.map((answer) => [answer.id, answer]));
        const own = ({ factId }: Answer): boolean => figure.kind === "published" && factId === figure.readAs;
        const moved = baseline.answers.flatMap((before): Effect[] => {
          const now = after.get(before.id);
          if (!now) return [];
          if (own(before) && differs(before.simulated.mean, now.simulated.mean)) echo = true;
          const effect = effectOn(before, now, own(before), tried.factor);
          return effect ? [effect] : [];
        });
        const strongest = moved.toSorted((a, b) => strength(b) - strength(a) || (a.on < b.on ? -1 : 1))[0];
        if (strongest) effects.push(strongest);
      }
      if (effects.length > 0) return { ...about, outcome: "moves", effects };
      if (usable.up.length === 0 && usable.down.length === 0)
        return { ...about, outcome: "fixed", why: `the model takes no value near it: ${refused}` };
    }
    return { ...about, outcome: echo ? "echo" : "no influence" };
  }

  /**
   * Published figures, many at a time: as long as no simulated value changes at all, each claim's margin tells of its own figure alone. Where
   * one does change, the figures are halved until it is clear which.
   */
  async ofPublished(figures: readonly DataValue[], finish: (influence: Influence) => Influence): Promise<Influence[]> {
    const settled = new Map<string, Influence>();
    const alone: Promise<unknown>[] = [];
    const settle = (influence: Influence): void => {
      if (!settled.has(influence.id)) settled.set(influence.id, finish(influence));
    };
    const single = (figure: DataValue): void => {
      alone.push(this.of(figure).then(settle));
    };
    let open: DataValue[] = [];
    for (const figure of figures) {
      // Several figures of one record share the claims that compare with it: together, it would not be clear whose margin moves.
      const siblings = figures.filter(({ readAs }) => readAs === figure.readAs).length > 1;
      if (figure.fixed !== undefined || siblings || this.readers(figure).length === 0) single(figure);
      else open.push(figure);
    }
    for (const baseline of this.baselines) {
      const here = open.filter((figure) => this.readers(figure).includes(baseline));
      if (here.length === 0) continue;
      const { moved, influential } = await this.halve(baseline, here);
      for (const influence of moved) settle(influence);
      for (const figure of influential) single(figure);
      const gone = new Set([...moved.map(({ id }) => id), ...influential.map(({ id }) => id)]);
      open = open.filter(({ id }) => !gone.has(id));
    }
    for (const figure of open) settle({ ...this.begin(figure, this.readers(figure)), outcome: "no influence" });
    await Promise.all(alone);
    return [...settled.values()];
  }

  private async halve(
    baseline: Baseline,
    figures: readonly DataValue[],
  ): Promise<{ moved: Influence[]; influential: DataValue[] }> {
    const factors = [1 + this.share, 1 - this.share];
    const results = await Promise.all(
      factors.map((factor) =>
        this.ask(
          this.question(
            baseline,
            figures,
            figures.map((figure) => figure.times(factor)),
          ),
        ),
      ),
    );
    const still = results.every(
      (result) =>
        !("refused" in result) &&
        baseline.answers.every(({ simulated }, i) => result.answers[i]?.simulated.mean === simulated.mean),
    );
    if (!still) {
      if (figures.length === 1) return { moved: [], influential: [...figures] };
      const middle = figures.length >> 1;
      const halves = await Promise.all([
        this.halve(baseline, figures.slice(0, middle)),
        this.halve(baseline, figures.slice(middle)),
      ]);
      return { moved: halves.flatMap(({ moved }) => moved), influential: halves.flatMap((half) => half.influential) };
    }
    const moved = figures.flatMap((figure): Influence[] => {
      const effects = results.flatMap((result, k): Effect[] => {
        if ("refused" in result) return [];
        const all = baseline.answers.flatMap((before, i): Effect[] => {
          const effect =
            before.factId === figure.readAs ? effectOn(before, result.answers[i], true, factors[k]) : undefined;
          return effect ? [effect] : [];
        });
        return all.toSorted((a, b) => strength(b) - strength(a) || (a.on < b.on ? -1 : 1)).slice(0, 1);
      });
      return effects.length > 0 ? [{ ...this.begin(figure, this.readers(figure)), outcome: "moves", effects }] : [];
    });
    return { moved, influential: [] };
  }
}
