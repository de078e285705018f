import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { type BuiltSite, buildSite, type Drawing, makeSite, NotebookError, SiteError } from "../../src/site/index.js";
import { type Cell, code, notebook, plot, png, project, shown, smallProject, text } from "./project.js";

const folder = mkdtempSync(join(tmpdir(), "site-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(folder, String(count++));

/** The site of a project with one notebook, and that notebook's page. */
async function siteOf(
  cells: Cell[],
  files: Record<string, string | Buffer> = {},
): Promise<BuiltSite & { html: string }> {
  const root = project(fresh(), { "notebooks/n.ipynb": notebook(cells), ...files });
  const built = await makeSite({ root });
  return { ...built, html: String(built.files.get("n.html")) };
}

const mainOf = (html: string) => /<article>([\s\S]*)<\/article>/.exec(html)![1];

describe("what answers a question to the reader", () => {
  test("stays folded until it is revealed, where the notebook says so", async () => {
    const asked = {
      ...code("1 + 1", [shown({ "text/plain": "2" })], "asked"),
      metadata: { jupyter: { outputs_hidden: true } },
    };
    const { html } = await siteOf([text("# N"), asked, code("2 + 2", [shown({ "text/plain": "4" })], "told")]);
    expect(html).toMatch(/<details class="outputs fold reveal"><summary>Reveal the result<\/summary>.*>2</s);
    expect(html).toMatch(/<div class="outputs">.*>4</s);
    expect(html.match(/class="outputs fold/g)).toHaveLength(1);
  });
});

describe("the project's own site", () => {
  test("holds: every link, figure, equation, citation and word resolves, and no page is heavier than 2 MB", async () => {
    const built = await makeSite({ root: "." });
    expect(built.faults).toEqual([]);
    expect(built.pages).toEqual(
      expect.arrayContaining(["index.html", "00-start-here.html", "06-what-we-found.html", "glossary.html"]),
    );
  });
});

describe("a small project", () => {
  test("becomes pages that hold, and the same bytes every time", async () => {
    const root = smallProject(fresh());
    const [out, again] = [fresh(), fresh()];
    const built = await buildSite({ root, out });
    await buildSite({ root, out: again });
    expect(built.faults).toEqual([]);
    expect(built.pages).toEqual(["index.html", "01-small.html", "glossary.html", "references.html"]);
    expect(built.unused).toEqual({ citations: [], terms: ["PTE"] });
    const files = readdirSync(out, { recursive: true, encoding: "utf8", withFileTypes: true }).filter((f) =>
      f.isFile(),
    );
    for (const { parentPath, name } of files) {
      const path = join(parentPath, name);
      expect(readFileSync(path.replace(out, again)).equals(readFileSync(path)), path).toBe(true);
    }
  });

  test("its README's table of notebooks becomes cards, and the way to cite is said", async () => {
    const built = await makeSite({ root: smallProject(fresh()) });
    const home = String(built.files.get("index.html"));
    expect(home).toContain(
      '<ol class="cards" role="list"><li><a href="01-small.html"><span class="number">01</span><b>Small</b><span class="words">Why?</span></a></li></ol>',
    );
    expect(home).toContain("Doe, Jane (2026): <i>small</i>, version 1.2.3.");
  });

  test("a page has title, description, landmarks, contents, search, a download and its neighbours", async () => {
    const root = smallProject(fresh());
    project(root, { "notebooks/02-next.ipynb": notebook([text("# 02 · Next\n\nMore.")]) });
    const { files } = await makeSite({ root });
    const html = String(files.get("01-small.html"));
    expect(html).toContain("<title>Small &amp; neat · iommu-lab</title>");
    expect(html).toMatch(/<meta name="description" content="An IOVA is explained by Doe 2015\.">/);
    expect(html).toMatch(/<html lang="en"/);
    for (const part of ['<main id="main"', "<header", "<footer", 'aria-label="Pages"', 'class="skip" href="#main"'])
      expect(html).toContain(part);
    expect(html).toContain('<a class="next" rel="next" href="02-next.html"><span>Next</span>2 · Next</a>');
    expect(html).toContain('href="download/01-small.ipynb" download');
    expect(JSON.parse(String(files.get("download/01-small.ipynb"))).cells).toHaveLength(3);
    expect(String(files.get("assets/search-index.js"))).toContain("What it says");
  });
});

describe("text cells", () => {
  test("a word of the glossary links there and carries its meaning; a work is cited and listed below", async () => {
    const { files } = await makeSite({ root: smallProject(fresh()) });
    const html = String(files.get("01-small.html"));
    expect(html).toContain('<a href="glossary.html#iova" class="term" aria-describedby="term-iova">IOVA</a>');
    expect(html).toContain('<p id="term-iova">An address that a device uses, see PTE.</p>');
    expect(html).toContain('<a href="#ref-doe-2015-maps" class="citation">Doe 2015</a>');
    expect(html).toMatch(
      /<li id="ref-doe-2015-maps">Doe, J\., (&amp;|&#x26;) Roe, R\. \(2015\)\. On Maps\. <i>Letters<\/i>\. <a href="https:\/\/doi\.org\/10\.1\/x">/,
    );
  });

  test("formulas are typeset, with an anchor for a numbered one; a broken one is a fault", async () => {
    const good = await siteOf([
      text("# T\n\nInline $x^2$, and\n\n$$ y = 1 \\tag{2} $$\n\nas [equation 2](#eq-2) says. It costs $5 and $6."),
    ]);
    expect(good.faults).toEqual([]);
    expect(good.html).toContain('<div class="equation" id="eq-2"');
    expect(good.html).toContain("It costs $5 and $6.");
    expect(good.html).toContain("assets/katex/katex.css");
    expect(String(good.files.get("assets/katex/katex.css"))).not.toMatch(/\.ttf|\.woff\)/);
    const broken = await siteOf([text("# T\n\n$\\frac{a}$")]);
    expect(broken.faults[0]).toContain('n.ipynb: the formula "\\frac{a}" cannot be typeset');
  });

  test("answers fold, tables scroll, code is coloured, headings can be linked from JupyterLab and from code hosts alike", async () => {
    const { html, faults } = await siteOf([
      text(
        "# T\n\n<details><summary>Answer</summary>\n\nIt is **5**.\n\n</details>\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```ts\nconst a = 1;\n```\n\n## Is it? A `b` test\n\n[one](#Is-it?-A-b-test) [two](#is-it-a-b-test)",
      ),
    ]);
    expect(faults).toEqual([]);
    expect(html).toMatch(/<details class="fold"><summary>Answer<\/summary>\s*<p>It is <strong>5<\/strong>/);
    expect(html).toContain('<div class="table" tabindex="0" role="group" aria-label="Table"><table>');
    expect(html).toContain('<span class="k-keyword">const</span>');
    expect(html).toContain('<h2 id="is-it-a-b-test">');
    expect(html.match(/href="#is-it-a-b-test"/g)).toHaveLength(2);
  });

  test("nothing in a text or an HTML output can run or load", async () => {
    const evil = `<script>alert(1)</script><img src="x" onerror="alert(2)" alt="a"><a href="javascript:alert(3)">b</a><iframe src="https://e.org"></iframe><p style="background:url(https://e.org/a);text-align:right" onclick="x()">c</p>`;
    const { html } = await siteOf([
      text(`# T\n\n${evil}`),
      code("1", [shown({ "text/html": evil, "text/plain": "" })]),
    ]);
    expect(mainOf(html)).not.toMatch(/<script|onerror|onclick|javascript:|iframe|e\.org/);
    expect(mainOf(html)).toContain('<p style="text-align:right">c</p>');
  });

  test("a link to another notebook leads to its page, one to a source file to a page that shows it, line by line", async () => {
    const root = project(fresh(), {
      "notebooks/a.ipynb": notebook([
        text("# A\n\n[b](b.ipynb#Part-two) [code](../src/x.ts#L2) [data](../data/) [e](exercises/e.ipynb)"),
      ]),
      "notebooks/b.ipynb": notebook([text("# B\n\n## Part two")]),
      "notebooks/exercises/e.ipynb": notebook([text("# E\n\n[back](../b.ipynb)")]),
      "notebooks/solutions/e.ipynb": notebook([text("# E, solved")]),
      "src/x.ts": "const a = 1;\nconst b = 2;\n",
      "data/README.md": "# Data\n\n[code](../src/x.ts)",
    });
    const { files, faults } = await makeSite({ root });
    expect(faults).toEqual([]);
    expect(String(files.get("a.html"))).toContain('href="b.html#part-two"');
    expect(String(files.get("a.html"))).toContain('href="files/src/x.ts.html#L2"');
    expect(String(files.get("a.html"))).toContain('href="files/data/README.html"');
    expect(String(files.get("exercises/e.html"))).toContain('href="../b.html"');
    expect(String(files.get("exercises/e.html"))).toContain('href="../solutions/e.html">The solution');
    expect(String(files.get("files/src/x.ts.html"))).toContain(
      '<span id="L2" class="line"><span class="k-keyword">const</span>',
    );
  });

  test("pictures beside a notebook and attached to a cell come along", async () => {
    const { html, files, faults } = await siteOf(
      [
        {
          ...text("# T\n\n![A path](images/path.svg) ![B](attachment:b.png)"),
          attachments: { "b.png": { "image/png": png } },
        },
      ],
      { "notebooks/images/path.svg": "<svg xmlns='http://www.w3.org/2000/svg'/>" },
    );
    expect(faults).toEqual([]);
    expect(html).toContain('src="files/notebooks/images/path.svg" alt="A path"');
    const attached = [...files.keys()].filter((url) => url.startsWith("figures/n/"));
    expect(attached).toEqual([expect.stringMatching(/^figures\/n\/attached-[0-9a-f]{16}\.png$/)]);
    expect(html).toContain(`src="${attached[0]}" alt="B"`);
  });
});

describe("what a cell has shown", () => {
  test("a plot: picture with its size first, data as a script beside it, number and caption, no second title", async () => {
    const { html, files, faults } = await siteOf([
      text("# T"),
      code("a", [plot("One", "It rises.")], "fig-one"),
      code("b", [plot("Two", "It falls."), plot("Three", "It stays.")], "other"),
    ]);
    expect(faults).toEqual([]);
    expect(html).toContain('<figure class="plot" id="fig-one">');
    expect(html).toContain('<img src="figures/n/fig-one.png" alt="One" width="720" height="420" fetchpriority="high">');
    expect(html).toContain("<figcaption><b>Figure 1.</b> It rises.</figcaption>");
    expect(html).toContain('<figure class="plot" id="figure-3">');
    expect(html.match(/loading="lazy"/g)).toHaveLength(2);
    const script = String(files.get("figures/n/fig-one.js"));
    expect(script).toMatch(/^iommuLab\.plot\("n\/fig-one", \{"data":\[.*"house":true\}\);\n$/);
    expect(script).not.toContain("template");
    expect(Buffer.from(files.get("figures/n/fig-one.png")!).subarray(1, 4).toString()).toBe("PNG");
  });

  test("a plot that describes itself to those who cannot see it keeps its caption for all others", async () => {
    const own = plot("Path", "") as { data: Record<string, Record<string, unknown> | string> };
    own.data["text/plain"] = "Figure: Path, in two steps. One; two.";
    const without = await siteOf([text("# T"), code("a", [own], "fig-path")]);
    expect(without.html).toContain('alt="Path, in two steps. One; two."');
    expect(without.html).toContain("<figcaption><b>Figure 1.</b> Path</figcaption>");
    (own.data["application/vnd.plotly.v1+json"] as Record<string, unknown>)["caption"] = "Look at the marks.";
    const html = (await siteOf([text("# T"), code("a", [own], "fig-path")])).html;
    expect(html).toContain("<figcaption><b>Figure 1.</b> Look at the marks.</figcaption>");
  });

  test("a plot without a picture is drawn where that can be done, and is a fault where not", async () => {
    const cells = [text("# T"), code("a", [plot("One", "It rises.", false)], "fig-one")];
    expect((await siteOf(cells)).faults).toEqual([
      'notebooks/n.ipynb: figure 1 (cell "fig-one") has no static picture; execute the notebook with pictures.',
    ]);
    const drawing: Drawing = {
      draw: async () => ({ png: Buffer.from(png, "base64"), width: 720, height: 420 }),
      close: async () => {},
    };
    const root = project(fresh(), { "notebooks/n.ipynb": notebook(cells) });
    expect((await makeSite({ root, drawing: async () => drawing })).faults).toEqual([]);
  });

  test("a notebook executed anew takes the stored pictures of the very same plots", async () => {
    const stored = [text("# T"), code("a", [plot("One", "It rises.")], "fig-one")];
    const anew = [text("# T, anew"), code("a", [plot("One", "It rises.", false)], "fig-one")];
    const root = project(fresh(), { "notebooks/n.ipynb": notebook(stored) });
    const executed = project(fresh(), { "n.ipynb": notebook(anew) });
    const { files, faults } = await makeSite({ root, executed });
    expect(faults).toEqual([]);
    expect(String(files.get("n.html"))).toContain("T, anew");
    expect(files.has("figures/n/fig-one.png")).toBe(true);
  });

  test("printed text keeps a terminal's colours; the bar of a finished run and live controls stay out", async () => {
    const { html } = await siteOf([
      text("# T"),
      code("a", [
        { output_type: "stream", name: "stdout", text: "\u001b[31mred\u001b[0m <b>\n" },
        shown({ "text/html": '<progress value="1"></progress>', "text/plain": "x [####] 100 % (3 of 3)" }),
        shown({ "application/vnd.jupyter.widget-view+json": { model_id: "1" }, "text/plain": "Controls" }),
      ]),
    ]);
    expect(html).toContain('<span class="ansi-red-fg">red</span> &lt;b&gt;');
    expect(mainOf(html)).not.toMatch(/progress|Controls|100 %/);
  });

  test("tables, Markdown, formulas, JSON, values, and what only JupyterLab can show", async () => {
    const { html, faults } = await siteOf([
      text("# T"),
      code("a", [
        shown({ "text/html": "<table><tr><td>1</td></tr></table>", "text/plain": "1" }),
        shown({ "text/markdown": "**bold**", "text/plain": "b" }),
        shown({ "text/latex": "x^2" }),
        shown({ "application/json": { a: 1 } }),
        shown({ "text/plain": "42 < 43" }),
        shown({ "application/x-cube": "…" }),
        shown({}),
      ]),
    ]);
    expect(faults).toEqual([]);
    for (const part of [
      'aria-label="Table of results"',
      "<strong>bold</strong>",
      'class="katex',
      "&quot;a&quot;: 1",
      "42 &lt; 43",
    ])
      expect(mainOf(html)).toContain(part);
    expect(html).toContain("An output of the type application/x-cube, which only JupyterLab can show.");
  });

  test("a table of sentences names its columns in every row, for a phone; one of numbers does not", async () => {
    const table = (cell: string) =>
      `<table><thead><tr><th>why</th></tr></thead><tbody><tr><td>${cell}</td></tr></tbody></table>`;
    const { html } = await siteOf([
      text("# T"),
      code("a", [shown({ "text/html": table("Because the lock is held while the list is walked.") })], "wordy"),
      code("a", [shown({ "text/html": table("42") })], "numbers"),
    ]);
    expect(html).toContain('<td class="long" role="cell" data-label="why">Because');
    expect(html).toContain("<td>42</td>");
  });

  test("a very long output is cut, and says how much is left out", async () => {
    const { html, faults } = await siteOf([
      text("# T"),
      code("a", [{ output_type: "stream", name: "stdout", text: "0123456789\n".repeat(300_000) }]),
    ]);
    expect(faults).toEqual([]);
    expect(html.length).toBeLessThan(100_000);
    expect(html).toContain("3,260,000 more characters are in the notebook");
  });

  test("printed sentences are broken into lines, columns are not", async () => {
    const printed = async (line: string) =>
      (await siteOf([text("# T"), code("a", [{ output_type: "stream", name: "stdout", text: line }])])).html;
    expect(await printed("A sentence of this length is wider than a page. ".repeat(3))).toContain("stdout wraps");
    expect(await printed("deferred      86    249    240    480")).not.toContain("stdout wraps");
  });

  test("an error is shown, and is a fault unless the cell says that it is meant", async () => {
    const failed = {
      output_type: "error",
      ename: "RangeError",
      evalue: "no",
      traceback: ["RangeError: no", " at cell 1"],
    };
    const bad = await siteOf([text("# T"), code("a", [failed], "boom")]);
    expect(bad.faults).toEqual(['notebooks/n.ipynb: cell 2 ("boom") ended with an error: RangeError.']);
    expect(bad.html).toContain('<pre class="error"');
    const meant = { ...code("a", [failed], "boom"), metadata: { tags: ["raises-exception"] } };
    expect((await siteOf([text("# T"), meant])).faults).toEqual([]);
  });
});

describe("bad input", () => {
  test("a notebook that was not run, and an empty one, are faults with their page still made", async () => {
    const unrun = await siteOf([text("# T"), { ...code("1 + 1", [], "one"), execution_count: null }]);
    expect(unrun.faults).toEqual(['notebooks/n.ipynb: cell 2 ("one") has not been run; execute the notebook first.']);
    const empty = await siteOf([]);
    expect(empty.faults).toEqual(["notebooks/n.ipynb: the notebook has no cells."]);
    expect(empty.html).toContain("This notebook is empty.");
  });

  test("a notebook that was saved while it ran makes a page that says so, and no fault", async () => {
    const waiting = { ...code("2", [], "two"), execution_count: null };
    const half = await siteOf([text("# T"), code("1", [], "one"), waiting]);
    expect(half.faults).toEqual([]);
    expect(half.html).toContain("This notebook was saved while it ran");
    expect(half.unfinished).toEqual([
      "notebooks/n.ipynb: it was saved while it ran. Its page shows what there is; run it to its end and save it.",
    ]);
    expect((await siteOf([text("# T"), code("1", [], "one")])).unfinished).toEqual([]);
  });

  test("the first cells of an exercise may wait for the reader", async () => {
    const start: Cell = { ...code("1 + 1", [], "start"), execution_count: null };
    const root = project(fresh(), {
      "notebooks/n.ipynb": notebook([text("# N")]),
      "notebooks/exercises/n.ipynb": notebook([text("# Exercises: N"), start]),
    });
    const { files, faults } = await makeSite({ root });
    expect(faults).toEqual([]);
    expect(String(files.get("exercises/n.html"))).toContain("Code to start from");
  });

  test("a file that is no notebook, and a project without any, stop the build and name the file", async () => {
    const broken = project(fresh(), { "notebooks/n.ipynb": '{"cells": [' });
    await expect(makeSite({ root: broken })).rejects.toThrow(
      /^notebooks\/n\.ipynb: expected a notebook, which is JSON/,
    );
    await expect(makeSite({ root: project(fresh(), {}) })).rejects.toThrow(NotebookError);
  });

  test.each([
    ["[a](b.ipynb)", 'the link "a" leads to notebooks/b.ipynb, which does not exist.'],
    ["[a](../../x.md)", 'the link "a" leads to ../x.md, which is not a file of the project.'],
    ["[a](/etc/passwd)", 'the link "a" leads to /etc/passwd; expected a web address or a path beside this file.'],
    ["[a](#nowhere)", 'n.html: a link (#nowhere) leads to "nowhere" on n.html, and nothing there has that name.'],
    ["[w](glossary.md#tlb)", 'the word "w" leads to glossary.md#tlb, and the glossary has no such entry.'],
    ["[w](../data/references.bib#x-1)", 'the citation "w" has the key x-1, which data/references.bib does not know.'],
    [
      "[figure 2](#cell-id=fig-one)",
      '"figure 2" leads to figure 1 (cell "fig-one"); expected that number in the text.',
    ],
    [
      "[figure 1](#cell-id=fig-two)",
      '"figure 1" leads to the cell "fig-two" of notebooks/n.ipynb, which has no such cell.',
    ],
    ["[equation 1](#eq-1)", '"equation 1" leads to equation 1 of notebooks/n.ipynb, which has no \\tag{1}.'],
    [
      "$$a \\tag{3}$$\n\n[equation 2](#eq-3)",
      '"equation 2" leads to equation 3; expected the same number in the text.',
    ],
    ["![](x.png)", "the picture x.png has no text for readers who cannot see it."],
    ["![a](https://e.org/a.png)", 'n.html: a img would load ""; expected an address inside the site.'],
    ["![a](x.png)", "the picture x.png does not exist."],
  ])("%s is a fault with a sentence of its own", async (source, message) => {
    const { faults } = await siteOf([text(`# T\n\n${source}`), code("a", [plot("One", "It rises.")], "fig-one")]);
    expect(faults.filter((fault) => fault.endsWith(message))).toHaveLength(1);
  });

  test("faults of the bibliography, the glossary and the citation file name them", async () => {
    const { faults } = await siteOf([text("# T")], {
      "data/references.bib": "@misc{A_b, title={x}}\n@misc{a, title={y}}\n@misc{a, title={z}}\n",
      "notebooks/glossary.md": "# G\n\n## One\n\n## Two\n\nSays.\n",
      "CITATION.cff": "title: x\n",
    });
    expect(faults).toEqual([
      'data/references.bib: the key "A_b" has other characters than lower-case letters, digits and hyphens.',
      'data/references.bib: the key "a" is used twice.',
      'notebooks/glossary.md: the term "One" has no text.',
      expect.stringMatching(/^CITATION\.cff: authors: /),
    ]);
  });

  test("a page heavier than 2 MB is a fault", async () => {
    const heavy = shown({ "image/png": Buffer.alloc(2_100_000).toString("base64"), "text/plain": "Figure: A. B" });
    const { faults } = await siteOf([text("# T"), code("a", [heavy])]);
    expect(faults).toEqual(["n.html: it weighs 2.1 MB with its pictures and plots; expected at most 2 MB."]);
  });
});

describe("the folder", () => {
  test("one with other things in it is left alone; an earlier site is replaced, and nothing else", async () => {
    const root = smallProject(fresh());
    const [out, other] = [fresh(), fresh()];
    mkdirSync(other);
    writeFileSync(join(other, "thesis.doc"), "");
    await expect(buildSite({ root, out: other })).rejects.toThrow(SiteError);
    expect(readdirSync(other)).toEqual(["thesis.doc"]);
    await buildSite({ root, out });
    mkdirSync(join(out, "api"));
    writeFileSync(join(out, "api", "index.html"), "");
    rmSync(join(root, "notebooks/glossary.md"));
    rmSync(join(root, "notebooks/01-small.ipynb"));
    project(root, { "notebooks/02-other.ipynb": notebook([text("# Other")]), "README.md": "# small" });
    const { files } = await buildSite({ root, out });
    expect(readdirSync(out).sort()).toEqual(
      [".iommu-lab-site", "02-other.html", "api", "assets", "download", "index.html", "references.html"]
        .concat("figures")
        .sort(),
    );
    expect(readdirSync(join(out, "figures"), { recursive: true })).toEqual(["01-small"]);
    expect(String(files.get("index.html"))).toContain('href="api/index.html">API reference');
  });

  test("one that a build left which was killed while it first wrote its list is taken again, and tidied", async () => {
    const root = smallProject(fresh());
    const out = fresh();
    mkdirSync(out);
    writeFileSync(join(out, "..iommu-lab-site.0a1b2c.tmp"), "index.ht");
    await buildSite({ root, out });
    expect(readdirSync(out).filter((name) => name.endsWith(".tmp"))).toEqual([]);
    expect(readdirSync(out)).toContain("index.html");
  });
});
