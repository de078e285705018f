import { describe, expect, test } from "vitest";
import { Streams } from "../../src/engine/index.js";
import { FreeLists, PagesInTurn } from "../../src/host/pages.js";
import { fc } from "../support/property.js";

const lists = (holder?: { held(frame: number): boolean }, clock = { now: 0 }) =>
  new FreeLists(2, new Streams(1).stream("pages"), clock, holder);

describe("free lists", () => {
  test("a page that is given back is the next one that its core takes; another core gets another", () => {
    const pages = lists();
    const frame = pages.take(0, 1);
    pages.give(0, frame, 1);
    expect(pages.take(1, 1)).not.toBe(frame);
    expect(pages.take(0, 1)).toBe(frame);
  });

  test("no page is handed out twice, whatever is taken and given back", () => {
    const act = fc.record({ take: fc.boolean(), core: fc.nat(1), pages: fc.constantFrom(1, 1, 2), pick: fc.nat(99) });
    fc.assert(
      fc.property(fc.array(act, { maxLength: 200 }), (acts) => {
        const source = lists();
        const out = new Set<number>();
        const held: { frame: number; pages: number }[] = [];
        for (const { take, core, pages, pick } of acts) {
          if (take || held.length === 0) {
            const frame = source.take(core, pages);
            for (let page = frame; page < frame + pages; page++) {
              expect(out.has(page)).toBe(false);
              out.add(page);
            }
            held.push({ frame, pages });
          } else {
            const [gone] = held.splice(pick % held.length, 1);
            for (let page = gone.frame; page < gone.frame + gone.pages; page++) out.delete(page);
            source.give(core, gone.frame, gone.pages);
          }
        }
      }),
    );
  });

  test("a page that is held is kept aside until its last reference is put, and counted for as long", () => {
    const held = new Set<number>();
    const clock = { now: 0 };
    const pages = lists({ held: (frame) => held.has(frame) }, clock);
    const frame = pages.take(0, 1);
    held.add(frame);
    pages.give(0, frame, 1);
    expect(pages.take(0, 1)).not.toBe(frame);
    clock.now = 100;
    held.delete(frame);
    pages.released(frame);
    clock.now = 200;
    expect(pages.pinned()).toEqual({ mean: 0.5, most: 1 });
    expect(pages.take(0, 1)).toBe(frame);
  });

  test("in turn, pages follow one another and nothing comes back", () => {
    const pages = new PagesInTurn();
    expect([pages.take(0, 1), pages.take(1, 2), pages.take(0, 1)]).toEqual([262_144, 262_145, 262_147]);
  });
});
