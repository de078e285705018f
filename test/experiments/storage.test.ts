import { describe, expect, it } from "vitest";
import { type StorageRow, storage } from "../../src/experiments/index.js";
import { published } from "../support/facts.js";

const rows = (input: Parameters<typeof storage.parse>[0]): StorageRow[] =>
  storage.points(storage.parse(input)).flatMap((point) => storage.simulate(point));

describe("requests of storage and of network cards", () => {
  it("above 128 KiB take the tree's lock for each map and each unmap, below hardly ever", () => {
    const [within, above] = rows({ policy: "v6.18-strict", sizeKiB: [128, 256], cores: 4, aged: 20_000, requests: 60 });
    expect(within.treeLocks).toBeLessThan(0.05);
    expect(above.treeLocks).toBeGreaterThan(1.9);
    expect([within.invalidations, above.invalidations]).toEqual([1, 1]);
  });

  it("a scatter list is one range; a large send is a map a page, and with the two-step API one unmap", () => {
    const [each, once] = rows({
      load: ["nic-large-send", "nic-large-send-two-step"],
      policy: "v6.18-strict",
      linkGbps: [10],
      cores: 4,
      aged: 0,
      requests: 40,
    });
    expect([each.invalidations, once.invalidations]).toEqual([17, expect.closeTo(1, 1)]);
    expect(once.busyCores).toBeLessThan(each.busyCores);
  });

  it("received into a page_pool need no invalidation, and fewer cores at the same rate", () => {
    const [mapped, pool] = rows({
      load: ["nic-receive", "nic-page-pool"],
      policy: "v6.18-strict",
      linkGbps: [10],
      cores: 4,
      aged: 0,
    });
    expect([mapped.gbps, pool.gbps]).toEqual([expect.closeTo(10, 0), expect.closeTo(10, 0)]);
    expect(pool.invalidations).toBe(0);
    expect(pool.busyCores).toBeLessThan(mapped.busyCores);
  });

  it("a depot of 32 magazines thrashes after a long load that goes up and down; one without bound does not", () => {
    const [fault, cure] = rows({ report: "depot thrash", requests: 20, aged: 200_000 });
    expect([fault.role, cure.role]).toEqual(["fault", "cure"]);
    expect(fault.treeLocks).toBeGreaterThan(5 * cure.treeLocks);
    expect(cure.rate).toBeGreaterThan(1.2 * fault.rate);
  });

  it("shows the retry of 5.11 with as many requests in all as its faultless sibling, over 96 CPUs and one release apart", () => {
    const [fault, cure] = storage.points(storage.parse({ report: "the retry of 5.11" }));
    expect([fault.run.variant, cure.run.variant]).toEqual(["v5.12-smmu-strict", "v5.10-smmu-strict"]);
    expect({ ...fault.run, variant: "" }).toEqual({ ...cure.run, variant: "" });
    expect(fault.io).toEqual(cure.io);
    expect(fault.run.cores * fault.io.depth).toBeLessThanOrEqual(4096);
  });

  it("says what it accepts, and how many cores a host has", () => {
    expect(() => storage.parse({ load: "floppy" } as never)).toThrow(/load: .*nvme, sas, nic-receive/);
    expect(() => storage.parse({ sizeKiB: 5 })).toThrow(/sizeKiB/);
    expect(() => storage.points(storage.parse({ host: "graviton2", cores: [96] }))).toThrow(/graviton2 has 64 cores/);
  });

  it("has an assumption with a range behind every load, and records behind every report", () => {
    for (const { io } of storage.points(storage.parse({ load: ["nvme", "sas", "nic-transmit"] })))
      expect(io.workNs * io.depth).toBeGreaterThan(0);
    for (const id of ["MS13", "MS14", "MF1", "MF2", "MF11"]) expect(published.record(id).id).toBe(id);
  });
});
