import { describe, expect, test } from "vitest";
import { parts, variants } from "../../src/dma/index.js";
import { type Look, lookOf, looks, measuredLook, palette } from "../../src/plot/index.js";

type Triple = [number, number, number];

const linear = (channel: number) => (channel <= 0.04045 ? channel / 12.92 : ((channel + 0.055) / 1.055) ** 2.4);
const rgb = (hex: string) => [1, 3, 5].map((i) => linear(Number.parseInt(hex.slice(i, i + 2), 16) / 255)) as Triple;
const apply = (matrix: readonly Triple[], [r, g, b]: Triple) =>
  matrix.map((row) => row[0] * r + row[1] * g + row[2] * b) as Triple;

/** Relative luminance and contrast as WCAG 2 defines them. */
const luminance = (hex: string) => apply([[0.2126, 0.7152, 0.0722]], rgb(hex))[0];
function contrast(a: string, b: string) {
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

/** Full dichromacy after Machado, Oliveira and Fernandes (2009), table of severity 1.0, for linear RGB. */
const visions: Record<string, readonly Triple[]> = {
  "normal vision": [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** CIE L*a*b* under D65. */
function lab(colour: Triple): Triple {
  const [x, y, z] = apply(
    [
      [0.4124564, 0.3575761, 0.1804375],
      [0.2126729, 0.7151522, 0.072175],
      [0.0193339, 0.119192, 0.9503041],
    ],
    colour.map((v) => Math.min(1, Math.max(0, v))) as Triple,
  );
  const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : ((24389 / 27) * t + 16) / 116);
  const [fx, fy, fz] = [f(x / 0.95047), f(y), f(z / 1.08883)];
  return [116 * fy - 16, 500 * (fx - fy), 200 * (fy - fz)];
}

/** The smallest CIE76 distance between two of the colours as a kind of vision sees them. */
function closest(colours: readonly string[], vision: readonly Triple[]) {
  const seen = colours.map((hex) => lab(apply(vision, rgb(hex))));
  return Math.min(
    ...seen.flatMap((a, i) => seen.slice(0, i).map((b) => Math.hypot(a[0] - b[0], a[1] - b[1], a[2] - b[2]))),
  );
}

/** The distance of two colours for a reader without any dichromacy. */
const apart = (a: string, b: string) => closest([a, b], visions["normal vision"]);
const sets = Object.entries(looks);
const coloursOf = (set: Readonly<Record<string, Look>>) => [...new Set(Object.values(set).map(({ colour }) => colour))];

describe("what has a colour", () => {
  test("is every way of mapping and every part of the time that there is", () => {
    for (const { name } of variants) expect(looks.way, name).toHaveProperty([name]);
    expect(Object.keys(looks.part).sort()).toEqual([...parts].sort());
  });

  test.each(sets)("of the set %s stands out from a white and from a dark page", (_, set) => {
    for (const colour of coloursOf(set)) {
      expect(contrast(colour, "#ffffff"), colour).toBeGreaterThanOrEqual(3);
      expect(contrast(colour, "#111111"), colour).toBeGreaterThanOrEqual(3);
    }
  });

  test.each(sets)("of the set %s differs from the others with every kind of vision", (_, set) => {
    for (const [name, vision] of Object.entries(visions))
      expect(closest(coloursOf(set), vision), name).toBeGreaterThan(13);
  });

  test("of one set has the colour of none of another, but for off, which is the same thing in two", () => {
    const named = sets.flatMap(([kind, set]) => coloursOf(set).map((colour) => ({ kind, colour })));
    for (const [i, one] of named.entries())
      for (const other of named.slice(0, i))
        if (one.kind !== other.kind && one.colour !== looks.way["off"].colour)
          expect(
            apart(one.colour, other.colour),
            `${one.kind} ${one.colour}, ${other.kind} ${other.colour}`,
          ).toBeGreaterThan(12);
    expect(looks.page["off"].colour).toBe(looks.way["off"].colour);
  });

  test.each(sets)("of the set %s has a look of its own, where its colour is shared too", (kind, set) => {
    const seen = new Map<string, string>();
    for (const [name, { colour, symbol = "circle", dash = "solid" }] of Object.entries(set)) {
      const look = `${colour} ${symbol} ${dash}`;
      // The allocator's lock is the tree's, by another name.
      if (kind !== "lock" || colour !== looks.lock["iova_rbtree_lock"].colour)
        expect(seen.get(look), name).toBeUndefined();
      seen.set(look, name);
    }
  });

  test("is asked for by name, and a name that there is not is an error that says which there are", () => {
    expect(lookOf("way", "strict").colour).toBe(looks.way["strict"].colour);
    expect(() => lookOf("way", "fast")).toThrow(/no way "fast" with a colour; there are off, pass-through/);
    expect(() => lookOf("way", "constructor")).toThrow(/no way "constructor"/);
    expect(() => lookOf("shape" as never, "round")).toThrow(/no set of colours "shape"; there are way, part/);
  });

  test("is empty where it was measured, in the same colour", () => {
    expect(measuredLook(lookOf("way", "strict"))).toEqual({
      colour: lookOf("way", "strict").colour,
      symbol: "square-open",
    });
    expect(measuredLook({ colour: "#123456", symbol: "star-open" }).symbol).toBe("star-open");
  });
});

describe("the palette", () => {
  test.each(palette)("%s stands out from a white and from a dark page", (colour) => {
    expect(contrast(colour, "#ffffff")).toBeGreaterThanOrEqual(3);
    expect(contrast(colour, "#111111")).toBeGreaterThanOrEqual(3);
  });

  test.each(Object.entries(visions))("its colours differ with %s, the first four clearly", (_, vision) => {
    expect(closest(palette, vision)).toBeGreaterThan(13);
    expect(closest(palette.slice(0, 4), vision)).toBeGreaterThan(19);
  });
});
