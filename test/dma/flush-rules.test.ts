import { describe, expect, test } from "vitest";
import { type FlushRule, flushCommands, type Unmapped } from "../../src/dma/index.js";
import type { Invalidation } from "../../src/iommu/index.js";
import { fc } from "../support/property.js";

const sent = (ranges: Unmapped[], rule: FlushRule) =>
  flushCommands(ranges, rule).map((one) => (one.kind === "pages" ? [one.pfn, one.order] : one.kind));
const of = (...pfns: number[]): Unmapped[] => pfns.map((pfn) => ({ pfn, pages: 1 }));

describe("what a flush invalidates", () => {
  test("page by page sends one a page; joined ranges one for the aligned block around each run", () => {
    expect(sent(of(4, 5, 6, 9), { unit: "page" })).toEqual([
      [4, 0],
      [5, 0],
      [6, 0],
      [9, 0],
    ]);
    expect(sent(of(6, 4, 5, 9), { unit: "range" })).toEqual([
      [4, 2],
      [9, 0],
    ]);
    // Pages 7 and 8 abut, and the smallest aligned block that holds both has sixteen pages.
    expect(sent(of(7, 8), { unit: "range" })).toEqual([[7, 4]]);
  });

  test("the domain and everything are one; a threshold turns many into the domain", () => {
    expect(sent(of(1, 3, 5), { unit: "domain" })).toEqual(["domain"]);
    expect(sent(of(1, 3, 5), { unit: "everything" })).toEqual(["global"]);
    expect(sent(of(1, 3, 5), { unit: "range", most: 3 })).toHaveLength(3);
    expect(sent(of(1, 3, 5, 7), { unit: "range", most: 3 })).toEqual(["domain"]);
    expect(sent([], { unit: "everything" })).toEqual([]);
  });

  test("the hint that the paging-structure caches may stay reaches none of them, in kernels up to 6.18", () => {
    for (const unit of ["page", "range"] as const)
      expect(flushCommands(of(4, 5, 9), { unit })).toSatisfy((sent: Invalidation[]) =>
        sent.every((one) => one.kind === "pages" && !one.leafOnly),
      );
  });

  test("a range larger than the hardware takes becomes the domain", () => {
    expect(sent([{ pfn: 0, pages: 2 ** 19 }], { unit: "range" })).toEqual(["domain"]);
  });

  const reaches = (command: Invalidation, page: number): boolean =>
    command.kind !== "pages" || Math.floor(page / 2 ** command.order) === Math.floor(command.pfn / 2 ** command.order);

  test("whatever the rule, every page of the batch is reached", () => {
    fc.assert(
      fc.property(
        fc.array(fc.record({ pfn: fc.nat(4096), pages: fc.integer({ min: 1, max: 64 }) }), { maxLength: 40 }),
        fc.constantFrom("page", "range", "domain", "everything"),
        fc.option(fc.integer({ min: 1, max: 40 }), { nil: undefined }),
        (ranges, unit, most) => {
          const commands = flushCommands(ranges, most === undefined ? { unit } : { unit, most });
          if (most !== undefined) expect(commands.length).toBeLessThanOrEqual(most);
          for (const { pfn, pages } of ranges)
            for (let page = pfn; page < pfn + pages; page++)
              expect(commands.some((command) => reaches(command, page))).toBe(true);
        },
      ),
      { numRuns: 200 },
    );
  });
});
