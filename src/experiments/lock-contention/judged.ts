/** Quantities that the mails and letters speak of: each a number of a few runs of one host under one seed, the same in a run and in a draw. */
import { confidenceInterval, type Interval } from "../../engine/index.js";
import type { Facts } from "../../facts/index.js";
import { type AskedClaim, type Claim, claimOn, type PublishedValue, type Said, type Verdict } from "../frame/claim.js";
import type { Quantities } from "../ignorance/ensemble.js";
import { coresText, instead, mail15, mail16, most, text, woodhouse } from "./pick.js";
import { quantitiesOf } from "./quantities.js";
import type { LockContentionRow as Row } from "./rows.js";

/** A run that a quantity takes: a variant, and what is set otherwise than usual, under the name that designs give such runs. */
interface Run {
  variant: string;
  set?: Partial<Row>;
  named?: string;
}

/** The numbers that a sentence is made of: the value, and the cores and runs behind it. */
interface Numbers {
  value: Interval;
  cores: number;
}

interface Quantity extends Omit<Claim, "published"> {
  published?: PublishedValue;
  /** The runs that it takes, on one host under one seed. */
  runs: readonly [Run, ...Run[]];
  unit: string;
  /** Only where the measured host's 16 cores were run. */
  atSixteen?: true;
  of(get: (run: Run, quantity: string) => number): number;
  say(numbers: Numbers, verdict: Verdict): Said;
}

const keyOf = ({ variant, named }: Run, quantity: string): string =>
  `${variant}: ${quantity}${named === undefined ? "" : `, ${named}`}`;

/** The quantity of a draw; undefined where the draw lacks a run. */
const inDraw =
  ({ of }: Quantity) =>
  (quantities: Quantities): number | undefined => {
    const value = of((run, name) => quantities[keyOf(run, name)] ?? Number.NaN);
    return Number.isNaN(value) ? undefined : value;
  };

/** A mean over seeds with its 95 % interval: of these runs alone, pooled with nothing. */
const overSeeds = (values: readonly number[]): Interval =>
  values.length > 1
    ? confidenceInterval(values)
    : { mean: values[0], low: values[0], high: values[0], n: 1, level: 0.95 };

/** Makes a claim of a quantity: seed by seed the runs that it takes, then the mean and its interval over the seeds. */
function quantity(spec: Quantity, plain: Partial<Row>): AskedClaim<Row> {
  const { runs, unit, atSixteen, of, say, ...about } = spec;
  const words = runs.map(({ variant, named }) => `"${variant}"${named === undefined ? "" : ` ${named}`}`);
  return claimOn<Row>()<Numbers>({
    ...about,
    needs: `${words.length === 1 ? "the variant" : "the variants"} ${words.join(", ")}${atSixteen ? " at 16 cores" : ""}`,
    of: inDraw(spec),
    judge(rows) {
      const [first, ...others] = runs;
      const mine = most(rows, first.variant, { ...plain, ...first.set });
      if (mine.length === 0 || (atSixteen && mine[0].cores !== 16)) return undefined;
      const sets = [mine, ...others.map(({ variant, set }) => instead(rows, mine, { ...plain, ...set, variant }))];
      const values = mine.flatMap(({ replication }) => {
        const seed = sets.map((set) => set.find((row) => row.replication === replication));
        if (seed.some((row) => row === undefined)) return [];
        const found = Object.fromEntries(
          runs.flatMap((run, i) =>
            Object.entries(quantitiesOf([seed[i] as Row])).map(([name, value]) => [
              keyOf(run, name.slice(name.indexOf(": ") + 2)),
              value,
            ]),
          ),
        );
        return inDraw(spec)(found) ?? [];
      });
      if (values.length === 0) return undefined;
      const value = overSeeds(values);
      return { simulated: { ...value, unit }, numbers: { value, cores: mine[0].cores } };
    },
    say,
  });
}

