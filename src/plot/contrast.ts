import exp from "@stdlib/math-base-special-exp";
import ln from "@stdlib/math-base-special-ln";

// Words on coloured cells: the colour of a cell, and the ink that can be read on it (Web Content Accessibility Guidelines 2.2).

/** A continuous scale: positions from 0 to 1 in ascending order, each with its colour as "#rrggbb". */
export type ColourScale = readonly (readonly [position: number, colour: string])[];

/**
 * Viridis as plotly.js draws it under that name: a cell's ink must be chosen before anything is drawn.
 * Van der Walt and Smith (2015), dedicated to the public domain (CC0).
 */
export const viridis: ColourScale = [
  "#440154",
  "#48186a",
  "#472d7b",
  "#424086",
  "#3b528b",
  "#33638d",
  "#2c728e",
  "#26828e",
  "#21918c",
  "#1fa088",
  "#28ae80",
  "#3fbc73",
  "#5ec962",
  "#84d44b",
  "#addc30",
  "#d8e219",
  "#fde725",
].map((colour, i) => [i < 16 ? (16 * i) / 255 : 1, colour]);

type Rgb = readonly [number, number, number];

const parse = (colour: string): Rgb => {
  const channel = (at: number): number => Number.parseInt(colour.slice(at, at + 2), 16);
  return [channel(1), channel(3), channel(5)];
};

/** The colour of a scale at a position: linear between its neighbours, as plotly.js draws it; beyond the ends, the end's. */
export function colourAt(scale: ColourScale, position: number): string {
  const next = scale.findIndex(([at]) => at >= position);
  const [high, above] = scale[next < 0 ? scale.length - 1 : next];
  const [low, below] = scale[next < 0 ? scale.length - 1 : Math.max(0, next - 1)];
  const share = high > low ? (position - low) / (high - low) : 0;
  const [from, to] = [parse(below), parse(above)];
  const channels = from.map((value, i) => Math.round(value + share * (to[i] - value)));
  return `#${channels.map((value) => value.toString(16).padStart(2, "0")).join("")}`;
}

/** Relative luminance of a colour "#rrggbb": 0 black, 1 white. */
export function luminance(colour: string): number {
  const [r, g, b] = parse(colour).map((value) => {
    const v = value / 255;
    return v <= 0.04045 ? v / 12.92 : exp(2.4 * ln((v + 0.055) / 1.055));
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** Contrast of two colours, from 1 to 21; a text wants 4.5. */
export function contrast(a: string, b: string): number {
  const [one, other] = [luminance(a), luminance(b)];
  return (Math.max(one, other) + 0.05) / (Math.min(one, other) + 0.05);
}

/** Black or white, whichever stands out more from a colour. One of the two always has a contrast of 4.58 or more; no other pair has. */
export function inkOn(colour: string): string {
  return contrast("#000000", colour) >= contrast("#ffffff", colour) ? "#000000" : "#ffffff";
}
