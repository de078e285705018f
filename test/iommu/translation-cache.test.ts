import { describe, expect, test } from "vitest";
import { KeyIndex, type Replacement, translationCache } from "../../src/iommu/index.js";
import { fc } from "../support/property.js";

/** The same cache as plain lists: one list a set, oldest first. */
class NaiveCache {
  private readonly sets: { key: number; value: number }[][];
  constructor(
    entries: number,
    private readonly ways: number,
    private readonly replacement: Replacement,
  ) {
    this.sets = Array.from({ length: entries / ways }, () => []);
  }
  private set(index: number) {
    return this.sets[index % this.sets.length];
  }
  find(key: number, index: number): number {
    const set = this.set(index);
    const at = set.findIndex((entry) => entry.key === key);
    if (at < 0) return -1;
    if (this.replacement === "lru") set.push(...set.splice(at, 1));
    return set.find((entry) => entry.key === key)?.value ?? -1;
  }
  insert(key: number, index: number, value: number): number {
    const set = this.set(index);
    const present = set.find((entry) => entry.key === key);
    if (present) {
      present.value = value;
      this.find(key, index);
      return -1;
    }
    const evicted = set.length === this.ways ? (set.shift()?.key ?? -1) : -1;
    set.push({ key, value });
    return evicted;
  }
  invalidate(key: number, index: number): boolean {
    const set = this.set(index);
    const at = set.findIndex((entry) => entry.key === key);
    if (at >= 0) set.splice(at, 1);
    return at >= 0;
  }
  get used(): number {
    return this.sets.reduce((sum, set) => sum + set.length, 0);
  }
}

describe("a translation cache", () => {
  test("keeps what fits and evicts the least recently used", () => {
    const cache = translationCache({ entries: 2, ways: 2, replacement: "lru" });
    cache.insert(1, 1, 10);
    cache.insert(2, 2, 20);
    expect(cache.find(1, 1)).toBe(10);
    expect(cache.insert(3, 3, 30)).toBe(2);
    expect([cache.find(1, 1), cache.find(2, 2), cache.find(3, 3)]).toEqual([10, -1, 30]);
  });

  test("first in, first out does not care about use", () => {
    const cache = translationCache({ entries: 2, ways: 2, replacement: "fifo" });
    cache.insert(1, 1, 10);
    cache.insert(2, 2, 20);
    cache.find(1, 1);
    expect(cache.insert(3, 3, 30)).toBe(1);
  });

  test("a cache without entries never hits; shapes that do not divide are named", () => {
    const none = translationCache({ entries: 0, ways: 0, replacement: "lru" });
    expect(none.insert(1, 1, 1)).toBe(-1);
    expect(none.find(1, 1)).toBe(-1);
    expect(() => translationCache({ entries: 10, ways: 4, replacement: "lru" })).toThrow("ways: 4");
    expect(() => translationCache({ entries: -1, ways: 1, replacement: "lru" })).toThrow("entries: -1");
  });

  test("equals plain lists under any operations, for any sets and ways", () => {
    const shape = fc.constantFrom([1, 1], [4, 4], [7, 7], [8, 2], [12, 3], [16, 1]);
    const operation = fc.record({
      kind: fc.constantFrom("find", "insert", "insert", "invalidate"),
      page: fc.oneof(fc.nat(24), fc.constantFrom(2 ** 33, 2 ** 33 + 8, 2 ** 36 + 1)),
      value: fc.nat(1000),
    });
    fc.assert(
      fc.property(
        shape,
        fc.constantFrom("lru" as const, "fifo" as const),
        fc.array(operation, { maxLength: 200 }),
        ([entries, ways], replacement, operations) => {
          const cache = translationCache({ entries, ways, replacement });
          const naive = new NaiveCache(entries, ways, replacement);
          for (const { kind, page, value } of operations) {
            if (kind === "find") expect(cache.find(page, page)).toBe(naive.find(page, page));
            else if (kind === "insert") expect(cache.insert(page, page, value)).toBe(naive.insert(page, page, value));
            else expect(cache.invalidate(page, page)).toBe(naive.invalidate(page, page));
            expect(cache.used).toBe(naive.used);
          }
        },
      ),
    );
  });

  test("random replacement evicts only what is there, and only when the set is full", () => {
    fc.assert(
      fc.property(
        fc.constantFrom([4, 4], [8, 2]),
        fc.array(fc.nat(40), { maxLength: 200 }),
        ([entries, ways], pages) => {
          const cache = translationCache({ entries, ways, replacement: "random" });
          const inside = new Set<number>();
          for (const page of pages) {
            const fresh = !inside.has(page);
            const evicted = cache.insert(page, page, page);
            inside.add(page);
            if (evicted >= 0) expect(fresh && inside.delete(evicted)).toBe(true);
            for (const known of inside) expect(cache.find(known, known)).toBe(known);
            expect(cache.used).toBe(inside.size);
          }
        },
      ),
    );
  });
});

test("the key index equals a Map under any additions and removals", () => {
  const key = fc.oneof(fc.nat(30), fc.constantFrom(2 ** 32, 2 ** 32 + 5, 2 ** 45));
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), key), { maxLength: 300 }), (operations) => {
      const index = new KeyIndex(40);
      const map = new Map<number, number>();
      for (const [i, [add, k]] of operations.entries()) {
        if (!add) {
          index.remove(k);
          map.delete(k);
        } else if (!map.has(k)) {
          index.add(k, i);
          map.set(k, i);
        }
        for (const known of [...map.keys(), 31, 2 ** 33]) expect(index.get(known)).toBe(map.get(known) ?? -1);
      }
    }),
  );
});
