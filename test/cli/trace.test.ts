import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, it } from "vitest";
import { decodeTrace, encodeTrace, importTrace } from "../../src/recordings/index.js";
import { runCommand } from "./run.js";

const texts = (name: string) => fileURLToPath(new URL(`../recordings/fixtures/texts/${name}`, import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "trace-cli-"));
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the command and collects what it prints. */
const run = (...argv: string[]) => runCommand("trace", ...argv);

interface Expected {
  file: string;
  maps?: number;
  unmaps?: number;
  devices?: number;
  live?: number;
  spanNs?: number;
  warn?: string;
  refuse?: string;
}
const cases = JSON.parse(readFileSync(texts("expected.json"), "utf8")) as Expected[];

describe("iommu-lab trace info", () => {
  it("prints nothing of a recording's texts that a terminal would obey", async () => {
    const out = join(folder, "named.json");
    await run("convert", texts("F01-cat-trace-5flags.txt"), "-o", out, "--name", "\u001b]0;owned\u0007");
    const info = await run("info", out);
    expect(info.code, info.error).toBe(0);
    expect(info.out).toContain("·]0;owned·");
    expect(info.out).not.toContain("\u001b");
  });

  it("refuses a trace file whose line does not end, soon", async () => {
    const head = encodeTrace(
      importTrace(readFileSync(texts("F01-cat-trace-5flags.txt"), "utf8"), { file: "x" }).trace,
    ).split("\n")[0];
    const endless = join(folder, "endless.json");
    writeFileSync(endless, `${head}\n${"x".repeat(70 * 2 ** 20)}`);
    const { code, error } = await run("info", endless);
    rmSync(endless);
    expect([code, error]).toEqual([1, expect.stringContaining("has a line of more than 64 MiB")]);
  });

  it.each(cases)("$file", async ({ file, refuse, warn, ...values }) => {
    const { code, out, error } = await run("info", texts(file), "--json");
    if (refuse !== undefined) {
      expect({ code, out }).toEqual({ code: 1, out: "" });
      expect(error).toContain(refuse);
      expect(error).not.toMatch(/ at .*\.ts/);
      return;
    }
    const info = JSON.parse(out);
    expect(info).toMatchObject(values);
    expect(info.warnings.join("\n")).toContain(warn ?? "");
  });

  it("prints what a person wants to know, warnings last", async () => {
    const { out } = await run("info", texts("S02-sg-reused-3x.txt"));
    expect(out).toMatch(/^requests +3 maps, 3 unmaps, 0 live at the end$/m);
    expect(out).toMatch(/! The recording does not name devices.*\n$/);
    expect((await run("info", "igb")).out).toMatch(/^devices +2: 0000:00:03\.0 \(igb\)/m);
  });

  it("reads standard input", () => {
    const command = fileURLToPath(new URL("../../src/cli/iommu-lab.mjs", import.meta.url));
    const input = readFileSync(texts("F35-xz.txt.xz"));
    const { stdout } = spawnSync(process.execPath, [command, "trace", "info", "-", "--json"], {
      input,
      encoding: "utf8",
    });
    expect(JSON.parse(stdout)).toMatchObject({ maps: 1, unmaps: 1 });
  });

  it("says what an option accepts", async () => {
    expect(await run("info", texts("F31-clock-counter.txt"), "--clock-mhz", "2400")).toMatchObject({ code: 0 });
    expect((await run("info", "igb", "--clock-mhz", "fast")).code).toBe(2);
    expect((await run("info", "igb", "--most-unreadable", "200")).code).toBe(2);
    expect(await run("info", texts("S13-nonpage.txt"), "--most-unreadable", "70")).toMatchObject({ code: 0 });
  });
});

describe("iommu-lab trace convert", () => {
  it("writes a trace file, and says what it left out", async () => {
    const out = join(folder, "s10.trace.json");
    const {
      code,
      out: said,
      error,
    } = await run("convert", texts("S10-unmap-before-start.txt"), "-o", out, "--name", "mine");
    expect(code).toBe(0);
    expect(said).toMatch(/s10\.trace\.json: 2 operations \(1 map of 1 request\), 1 device, [\d,]+ bytes\./);
    expect(error).toMatch(/1 unmap ends maps made before the recording began/);
    const trace = decodeTrace(readFileSync(out, "utf8"), out);
    expect([trace.about.name, trace.maps, trace.account.unmatchedUnmaps]).toEqual(["mine", 1, 1]);
  });

  it("takes header, devices and phases from a file, and refuses a device that is not there", async () => {
    const about = fileURLToPath(new URL("../../data/traces/igb.trace.json", import.meta.url));
    const converted = join(folder, "igb.trace.json");
    expect((await run("convert", about, "-o", converted)).code).toBe(0);
    const old = decodeTrace(readFileSync(about, "utf8"), about);
    expect(readFileSync(converted, "utf8") === encodeTrace(old)).toBe(true);
    const { code, error } = await run(
      "convert",
      texts("S10-unmap-before-start.txt"),
      "-o",
      converted,
      "--about",
      about,
    );
    expect(code).toBe(1);
    expect(error).toMatch(/devices: "0000:00:03\.0" is not in the trace; it has space 0/);
  });
});

