import { describe, expect, it } from "vitest";
import { ChargedMemory } from "../../src/dma/index.js";
import { StoreBuffers } from "../../src/dma/store-buffer.js";

describe("a store buffer", () => {
  it("asks for the lines of several stores at the same time, and shows them in their order", () => {
    const buffers = new StoreBuffers(1, { depth: 8, atOnce: 4 });
    expect(buffers.store(0, 0, 300, false)).toBe(0);
    expect(buffers.store(0, 10, 100, false)).toBe(0);
    // The second line came at 110, but is seen after the first.
    expect(buffers.drained(0)).toBe(301);
  });

  it("with one line at a time takes one miss after another", () => {
    const buffers = new StoreBuffers(1, { depth: 8, atOnce: 1 });
    for (let i = 0; i < 3; i++) buffers.store(0, 0, 100, false);
    expect(buffers.drained(0)).toBe(300);
  });

  it("makes the core wait for a place when it is full, and only then", () => {
    const buffers = new StoreBuffers(2, { depth: 2, atOnce: 2 });
    expect(buffers.store(0, 0, 100, false)).toBe(0);
    expect(buffers.store(0, 0, 100, false)).toBe(0);
    expect(buffers.store(0, 5, 1, true)).toBe(95);
    expect(buffers.store(1, 5, 1, true)).toBe(0);
  });
});

describe("charged memory", () => {
  const costs = { instructionCycles: 4, clflushCycles: 50, storesBuffered: 36, storesAtOnce: 10 };
  const memory = () => {
    const host = { read: () => 100, write: () => 200, atomic: () => 220, flush: () => {} };
    const charged = new ChargedMemory(host, { now: 1000 }, 1, costs);
    charged.enabled = true;
    return charged;
  };

  it("charges a store its instructions; a locked instruction and a fence wait for it", () => {
    const plain = memory();
    plain.write(0);
    expect(plain.take()).toBe(4);
    const locked = memory();
    locked.write(0);
    locked.atomic(64);
    expect(locked.take()).toBe(4 + 200 + 4 + 220);
    const flushed = memory();
    flushed.write(0);
    flushed.flush(0);
    expect(flushed.take()).toBe(4 + 200 + 50);
  });

  it("knows when a core's stores are visible, which is what a lock's release waits for", () => {
    const charged = memory();
    charged.write(0);
    charged.write(64);
    expect(charged.drained(0)).toBe(1000 + 8 + 200);
  });
});
