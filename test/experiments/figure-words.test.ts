import { expect, test } from "vitest";
import { storage, warmup } from "../../src/experiments/index.js";
import { basisOf, Facts } from "../../src/facts/index.js";
import { lookOf } from "../../src/plot/index.js";

/** What figures call things, and the colours that things keep. */

const published = Facts.published();

test("a caption names host and load in words, where the table has the names that a configuration takes", () => {
  const row = {
    load: "nvme",
    cores: 16,
    host: "ice-lake-sp",
    title: "lazy",
    policy: "v6.18-lazy",
    sizeKiB: 4,
    gbps: 9,
  };
  const { sizes } = storage.figures;
  const { caption } = sizes([row] as never, storage.parse({}, published), basisOf(published));
  expect(caption).toMatch(/^NVMe drives on 16 cores of Ice Lake-SP\./);
});

test("a way of mapping keeps its colour where its starts are compared, and they are told apart by marks and dashes", () => {
  const rows = ["deferred", "merged-deferred"].flatMap((variant) =>
    [0, 1, 3].map((agedTurns) => ({
      variant,
      title: `${variant}, ${agedTurns}`,
      agedTurns,
      transaction: 1000,
      throughput: 1,
    })),
  );
  const { data } = warmup.figures.curve(rows, warmup.parse({}, published), basisOf(published));
  const lines = data as { line: { color: string; dash?: string }; marker: { symbol: string } }[];
  expect(lines.map(({ line }) => line.color)).toEqual(rows.map(({ variant }) => lookOf("way", variant).colour));
  for (const three of [lines.slice(0, 3), lines.slice(3)])
    expect(new Set(three.map(({ line, marker }) => `${line.dash} ${marker.symbol}`)).size).toBe(3);
});
