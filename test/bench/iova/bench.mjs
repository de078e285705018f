// Allocator replay without the machine model, against the same algorithm in plain C on the same trace (rbtree.c, rcache6.c): goal ≤ 1.3 × its time.
// Both sides get the trace parsed, start from an empty tree, and make arrays with the answers to every map. They replay one after
// the other, several times, in CPU time (ours with the threads of the compiler and the collector); the best of each counts. C is timed
// twice: the first replay of a process, which touches every page of its memory for the first time, as ours does with its fresh arrays
// each time (ours replays twice in a round: C has just read its trace, so ours is to have it at hand too); and the best of the next replays in the same process, with the heap warm. C walks and descends its tree, as Linux does; ours keeps
// the same tree, node for node, and finds places and pages by an index (src/iova/page-index.ts): long searches gain, short ones pay for its upkeep. Without a C compiler only our own times are shown.
// `npm run bench:iova -- rcache6` runs one of the two.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrace, replay } from "../../../dist/iova/index.js";
import { cacheTraces, treeTraces } from "./traces.mjs";

const rounds = 25;
/** Replays of one C process: one cold, the rest warm. */
const replaysOfC = 4;

/** What is compared: our allocator, its counterpart in C, the traces, and how C reads one. */
const subjects = {
  rbtree: {
    traces: treeTraces,
    words: ({ kinds, first, second }) => [...kinds].flatMap((kind, i) => [kind, first[i], second[i]]),
    sums: ({ statistics, pfns }) => [statistics.visits, pfns.reduce((a, b) => a + b, 0)],
  },
  rcache6: {
    traces: cacheTraces,
    words: ({ config, kinds, first, second, cpus }) => [
      ...[config.start_pfn, config.cpus, kinds.length],
      ...[...kinds].flatMap((kind, i) => [kind, first[i], second[i], cpus[i]]),
    ],
    sums: ({ statistics, caches: { caches }, pfns }) => [
      ...[statistics.visits, statistics.hits, caches.treeLocks, caches.cpuLocks, caches.depotLocks],
      pfns.reduce((sum, pfn) => (pfn < 0 ? sum : sum + pfn), 0),
    ],
  },
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in subjects));
if (unknown !== undefined) {
  console.error(`bench:iova: there is no allocator "${unknown}"; there is ${Object.keys(subjects).join(", ")}.`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), "bench-iova-"));
const shown = (ns) => `${(ns / 1e6).toFixed(2)} ms`.padStart(11);
const mean = (list) => Math.exp(list.reduce((sum, ratio) => sum + Math.log(ratio), 0) / list.length).toFixed(2);
for (const name of wanted.length > 0 ? wanted : Object.keys(subjects)) compare(name, subjects[name]);
rmSync(folder, { recursive: true });

function compare(allocator, { traces, words, sums }) {
  const program = join(folder, allocator);
  const source = new URL(`./${allocator}.c`, import.meta.url).pathname;
  const haveC = spawnSync("cc", ["-O2", "-o", program, source]).status === 0;
  if (!haveC) console.log("no C compiler (cc): our own times only");
  const ratios = { first: [], warm: [] };
  console.log(
    `${allocator.padEnd(42)} ${"operations".padStart(10)} ${"visits".padStart(9)} ${"ours".padStart(11)} ${"C, first".padStart(11)} ${"C, warm".padStart(11)}   ours : first · warm`,
  );
  for (const [name, text] of Object.entries(traces)) {
    const trace = parseTrace(text);
    let ours = Number.POSITIVE_INFINITY;
    const c = { first: Number.POSITIVE_INFINITY, warm: Number.POSITIVE_INFINITY };
    let result;
    const input = join(folder, "trace.bin");
    writeFileSync(input, new Uint8Array(Float64Array.from(words(trace)).buffer));
    for (let round = 0; round < rounds; round++) {
      for (let again = 0; again < 2; again++) {
        const started = process.cpuUsage();
        result = replay(trace, allocator);
        const { user, system } = process.cpuUsage(started);
        ours = Math.min(ours, (user + system) * 1000);
      }
      if (!haveC) continue;
      const { stdout } = spawnSync(program, [input, String(replaysOfC)], { encoding: "utf8" });
      const [first, warm, ...answers] = stdout.split(" ").map(Number);
      c.first = Math.min(c.first, first);
      c.warm = Math.min(c.warm, warm);
      if (answers.join() !== sums(result).join()) throw new Error(`${name}: C and we disagree on the answers`);
    }
    let line = `${name.padEnd(42)} ${String(trace.kinds.length).padStart(10)} ${String(result.statistics.visits).padStart(9)} ${shown(ours)}`;
    if (haveC) {
      ratios.first.push(ours / c.first);
      ratios.warm.push(ours / c.warm);
      line += ` ${shown(c.first)} ${shown(c.warm)}          ${(ours / c.first).toFixed(2)} · ${(ours / c.warm).toFixed(2)}`;
    }
    console.log(line);
  }
  if (haveC)
    console.log(
      `${allocator}: geometric mean ${mean(ratios.first)} × the first replay of a C process (goal ≤ 1.3), ${mean(ratios.warm)} × its later ones`,
    );
}
