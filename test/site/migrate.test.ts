import { expect, test } from "vitest";
import { migrateImports, migrateNotebook } from "../../src/site/migrate.js";

test("an import from a divided room becomes one from each room that holds its names", () => {
  const { text, left } = migrateImports(
    'import { loadTrace, type HostRun,\n simulateHost } from "iommu-lab/workload";\nloadTrace("igb")',
  );
  expect(text).toBe(
    'import { loadTrace } from "iommu-lab/recordings";\nimport { type HostRun, simulateHost } from "iommu-lab/host";\nloadTrace("igb")',
  );
  expect(left).toEqual([]);
});

test("a name that is another today keeps the cell's own name for it", () => {
  expect(migrateImports('import type { Interval as Run } from "iommu-lab/workload"').text).toBe(
    'import type { Extent as Run } from "iommu-lab/recordings";',
  );
  expect(migrateImports('import { figureUses, lockContention } from "iommu-lab/experiments";').text).toBe(
    'import { recordUses as figureUses } from "iommu-lab/study";\nimport { lockContention } from "iommu-lab/experiments";',
  );
});

test("a name that is another today in the same room, too", () => {
  expect(migrateImports('import { parseTrace, TraceError } from "iommu-lab/iova";').text).toBe(
    'import { parseTrace, ReplayTraceError as TraceError } from "iommu-lab/iova";',
  );
  expect(migrateImports('import type { Assumptions } from "iommu-lab/experiments";').text).toBe(
    'import type { HostChanges as Assumptions } from "iommu-lab/experiments";',
  );
});

test("a namespace import of a divided room is left, and said; of a renamed one it is rewritten", () => {
  const { text, left } = migrateImports('import * as w from "iommu-lab/workload";');
  expect(text).toContain("iommu-lab/workload");
  expect(left[0]).toMatch(/name what is imported.*iommu-lab\/host/);
  expect(migrateImports('import * as w from "iommu-lab/writeup";').text).toBe('import * as w from "iommu-lab/site";');
});

test("a notebook that needs nothing keeps its bytes, and migrating twice changes nothing", () => {
  const notebook = (source: string) =>
    JSON.stringify({
      nbformat: 4,
      nbformat_minor: 5,
      metadata: {},
      cells: [{ cell_type: "code", id: "a", metadata: {}, execution_count: null, outputs: [], source }],
    });
  const untouched = notebook("1 + 1");
  expect(migrateNotebook(untouched, "a.ipynb")).toEqual({ text: untouched, cells: 0, left: [] });
  const once = migrateNotebook(notebook('import { oneToOne } from "iommu-lab/vtd";'), "a.ipynb");
  expect(once.cells).toBe(1);
  expect(migrateNotebook(once.text, "a.ipynb").cells).toBe(0);
});

test("half an import, a hundred thousand times, is left as it is", () => {
  const text = "import {".repeat(100_000);
  expect(migrateImports(text)).toEqual({ text, left: [] });
});

test("all but the imports stays byte for byte: large numbers, spelling, indentation, line ends", () => {
  const before = (line: string) => `{
    "metadata": {"big": 12345678901234567890, "one": 1.0, "tiny": 1E-7, "twice": 1, "twice": 2},\r
    "nbformat": 4, "nbformat_minor": 5,
    "cells": [
       {"cell_type": "markdown", "metadata": {"source": ["no"]}, "source": "import \\u00e9"},
       {"metadata": {"ids": [9007199254740993]}, "execution_count": null, "outputs": [],
        "source": [
           "// caf\\u00e9 \\"}]\\n",
           ${line}
        ], "cell_type": "code"}, {"cell_type":"code","metadata":{},"execution_count":null,"outputs":[],"source":${line}}
    ]}`;
  const { text, cells } = migrateNotebook(before('"import { oneToOne } from \\"iommu-lab/vtd\\";"'), "a.ipynb");
  expect(cells).toBe(2);
  expect(text).toBe(before('"import { oneToOne } from \\"iommu-lab/pagetables\\";"').replaceAll("'", '"'));
});