const off: Run = { variant: "off" };
const strict: Run = { variant: "strict" };
const deferred: Run = { variant: "deferred" };
const magazines: Run = { variant: "magazines-deferred" };
const fourPools: Run = { variant: "pools-4-lazy" };
const sixteenPools: Run = { variant: "pools-16-lazy" };
const withAts: Run = { variant: "deferred", set: { ats: true }, named: "with ATS" };
const flushing: Run = { variant: "deferred", set: { coherent: false }, named: "with clflush" };
const snooping: Run = { variant: "deferred", set: { coherent: true }, named: "with snooped walks" };

/** The sentences of the mails. */
const sentences: readonly Quantity[] = [
  {
    id: "software-bottleneck",
    quote: "First, the main bottleneck was software performance",
    source: `${mail15} (records S6, S7 describe the load)`,
    kind: "simulated quantity",
    runs: [strict],
    unit: "% of the lost time",
    of: (get) => 100 * get(strict, "invalidation of the lost time"),
    say: ({ cores }) => ({
      explanation: `With ${coresText(cores)} in strict mode, where hardware has most to do, this share of the lost time is the invalidation itself, hardware included; the rest is locks, tree and page table.`,
    }),
  },
  {
    id: "all-else-is-software",
    quote: "It's a single 64-bit write of the PTE. All else is software overhead.",
    source: woodhouse,
    kind: "simulated quantity",
    // The mail leaves the chipsets that need a clflush out: there, writing the entry is most of a map that nobody disturbs.
    runs: [snooping],
    unit: "% of a map",
    of: (get) => 100 * get(snooping, "entry of a map"),
    say: ({ value, cores }) => ({
      explanation: `Walk and write of the entry are ${text(value.mean)} % of a map on ${coresText(cores)}. Even that part is mostly the way to the entry.`,
    }),
  },
  {
    id: "four-arenas",
    quote: "Is 4 parallel arenas enough?",
    source: `${mail16}; four is powerpc's count, lib/iommu-common has 16 (record K23)`,
    kind: "question",
    runs: [fourPools, sixteenPools],
    unit: "% of 16 pools",
    of: (get) => (100 * get(fourPools, "throughput")) / get(sixteenPools, "throughput"),
    say({ value, cores }, verdict) {
      const answers: Partial<Record<Verdict, string>> = { holds: "Yes", "does not hold": "No", depends: "It depends" };
      return {
        answer: answers[verdict] ?? "Not decided",
        explanation: `On ${coresText(cores)} four pools do ${text(value.low)} to ${text(value.high)} % of what sixteen do. Linux's hash sends the first CPUs unevenly: of four pools it leaves one almost unused.`,
      };
    },
  },
  {
    id: "worse-with-ats",
    quote: "Invalidations have even worse behavior with ATS enabled for a given device.",
    source: mail15,
    kind: "simulated quantity",
    runs: [withAts, deferred],
    unit: "% of without ATS",
    of: (get) => (100 * get(withAts, "throughput")) / get(deferred, "throughput"),
    say: () => ({
      explanation:
        "With ATS each entry of a flush needs a round trip to the device, one by one, under async_umap_flush_lock and device_domain_lock.",
    }),
  },
  {
    id: "stupid-chipsets",
    quote:
      "How much does Linux need to care about such chipsets? Can we argue that they get very sad performance and so be it?",
    source: `${mail16}, of chipsets that need a clflush (record JG4)`,
    kind: "question",
    runs: [flushing, snooping],
    unit: "% of coherent",
    of: (get) => (100 * get(flushing, "throughput")) / get(snooping, "throughput"),
    say({ value, cores }, verdict) {
      const answers: Partial<Record<Verdict, string>> = {
        holds: "Sad indeed",
        "does not hold": "Not sad",
        depends: "It depends",
      };
      return {
        answer: answers[verdict] ?? "Not decided",
        explanation: `On ${coresText(cores)} a host that flushes does ${text(value.low)} to ${text(value.high)} % of one whose walks snoop: the flush happens outside the lock that everybody waits for.`,
      };
    },
  },
  {
    id: "magazine-avoids-tree",
    quote: "The magazine avoids the RB tree issue.",
    source: mail15,
    kind: "simulated quantity",
    runs: [magazines, off],
    unit: "% of busy time",
    of: (get) => 100 * get(magazines, "allocator spinning"),
    say: ({ cores }) => ({
      explanation: `With magazines and a flush queue a CPU, this share of the time of ${coresText(cores)} goes into waiting for the allocator's locks.`,
    }),
  },
];

