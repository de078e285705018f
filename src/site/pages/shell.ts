/** The frame around every page: head, navigation, contents, what stands below. */
import { pageHead } from "./head.js";
import { lines, type Markup, markup, none } from "./html.js";
import { type DrawnPage, type Page, relativeUrl } from "./model.js";
import { pdfOf, wholePdf } from "./pdf.js";
import { pagePolicy } from "./policy.js";

/** What every page is told about the whole. */
export interface Shell {
  /** All pages in the order of the navigation. */
  pages: Page[];
  /** Pages that lie in the site but are not made here, such as the API reference. */
  further: { title: string; url: string }[];
  /** The project's version and what else identifies it. */
  version: string;
  /** How to cite, as HTML; empty where the project does not say. */
  citation: Markup;
  /** True where a PDF of each page is made. */
  pdf: boolean;
}

const parts: { part: Page["part"]; title: string }[] = [
  { part: "notebooks", title: "Notebooks" },
  { part: "exercises", title: "Exercises" },
  { part: "solutions", title: "Solutions" },
];

/** Where the notebook of a page can be downloaded. */
export function downloadUrl(page: Page): string {
  return `download/${page.file.replace(/^notebooks\//, "")}`;
}

/** A whole page. */
export function drawShell(drawn: DrawnPage, shell: Shell): Markup {
  const { page } = drawn;
  const url = (target: string) => relativeUrl(page.url, target);
  const title = page.kind === "home" ? page.title : `${page.title} · iommu-lab`;
  const formulas = /class="katex/.test(drawn.main.html);
  return markup`<!doctype html>
<html lang="en" data-base="${url("index.html").replace(/index\.html$/, "")}">
${pageHead({
  title,
  policy: pagePolicy,
  version: shell.version,
  description: drawn.description,
  own: markup`<link rel="icon" href="${url("assets/icon.svg")}" type="image/svg+xml">
<link rel="stylesheet" href="${url("assets/site.css")}">
${formulas ? markup`<link rel="stylesheet" href="${url("assets/katex/katex.css")}">\n` : none}<script src="${url("assets/early.js")}"></script>
<script src="${url("assets/site.js")}" defer></script>`,
})}
<body class="page-${page.kind}">
<a class="skip" href="#main">Skip to the content</a>
<header class="bar">
<a class="brand" href="${url("index.html")}"><img src="${url("assets/icon.svg")}" alt="" width="26" height="26">iommu-lab</a>
<div class="tools">
<button type="button" id="open-search" hidden>Search <kbd>/</kbd></button>
<button type="button" id="toggle-code" aria-pressed="true" hidden>Code</button>
<button type="button" id="toggle-theme" hidden aria-label="Dark page" aria-pressed="false"><svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true"><circle cx="12" cy="12" r="8.5" fill="none" stroke="currentColor" stroke-width="2"/><path d="M12 3.5a8.5 8.5 0 0 1 0 17z" fill="currentColor"/></svg></button>
</div>
</header>
<div class="frame">
<nav class="pages" aria-label="Pages"><details><summary>All pages</summary>
${navigation(page, shell)}
</details></nav>
${contents(drawn)}<main id="main" tabindex="-1">
<article>
${drawn.main}
</article>
${about(page, shell)}${neighbours(page, shell)}</main>
</div>
<footer>
<p>iommu-lab ${shell.version} · <a href="${url("index.html")}">Start</a>. Nothing on this page is loaded from elsewhere.</p>
</footer>
</body>
</html>
`;
}

