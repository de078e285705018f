import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import {
  cleanAccount,
  decodeTrace,
  encodeTrace,
  importTrace,
  loadTrace,
  Op,
  phaseRange,
  type Trace,
  traceOp,
} from "../../src/recordings/index.js";
import { fc } from "../support/property.js";
import { anyTrace } from "./any-trace.js";

/** A line of a file of version 2 as a test damages it. */
interface LooseLine {
  about: unknown;
  steps: number;
  maps: number;
  devices: unknown[];
  phases: { firstOp: number }[];
  columns: Record<string, { values: number; data: string }>;
}

/** A file of version 1 as a test damages it. */
interface LooseFile {
  format: string;
  version: number;
  phases: { firstOp: number }[];
  columns: Record<string, { values: number; data: string }>;
}

describe("the recorded traces", () => {
  test("igb: two NICs, transmit buffers only, 52,061 maps in the TCP_RR phase", () => {
    const trace = loadTrace("igb");
    expect([trace.length, trace.maps, trace.devices.length]).toEqual([169_714, 117_633, 2]);
    const { first, end } = phaseRange(trace, "rr");
    let maps = 0;
    for (let i = first; i < end; i++) if (trace.op[i] === Op.map) maps++;
    expect([end - first, maps]).toEqual([104_122, 52_061]);
    expect(traceOp(trace, 0)).toEqual({
      index: 0,
      timeNs: 3_978_200,
      cpu: 6,
      op: "map",
      device: "0000:00:03.0",
      iovaPfn: 0xfffff,
      pages: 1,
      bytes: 4096,
      direction: "bidirectional",
      kind: "coherent",
      context: "task",
      phase: "probed",
      paddrPfn: 0x102557,
      partner: -1,
    });
    expect(traceOp(trace, trace.length - 1)).toMatchObject({
      timeNs: 45_562_630_785,
      cpu: 7,
      op: "unmap",
      iovaPfn: 0xb904a,
      bytes: 66,
    });
  });

  test("vmxnet3: two NICs, receive buffers only, 65,737 maps in the TCP_RR phase", () => {
    const trace = loadTrace("vmxnet3");
    const { first, end } = phaseRange(trace, "rr");
    expect([trace.length, trace.maps, end - first]).toEqual([144_696, 78_521, 131_474]);
  });

  test.each([
    "igb",
    "vmxnet3",
  ])("%s: every unmap ends an earlier map of the same range, and no live ranges overlap", (name) => {
    const trace = loadTrace(name);
    const taken = trace.devices.map(() => new Set<number>());
    let problems = 0;
    for (let i = 0; i < trace.length; i++) {
      const pages = taken[trace.device[i]];
      const other = trace.partner[i];
      if (other >= 0 && (trace.partner[other] !== i || trace.op[other] === trace.op[i])) problems++;
      if (i > 0 && trace.timeNs[i] < trace.timeNs[i - 1]) problems++;
      for (let page = trace.iovaPfn[i]; page < trace.iovaPfn[i] + trace.pages[i]; page++) {
        if (trace.op[i] === Op.map ? pages.has(page) : !pages.has(page)) problems++;
        if (trace.op[i] === Op.map) pages.add(page);
        else pages.delete(page);
      }
    }
    expect(problems).toBe(0);
  });

  test("an unknown name or phase is answered with the known ones", () => {
    expect(() => loadTrace("e1000")).toThrow('there is no recorded trace "e1000"; there are igb, vmxnet3.');
    expect(() => phaseRange(loadTrace("igb"), "boot")).toThrow("it has insmod, probed, up, rr, rrend, quiet.");
  });
});

