// Allocator replay without the machine model, against the same algorithm in plain C on the same trace (rbtree.c): goal ≤ 1.3 × its time.
// Both sides get the trace parsed, start from an empty tree, and keep the pages, pfn and visits of every map. They replay one after the
// other, several times, in CPU time (ours with the threads of the compiler and the collector); the best of each counts. Without a C compiler only our own times are shown.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseTrace, replay } from "../../../dist/iova/index.js";

const rounds = 25;

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
const cc = spawnSync("cc", ["-O2", "-o", join(folder, "rbtree"), new URL("rbtree.c", import.meta.url).pathname], {
  encoding: "utf8",
});
const haveC = cc.status === 0;
if (!haveC) console.log("no C compiler (cc): our own times only");
const shown = (ns) => `${(ns / 1e6).toFixed(2)} ms`.padStart(11);
const ratios = [];
console.log(
  `${"trace".padEnd(42)} ${"operations".padStart(10)} ${"visits".padStart(9)} ${"ours".padStart(11)} ${"C".padStart(11)}   ratio`,
);
for (const [name, text] of Object.entries(traces)) {
  const trace = parseTrace(text);
  const ops = trace.kinds.length;
  let ours = Number.POSITIVE_INFINITY;
  let c = Number.POSITIVE_INFINITY;
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
    const [ns, visits, sum] = spawnSync(join(folder, "rbtree"), [input, "1"], { encoding: "utf8" })
      .stdout.split(" ")
      .map(Number);
    c = Math.min(c, ns);
    if (visits !== result.statistics.visits || sum !== result.pfns.reduce((a, b) => a + b, 0)) {
      throw new Error(`${name}: C and we disagree on the answers`);
    }
  }
  if (haveC) ratios.push(ours / c);
  console.log(
    `${name.padEnd(42)} ${String(ops).padStart(10)} ${String(result.statistics.visits).padStart(9)} ${shown(ours)} ${haveC ? shown(c) : "–".padStart(11)}   ${haveC ? (ours / c).toFixed(2) : ""}`,
  );
}
rmSync(folder, { recursive: true });
if (haveC) {
  const mean = Math.exp(ratios.reduce((sum, ratio) => sum + Math.log(ratio), 0) / ratios.length);
  console.log(`geometric mean ${mean.toFixed(2)} × the time of C (goal ≤ 1.3)`);
}
