/**
 * Queues whose answers are known, simulated to an interval that must hold them. The level is 99.9 % for each; the seeds are fixed, so that a
 * test never fails by chance. Each interval must also be narrow, so that it would miss an answer that is off by a tenth.
 */
import { expect, test } from "vitest";
import {
  type Behaviour,
  confidenceInterval,
  type Interval,
  type Process,
  Processes,
  Simulation,
  Streams,
  type Wait,
  waiting,
} from "../../src/engine/index.js";

/** The outputs of a model over independent replications, each with its interval. */
function replicate<K extends string>(
  model: (streams: Streams) => Record<K, number>,
  options: { seed: number; replications: number; level?: number },
): { intervals: Record<K, Interval> } {
  const streams = new Streams(options.seed);
  const runs = Array.from({ length: options.replications }, (_, i) => model(streams.within(`replication ${i}`)));
  const keys = Object.keys(runs[0]) as K[];
  const interval = (key: K) =>
    confidenceInterval(
      runs.map((run) => run[key]),
      options.level,
    );
  return { intervals: Object.fromEntries(keys.map((key) => [key, interval(key)])) as Record<K, Interval> };
}

/** A running mean. */
class Tally {
  private count = 0;
  mean = 0;
  record(value: number): void {
    this.mean += (value - this.mean) / ++this.count;
  }
}

const meanService = 1000;
const level = 0.999;

/** A station with `servers` servers fed by Poisson arrivals, as a state machine; gives the mean wait in the queue in mean services. */
function station(streams: Streams, load: number, servers: number, service: "exponential" | "deterministic") {
  const sim = new Simulation();
  const arrivals = streams.stream("arrivals");
  const services = streams.stream("services");
  const gap = meanService / (load * servers);
  const waits = new Tally();
  const queue: number[] = [];
  let busy = 0;
  const ARRIVAL = 0;
  const DEPARTURE = 1;
  const serve = (since: number) => {
    if (sim.now > 200_000) waits.record((sim.now - since) / meanService);
    const time = service === "exponential" ? Math.round(services.exponential(meanService)) : meanService;
    sim.post(time, base + DEPARTURE);
  };
  const base = sim.attach({
    dispatch(kind) {
      if (kind === ARRIVAL) {
        sim.post(Math.round(arrivals.exponential(gap)), base + ARRIVAL);
        if (busy === servers) queue.push(sim.now);
        else {
          busy++;
          serve(sim.now);
        }
      } else if (queue.length > 0) serve(queue.shift() as number);
      else busy--;
    },
  });
  sim.post(0, base + ARRIVAL);
  sim.run({ until: 12_000_000 });
  return { wait: waits.mean };
}

/** Erlang's C formula: probability that an arrival waits. */
function erlangC(servers: number, load: number): number {
  const offered = servers * load;
  let term = 1;
  let sum = 0;
  for (let k = 0; k < servers; k++) {
    sum += term;
    term *= offered / (k + 1);
  }
  return term / (1 - load) / (sum + term / (1 - load));
}

function expectHolds(interval: Interval, truth: number): void {
  expect(interval.low).toBeLessThanOrEqual(truth);
  expect(interval.high).toBeGreaterThanOrEqual(truth);
  // An interval as wide as a barn would hold anything.
  expect(interval.high - interval.mean).toBeLessThan(0.1 * truth);
}

test.each([0.3, 0.7])("M/M/1 at load %d waits ρ/(1 − ρ) services", (load) => {
  const { intervals } = replicate((s) => station(s, load, 1, "exponential"), { seed: 1, replications: 20, level });
  expectHolds(intervals.wait, load / (1 - load));
});

test("M/D/1 waits half as long (Pollaczek and Khinchine)", () => {
  const { intervals } = replicate((s) => station(s, 0.7, 1, "deterministic"), { seed: 2, replications: 20, level });
  expectHolds(intervals.wait, 0.7 / (2 * 0.3));
});

test("M/M/4 waits by Erlang's C formula", () => {
  const { intervals } = replicate((s) => station(s, 0.8, 4, "exponential"), { seed: 3, replications: 20, level });
  expectHolds(intervals.wait, erlangC(4, 0.8) / (4 * 0.2));
});

/** Exact mean value analysis (Reiser and Lavenberg 1980) of a closed network: queueing stations' service demands and a think time. */
function meanValueAnalysis(demands: number[], think: number, customers: number): number {
  const lengths = demands.map(() => 0);
  let throughput = 0;
  for (let n = 1; n <= customers; n++) {
    const responses = demands.map((demand, k) => demand * (1 + lengths[k]));
    throughput = n / (think + responses.reduce((a, b) => a + b));
    for (const k of lengths.keys()) lengths[k] = throughput * responses[k];
  }
  return throughput;
}

/** The same network as processes: each customer thinks, then visits every station in turn. */
function closedNetwork(streams: Streams, demands: number[], think: number, customers: number) {
  const sim = new Simulation();
  const processes = new Processes(sim);
  const all: Process[] = [];
  const base = sim.attach({ dispatch: (_, customer) => all[customer].resume() });
  /** Customers at each station, the served one first. */
  const lines = demands.map((): number[] => []);
  let cycles = 0;
  function* visits(customer: number): Behaviour {
    const random = streams.stream(`customer ${customer}`);
    const after = (mean: number): Wait => {
      sim.post(Math.round(random.exponential(mean)), base, customer);
      return waiting;
    };
    for (;;) {
      yield after(think);
      for (const [k, line] of lines.entries()) {
        if (line.push(customer) > 1) yield waiting;
        yield after(demands[k]);
        line.shift();
        if (line.length > 0) sim.post(0, base, line[0]);
      }
      cycles++;
    }
  }
  for (let i = 0; i < customers; i++) all.push(processes.begin(`customer ${i}`, () => visits(i)));
  sim.run({ until: 500_000 });
  const before = cycles;
  sim.run({ until: 8_500_000 });
  return { throughput: (cycles - before) / 8_000_000 };
}

test("a closed network's throughput is that of mean value analysis", () => {
  const demands = [900, 600, 300];
  const { intervals } = replicate((s) => closedNetwork(s, demands, 4000, 8), { seed: 4, replications: 12, level });
  expectHolds(intervals.throughput, meanValueAnalysis(demands, 4000, 8));
  expect(intervals.throughput.high).toBeLessThan(1.03 * meanValueAnalysis(demands, 4000, 8));
});

test("same seed, same bytes; another seed, others", () => {
  const run = (seed: number) =>
    JSON.stringify(replicate((s) => station(s, 0.7, 1, "exponential"), { seed, replications: 2 }));
  expect(run(1)).toBe(run(1));
  expect(run(2)).not.toBe(run(1));
});