describe("the file format", () => {
  test("what is written is read back, whatever the trace", () => {
    fc.assert(
      fc.property(anyTrace(), (trace) => {
        const text = encodeTrace(trace);
        expect(decodeTrace(text, "x")).toEqual(trace);
        expect(encodeTrace(decodeTrace(text, "x"))).toBe(text);
      }),
    );
  });

  const small = (): Trace =>
    importTrace("t_ns,cpu,op,dev,iova_pfn,pages\n0,0,M,a,10,1\n5,1,M,a,11,2\n9,0,U,a,10,1\n", { file: "x.csv" }).trace;

  const oldFile = readFileSync(new URL("fixtures/version-1.trace.json", import.meta.url), "utf8");

  test("a file of version 1 is read, and what is written anew is the same trace", () => {
    const old = decodeTrace(oldFile, "old.trace.json");
    expect(old).toEqual({ ...small(), account: cleanAccount({ events: 3 }) });
    const written = encodeTrace(loadTrace("igb"));
    expect(encodeTrace(decodeTrace(written, "new")) === written).toBe(true);
  });

  const damaged = (change: (file: LooseFile) => void): (() => Trace) => {
    const file = JSON.parse(oldFile);
    change(file);
    return () => decodeTrace(JSON.stringify(file), "x.trace.json");
  };

  test.each([
    ["a text that is no JSON", () => decodeTrace("{", "x.trace.json"), /x\.trace\.json: the file: expected the JSON/],
    ["an empty text", () => decodeTrace("", "x.trace.json"), /x\.trace\.json: the file: expected the JSON/],
    ["another format", damaged((f) => (f.format = "pcap")), /x\.trace\.json: format: .*iommu-lab-trace/],
    ["a later version", damaged((f) => (f.version = 3)), /x\.trace\.json: version: .*1/],
    ["a missing column", damaged((f) => delete f.columns.pages), /x\.trace\.json: columns\.pages: .*expected object/],
    [
      "a wrong count",
      damaged((f) => (f.columns.cpu.values = 7)),
      /columns\.cpu\.values: expected 3 for 3 operations with 2 maps \(got 7\)/,
    ],
    ["a phase beyond the end", damaged((f) => (f.phases[0].firstOp = 9)), /phases\.0\.firstOp: expected at most 3/],
    ["what is not base64", damaged((f) => (f.columns.cpu.data = "§")), /columns\.cpu\.data/],
    ["what is not zlib", damaged((f) => (f.columns.cpu.data = "AAAA")), /columns\.cpu\.data: expected zlib data/],
    [
      "another column's bytes",
      damaged((f) => (f.columns.cpu.data = f.columns.pages.data)),
      /columns\.cpu\.data: is damaged: its CRC-32 is [0-9a-f]{8}, expected/,
    ],
    [
      "another column altogether",
      damaged((f) => Object.assign(f.columns.pages, { ...f.columns.ends, values: 2 })),
      /columns\.pages\.data: ends too early/,
    ],
  ])("version 1: %s is refused by name", (_, read, message) => {
    expect(read).toThrow(message);
  });

  /** A file of version 2 with one of its lines changed. */
  const changed = (line: number, change: (json: LooseLine) => void): (() => Trace) => {
    const lines = encodeTrace(small()).trimEnd().split("\n");
    const json = JSON.parse(lines[line]);
    change(json);
    lines[line] = JSON.stringify(json);
    return () => decodeTrace(lines.join("\n"), "x.trace.json");
  };

  test.each([
    ["a header of another kind", changed(0, (f) => (f.about = "none")), /the first line, about: /],
    [
      "a wrong number of steps",
      changed(1, (f) => (f.steps = 2)),
      /line 2, columns\.\w+\.data: has \d+ bytes left over/,
    ],
    ["another column's bytes", changed(1, (f) => (f.columns.cpu.data = f.columns.pages.data)), /cpu\.data: is damaged/],
    [
      "a huge count",
      changed(1, (f) => (f.columns.cpu.values = 2e9)),
      /cpu\.data: says that it holds 2000000000 values/,
    ],
    ["a wrong total", changed(2, (f) => (f.maps = 7)), /the last line, maps: expected 2/],
    ["a phase beyond the end", changed(2, (f) => (f.phases[0].firstOp = 9)), /phases\.0\.firstOp: expected at most 3/],
    ["no device", changed(2, (f) => (f.devices = [])), /the last line, deviceOf/],
    [
      "an end that is missing",
      () => decodeTrace(encodeTrace(small()).split("\n").slice(0, 2).join("\n"), "x"),
      /is cut off: its last line/,
    ],
  ])("version 2: %s is refused by name", (_, read, message) => {
    expect(read).toThrow(message);
  });

  test("whatever is done to a file's text, it is read or refused with its name", () => {
    const text = encodeTrace(small());
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.nat(3), fc.string({ maxLength: 3 }), (at, remove, insert) => {
        const changed = text.slice(0, at) + insert + text.slice(at + remove);
        try {
          decodeTrace(changed, "x.trace.json");
        } catch (error) {
          expect(String(error)).toMatch(/^TraceError: x\.trace\.json: /);
        }
      }),
      { numRuns: 500 },
    );
  });
});
