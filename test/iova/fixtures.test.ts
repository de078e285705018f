import { existsSync, readdirSync, readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, it } from "vitest";
import {
  type AllocatorName,
  fixtureTotals,
  formatCacheEvents,
  formatEvents,
  formatReplay,
  parseTrace,
  replay,
} from "../../src/iova/index.js";

const root = new URL("./fixtures/", import.meta.url);
const gz = (name: string) => gunzipSync(readFileSync(new URL(name, root))).toString();
const named = (folder: string) =>
  readdirSync(new URL(`${folder}/`, root))
    .filter((file) => file.endsWith(".trace.gz"))
    .map((file) => `${folder}/${file.replace(".trace.gz", "")}`);

const allocatorOf: [string, AllocatorName][] = [
  ["rb2015", "rbtree"],
  ["rcache", "magazines"],
  ["lazy", "lazy"],
  ["pools", "pools"],
];

describe.each(allocatorOf)("the golden fixtures of %s", (folder, allocator) => {
  it.each(named(folder))("%s: every answer of the real allocator", (name) => {
    const trace = parseTrace(gz(`${name}.trace.gz`));
    const result = replay(trace, allocator);
    expect(formatReplay(result)).toBe(gz(`${name}.csv.gz`));
    const events = `${name}.events.csv.gz`;
    if (existsSync(new URL(events, root))) expect(formatEvents(result.events)).toBe(gz(events));
    const golden = JSON.parse(readFileSync(new URL(`${name}.stats.json`, root), "utf8"));
    expect(result.statistics.failures).toBe(golden.fails);
    if (allocator === "pools") {
      expect(result.statistics.flushes).toBe(golden.flushes);
    } else {
      expect(result.statistics.nodes).toBe(golden.nodes_end);
      // Both are textbook red-black trees, so they agree in depth too.
      expect(result.statistics.depth.max).toBe(golden.max_depth_end);
    }
  });

  it.each(named(folder))("%s: the same answers when every access is counted", (name) => {
    const trace = parseTrace(gz(`${name}.trace.gz`));
    const counted = replay(trace, allocator, { countLines: true });
    expect(formatReplay(counted)).toBe(gz(`${name}.csv.gz`));
    expect(counted.lines?.touched).toBeGreaterThan(trace.kinds.length);
  });
});

describe.each(["rcache6", "fq6"] as const)("the golden fixtures of %s", (allocator) => {
  it.each(named(`modern/${allocator}`))("%s: every answer, event, total and depth of the real code", (name) => {
    const trace = parseTrace(gz(`${name}.trace.gz`));
    const { samples, sample_fields, ...totals } = JSON.parse(readFileSync(new URL(`${name}.stats.json`, root), "utf8"));
    // Short traces were sampled after each operation, longer ones twenty times.
    const operations = trace.kinds.length;
    const sampleEvery = samples.length === operations ? 1 : Math.floor(operations / 20);
    const result = replay(trace, allocator, { sampleEvery });
    expect(formatReplay(result)).toBe(gz(`${name}.csv.gz`));
    expect(formatCacheEvents(result.caches!.events)).toBe(gz(`${name}.events.csv.gz`));
    expect(fixtureTotals(result.caches!)).toEqual(totals);
    expect(result.samples.map((s) => [s.op, s.nodes, s.maxDepth, Number(s.meanDepth.toFixed(3))])).toEqual(samples);
  });

  it.each(named(`modern/${allocator}`))("%s: the same answers when every access is counted", (name) => {
    const trace = parseTrace(gz(`${name}.trace.gz`));
    const counted = replay(trace, allocator, { countLines: true });
    expect(formatReplay(counted)).toBe(gz(`${name}.csv.gz`));
    expect(fixtureTotals(counted.caches!)).toEqual(fixtureTotals(replay(trace, allocator).caches!));
    expect(counted.lines?.touched).toBeGreaterThan(0);
  });
});

describe("the merged tree", () => {
  it.each(named("rb2015"))("%s: hands out the identical addresses, from fewer nodes", (name) => {
    const trace = parseTrace(gz(`${name}.trace.gz`));
    const plain = replay(trace, "rbtree");
    const merged = replay(trace, "rbtree-merged");
    expect(merged.pfns).toEqual(plain.pfns);
    expect(merged.statistics.nodes).toBeLessThanOrEqual(plain.statistics.nodes);
    expect(merged.statistics.visits).toBeLessThanOrEqual(plain.statistics.visits);
  });
});
