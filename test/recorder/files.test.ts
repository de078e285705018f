import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { afterAll, describe, expect, test } from "vitest";
import { convertRecording, loadTrace, traceInfo } from "../../src/recorder/index.js";
import { encodeTrace, loadTrace as loadRecorded } from "../../src/recordings/index.js";

const fixture = (name: string) => fileURLToPath(new URL(`fixtures/${name}`, import.meta.url));
const texts = (name: string) => fileURLToPath(new URL(`../recordings/fixtures/texts/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "recorder-"));
afterAll(() => rmSync(folder, { recursive: true }));
const saved = (name: string, bytes: Uint8Array | string): string => {
  const file = join(folder, name);
  writeFileSync(file, bytes);
  return file;
};

const plain = texts("S02-sg-reused-3x.txt");
const text = readFileSync(plain);

describe("a recording in a file", () => {
  test.each([
    ["plain", plain],
    ["gzip", saved("sg.gz", gzipSync(text))],
    ["xz", fixture("sg.txt.xz")],
    ["zstd", fixture("sg.txt.zst")],
  ])("%s: three requests of 32 pages", async (_, file) => {
    const trace = await loadTrace(file);
    expect([trace.maps, trace.length, ...trace.pages]).toEqual([3, 6, 32, 32, 32, 32, 32, 32]);
    expect([...trace.partner]).toEqual([1, 0, 3, 2, 5, 4]);
  });

  test.each(["gz", "xz", "zst"])("several packed %s files in a row are one recording", async (kind) => {
    const one = kind === "gz" ? gzipSync(text) : readFileSync(fixture(`sg.txt.${kind}`));
    const { maps } = await loadTrace(saved(`two.${kind}`, Buffer.concat([one, one])));
    expect(maps).toBe(6);
  });

  test.each(["gz", "xz", "zst"])("a packed %s file that is cut off is refused by name", async (kind) => {
    const one = kind === "gz" ? gzipSync(text) : readFileSync(fixture(`sg.txt.${kind}`));
    const file = saved(`cut.${kind}`, one.subarray(0, 200));
    await expect(loadTrace(file)).rejects.toThrow(
      /cut\.\w+: cannot be read .*expected plain text, or a whole gzip, xz or zstd file/,
    );
  });

  test("what is not there, a folder, and nothing are refused by name", async () => {
    await expect(loadTrace(join(folder, "none"))).rejects.toThrow(/none: there is no such file/);
    await expect(loadTrace(folder)).rejects.toThrow(/is a folder/);
    await expect(loadTrace(saved("empty", ""))).rejects.toThrow(/empty: is empty; expected a recording/);
  });

  test("a recording of the laboratory is loaded by its name, and from its file of version 1", async () => {
    const [recorded, file] = [
      loadRecorded("vmxnet3"),
      new URL("../../data/traces/vmxnet3.trace.json", import.meta.url),
    ];
    // Compared as text: a matcher takes minutes for columns of a hundred thousand.
    for (const name of ["vmxnet3", fileURLToPath(file)])
      expect(encodeTrace(await loadTrace(name)) === encodeTrace(recorded)).toBe(true);
  });

  test("it is converted from every form, to the same trace, and again without a change", async () => {
    const [first, second] = [join(folder, "a.trace.json"), join(folder, "b.trace.json")];
    await convertRecording(plain, first, { about: { name: "sg" } });
    await convertRecording(first, second);
    expect(readFileSync(second, "utf8").split("\n").slice(1)).toEqual(readFileSync(first, "utf8").split("\n").slice(1));
    const trace = await loadTrace(second);
    expect(trace).toEqual(await loadTrace(plain, { about: { ...trace.about } }));
  });

  test("a conversion that fails leaves nothing behind", async () => {
    const out = join(folder, "failed.trace.json");
    await expect(convertRecording(texts("S13-nonpage.txt"), out)).rejects.toThrow(/whole pages/);
    const below = join(folder, "failed folder", "x");
    await expect(convertRecording(texts("S13-nonpage.txt"), below)).rejects.toThrow(/whole pages/);
    expect(readdirSync(folder).filter((file) => file.startsWith("failed"))).toEqual([]);
  });

  test("a folder, or a place where nothing can be, is refused before the recording is read", async () => {
    for (const out of [folder, join(plain, "x")])
      await expect(convertRecording("there-is-no-such-recording", out)).rejects.toThrow(/cannot be written/);
  });

  test("a conversion keeps links and modes, and writes a device as it is", async () => {
    const [real, link, device] = ["real.trace.json", "link.trace.json", "device"].map((name) => join(folder, name));
    writeFileSync(real, "old", { mode: 0o600 });
    symlinkSync("real.trace.json", link);
    symlinkSync("/dev/null", device);
    await convertRecording(plain, link);
    await convertRecording(plain, device);
    expect([readlinkSync(link), readlinkSync(device)]).toEqual(["real.trace.json", "/dev/null"]);
    expect(statSync(real).mode & 0o777).toBe(0o600);
    expect((await loadTrace(real)).length).toBeGreaterThan(0);
  });

  test("an abort stops it with the reason", async () => {
    const stop = new AbortController();
    stop.abort(new Error("enough"));
    await expect(traceInfo(plain, { signal: stop.signal })).rejects.toThrow("enough");
  });

  test("a part begins with what was mapped before it", async () => {
    const file = saved(
      "part.csv",
      `t_ns,cpu,op,dev,iova_pfn,pages\n${["M,a,1", "M,a,2", "U,a,1", "M,a,3", "U,a,2", "U,a,3"].map((op, i) => `${i},0,${op},1`).join("\n")}\n`,
    );
    const part = await loadTrace(file, { skip: 3, limit: 2 });
    expect([...part.iovaPfn]).toEqual([2, 3, 2]);
    expect([...part.partner]).toEqual([2, -1, 0]);
    expect(part.about.caveats).toEqual([expect.stringContaining("steps 3 to 5 of 6")]);
  });
});