function navigation(current: Page, shell: Shell): Markup {
  const item = (title: string, target: string) => {
    const here = target === current.url ? markup` aria-current="page"` : none;
    return markup`<li><a href="${relativeUrl(current.url, target)}"${here}>${title}</a></li>`;
  };
  const group = (title: string, items: Markup[]) =>
    items.length === 0 ? none : markup`<p class="group">${title}</p><ul>${items}</ul>`;
  // Solutions show themselves to those who have come to one.
  const shown = parts.filter(({ part }) => part !== "solutions" || current.part === "solutions");
  const groups = shown.map(({ part, title }) =>
    group(
      title,
      shell.pages.filter((page) => page.part === part).map((page) => item(numbered(page), page.url)),
    ),
  );
  const reference = shell.pages.filter(({ part, kind }) => part === "reference" && kind !== "home");
  return lines([
    ...groups,
    group("Reference", [
      ...reference.map((page) => item(page.title, page.url)),
      ...shell.further.map(({ title, url }) => item(title, url)),
    ]),
  ]);
}

/** A notebook's title after its number: "2 · Lock contention". */
function numbered(page: Page): string {
  const number = /(?:^|\/)(\d+)-[^/]*$/.exec(page.url)?.[1];
  const title = page.part === "notebooks" ? page.title : page.title.replace(/^(?:Exercise|Solution)s?:\s*/, "");
  return number === undefined ? title : `${Number(number)} · ${title}`;
}

function contents({ contents: headings }: DrawnPage): Markup {
  if (headings.length < 2) return none;
  const items = headings.map(
    ({ level, text, anchor }) => markup`<li class="level-${level}"><a href="#${anchor}">${text}</a></li>`,
  );
  return markup`<nav class="contents" aria-label="On this page"><details open><summary>On this page</summary>
<ol>${items}</ol>
</details></nav>
`;
}

function neighbours(page: Page, shell: Shell): Markup {
  const row = shell.pages.filter((other) => other.part === page.part && other.kind === "notebook");
  const at = row.indexOf(page);
  if (at < 0) return none;
  const link = (other: Page | undefined, label: string, kind: string) =>
    other
      ? markup`<a class="${kind}" rel="${kind}" href="${relativeUrl(page.url, other.url)}"><span>${label}</span>${numbered(other)}</a>`
      : none;
  return markup`<nav class="neighbours" aria-label="Previous and next page">${link(row[at - 1], "Previous", "prev")}${link(row[at + 1], "Next", "next")}</nav>
`;
}

function about(page: Page, shell: Shell): Markup {
  if (page.kind !== "notebook" && page.kind !== "home") return none;
  const url = (target: string) => relativeUrl(page.url, target);
  if (page.kind === "home" && shell.citation.html === "" && !shell.pdf) return none;
  const links = [
    ...(page.kind === "notebook"
      ? [markup`<a href="${url(downloadUrl(page))}" download>This notebook (.ipynb)</a>`]
      : []),
    ...(shell.pdf
      ? [
          markup`<a href="${url(pdfOf(page.url)!)}">This page as PDF</a>`,
          markup`<a href="${url(wholePdf)}">All pages as PDF</a>`,
        ]
      : []),
  ];
  const counterpart = shell.pages.find(
    (other) =>
      (page.part === "exercises" && other.url === page.url.replace("exercises/", "solutions/")) ||
      (page.part === "solutions" && other.url === page.url.replace("solutions/", "exercises/")),
  );
  if (counterpart) {
    const label = counterpart.part === "solutions" ? "The solution" : "The exercise";
    links.unshift(markup`<a href="${url(counterpart.url)}">${label}</a>`);
  }
  const row = links.flatMap((link, i) => (i === 0 ? [link] : [markup` `, link]));
  const linked = row.length === 0 ? none : markup`<p class="links">${row}</p>\n`;
  const cited = shell.citation.html === "" ? none : markup`<p><b>How to cite.</b> ${shell.citation}</p>\n`;
  return markup`<section class="about" aria-labelledby="about-this-page">
<h2 id="about-this-page">${page.kind === "home" ? "To keep and to cite" : "This page"}</h2>
${linked}${cited}${page.part === "exercises" ? none : made(shell)}</section>
`;
}

function made({ version }: Shell): Markup {
  return markup`<p class="made">Executed by iommu-lab ${version}. Every number comes from the code in the notebooks' cells, with the seeds that stand there; <code>npm run reproduce</code> computes them anew.</p>
`;
}
