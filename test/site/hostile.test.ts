import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import ts from "typescript";
import { afterAll, describe, expect, test } from "vitest";
import { type BuiltSite, buildSite, makeSite, serveSite } from "../../src/site/index.js";
import { markup } from "../../src/site/pages/html.js";
import { cleanedSvg } from "../../src/site/pages/svg.js";
import { type Cell, code, notebook, plot, png, project, shown, text } from "./project.js";

/** Everything that comes from a notebook, a recording, a sweep file or a bibliography is data. */

const folder = mkdtempSync(join(tmpdir(), "hostile-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let count = 0;
const fresh = () => join(folder, String(count++));
const secret = "TOKEN=0123456789abcdef";

function hostile(cells: Cell[], files: Record<string, string | Buffer> = {}): string {
  return project(fresh(), { "notebooks/n.ipynb": notebook(cells), ".env": secret, ...files });
}

/** What a build says that must not give a site; the folder must not be there afterwards. */
async function refusal(root: string): Promise<string> {
  const out = join(fresh(), "out");
  const error: Error = await buildSite({ root, out }).then(
    () => expect.fail("a site was built"),
    (reason) => reason,
  );
  expect(existsSync(out), "nothing is written").toBe(false);
  expect(["SiteError", "NotebookError"]).toContain(error.name);
  return error.message;
}

const everything = (built: BuiltSite): string =>
  [...built.files]
    .filter(([url]) => !/^(?:assets|download)\//.test(url))
    .map(([url, content]) => `${url}\n${Buffer.from(content).toString("latin1")}`)
    .join("\n");

describe("markup", () => {
  test("escapes every value, in content and in attributes, and takes markup as it is", () => {
    const value = `"><b>&'`;
    expect(markup`<a title="${value}">${value}</a>`.html).toBe(
      `<a title="&quot;&gt;&lt;b&gt;&amp;'">&quot;&gt;&lt;b&gt;&amp;'</a>`,
    );
    expect(markup`<p>${[markup`<i>${1}</i>`, "<"]}</p>`.html).toBe("<p><i>1</i>&lt;</p>");
  });

  test("is the only way in which the pages put values into HTML", () => {
    const own = join("src", "site", "pages");
    for (const name of readdirSync(own).filter((file) => file.endsWith(".ts"))) {
      const found: string[] = [];
      const visit = (node: ts.Node): void => {
        const text = ts.isTemplateExpression(node) ? node.getText() : "";
        if (
          /<[a-z!/]/i.test(text) &&
          !(ts.isTaggedTemplateExpression(node.parent) && node.parent.tag.getText() === "markup")
        )
          found.push(text);
        ts.forEachChild(node, visit);
      };
      visit(ts.createSourceFile(name, readFileSync(join(own, name), "utf8"), ts.ScriptTarget.Latest, true));
      expect(found, name).toEqual([]);
    }
  });
});

describe("what a notebook says", () => {
  test("a picture's size that is no number is left out", async () => {
    const output = shown(
      { "image/png": png, "text/plain": "Figure: A. B" },
      { "image/png": { width: '1"><img src=x onerror=alert(1)>', height: "2" } },
    );
    const built = await makeSite({ root: hostile([text("# T"), code("a", [output])]) });
    expect(everything(built)).not.toMatch(/<[^>]* onerror=/);
    expect(String(built.files.get("n.html"))).toContain('alt="A. B" fetchpriority="high"');
  });

  test.each([
    'fig-"><svg/onload=alert(1)>',
    "fig-/../../../../evil-out",
    "a b",
    "",
    "é",
    "x".repeat(65),
  ])("a cell id like %j is refused, with the pattern that is expected", async (id) => {
    expect(await refusal(hostile([text("# T"), code("a", [plot("One", "x")], id)]))).toBe(
      "notebooks/n.ipynb: cells.1.id (cell 2): expected 1 to 64 letters, digits, hyphens and underlines.",
    );
  });

  test("the key of a work is an id too", async () => {
    const bib = '@misc{x"><svg/onload=alert(1)>, title={T}}\n@misc{good-1, title={G}}\n';
    const built = await makeSite({ root: hostile([text("# T")], { "data/references.bib": bib }) });
    expect(everything(built)).not.toContain("onload");
    expect(built.faults[0]).toContain("has other characters than lower-case letters, digits and hyphens");
    expect(String(built.files.get("references.html"))).toContain('<li id="good-1">');
  });

  test("an attached picture is named by its content: it cannot stand in for a page or a plot's script", async () => {
    const script = Buffer.from("alert(1)").toString("base64");
    const cells = [
      { ...text("# T\n\n![a](attachment:fig-one.js)"), attachments: { "fig-one.js": { "image/png": script } } },
      { ...text("![b](attachment:..)", "b"), attachments: { "..": { "image/png": png } } },
      { ...text("![c](attachment:constructor)", "c"), attachments: {} },
      code("a", [plot("One", "It rises.")], "fig-one"),
    ];
    const built = await makeSite({ root: hostile(cells) });
    expect(String(built.files.get("figures/n/fig-one.js"))).toMatch(/^iommuLab\.plot/);
    expect(everything(built)).not.toContain("alert(1)");
    expect(built.faults).toEqual([
      "notebooks/n.ipynb: the picture attachment:fig-one.js is not attached to its cell as a PNG, JPEG, GIF or WebP.",
      "notebooks/n.ipynb: the picture attachment:constructor is not attached to its cell as a PNG, JPEG, GIF or WebP.",
      expect.stringContaining("n.html: a img would load"),
      expect.stringContaining("n.html: a img would load"),
    ]);
  });

  test("a plot that would load a picture from elsewhere is refused; one that carries it is drawn", async () => {
    const withSource = (source: string) => {
      const output = plot("One", "x") as unknown as { data: Record<string, { layout: Record<string, unknown> }> };
      output.data["application/vnd.plotly.v1+json"].layout["images"] = [{ source }];
      return [text("# T"), code("a", [output as never], "fig-one")];
    };
    for (const source of [
      "https://e.org/a.png",
      "//e.org/a.png",
      "/a.png",
      "file:///etc/passwd",
      "data:image/svg+xml,<svg/>",
    ])
      expect(await refusal(hostile(withSource(source)))).toContain('figure 1 (cell "fig-one") would load "');
    const built = await makeSite({ root: hostile(withSource(`data:image/png;base64,${png}`)) });
    expect(built.faults).toEqual([]);
  });

  test("names that reach a prototype do not come into a plot's script", async () => {
    const output = JSON.parse(
      JSON.stringify(plot("One", "x")).replace('"height"', '"__proto__":{"polluted":1},"height"'),
    );
    const built = await makeSite({ root: hostile([text("# T"), code("a", [output], "fig-one")]) });
    expect(String(built.files.get("figures/n/fig-one.js"))).not.toContain("polluted");
  });

  test("a language of code, a media type and an attachment that are names of every object are looked up as none", async () => {
    const built = await makeSite({
      root: hostile([
        text("# T\n\n```constructor\na < b\n```\n\n```__proto__\nc\n```"),
        code("a", [shown({ constructor: "x" }), shown({ toString: "y" })]),
      ]),
    });
    expect(built.faults).toEqual([]);
    expect(String(built.files.get("n.html"))).toContain("a &lt; b");
  });

  test("HTML and lists inside one another a hundred thousand times end no stack", async () => {
    const deep = "<div>".repeat(100_000);
    const built = await makeSite({
      root: hostile([
        text(`# T\n\n${deep}`),
        text(`${"> ".repeat(5000)}x`, "quotes"),
        code("a", [
          shown({ "text/html": `${deep}<img src=x onerror=alert(1)>` }),
          shown({ "image/svg+xml": `<svg>${"<g>".repeat(100_000)}</svg>` }),
        ]),
      ]),
    });
    expect(everything(built)).not.toMatch(/<[^>]* onerror/);
  });

  test("lists inside one another a million times are no notebook", async () => {
    const root = hostile([text("# T")]);
    writeFileSync(join(root, "notebooks", "n.ipynb"), `{"cells": ${"[".repeat(1e6)}`);
    expect(await refusal(root)).toContain("more than 200 deep");
  });
});

describe("a drawing in SVG", () => {
  test("keeps shapes, texts and paints, and is a document of its own", () => {
    const drawing = `<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY x "y">]><svg viewBox="0 0 9 9"><defs><linearGradient id="g"><stop offset="0"/></linearGradient></defs><path d="M0 0" fill="url(#g)" stroke-width="2"/><text>a &lt; b</text></svg>`;
    expect(cleanedSvg(drawing)).toBe(
      `<svg viewBox="0 0 9 9" xmlns="http://www.w3.org/2000/svg"><defs><linearGradient id="g"><stop offset="0" /></linearGradient></defs><path d="M0 0" fill="url(#g)" stroke-width="2" /><text>a &#x3C; b</text></svg>\n`,
    );
  });

  test.each([
    "<svg onload=alert(1)></svg>",
    "<svg><script>alert(1)</script></svg>",
    "<svg><a href='javascript:alert(1)'><text>alert(1)</text></a></svg>",
    "<svg><foreignObject><img src=x onerror=alert(1)></foreignObject></svg>",
    "<svg><set attributeName=onload to=alert(1) /></svg>",
    "<svg><animate attributeName=href values='javascript:alert(1)'/></svg>",
    "<svg><use href='data:image/svg+xml,alert(1)'/></svg>",
    "<svg><image href='https://e.org/alert(1)'/></svg>",
    "<svg><style>@import 'alert(1)'</style><rect style='fill:url(https://e.org/alert(1))'/></svg>",
    "<svg><style><![CDATA[</style><script>alert(1)</script>]]></style></svg>",
    "<svg><title><svg onload=alert(1)></title></svg>",
    "<svg><p><img src=x onerror=alert(1)></p></svg>",
  ])("loses what runs or loads in %s", (drawing) => {
    expect(cleanedSvg(drawing)).not.toMatch(/alert|e\.org|onload|onerror|javascript/);
  });

  test("what holds none is none", () => {
    expect(cleanedSvg("")).toBeUndefined();
    expect(cleanedSvg("<html><script>alert(1)</script>")).toBeUndefined();
  });
});

describe("where a link leads", () => {
  test.each([
    ["[x](../.env)", "leads to .env, which is not a file of the project."],
    ["[x](../%2eenv)", "leads to .env, which is not a file of the project."],
    ["[x](.hidden/a.ts)", "leads to notebooks/.hidden/a.ts, which is not a file of the project."],
    ["[x](../../../../etc/passwd)", "which is not a file of the project."],
    ["[x](../id_rsa)", "leads to id_rsa, which is not a file of the project."],
    ["[x](../data/server.pem)", "leads to data/server.pem, which is of a kind that is not shown."],
    ["[x](../node_modules/x.js)", "which is not a file of the project."],
    [
      "[x](link.md)",
      "leads to notebooks/link.md, which leads by a symbolic link to what is not a file of the project.",
    ],
    ["[x](away/passwd.txt)", "which leads by a symbolic link to what is not a file of the project."],
    ["![x](picture.png)", "the picture picture.png leads by a symbolic link to what is not a file of the project."],
    ["![x](../../secret.png)", "lies elsewhere; expected a path beside this file."],
    ["[x](pipe.txt)", "cannot be shown (expected a file; it is something else)."],
  ])("%s is refused, and nothing is written", async (source, message) => {
    const root = hostile([text(`# T\n\n${source}`)], { id_rsa: secret, "data/server.pem": secret });
    symlinkSync("../.env", join(root, "notebooks", "link.md"));
    symlinkSync("../.env", join(root, "notebooks", "picture.png"));
    symlinkSync("/etc", join(root, "notebooks", "away"));
    if (source.includes("pipe"))
      (await import("node:child_process")).execFileSync("mkfifo", [join(root, "notebooks", "pipe.txt")]);
    expect(await refusal(root)).toContain(message);
  });

  test.each([
    [`<img alt="x" src="\\\\evil.example\\assets\\site.css">`, "//evil.example/assets/site.css lies elsewhere"],
    [`<img alt="x" src="/\\evil.example/x.png">`, "//evil.example/x.png lies elsewhere"],
    [`<img alt="x" src="../../.env">`, "../../.env lies elsewhere"],
    [`<a href="../.env">x</a>`, "leads to .env, which is not a file of the project."],
    [`<a href="..\\.env">x</a>`, "leads to .env, which is not a file of the project."],
    ["[x](../README.md/foo)", "leads to README.md/foo, which"],
    ["[x](circle.md)", "leads to notebooks/circle.md, which cannot be reached (ELOOP)."],
    [`[x](${"n".repeat(300)}.md)`, "cannot be reached (ENAMETOOLONG)."],
  ])("%s, in an output or a text, is refused, and nothing is written", async (source, message) => {
    const root = hostile(
      [source.startsWith("<") ? code("a", [shown({ "text/html": source })]) : text(`# T\n\n${source}`)],
      { "README.md": "# R" },
    );
    symlinkSync("circle.md", join(root, "notebooks", "circle.md"));
    expect(await refusal(root)).toContain(message);
  });

  test.each([
    `<a href="%E0%A4%A">x</a>`,
    `<a href="#%">x</a>`,
    `<img alt="x" src="%zz.png">`,
    `<a href="\\\\[">x</a>`,
    `<a href="//evil.example/x">x</a>`,
    `<img alt="x" src="ht\ntps://evil.example/x.png">`,
  ])("%s in an output is a fault of its page, and no end of the build", async (source) => {
    const built = await makeSite({ root: hostile([text("# T"), code("a", [shown({ "text/html": source })])]) });
    expect(built.faults.join("\n")).toMatch(source.includes("#%") ? /^$/ : /n\.(?:ipynb|html)/);
    expect(everything(built)).not.toContain("evil.example");
  });

  test("a notebook that is a link out of the project, or whose name is no part of an address, is refused", async () => {
    const root = hostile([text("# T")]);
    const elsewhere = project(fresh(), { "o.ipynb": notebook([text(secret)]) });
    symlinkSync(join(elsewhere, "o.ipynb"), join(root, "notebooks", "o.ipynb"));
    expect(await refusal(root)).toContain("notebooks/o.ipynb: it leads by a symbolic link");
    const named = hostile([text("# T")], { 'notebooks/"><img src=x onerror=alert(1)>.ipynb': notebook([text("# U")]) });
    expect(await refusal(named)).toContain("its name has other characters than");
  });

  test("a link inside the project is followed by what it really leads to", async () => {
    const root = hostile([text("# T\n\n[x](same.md)")], { "data/real.md": "# Real" });
    symlinkSync("../data/real.md", join(root, "notebooks", "same.md"));
    const built = await makeSite({ root });
    expect(built.faults).toEqual([]);
    expect(String(built.files.get("same.html"))).toContain("Real");
  });

  test("the site is written inside its folder, also where a link lies in it", async () => {
    const root = hostile([text("# T"), code("a", [plot("One", "x")], "fig-one")]);
    const [out, away] = [fresh(), fresh()];
    mkdirSync(away);
    await buildSite({ root, out });
    rmSync(join(out, "figures"), { recursive: true });
    symlinkSync(away, join(out, "figures"));
    await expect(buildSite({ root, out })).rejects.toThrow(/figures\/n\/fig-one\.png: lies outside/);
    expect(readdirSync(away)).toEqual([]);
    // Nor does the list of an earlier site name what is removed elsewhere.
    rmSync(join(out, "figures"));
    writeFileSync(join(away, "thesis"), "");
    symlinkSync(away, join(out, "old"));
    writeFileSync(join(out, ".iommu-lab-site"), `old/thesis\n../${away.split("/").at(-1)}/thesis\n`);
    await buildSite({ root, out });
    expect(existsSync(join(away, "thesis"))).toBe(true);
  });
});

describe("the server", () => {
  test("answers to this machine's names alone, shows nothing outside its folder, and lets no picture run anything", async () => {
    const root = project(fresh(), { "index.html": "<p>a", "x.svg": "<svg/>" });
    writeFileSync(join(folder, "outside.html"), secret);
    symlinkSync(join(folder, "outside.html"), join(root, "link.html"));
    const server = await serveSite(root);
    const { request } = await import("node:http");
    const ask = (path: string, host?: string): Promise<{ status: number; policy: string; body: string }> =>
      new Promise((resolve, reject) => {
        request(server.url, { path, ...(host ? { headers: { host } } : {}) }, (answer) => {
          let body = "";
          answer.on("data", (chunk) => (body += chunk));
          answer.on("end", () =>
            resolve({ status: answer.statusCode!, policy: String(answer.headers["content-security-policy"]), body }),
          );
        })
          .on("error", reject)
          .end();
      });
    try {
      expect((await ask("/")).body).toBe("<p>a");
      expect((await ask("/", "evil.example")).status).toBe(404);
      for (const path of ["/link.html", "/../outside.html", "/%2e%2e/outside.html", "//etc/passwd", "/%00", "/%"])
        expect((await ask(path)).body, path).not.toContain(secret);
      expect((await ask("/x.svg")).policy).toContain("sandbox");
    } finally {
      await server.close();
    }
  });
});
