// Nanoseconds a simulated cache access, on the full Sandy Bridge-EP: part of `npm run bench:engine`, or `npm run bench:engine caches`.
// The costs that this model charges are checked against the slow reference in test/machine/coherence.test.ts; here only its speed counts.
// A shared machine makes every absolute time longer: the loop of plain loads beside them says by how much.
import { Streams } from "../../../dist/engine/index.js";
import { Machine, machineConfig, runLockLoad } from "../../../dist/machine/index.js";

const lines = 30_000;
const host = machineConfig(published, "sandy-bridge-ep");

/** The shortest of several rounds, in ns an access; two rounds warm up first. */
function time(accesses, round, rounds = 9) {
  let best = Number.POSITIVE_INFINITY;
  for (let r = -2; r < rounds; r++) {
    const began = performance.now();
    round();
    if (r >= 0) best = Math.min(best, ((performance.now() - began) * 1e6) / accesses);
  }
  return best;
}

function machineWith(count) {
  const machine = new Machine(host);
  return { machine, base: machine.region({ name: "bench", bytes: count * 64, home: 0 }).base };
}

function shuffled(n, random) {
  const order = Int32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [order[i], order[j]] = [order[j], order[i]];
  }
  return order;
}

/** (a) hits in the L1: 512 lines in random order. */
function l1Hits() {
  const { machine, base } = machineWith(512);
  const random = new Streams(1).stream("a");
  const addresses = Int32Array.from({ length: 4096 }, () => base + 64 * random.below(512));
  const n = 2_000_000;
  return time(n, () => {
    for (let i = 0; i < n; i++) machine.read(0, addresses[i & 4095]);
  });
}

/** (b) paths of 16 levels down a binary tree of 30,000 nodes that lie in random order, a node a line. */
function paths() {
  const { machine, base } = machineWith(lines);
  const random = new Streams(1).stream("b");
  const place = shuffled(lines, random);
  const count = 20_000;
  const addresses = new Int32Array(count * 16);
  for (let p = 0; p < count; p++) {
    let node = 1;
    for (let level = 0; level < 16; level++) {
      addresses[p * 16 + level] = base + 64 * place[node];
      node = 2 * node + random.below(2);
      // A path that is at the bottom already ends anywhere: an unbalanced tree's longest ones.
      if (node >= lines) node = 1 + random.below(lines - 1);
    }
  }
  return time(addresses.length, () => {
    for (let i = 0; i < addresses.length; i++) machine.read(0, addresses[i]);
  });
}

/** (c) random lines of 30,000, one access in ten a write. */
function randomLines() {
  const { machine, base } = machineWith(lines);
  const random = new Streams(1).stream("c");
  const n = 400_000;
  const addresses = Int32Array.from({ length: n }, () => base + 64 * random.below(lines));
  const writes = Uint8Array.from({ length: n }, () => (random.below(10) === 0 ? 1 : 0));
  return time(n, () => {
    for (let i = 0; i < n; i++) writes[i] === 1 ? machine.write(0, addresses[i]) : machine.read(0, addresses[i]);
  });
}

/** The other work of a core between two operations: 400 lines of a ring of 8,192. */
function footprint() {
  const machine = new Machine(host);
  return time(400 * 500, () => {
    for (let i = 0; i < 500; i++) machine.touchFootprint(0, 400);
  });
}

/** What a shared machine can do at this moment: plain loads from a typed array in the random order of (b). */
function plainLoads() {
  const order = shuffled(lines, new Streams(1).stream("plain"));
  const n = 2_000_000;
  let at = 0;
  return time(n, () => {
    for (let i = 0; i < n; i++) at = order[at];
    if (at < 0) throw new Error("unreachable");
  });
}

/** Microseconds a critical section of 16 cores on one lock, with all its coherence traffic. */
function lockSection(kind) {
  const sections = 5000;
  const cpus = Array.from({ length: 16 }, (_, cpu) => cpu);
  return (
    time(
      sections * 1.1,
      () => {
        const load = { kind, cpus, thinkCycles: 6000, sectionCycles: 1000, sections, streams: new Streams(1) };
        runLockLoad(new Machine(host), load);
      },
      3,
    ) / 1000
  );
}

/** Prints every measurement with its goal. */
export function run() {
  const row = (what, value, unit, goal = "") => ({ what, value: Number(value.toFixed(1)), unit, goal });
  console.log("caches: simulated accesses, shortest of nine rounds");
  console.table([
    row("plain loads in random order (what the machine can do now)", plainLoads(), "ns"),
    row("(a) L1 hits", l1Hits(), "ns", "at most 12"),
    row("(b) 16-level paths over 30,000 lines", paths(), "ns", "at most 45"),
    row("(c) 30,000 random lines, 10 % writes", randomLines(), "ns"),
    row("footprint of 400 lines, a line", footprint(), "ns"),
    ...["ticket", "mcs", "queued"].map((kind) => row(`a ${kind} lock's section, 16 cores`, lockSection(kind), "µs")),
  ]);
}
