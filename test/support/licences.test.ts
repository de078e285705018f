import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
// @ts-expect-error plain JavaScript, as npm runs it
import * as licences from "./licences.mjs";

interface Package {
  name: string;
  version: string;
  licence: string;
}
const { billOfMaterials, fits, packages } = licences as {
  billOfMaterials(found: Package[], own: unknown): { components: { purl: string; hashes?: unknown[] }[] };
  fits(licence: string): boolean;
  packages(lock: unknown, all?: boolean): Package[];
};
const json = (file: string) => JSON.parse(readFileSync(file, "utf8"));

test("every package that a user gets has a licence that fits this project's", () => {
  const found = packages(json("package-lock.json"));
  expect(found.length).toBeGreaterThan(100);
  expect(found.filter(({ licence }) => !fits(licence))).toEqual([]);
  expect(found.map(({ name }) => name)).not.toContain("citeproc");
});

test("licences with a choice fit where one does, several where all do", () => {
  expect(fits("MIT")).toBe(true);
  expect(fits("(MIT OR GPL-3.0)")).toBe(true);
  expect(fits("MIT AND MPL-2.0")).toBe(true);
  expect(fits("CPAL-1.0 OR AGPL-1.0")).toBe(false);
  expect(fits("MIT AND GPL-2.0")).toBe(false);
  expect(fits("unknown")).toBe(false);
});

test("the list of materials names each package with its version and checksum, and is the same every time", () => {
  const found = packages(json("package-lock.json"));
  const bill = billOfMaterials(found, json("package.json"));
  expect(bill.components.map(({ purl }) => purl)).toContain(
    `pkg:npm/commander@${json("package.json").dependencies.commander}`,
  );
  expect(bill.components.every(({ hashes }) => hashes?.length === 1)).toBe(true);
  expect(billOfMaterials(found, json("package.json"))).toEqual(bill);
});
