import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { afterAll, describe, expect, it } from "vitest";
import { runCommand } from "./run.js";

const fixture = (name: string) => fileURLToPath(new URL(`../iova/fixtures/${name}`, import.meta.url));
const golden = (name: string) => gunzipSync(readFileSync(fixture(name))).toString();
const folder = mkdtempSync(join(tmpdir(), "iova-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command and collects what it prints. */
const run = (...argv: string[]) => runCommand("iova", "replay", ...argv);

const traced = (text: string) => {
  const file = join(folder, "trace.txt");
  writeFileSync(file, text);
  return file;
};

describe("iommu-lab iova replay", () => {
  it.each([
    ["rbtree", "rb2015/ex1_rb_padding"],
    ["magazines", "rcache/ex8_rc_magazines"],
    ["pools", "pools/ex13_pools_handleless_mask"],
    ["lazy", "lazy/ex14_lazy_basic"],
    ["rcache6", "modern/rcache6/ex9_global_flush"],
    ["fq6", "modern/fq6/ex12_fq_two_cpus"],
  ])("prints the answers of %s in the fixtures' format", async (allocator, name) => {
    const { code, out, error } = await run(fixture(`${name}.trace.gz`), "--allocator", allocator);
    expect({ code, error }).toEqual({ code: 0, error: "" });
    expect(out).toBe(golden(`${name}.csv.gz`));
  });

  it("prints the flushes of the deferred queue", async () => {
    const { out } = await run(fixture("lazy/ex14_lazy_basic.trace.gz"), "--allocator", "lazy", "--events");
    expect(out).toBe(golden("lazy/ex14_lazy_basic.events.csv.gz"));
  });

  it("prints the flushes, trims and drains of today's allocator, and its totals under the fixtures' names", async () => {
    const file = fixture("modern/fq6/ex12_fq_two_cpus.trace.gz");
    const { out } = await run(file, "--allocator", "fq6", "--events");
    expect(out).toBe(golden("modern/fq6/ex12_fq_two_cpus.events.csv.gz"));
    const totals = JSON.parse((await run(file, "--allocator", "fq6", "--stats", "--json", "--samples", "3")).out);
    const stored = JSON.parse(readFileSync(fixture("modern/fq6/ex12_fq_two_cpus.stats.json"), "utf8"));
    expect({ ...totals, samples: 0 }).toEqual({ ...stored, samples: 0 });
    expect((await run(file, "--allocator", "fq6", "--stats")).out).toMatch(/flush queue locks +26 acquisitions\n/);
  });

  it("gives the allocator the rules of the release that is asked for", async () => {
    const maps = Array.from({ length: 256 }, () => "m 1 1048575\n").join("");
    const unmaps = Array.from({ length: 256 }, (_, id) => `u ${id}\n`).join("");
    const file = traced(maps + unmaps);
    const toDepots = async (release: string) =>
      /to depots +(\d+)/.exec((await run(file, "--allocator", "rcache6", "--stats", "--release", release)).out)?.[1];
    expect([await toDepots("5.15"), await toDepots("6.1")]).toEqual(["0", "1"]);
    expect((await run(file, "--allocator", "rcache6", "--release", "4.3")).error).toMatch(
      /release is "4\.3"; one from 4\.15 to 6\.18/,
    );
    expect((await run(file, "--release", "6.1")).error).toMatch(/--release: only "rcache6" and "fq6".* got "rbtree"/);
    expect((await run(file, "--json")).error).toMatch(/--json is a form of --stats/);
    expect((await run(file, "--stats", "--samples", "4")).error).toMatch(/--samples: .*--stats --json only/);
  });

  it("prints totals with their units, as a table and as values", async () => {
    const file = fixture("rb2015/g_rr_2ring.trace.gz");
    expect((await run(file, "--stats")).out).toMatch(/visits +32036 nodes\n/);
    const { out } = await run(file, "--stats", "--csv", "--allocator", "rbtree-merged");
    expect(out).toMatch(/^name,value,unit\nmaps,2403,requests\n/);
    expect(out).toMatch(/\nsplits,795,nodes\n/);
  });

  it("reads plain text and standard input", async () => {
    expect((await run(traced("m 1 1048575\nu 0\nu 0\nm 2 1048575\n"))).out).toBe(
      "id,pages,pfn,visits\n0,1,1048575,0\n1,2,1048574,0\n",
    );
    const command = fileURLToPath(new URL("../../src/cli/iommu-lab.mjs", import.meta.url));
    const spawned = spawnSync(process.execPath, [command, "iova", "replay", "-"], {
      input: "m 1 7\n",
      encoding: "utf8",
    });
    expect(spawned.stdout).toBe("id,pages,pfn,visits\n0,1,7,0\n");
  });

  it("reads what an editor of another system wrote: a byte-order mark and carriage returns", async () => {
    expect((await run(traced("\uFEFFm 1 1048575\r\nu 0\r\n"))).out).toBe("id,pages,pfn,visits\n0,1,1048575,0\n");
  });

  it("replays a recording of the laboratory's own, and says of which device", async () => {
    const recording = fileURLToPath(new URL("../../data/traces/vmxnet3.trace.json", import.meta.url));
    const { code, out, error } = await run(recording);
    expect(code).toBe(0);
    expect(out.split("\n").length).toBeGreaterThan(30_000);
    expect(error).toMatch(/the requests of device 0000:00:0.*--device chooses another/);
    const other = await run(recording, "--device", "1", "--stats");
    expect(other.error).toBe("");
    expect(other.out).toMatch(/^maps +\d+ requests/);
    expect((await run(recording, "--device", "9")).error).toMatch(/no device "9"; there are 0 \(0000:/);
    expect((await run(traced("m 1 5\n"), "--device", "0")).error).toMatch(/--device: .* is no recording/);
  });

  it("reads a recording in any form: the kernel's text, by name, from standard input", async () => {
    const text = fileURLToPath(new URL("../recordings/fixtures/texts/S02-sg-reused-3x.txt", import.meta.url));
    const { code, out, error } = await run(text);
    expect(code).toBe(0);
    expect(out).toMatch(/^id,pages,pfn,visits\n0,32,1048544,1\n1,32,1048544,1\n/);
    expect(error).toMatch(/does not name devices/);
    expect((await run("vmxnet3", "--device", "1", "--stats")).out).toMatch(/^maps +\d+ requests/);
  });

  it("has a pools' table that fits the recording, and says of another how many maps fail", async () => {
    const [fits, small] = [
      await run("igb", "--allocator", "pools", "--device", "0", "--stats"),
      await run("igb", "--allocator", "pools", "--device", "0", "--stats", "--entries", "4096"),
    ];
    expect(fits.out).toMatch(/^failures +0 requests/m);
    expect(fits.error).toBe("");
    expect(small.error).toMatch(
      /igb: \d+ of \d+ maps failed \(\d+\.\d %\) with pools; the table has 4096 entries \(--entries\)/,
    );
  });

  it("lets the lazy queue's timer fire by the recording's own time", async () => {
    const { out } = await run("vmxnet3", "--allocator", "lazy", "--device", "0", "--events");
    expect(out.split("\n").filter((line) => line.includes(",T,")).length).toBeGreaterThan(100);
  });

  it("changes limit, alignment, table and CPUs of any trace", async () => {
    const file = traced("m 3 1048575 6\nm 2 1048575 6\n");
    expect((await run(file, "--limit", "0xff")).out).toBe("id,pages,pfn,visits\n0,3,252,0\n1,2,250,1\n");
    expect((await run(file, "--limit", "0xff", "--no-align", "--cpus", "2")).code).toBe(0);
    expect((await run(file, "--limit", "-1", "--fallback32")).out).toContain("0,3,1048572,");
    expect((await run(file, "--limit", "far")).code).toBe(2);
    expect((await run(file, "--cpus", "5000")).code).toBe(2);
  });

  it("lets the caches keep larger ranges, and names what they cannot", async () => {
    const file = traced("m 64 1048575\nu 0\nm 64 1048575\n");
    const hits = async (...more: string[]) =>
      /^1,64,\d+,\d,(\d)/m.exec((await run(file, "--allocator", "rcache6", ...more)).out)?.[1];
    expect([await hits(), await hits("--cached-pages", "512")]).toEqual(["0", "1"]);
    expect((await run(traced("i cached_pages 64\nm 64 9999\n"), "--allocator", "fq6")).code).toBe(0);
    expect((await run(file, "--allocator", "rcache6", "--cached-pages", "48")).error).toMatch(
      /largestCached is 48 pages; a power of two from 1 to 32768 is accepted/,
    );
    expect((await run(file, "--cached-pages", "64")).error).toMatch(/--cached-pages: only "rcache6" and "fq6" have/);
  });

  it("compares allocators in one table, and samples the tree", async () => {
    const { out } = await run("vmxnet3", "--device", "0", "--compare", "rbtree,magazines");
    expect(out).toMatch(/^allocator +maps +failures +visits p50 .*\nrbtree +\d+ .*\nmagazines +\d+ .*\n$/);
    const all = await run(traced("m 1 1048575\nu 0\n"), "--compare", "all", "--csv");
    expect(all.out.trimEnd().split("\n").length).toBeGreaterThan(6);
    expect((await run(traced("m 1 5\n"), "--compare", "slab")).error).toMatch(
      /no allocator "slab"; there are all, rbtree/,
    );
    const { out: samples } = await run(traced("m 1 1048575\nm 1 1048575\nu 0\n"), "--sample", "1");
    expect(samples).toMatch(/^op,nodes,max_depth,mean_depth\n0,1,1,1\.000\n/);
    expect((await run(traced("m 1 5\n"), "--sample", "1", "--stats")).error).toMatch(/Choose one of/);
  });

  it("says of a recording that cannot be read what is expected", async () => {
    const { code, out, error } = await run(traced("{not a recording"));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toMatch(/trace\.txt: .*expected the JSON of a trace file/);
  });

  it("has flushes to print for the deferred queue only, and one kind of answer at a time", async () => {
    const file = traced("m 1 5\n");
    expect(await run(file, "--events")).toMatchObject({ code: 1, out: "" });
    expect((await run(file, "--events")).error).toMatch(
      /--events: only "lazy", "magazines", "rcache6", "fq6" .* got "rbtree"/,
    );
    expect((await run(file, "--events", "--stats", "--allocator", "lazy")).error).toMatch(
      /one of --stats and --events/,
    );
  });

  it("answers an empty trace with the header alone", async () => {
    expect((await run(traced("# nothing\n\n"))).out).toBe("id,pages,pfn,visits\n");
  });

  it.each([
    ["m 1 1048575\nm x 5\n", /line 2: PAGES is "x"; a whole number from 1 to 2147483648/],
    ["m 0 5\n", /line 1: PAGES is "0"/],
    ["m 99999999999 5\n", /line 1: PAGES is "99999999999"/],
    ["m 1 9999999999999999\n", /line 1: LIMIT is .* below 2\^52 is accepted/],
    ["m 1\n", /line 1: "m 1" does not read as m PAGES LIMIT \[CPU\]/],
    ["m 1 5\n\nu 1\n", /line 3: unmap of id 1, but only 1 map came before/],
    ["z 1 2\n", /line 1: "z 1 2" is no operation; a line starts with i, m, u, r, w, x or y/],
    ["i depth 3\n", /line 1: there is no setting "depth"; the settings are start_pfn/],
    ["m 1 5\ni cpus 2\n", /line 2: "i cpus 2" configures after the first operation/],
    ["i aligned 2\n", /line 1: aligned is "2"; a whole number from 0 to 1/],
    ["i cpus 2147483647\n", /line 1: cpus is "2147483647"; a whole number from 1 to 4096/],
    ["i iommus 2000000000\n", /line 1: iommus is "2000000000"; a whole number from 1 to 4096/],
    ["i domains 65537\n", /line 1: domains is "65537"; a whole number from 1 to 4096/],
    ["x 1 2\n", /line 1: "x 1 2" does not read as x CPU/],
    ["y 4096\n", /line 1: CPU is "4096"; a whole number from 0 to 4095/],
    ["i fq 2\n", /line 1: fq is "2"; a whole number from 0 to 1/],
    ["r 9 8\n", /line 1: LO 9 is above HI 8/],
  ])("refuses %j with the line and what is accepted", async (text, message) => {
    const { code, out, error } = await run(traced(text));
    expect({ code, out }).toEqual({ code: 1, out: "" });
    expect(error).toMatch(message);
    expect(error).not.toMatch(/ at /);
  });

  it("says which operation would make Linux hand out pages in use", async () => {
    const { code, error } = await run(traced("m 1 -1\nm 1 -1\n"));
    expect(code).toBe(1);
    expect(error).toMatch(/operation 1: .*top of the 64-bit space/);
  });

  it("names a file that is not there, and an allocator that is none", async () => {
    expect((await run(join(folder, "none.gz"))).error).toMatch(/none\.gz: there is no such file/);
    expect(await run(traced("m 1 5\n"), "--allocator", "slab")).toMatchObject({ code: 2 });
  });
});
