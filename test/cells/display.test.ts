import { table } from "arquero";
import { describe, expect, it } from "vitest";
import { bundleOf } from "../../src/cells/display/bundle.js";

const text = async (value: unknown) => (await bundleOf(value))?.["text/plain"];

describe("a value", () => {
  it("is shown as text that a person can read", async () => {
    expect(await text(new Map([["a", new Set([1])]]))).toBe("Map(1) { 'a' => Set(1) { 1 } }");
    expect(await text(new Float64Array([1, 2.5]))).toBe("Float64Array(2) [ 1, 2.5 ]");
    expect(await text(Promise.resolve(3))).toBe("Promise { 3 }");
    expect(await text(new RangeError("far"))).toMatch(/^RangeError: far\n {4}at /);
    expect(await text(10n)).toBe("10n");
  });

  it("that is long says how much is left out", async () => {
    expect(await text(new Uint8Array(1e6))).toMatch(/\.\.\. 999900 more items/);
    expect(await text("x".repeat(20_000))).toMatch(/\.\.\. 10000 more characters$/);
  });

  it("shows nothing when it is undefined", async () => {
    expect(await bundleOf(undefined)).toBeUndefined();
  });

  it("whose own code throws is shown all the same", async () => {
    const trap = {
      get [Symbol.toStringTag]() {
        throw new Error("trap");
      },
    };
    expect(await text(trap)).toBe("[could not be printed: trap]");
  });
});

describe("a value with a display method", () => {
  const key = Symbol.for("Jupyter.display");

  it("is shown as the bundle that it returns, with a text beside it", async () => {
    expect(await bundleOf({ [key]: () => ({ "text/html": "<b>b</b>" }) })).toEqual({
      "text/html": "<b>b</b>",
      "text/plain": "[text/html]",
    });
    expect(await bundleOf({ [key]: async () => ({ "text/plain": "later" }) })).toEqual({ "text/plain": "later" });
  });

  it("that returns no bundle is an error that says what is expected", async () => {
    await expect(bundleOf({ [key]: () => "<b>" })).rejects.toThrow("must return an object of content by media type");
    await expect(bundleOf({ [key]: () => ({ "text/html": 3 }) })).rejects.toThrow(
      'The content for "text/html" must be a string; it is 3.',
    );
  });
});

describe("a table", () => {
  const rows = (n: number) => {
    const t = table({
      cores: Array.from({ length: n }, (_, i) => i),
      name: Array.from({ length: n }, () => "<a & b>"),
    });
    Object.defineProperty(t, Symbol.for("iommu-lab.units"), { value: { cores: "count", name: "" } });
    return t;
  };

  it("has names in words and units in its header, and its text escaped", async () => {
    const html = String((await bundleOf(rows(2)))?.["text/html"]);
    expect(html).toContain("cores (count)");
    expect(html).not.toMatch(/>(?:number|string)</);
    expect(html).toContain("&lt;a &amp; b&gt;");
    expect(html).not.toContain("<a &");
  });

  it("is cut, with a count of all its rows", async () => {
    const bundle = await bundleOf(rows(12_345));
    expect(String(bundle?.["text/html"])).toContain("12,345 rows × 2 columns");
    expect(String(bundle?.["text/html"]).match(/<tr>/g)?.length).toBeLessThan(60);
    expect(String(bundle?.["text/plain"])).toContain("12,345 rows × 2 columns");
  });

  it("says names in words and numbers with the digits that mean something, and leaves out columns without values", async () => {
    const wide = table({
      neverUnmapped: [12_345, 7],
      share: [0.00118256, 11.2751],
      rate: [990_802.61, 1234.5],
      nothing: [null, ""],
      "con-bounces": [1, 2],
    });
    const html = String((await bundleOf(wide))?.["text/html"]);
    const cells = [...html.matchAll(/<t[hd](?: [^>]*)?>([^<]*)</g)].map(([, cell]) => cell);
    expect(cells.slice(0, 4)).toEqual(["never unmapped", "share", "rate", "con-bounces"]);
    expect(cells.slice(4)).toEqual(["12,345", "0.001183", "990,803", "1", "7", "11.28", "1,235", "2"]);
    expect(html).toContain("2 rows × 5 columns, without values: nothing");
  });

  it("keeps thousands apart from four digits on, shows a unit's column to the same place, and a year as it is", async () => {
    const measured = table({ nodes: [6173, 32_776], hold: [75.134, 0.008383], year: [2015, 2025] });
    Object.defineProperty(measured, Symbol.for("iommu-lab.units"), { value: { nodes: "", hold: "µs", year: "" } });
    const html = String((await bundleOf(measured))?.["text/html"]);
    expect([...html.matchAll(/<td[^>]*>([^<]*)</g)].map(([, cell]) => cell)).toEqual([
      ...["6,173", "75.13", "2015"],
      ...["32,776", "0.0084", "2025"],
    ]);
  });

  it("is made of a list of plain records too; other lists stay text", async () => {
    const records = [
      { name: "igb", maps: 32_760 },
      { name: "vmxnet3", maps: 6000 },
    ];
    const bundle = await bundleOf(records);
    expect(String(bundle?.["text/html"])).toContain('<td style="text-align:right">32,760</td>');
    expect(bundle?.["text/plain"]).toBe(await text(records));
    for (const other of [
      [],
      [1, 2],
      [{ a: 1 }, { b: 1 }],
      [{ a: { b: 1 } }],
      [new Map()],
      [
        {
          get a() {
            return 1;
          },
        },
      ],
      "text",
    ])
      expect(await bundleOf(other), String(other)).not.toHaveProperty("text/html");
  });

  it("without rows still shows its columns", async () => {
    expect(String((await bundleOf(rows(0)))?.["text/html"])).toContain("0 rows × 2 columns");
  });
});
