import { describe, expect, test } from "vitest";
import {
  ackLimitBytes,
  completionBytes,
  completionsOf,
  linkGbps,
  PostedCredits,
  pcieLink,
  postedWrites,
  rawGbps,
  readRequestBytes,
  readRequests,
  tlpGbps,
  WireDirection,
  wirePs,
  writeOverhead,
} from "../../../src/machine/index.js";
import { published } from "../../support/facts.js";
import { fc } from "../../support/property.js";

const gen3x16 = pcieLink(3, 16);
const gen3x8 = pcieLink(3, 8);

describe("effective bandwidth agrees with the published model", () => {
  test("Gen3 x16: raw and left for TLPs (PCIE1)", () => {
    const [raw, tlp] = published.numbers("PCIE1");
    expect(rawGbps(gen3x16)).toBeCloseTo(raw, 2);
    expect(tlpGbps(gen3x16)).toBeCloseTo(tlp, 1);
  });

  test("Gen3 x16, MPS 256: writes and reads of 64, 256 and 4096 bytes (PCIE2)", () => {
    const [writes, reads] = published.record("PCIE2").value as number[][];
    for (const [i, bytes] of [64, 256, 4096].entries()) {
      expect(linkGbps(gen3x16, "write", bytes)).toBeCloseTo(writes[i], 1);
      expect(linkGbps(gen3x16, "read", bytes)).toBeCloseTo(reads[i], 1);
    }
  });

  test("Gen3 x8: writes and reads of 64 and 256 bytes (PCIE3)", () => {
    const [writes, reads] = published.record("PCIE3").value as number[][];
    for (const [i, bytes] of [64, 256].entries()) {
      expect(linkGbps(gen3x8, "write", bytes)).toBeCloseTo(writes[i], 1);
      expect(linkGbps(gen3x8, "read", bytes)).toBeCloseTo(reads[i], 1);
    }
  });

  test("headers have the published sizes (PCIE4)", () => {
    const [write, read, completion, generic, framing] = published.numbers("PCIE4");
    expect(writeOverhead(gen3x16)).toBe(write + generic + framing);
    expect(readRequestBytes(gen3x16)).toBe(read + generic + framing);
    expect(completionBytes(gen3x16, { address: 0, bytes: 64 })).toBe(64 + completion + generic + framing);
    expect(writeOverhead(pcieLink(3, 16, { addressBits: 32, ecrc: true }))).toBe(24);
  });

  test("ACK limits of the specification's tables", () => {
    expect(ackLimitBytes(pcieLink(1, 1))).toBe(416);
    expect(ackLimitBytes(gen3x8)).toBe(203);
    expect(ackLimitBytes(pcieLink(3, 16, { mps: 1024 }))).toBe(246);
  });
});

describe("a DMA is cut into packets", () => {
  test("a read of 1 KiB is two requests of MRRS 512, each answered by two completions of MPS 256", () => {
    expect(readRequests(gen3x16, 0, 1024).map((r) => r.bytes)).toEqual([512, 512]);
    expect(completionsOf(gen3x16, { address: 512, bytes: 512 }).map((c) => c.bytes)).toEqual([256, 256]);
  });

  test("a host that does not merge answers in pieces of the read completion boundary", () => {
    const link = pcieLink(3, 16, { completions: "rcb" });
    expect(completionsOf(link, { address: 32, bytes: 128 }).map((c) => c.bytes)).toEqual([32, 64, 32]);
  });

  test("pieces cover the range, respect the limits and never cross 4 KiB", () => {
    const size = fc.constantFrom(128, 256, 512, 1024, 2048, 4096);
    fc.assert(
      fc.property(size, size, fc.nat(1e9), fc.integer({ min: 1, max: 20_000 }), (mps, mrrs, address, bytes) => {
        const link = pcieLink(3, 8, { mps, mrrs });
        for (const [pieces, limit] of [
          [readRequests(link, address, bytes), mrrs],
          [postedWrites(link, address, bytes), mps],
        ] as const) {
          let at = address;
          for (const piece of pieces) {
            expect(piece.address).toBe(at);
            expect(piece.bytes).toBeLessThanOrEqual(limit);
            expect(Math.floor(piece.address / 4096)).toBe(Math.floor((piece.address + piece.bytes - 1) / 4096));
            at += piece.bytes;
          }
          expect(at).toBe(address + bytes);
        }
      }),
    );
  });

  test("bad sizes are named", () => {
    expect(() => pcieLink(3, 8, { mps: 100 })).toThrow("mps: 100 bytes; accepted are 128, 256");
    expect(() => readRequests(gen3x8, 0, 0)).toThrow("bytes");
  });
});

describe("the wire", () => {
  test("packets leave one after another; an idle wire starts at once", () => {
    const wire = new WireDirection(gen3x8);
    const one = wirePs(gen3x8, 88);
    expect(wire.send(0, 88)).toBe(one);
    expect(wire.send(0, 88)).toBe(2 * one);
    expect(wire.send(10 * one, 88)).toBe(11 * one);
    expect(wire.busyPs).toBe(3 * one);
  });

  test("credits run out by headers or by data, and come back", () => {
    const credits = new PostedCredits(2, 16);
    expect(credits.take(16)).toBe(true);
    expect(credits.take(1)).toBe(false);
    credits.give(16);
    expect([credits.take(4), credits.take(4), credits.take(4)]).toEqual([true, true, false]);
    expect(credits.headersInUse).toBe(2);
    expect(() => new PostedCredits(0, 1)).toThrow("headerLimit");
    credits.give(4);
    credits.give(4);
    expect(() => credits.give(4)).toThrow("more were given back");
  });
});
