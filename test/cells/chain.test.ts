import ts from "typescript";
import { expect, it } from "vitest";
import { Chain } from "../../src/cells/heart/chain.js";
import { fc } from "../support/property.js";

/** A variable whose type names another and carries the number of its cell. */
interface Declared {
  name: string;
  mentions: string;
}
const textOf = ({ name, mentions }: Declared, cell: number) =>
  `export declare const ${name}: [typeof ${mentions}, ${cell}];\nexport {};\n`;

/** A name with all that its type leads to: the numbers of the cells that the names on the way mean. */
type Meaning = number[];

/** What names mean where each cell's declarations see those before it. */
function naive(cells: Declared[], name: string, before = cells.length): Meaning {
  for (let i = before - 1; i >= 0; i--) {
    if (cells[i].name !== name) continue;
    const { mentions } = cells[i];
    return [i, ...(mentions === name ? [] : naive(cells, mentions, i))];
  }
  return [];
}

/** The same, as the chain's files say: in one file all names see each other. */
function ofFiles(files: string[], name: string, before = files.length): Meaning {
  for (let i = before - 1; i >= 0; i--) {
    const found = new RegExp(`const ${name}: \\[typeof (\\w+), (\\d+)\\]`).exec(files[i]);
    if (!found) continue;
    const [, mentions, cell] = found;
    return [Number(cell), ...(mentions === name ? [] : ofFiles(files, mentions, i + 1))];
  }
  return [];
}

const names = fc.integer({ min: 0, max: 60 }).map((n) => `v${n}x`);

it("files that were joined mean what each cell's own meant", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ name: names, mentions: names }), { minLength: 50, maxLength: 160 }),
      (declared) => {
        // A name that leads back to itself has no meaning of its own in one file.
        const cells = declared.filter(
          ({ name, mentions }, i) => !naive(declared.slice(0, i), mentions).length || name !== mentions,
        );
        const chain = new Chain(ts);
        for (const [i, cell] of cells.entries()) chain.add({ text: textOf(cell, i), values: [cell.name] });
        const files = chain.links.map(({ text }) => text);
        for (const name of new Set(cells.map((cell) => cell.name)))
          expect(ofFiles(files, name), name).toEqual(naive(cells, name));
      },
    ),
    { numRuns: 60 },
  );
});

it("a thousand cells with names of their own leave some dozens of files", () => {
  const chain = new Chain(ts);
  for (let i = 0; i < 1000; i++)
    chain.add({ text: `declare const name${i}: number;\nexport {};\n`, values: [`name${i}`] });
  expect(chain.links.length).toBeLessThanOrEqual(60);
  expect(chain.highest).toBeLessThanOrEqual(80);
  expect(new Set(chain.links.flatMap(({ has }) => [...has])).size).toBe(1000);
});