describe("iommu-lab trace record", () => {
  const tracefs = join(folder, "tracing");
  for (const event of ["iommu/map", "iommu/unmap", "dma/dma_map_page", "dma/dma_unmap_page"])
    mkdirSync(join(tracefs, "events", event), { recursive: true });
  mkdirSync(join(tracefs, "instances"));

  it("prints the commands of this kernel and changes nothing", async () => {
    const { code, out, error } = await run(
      "record",
      "--dry-run",
      "--tracefs",
      tracefs,
      "--seconds",
      "3",
      "--device",
      "0000:05:00.0",
    );
    expect({ code }).toEqual({ code: 0 });
    expect(out).toMatch(/^# as root:\nmkdir .*\/instances\/iommu-lab\n/);
    expect(out).toContain(
      `echo 'device == "0000:05:00.0"' > ${tracefs}/instances/iommu-lab/events/dma/dma_map_page/filter`,
    );
    expect(out).toContain("timeout 3 cat ");
    expect(error).toMatch(/Only 0000:05:00\.0 is recorded/);
    expect(readdirSync(join(tracefs, "instances"))).toEqual([]);
  });

  it("says that a folder is no tracefs, and leaves nothing in it", async () => {
    if (process.getuid?.() !== 0) return;
    const { code, error } = await run(
      "record",
      "--tracefs",
      tracefs,
      "--seconds",
      "0.1",
      "-o",
      join(folder, "never.txt"),
    );
    expect(code).toBe(1);
    expect(error).toMatch(/is no tracefs/);
    expect(readdirSync(join(tracefs, "instances"))).toEqual([]);
    expect(existsSync(join(folder, "never.txt"))).toBe(false);
  });

  it("says what an option accepts, and what is not there", async () => {
    expect((await run("record", "--seconds", "0")).code).toBe(2);
    expect((await run("record", "--buffer", "1")).code).toBe(2);
    expect(await run("record", "--tracefs", join(folder, "none"))).toMatchObject({
      code: 1,
      error: expect.stringMatching(/tracefs is not mounted.*--dry-run prints/),
    });
  });

  it("prints an ordinary kernel's commands where tracefs cannot be seen, and says so", async () => {
    const none = join(folder, "no\nne");
    const { code, out } = await run("record", "--tracefs", none, "--dry-run", "--device", "0000:05:00.0");
    const lines = out.split("\n");
    expect({ code, first: lines[0], second: lines[1] }).toEqual({
      code: 0,
      first: `# This machine shows no tracefs at ${JSON.stringify(none)}: these are the commands for Linux 6.18, not checked against the kernel that they will run on.`,
      second: "# as root:",
    });
    expect(out).toContain(
      `echo 'device == "0000:05:00.0"' > '${none}'/instances/iommu-lab/events/dma/dma_map_phys/filter`,
    );
    expect(existsSync(none)).toBe(false);
    const { out: perf } = await run("record", "--tracefs", none, "--dry-run", "--with", "perf");
    expect(perf).toMatch(/\nperf record .* -e dma:dma_map_sg .* -e iommu:map -e iommu:unmap /);
  });
});

describe("iommu-lab trace report", () => {
  it("prints the allocators under both policies, and writes the same as a page", async () => {
    const { code, out } = await run("report", texts("S02-sg-reused-3x.txt"), "--stretches", "0");
    expect(code).toBe(0);
    for (const text of ["What was recorded", "tree (v4.3)", "caches of today", "lazy", "IOTLB"])
      expect(out).toContain(text);
    const page = join(folder, "report.html");
    const notebook = join(folder, "notes", "report.ipynb");
    const files = ["--out", page, "--ipynb", notebook];
    const written = await run("report", texts("S02-sg-reused-3x.txt"), "--stretches", "0", ...files);
    expect(written).toMatchObject({ code: 0, error: "" });
    const { cells } = JSON.parse(readFileSync(notebook, "utf8"));
    const path = /loadTrace\("([^"]+)"\)/.exec(cells[1].source.join(""))?.[1] ?? "";
    expect(resolve(dirname(notebook), path)).toBe(texts("S02-sg-reused-3x.txt"));
    expect(readFileSync(page, "utf8")).toMatch(/^<!doctype html>[\s\S]*<svg[\s\S]*<\/html>\n$/);
  });

  it("names the devices there are", async () => {
    const { code, error } = await run("report", texts("S02-sg-reused-3x.txt"), "--device", "9", "--stretches", "0");
    expect({ code, error }).toEqual({ code: 1, error: expect.stringContaining('there is no device "9"') });
  });
});
