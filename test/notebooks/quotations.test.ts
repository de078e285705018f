import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { experiments } from "../../src/experiments/index.js";
import { published } from "../support/facts.js";

import { chapters, prose, root } from "./course.js";

interface Mail {
  id: string;
  author: string;
  date: string;
  subject: string;
  passages: string[];
}
const { mails } = JSON.parse(readFileSync(`${root}/data/quotations.json`, "utf8")) as { mails: Mail[] };
const plain = (text: string): string => text.replace(/\s+/g, " ").trim();
/** The mail in which a quotation stands word for word; `[…]` marks what was left out, a first letter may change its case. */
function mailOf(quotation: string): Mail | undefined {
  const pieces = plain(quotation)
    .split("[…]")
    .map((piece) => piece.trim())
    .filter((piece) => piece !== "");
  const has = (text: string, piece: string) =>
    text.includes(piece) ||
    text.includes(piece[0].toLowerCase() + piece.slice(1)) ||
    text.includes(piece[0].toUpperCase() + piece.slice(1));
  // Passages in the order of the mail: what is left out may lie between them.
  return mails.find(({ passages }) => pieces.every((piece) => has(plain(passages.join("\n\n")), piece)));
}
const months = [
  "January",
  "February",
  "March",
  "April",
  "May",
  "June",
  "July",
  "August",
  "September",
  "October",
  "November",
  "December",
];
const spoken = (date: string): string => `${Number(date.slice(8))} ${months[Number(date.slice(5, 7)) - 1]}`;

test("every block quotation is word for word in a mail, and its author and day stand beside it", () => {
  let count = 0;
  for (const { path, notebook } of chapters()) {
    for (const text of prose({ path, notebook })) {
      for (const [block] of text.matchAll(/(?:^>.*(?:\n|$))+/gm)) {
        for (const paragraph of block.replace(/^> ?/gm, "").split(/\n\s*\n/)) {
          const mail = mailOf(paragraph);
          expect(mail, `${path}: ${paragraph}`).toBeDefined();
          // The notebook's introduction names the author once; each quotation names its day.
          const before = prose({ path, notebook }).join("\n\n").split(block.trim())[0];
          expect(before.slice(-900), `${path}: the day of "${paragraph.slice(0, 50)}"`).toMatch(
            new RegExp(`${spoken(mail!.date)}|same mail|thread also says|caveat`),
          );
          expect(before, path).toContain(mail!.author.split(" ")[1]);
          count++;
        }
      }
    }
  }
  expect(count).toBeGreaterThan(8);
});

/** Words in quotation marks that are not the mails'. */
const others = new Set([
  "all but the walk costs nothing",
  "which bit is live, and who dies",
  "Preserve CR4 across VM entry",
  "why is it slow",
  "v4.3 addresses",
]);

test("every quotation of three words or more in running text is word for word in a mail", () => {
  const wrong: string[] = [];
  for (const notebook of chapters()) {
    for (const text of prose(notebook)) {
      const running = text
        .replace(/^```.*?^```$/gms, "")
        .replace(/^(?:>|\$\$).*$/gm, "")
        .replace(/`[^`]*`/g, "");
      for (const paragraph of running.split(/\n\s*\n|\n(?=- )/)) {
        for (const [, quotation] of paragraph.matchAll(/"([^"]+)"/g)) {
          if (plain(quotation).split(" ").length < 3 || others.has(plain(quotation))) continue;
          if (mails.some(({ subject }) => subject.includes(plain(quotation).replace(/^Re: |^Fwd: /, "")))) continue;
          if (!mailOf(quotation.replace(/[.,;:]$/, ""))) wrong.push(`${notebook.path}: "${plain(quotation)}"`);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
});

test("what claims and records quote from the mails is word for word in them", () => {
  const claims = experiments().flatMap((experiment) => experiment.collect(experiment.parse({}), []).claims);
  const quoted = [...claims, ...published.all()].filter(
    ({ source, quote }) => quote !== undefined && /(?:Serebrin|Woodhouse), mail of|^S\d+$/.test(source),
  );
  expect(quoted.length).toBeGreaterThan(20);
  for (const { id, quote, source } of quoted)
    expect(mailOf(quote!.replace(/[.]$/, "")), `${id}: "${quote}" (${source})`).toBeDefined();
});

test("a word that was changed is found out", () => {
  expect(mailOf("Every dma_map and unmap holds the lock.")?.id).toBe("serebrin-2015-11-15");
  expect(mailOf("They make me too sad.")?.author).toBe("David Woodhouse");
  expect(mailOf("Every dma_map and unmap takes the lock.")).toBeUndefined();
  expect(mailOf("Is 4 parallel arenas enough? […] holds the lock.")).toBeUndefined();
});
