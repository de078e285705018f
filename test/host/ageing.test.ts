import { describe, expect, it } from "vitest";
import { Streams } from "../../src/engine/index.js";
import { type AgeingTraffic, age } from "../../src/host/ageing.js";

const usual: AgeingTraffic = { turns: 1, packets: 2, stretch: 1, inTurn: false, sentBuffers: 8 };

/** A host of two maps a transaction that only writes down who did what. */
function logOf(traffic: Partial<AgeingTraffic>, { cores = 4, ring = 16 } = {}) {
  const log: { core: number; what: "unmap" | "refill" | "send" }[] = [];
  const rings = Array.from({ length: cores }, () => Array.from({ length: ring }, (_, i) => i));
  const sent: number[][] = Array.from({ length: cores }, () => []);
  age<number>(
    {
      cores,
      ringBuffers: ring * cores,
      receiveMaps: () => (ring > 0 ? 1 : 0),
      transmitMaps: () => 1,
      takeReceived: (core) => rings[core].shift(),
      mapReceive: (core) => {
        rings[core].push(0);
        log.push({ core, what: "refill" });
      },
      takeSent: (core) => sent[core].shift(),
      mapTransmit: (core) => {
        sent[core].push(0);
        log.push({ core, what: "send" });
      },
      free: (core) => log.push({ core, what: "unmap" }),
      batch: 1,
      batchPerCore: false,
    },
    { ...usual, ...traffic },
    new Streams(1).stream("ageing"),
  );
  return log;
}
const count = (log: ReturnType<typeof logOf>, what: string): number => log.filter((l) => l.what === what).length;
/** How many maps and unmaps a core makes until another one does, in the mean. */
const stretches = (log: ReturnType<typeof logOf>): number =>
  log.length / (1 + log.filter(({ core }, i) => i > 0 && core !== log[i - 1].core).length);

describe("ageing", () => {
  it("replaces every receive buffer as often as it is asked to", () => {
    expect(count(logOf({ turns: 1 }), "refill")).toBe(64);
    expect(count(logOf({ turns: 3 }), "refill")).toBe(192);
  });

  it("without a receive ring counts sent buffers a core", () => {
    expect(count(logOf({ sentBuffers: 8 }, { ring: 0 }), "send")).toBe(32);
    expect(count(logOf({ sentBuffers: 20 }, { ring: 0 }), "send")).toBe(80);
  });

  it("lets the cores in one map at a time, or a core make many in a row", () => {
    const turns = 20;
    expect(stretches(logOf({ turns }))).toBeLessThan(2);
    expect(stretches(logOf({ turns, stretch: 64 }))).toBeGreaterThan(20);
  });

  it("draws the next core, or takes one after the other", () => {
    const next = (log: ReturnType<typeof logOf>): number =>
      log.filter(({ core }, i) => i > 0 && core === (log[i - 1].core + 1) % 4).length / log.length;
    // A core that finds nothing to do lets the next one pass it.
    expect(next(logOf({ turns: 20, inTurn: true }))).toBeGreaterThan(0.5);
    expect(next(logOf({ turns: 20 }))).toBeLessThan(0.35);
  });

  it("finds more packets at once where it may, and so replaces more buffers in a row", () => {
    const inARow = (packets: number): number => {
      const own = logOf({ turns: 20, packets }).filter(({ core }) => core === 0);
      return Math.max(
        ...own
          .map(({ what }) => (what === "refill" ? "r" : " "))
          .join("")
          .split(" ")
          .map((run) => run.length),
      );
    };
    expect(inARow(2)).toBeLessThanOrEqual(2);
    expect(inARow(16)).toBeGreaterThan(8);
  });
});
