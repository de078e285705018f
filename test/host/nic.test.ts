import { describe, expect, it } from "vitest";
import { driverProfile, nicBootMaps } from "../../src/host/index.js";

describe("a NIC's maps at boot", () => {
  it("are the recorded igb's, size by size: 8 queues, receive rings of 4096, transmit rings of 256", () => {
    const maps = nicBootMaps({ queues: 8, rxRing: 4096, txRing: 256 });
    const sizes = new Map<number, number>();
    for (const { pages } of maps) sizes.set(pages, (sizes.get(pages) ?? 0) + 1);
    expect(Object.fromEntries(sizes)).toEqual({ 1: 32_768, 16: 8 });
    expect(maps.length).toBe(32_776);
    expect(maps.filter((m) => m.kind === "ring").length).toBe(16);
  });

  it("fill every receive ring but one descriptor", () => {
    const maps = nicBootMaps({ queues: 3, rxRing: 10, txRing: 4 });
    for (let queue = 0; queue < 3; queue++)
      expect(maps.filter((m) => m.kind === "buffer" && m.queue === queue).length).toBe(9);
  });

  it("refuses rings that are none, naming the field", () => {
    expect(() => nicBootMaps({ queues: 0, rxRing: 10, txRing: 4 })).toThrow(/queues: .* got 0/);
    expect(() => nicBootMaps({ queues: 1, rxRing: 1.5, txRing: 4 })).toThrow(/rxRing/);
  });

  it("names the driver profiles there are when asked for another", () => {
    expect(() => driverProfile("none" as never)).toThrow(/both, transmit, receive/);
  });
});
