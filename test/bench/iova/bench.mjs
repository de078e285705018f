// Allocator replay without the machine model, against the same algorithm in plain C on the same trace (rbtree.c): goal ≤ 1.3 × its time.
// Both sides get the trace parsed, start from an empty tree, and make arrays with the pfn and the visits of every map. They replay one after
// the other, several times, in CPU time (ours with the threads of the compiler and the collector); the best of each counts. C is timed
// twice: the first replay of a process, which touches every page of its memory for the first time, as ours does with its fresh arrays
// each time; and the best of the next replays in the same process, with the heap warm. C walks and descends its tree, as Linux does; ours keeps
// the same tree, node for node, and finds places and pages by an index (src/iova/page-index.ts): long searches gain, short ones pay for its upkeep. Without a C compiler only our own times are shown.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrace, replay } from "../../../dist/iova/index.js";

const rounds = 25;
/** Replays of one C process: one cold, the rest warm. */
const replaysOfC = 4;

/** Static maps first, then `steps` of: unmap a random live short-lived range, map another. A small multiplicative generator keeps it fixed. */
function churn(statics, live, steps, sizes) {
  let state = 12345;
  const next = (n) => {
    state = (state * 48271) % 0x7fffffff;
    return state % n;
  };
  const lines = [];
  let id = 0;
  for (; id < statics; id++) lines.push("m 1 1048575");
  const ids = [];
  for (let i = 0; i < live; i++) {
    lines.push(`m ${sizes[next(sizes.length)]} 1048575`);
    ids.push(id++);
  }
  for (let i = 0; i < steps; i++) {
    const at = next(live);
    lines.push(`u ${ids[at]}`, `m ${sizes[next(sizes.length)]} 1048575`);
    ids[at] = id++;
  }
  return lines.join("\n");
}

/** A receive and a transmit ring, first in first out, as TCP_RR drives them. */
function rings(statics, depth, steps) {
  const lines = [];
  let id = 0;
  for (; id < statics; id++) lines.push("m 1 1048575");
  const queue = [];
  for (let i = 0; i < steps; i++) {
    if (queue.length >= depth) lines.push(`u ${queue.shift()}`);
    lines.push(`m ${i % 4 === 0 ? 2 : 1} 1048575`);
    queue.push(id++);
  }
  return lines.join("\n");
}

const traces = {
  "rings, 16k static maps": rings(16384, 256, 100_000),
  "rings, no static maps": rings(0, 512, 100_000),
  "random order, one page, 16k static maps": churn(16384, 256, 60_000, [1]),
  "random order, mixed sizes, 1k live": churn(0, 1024, 20_000, [1, 1, 1, 2, 4, 16]),
  "boot: 64k static maps": churn(65536, 1, 1, [1]),
};

const folder = mkdtempSync(join(tmpdir(), "bench-iova-"));
const cc = spawnSync("cc", ["-O2", "-o", join(folder, "rbtree"), new URL("./rbtree.c", import.meta.url).pathname], {
  encoding: "utf8",
});
const haveC = cc.status === 0;
if (!haveC) console.log("no C compiler (cc): our own times only");
const shown = (ns) => `${(ns / 1e6).toFixed(2)} ms`.padStart(11);
const ratios = { first: [], warm: [] };
console.log(
  `${"trace".padEnd(42)} ${"operations".padStart(10)} ${"visits".padStart(9)} ${"ours".padStart(11)} ${"C, first".padStart(11)} ${"C, warm".padStart(11)}   ours : first · warm`,
);
for (const [name, text] of Object.entries(traces)) {
  const trace = parseTrace(text);
  const ops = trace.kinds.length;
  let ours = Number.POSITIVE_INFINITY;
  const c = { first: Number.POSITIVE_INFINITY, warm: Number.POSITIVE_INFINITY };
  let result;
  const input = join(folder, "trace.bin");
  const words = new Float64Array(ops * 3);
  for (let i = 0; i < ops; i++) words.set([trace.kinds[i], trace.first[i], trace.second[i]], i * 3);
  writeFileSync(input, new Uint8Array(words.buffer));
  for (let round = 0; round < rounds; round++) {
    const started = process.cpuUsage();
    result = replay(trace, "rbtree");
    const { user, system } = process.cpuUsage(started);
    ours = Math.min(ours, (user + system) * 1000);
    if (!haveC) continue;
    const [first, warm, visits, sum] = spawnSync(join(folder, "rbtree"), [input, String(replaysOfC)], {
      encoding: "utf8",
    })
      .stdout.split(" ")
      .map(Number);
    c.first = Math.min(c.first, first);
    c.warm = Math.min(c.warm, warm);
    if (visits !== result.statistics.visits || sum !== result.pfns.reduce((a, b) => a + b, 0)) {
      throw new Error(`${name}: C and we disagree on the answers`);
    }
  }
  let line = `${name.padEnd(42)} ${String(ops).padStart(10)} ${String(result.statistics.visits).padStart(9)} ${shown(ours)}`;
  if (haveC) {
    ratios.first.push(ours / c.first);
    ratios.warm.push(ours / c.warm);
    line += ` ${shown(c.first)} ${shown(c.warm)}          ${(ours / c.first).toFixed(2)} · ${(ours / c.warm).toFixed(2)}`;
  }
  console.log(line);
}
rmSync(folder, { recursive: true });
if (haveC) {
  const mean = (list) => Math.exp(list.reduce((sum, ratio) => sum + Math.log(ratio), 0) / list.length).toFixed(2);
  console.log(
    `geometric mean ${mean(ratios.first)} × the first replay of a C process (goal ≤ 1.3), ${mean(ratios.warm)} × its later ones`,
  );
}
