import { readFileSync } from "node:fs";
import { expect, test } from "vitest";

const src = new URL("../../src/", import.meta.url);

test("every stop on the way from a cell to a cache line is where src/README.md says", () => {
  const text = readFileSync(new URL("README.md", src), "utf8");
  const walk = text.slice(text.indexOf("## From a notebook cell to a charged cache line"));
  const stops = [...walk.matchAll(/`([\w/-]+\.ts)`\s+`(\w+)`/g)].map(([, file, name]) => ({ file, name }));
  expect(stops.length).toBeGreaterThan(15);
  for (const { file, name } of stops)
    expect(readFileSync(new URL(file, src), "utf8"), `${name} in ${file}`).toMatch(
      new RegExp(
        `^\\s*(export )?((private|override|async|abstract) )*(class |interface |function |\\*)?${name}\\b`,
        "m",
      ),
    );
});
