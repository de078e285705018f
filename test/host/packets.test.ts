import { describe, expect, test } from "vitest";
import { flushing } from "../../src/experiments/index.js";
import { basisOf } from "../../src/facts/index.js";
import { type PacketRun, simulatePackets } from "../../src/host/index.js";
import { published } from "../support/facts.js";

const basis = basisOf(published);

/** A run of the experiment's own, small, with changes. */
function runOf(variant: string, change: Partial<PacketRun> = {}, settings: object = {}): PacketRun {
  const config = flushing.parse({
    variants: [variant],
    gbps: [20],
    cores: [2],
    ats: [false],
    replications: 1,
    ...settings,
  });
  const [{ run }] = flushing.points(config, basis);
  return { ...run, warmup: 600, packets: 1500, ...change };
}
const measured = (...args: Parameters<typeof runOf>) => simulatePackets(runOf(...args), published);

describe("a card's packets beside cores that map and unmap", () => {
  test("without an IOMMU nothing is lost at a rate that the cores can take, and every packet is answered", () => {
    const { inGbps, outGbps, offeredGbps, nic, port } = measured("off", {}, { gbps: [10] });
    expect(port).toBeUndefined();
    expect([nic.lostInCard, nic.lostWithoutBuffer]).toEqual([0, 0]);
    expect(inGbps / offeredGbps).toBeGreaterThan(0.97);
    expect(outGbps / inGbps).toBeGreaterThan(0.97);
    expect(offeredGbps).toBeGreaterThan(9);
    expect(offeredGbps).toBeLessThan(10);
  });

  test("rings are hot and buffers are new: a buffer misses once, its ring hardly ever; a flush of all makes rings miss more", () => {
    const missesOf = (variant: string) => {
      const { port, nic } = measured(variant);
      const packets = nic.received + nic.sent;
      return { ring: port!.misses[0] / packets, buffer: port!.misses[1] / packets, faults: port!.faults };
    };
    const pages = missesOf("magazines-strict");
    const domain = missesOf("strict-domain");
    for (const { buffer, faults } of [pages, domain]) {
      expect(buffer).toBeGreaterThan(0.9);
      expect(buffer).toBeLessThan(1.1);
      expect(faults).toBe(0);
    }
    expect(pages.ring).toBeLessThan(0.3);
    expect(domain.ring).toBeGreaterThan(2 * pages.ring);
  });

  test("cores that only send do so beside those that receive, and without any that do", () => {
    const both = measured("magazines-strict", {}, { cores: [4], senders: 2, answers: 0 });
    expect(both.inGbps).toBeGreaterThan(5);
    expect(both.outGbps).toBeGreaterThan(5);
    const alone = measured("magazines-strict", {}, { cores: [4], senders: 2, answers: 0, offered: 0 });
    expect(alone.inGbps).toBe(0);
    expect(alone.outGbps).toBeGreaterThan(0.9 * both.outGbps);
    expect([both.port!.faults, alone.port!.faults]).toEqual([0, 0]);
  });

  /** Caches that forget nothing by themselves, addresses that come back soon, and with another page behind them. */
  const remembering = { iotlbEntries: 4096, deviceTlbEntries: 4096, flushEntries: 20, receiveBuffersAPage: 2 };
  const safe = [
    "magazines-strict",
    "strict-domain",
    "flush-pages",
    "flush-ranges",
    "flush-threshold",
    "flush-domain",
    "flush-everything",
    "strict-ish",
    "one-to-one-strict",
    "one-to-one-deferred",
    "v6.18.2-strict",
  ];
  test.each(safe)("%s: no translation survives its flush, in the IOMMU's caches or in the card's own", (variant) => {
    const change = { warmup: 400, packets: 1000 };
    for (const ats of [false, true]) {
      const { port } = measured(variant, change, { ...remembering, ats: [ats] });
      expect([port!.stale, port!.faults], `ATS ${ats}`).toEqual([0, 0]);
    }
  });

  test("hardware that hears of no invalidation uses translations that are gone", () => {
    for (const [variant, ats] of [
      ["magazines-strict", false],
      ["flush-domain", false],
      ["flush-domain", true],
    ] as const) {
      const heard = { ...remembering, ats: [ats] };
      expect(measured(variant, {}, heard).port!.stale).toBe(0);
      expect(measured(variant, { deafHardware: true }, heard).port!.stale, `${variant}, ATS ${ats}`).toBeGreaterThan(
        50,
      );
    }
  });

  test("the same run gives the same result, and another seed another", () => {
    const once = measured("flush-ranges");
    expect(measured("flush-ranges")).toEqual(once);
    const run = runOf("flush-ranges");
    expect(simulatePackets({ ...run, host: { ...run.host, seed: 99 } }, published).nanoseconds).not.toBe(
      once.nanoseconds,
    );
  });

  test("buffers that share pages: halves, headers and a page sent again are one leaf for dynamic 1:1, and shared unmaps flush nothing", () => {
    const alone = measured("one-to-one-strict");
    expect(alone.counts.sharedUnmaps).toBe(0);
    const halves = measured("one-to-one-strict", {}, { receiveBuffersAPage: 2 });
    expect(halves.counts.sharedUnmaps / halves.counts.unmaps).toBeGreaterThan(0.15);
    const headers = measured("one-to-one-strict", {}, { headerBytes: 128 });
    expect(headers.counts.sharedUnmaps).toBeGreaterThan(0);
    const share = (sentAgain: number) => {
      const { counts } = measured("one-to-one-strict", {}, { sentAgain });
      return counts.sharedUnmaps / counts.unmaps;
    };
    expect(share(0.8)).toBeGreaterThan(share(0.2));
    for (const { port } of [halves, headers]) expect([port!.stale, port!.faults]).toEqual([0, 0]);
    // An allocator gives each buffer an address of its own: nothing is shared.
    expect(measured("magazines-strict", {}, { receiveBuffersAPage: 2 }).counts.sharedUnmaps).toBe(0);
  });

  test("a host that does not have so many cores is refused", () => {
    const run = runOf("off");
    expect(() => simulatePackets({ ...run, host: { ...run.host, cores: 99 } }, published)).toThrow(/cores: accepts/);
  });
});
