import { describe, expect, test } from "vitest";
import { readBibliography } from "../../src/site/pages/bibliography.js";
import { namesIn, plainLatex, readBibtex } from "../../src/site/pages/bibtex.js";
import { fc } from "../support/property.js";

/** The references of a file as texts, and what was wrong with it. */
function read(text: string): { texts: string[]; html: string[]; faults: string[] } {
  const faults: string[] = [];
  const works = readBibliography(text, (message) => faults.push(message));
  return { texts: works.keys.map(works.text), html: works.keys.map((key) => works.html(key).html), faults };
}

test("a value made of strings of strings is refused with its line before it outgrows the memory", () => {
  const strings = Array.from({ length: 40 }, (_, i) => `@string{a${i + 1} = a${i} # a${i} # a${i} # a${i}}`);
  const { faults, texts } = read(`@string{a0 = "xxxxxxxxxx"}\n${strings.join("\n")}\n@misc{b, title={T}}`);
  expect(faults[0]).toMatch(/entry at line 8: a value of more than 100,000 characters/);
  // What comes after it is read all the same.
  expect(texts).toEqual(["T (n.d.)."]);
});

describe("a reference in APA's style", () => {
  test.each([
    [
      "an article",
      "@article{a, author={Doe, Jane and Richard M. Roe}, title={On {IOMMU}s}, journal={Letters}, volume=9, number=3, pages={1--20}, year=2015, doi={10.1/x}}",
      'Doe, J., &amp; Roe, R. M. (2015). On IOMMUs. <i>Letters</i>, <i>9</i>(3), 1–20. <a href="https://doi.org/10.1/x">https://doi.org/10.1/x</a>',
    ],
    [
      "a paper of a conference",
      "@inproceedings{a, author={Van Doorn, Leendert and Ben-Yehuda, Muli and Zazo, Jos{\\'e} Fernando}, title={T}, booktitle={Symposium}, year={2007}, url={https://e.org/a}}",
      'Van Doorn, L., Ben-Yehuda, M., &amp; Zazo, J. F. (2007). T. <i>Symposium</i>. <a href="https://e.org/a">https://e.org/a</a>',
    ],
    [
      "a manual by a body",
      "@manual{a, author={{Intel Corporation}}, title={Developer's Manual}, organization={Intel Corporation}, year={2015}}",
      "Intel Corporation. (2015). <i>Developer’s Manual</i>. Intel Corporation.",
    ],
    [
      "a mail",
      '@misc{a, author="Serebrin, Benjamin", title="[PATCH] x" # { y}, howpublished={Mail}, year={2015}, month=apr}',
      "Serebrin, B. (2015). <i>[PATCH] x y</i>. Mail.",
    ],
    ["one without author and year", "@misc{a, title={T}}", "<i>T</i> (n.d.)."],
    ["one of many", "@misc{a, author={A, B and others}, title={T}, year=1}", "A, B., et al. (1). <i>T</i>."],
    [
      "a name with two halves",
      "@misc{a, author={Jean-Paul de la Tour}, title={T}}",
      "de la Tour, J.-P. (n.d.). <i>T</i>.",
    ],
  ])("%s", (_, text, html) => {
    expect(read(text)).toMatchObject({ html: [html], faults: [] });
  });

  test("works of the same authors and year get letters, in the order of month and title", () => {
    const work = (key: string, title: string, more = "") =>
      `@misc{${key}, author={Roe, R}, title={${title}}, year=2015${more}}\n`;
    const { texts } = read(
      work("a", "x, kvm", ", month=nov") +
        work("b", "x: Store") +
        work("c", "x,kvm") +
        "@misc{d, author={Doe, J}, title={Z}, year=2020}",
    );
    expect(texts).toEqual([
      "Doe, J. (2020). Z.",
      "Roe, R. (2015a). x: Store.",
      "Roe, R. (2015b). x,kvm.",
      "Roe, R. (2015c). x, kvm.",
    ]);
  });
});

test("LaTeX becomes text", () => {
  expect(plainLatex("L{\\'o}pez-Buedo \\\"{u}ber \\v{S}vec {\\o}re \\ss{} Fran\\c{c}ois")).toBe(
    "López-Buedo über Švec øre ß François",
  );
  expect(plainLatex("{L} = {$\\lambda$} {W}, 1--2 --- ``a\\& b'' 5\\,\\% \\{x\\} a~b")).toBe(
    "L = λ W, 1–2 — “a& b” 5% {x} a b",
  );
  expect(namesIn("{Barnes and Noble} and Doe, Jr, Jane and others")).toEqual({
    names: [
      { family: "Barnes and Noble", given: "" },
      { family: "Doe", given: "Jane" },
    ],
    others: true,
  });
});

test("comments, strings and both kinds of brackets are read; what is broken is told with its line, and the rest is read", () => {
  const faults: string[] = [];
  const entries = readBibtex(
    '% @misc{no, title={x}}\nSaid between.\n@comment{x}\n@preamble{"\\\\x"}\n@string{j = "Journal"}\n@article(one, journal = j # " A", year = 2015,)\n@misc{broken, title {x}}\n@misc{open, title = {x\n@misc{two, title = {y}}',
    (message) => faults.push(message),
  );
  expect(entries.map(({ key, fields }) => [key, ...fields])).toEqual([
    ["one", ["journal", "Journal A"], ["year", "2015"]],
    ["two", ["title", "y"]],
  ]);
  expect(faults).toEqual([
    'it cannot be read as BibTeX (entry at line 7: expected "=" after title).',
    'it cannot be read as BibTeX (entry at line 8: a "{" that is not closed).',
  ]);
});

describe("hostile text", () => {
  test("no value gets out of the text it stands in", () => {
    const evil = `"><img src=x onerror=alert(1)><!--`;
    const fields = ["author", "title", "year", "journal", "volume", "pages", "doi", "url", "howpublished"];
    for (const type of ["article", "misc", "constructor", "__proto__"]) {
      const text = `@${type}{a, ${fields.map((name) => `${name} = {${evil} https://e.org/${evil} 10.1/${evil}}`).join(", ")}}`;
      for (const html of read(text).html) expect(html).not.toMatch(/<img|<!--|="[^"]*"[^> ]/);
    }
    expect(read("@misc{a, title={T}, url={javascript:alert(1)}, doi={javascript:alert(1)}}").html).toEqual([
      "<i>T</i> (n.d.).",
    ]);
  });

  test("any text is read to its end, and what is read stays text", () => {
    const piece = fc.constantFrom(
      "@",
      "misc",
      "{",
      "}",
      "(",
      ")",
      ",",
      "=",
      '"',
      "#",
      "\\",
      "\n",
      "%",
      "title",
      "a",
      "<b>",
      " and ",
      "author",
      "'",
      "$",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        for (const html of read(pieces.join("")).html) expect(html).not.toContain("<b>");
      }),
    );
  });

  test.each([
    ["braces", "@misc{a, title={".padEnd(1_900_000, "{")],
    ["entries that are cut short", "@misc{".repeat(300_000)],
    ["at signs", "@".repeat(1_900_000)],
    ["comments", "%@\n".repeat(600_000)],
    ["entries", "@a{b}\n".repeat(300_000)],
    ["one long name", `@misc{a, author={${"x and ".repeat(300_000)}}}`],
    ["too much", "@misc{a, title={x}}".padEnd(2_000_001)],
  ])("two megabytes of %s take no long time", (_, text) => {
    const faults: string[] = [];
    readBibliography(text, (message) => faults.push(message.slice(0, 100)));
    expect(faults.length).toBeLessThan(400_000);
  });
});