/** The numbers that were published of a host and load like the simulated ones, and that no parameter knows. */
function predictions(facts: Facts): readonly Quantity[] {
  const ofOff = (id: string) => (100 * facts.number(id)) / facts.number("PE1");
  const at = (value: number, unit: string, factId: string): PublishedValue => ({
    low: value,
    high: value,
    unit,
    factId,
  });
  const [children, self] = facts.numbers("PE5");
  const [least, mostRecovered] = facts.numbers("MG1");
  const apart = (value: number, published: number): string => {
    const error = value / published - 1;
    return `The prediction is off by ${error > 0 ? "+" : "−"}${text(100 * (error < 0 ? -error : error))} %; no parameter was set by this figure.`;
  };
  return [
    {
      id: "PE2",
      quote: "stock iommu=on: 221,416 memcached transactions/sec (=22%)",
      source: "record PE2",
      kind: "predicted number",
      published: at(ofOff("PE2"), "% of off", "PE2"),
      runs: [deferred, off],
      atSixteen: true,
      unit: "% of off",
      of: (get) => (100 * get(deferred, "throughput")) / get(off, "throughput"),
      say: ({ value }) => ({
        explanation: `${apart(value.mean, ofOff("PE2"))} It is the denominator of "a third". Maps a transaction and buffers in flight were not published.`,
      }),
    },
    {
      id: "PE4",
      quote: facts.record("PE4").quote ?? "",
      source: "record PE4",
      kind: "predicted number",
      published: at(ofOff("PE4"), "% of off", "PE4"),
      runs: [magazines, off],
      atSixteen: true,
      unit: "% of off",
      of: (get) => (100 * get(magazines, "throughput")) / get(off, "throughput"),
      say: ({ value }) => ({ explanation: apart(value.mean, ofOff("PE4")) }),
    },
    {
      id: "PE5",
      quote: facts.record("PE5").quote ?? "",
      source: "record PE5",
      kind: "predicted number",
      published: { low: self, high: children, unit: "% of busy time", factId: "PE5" },
      runs: [magazines],
      atSixteen: true,
      unit: "% of busy time",
      of: (get) => 100 * get(magazines, "spinning"),
      say: ({ value }) => ({
        explanation: `Time in the spinlock's own function, with or without what it calls. ${apart(value.mean, children)}`,
      }),
    },
    {
      id: "MG1",
      quote: facts.record("MG1").quote ?? "",
      source: "record MG1, of 2008: another host, another kernel and a stream of small packets",
      kind: "predicted number",
      published: { low: least, high: mostRecovered, unit: "% of the loss", factId: "MG1" },
      runs: [deferred, strict, off],
      unit: "% of the loss",
      of(get) {
        const lost = get(off, "throughput") - get(strict, "throughput");
        return (100 * (get(deferred, "throughput") - get(strict, "throughput"))) / lost;
      },
      say: () => ({
        explanation:
          "What deferring the flush gives back of what strict mode loses. The measured host had a core or two, one flow and no contention to speak of; the simulated one has all its cores in the same lock.",
      }),
    },
  ];
}

/** Every claim that is a quantity of a few runs. */
export const judgedClaims = (facts: Facts, plain: Partial<Row>): readonly AskedClaim<Row>[] =>
  [...sentences, ...predictions(facts)].map((spec) => quantity(spec, plain));
