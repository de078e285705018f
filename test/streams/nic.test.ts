import { describe, expect, test } from "vitest";
import { Simulation, Streams } from "../../src/engine/index.js";
import { TranslationUnit, walkMemory } from "../../src/iommu/index.js";
import { pcieLink } from "../../src/machine/index.js";
import { oneToOne, pageBytes } from "../../src/pagetables/index.js";
import { Nic } from "../../src/streams/index.js";

const gibibyte = 1024 ** 3;
const lru = "lru" as const;

/** A card with a translation cache of its own, whose translations are slow to come; and the most of them that it waited for at once. */
function mostAsked(tags: number): { most: number; received: number; requests: number } {
  const simulation = new Simulation();
  const table = oneToOne(gibibyte, pageBytes["4K"]);
  const unit = new TranslationUnit(
    {
      iotlb: { entries: 64, ways: 64, replacement: lru },
      iotlbBySize: "shared",
      structureCaches: { entries: 0, ways: 0, replacement: lru },
      walkers: 64,
      walkFixedPs: 4_000_000,
    },
    table,
    walkMemory({ coherent: true, cachePs: 1000, dramPs: 1000, cacheBytes: gibibyte }, table),
  );
  const ring = (base: number) => ({ receive: base, transmit: base + 4096, entries: 256 });
  let next = 16 * 4096;
  const nic = new Nic(
    {
      gbps: 100,
      packetBytes: 1500,
      queues: 1,
      link: pcieLink(4, 16, { mps: 256, mrrs: 512, rcb: 64 }),
      toUnitPs: 100_000,
      memoryPs: 100_000,
      toDevicePs: 100_000,
      tags,
      postedHeaders: 64,
      postedData: 4096,
      fifoBytes: 65_536,
      descriptorBytes: 16,
      fetchBatch: 8,
      writeBackBatch: 8,
      deviceTlbEntries: 16,
      offered: 1,
    },
    simulation,
    2,
    unit,
    [ring(0)],
    {
      received: (queue, count) => {
        for (let i = 0; i < count; i++) nic.post(queue, "receive", (next += 4096), 0);
      },
      sent: () => {},
    },
    new Streams(1).stream("wire"),
  );
  let most = 0;
  let asked = 0;
  let answered = 0;
  const port = nic.port as NonNullable<typeof nic.port>;
  const ask = port.ask.bind(port);
  // Requests that are at the unit; those on the link are not seen here and can only be more.
  port.ask = (request, address, purpose) => {
    asked++;
    const known = ask(request, address, purpose);
    answered += known ? 1 : 0;
    most = Math.max(most, asked - answered - port.counts.merged - port.counts.walks);
    return known;
  };
  for (let i = 0; i < 200; i++) nic.post(0, "receive", (next += 4096), 0);
  nic.start();
  simulation.run({ until: 400_000 });
  return { most, received: nic.counts.received, requests: nic.counts.translationRequests };
}

describe("a card that caches translations", () => {
  test("asks for no more at once than it has tags: a request for a translation is answered like a read", () => {
    const few = mostAsked(4);
    expect(few.most).toBeLessThanOrEqual(4);
    expect(few.received).toBeGreaterThan(50);
    const many = mostAsked(32);
    expect(many.most).toBeGreaterThan(8);
    expect(many.most).toBeLessThanOrEqual(32);
    expect(many.received).toBeGreaterThan(3 * few.received);
  });
});
