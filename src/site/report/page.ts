/** The report on a recording as one page that stands by itself: the site's style, figures as SVG, no script, nothing loaded from anywhere. */
import { type RecordingReport, reportFigures, reportSections, type SectionTable } from "../../experiments/index.js";
import { figureSvg } from "../../plot/index.js";
import { assets } from "../pages/assets.js";
import { pageHead } from "../pages/head.js";
import { lines, Markup, markup, none } from "../pages/html.js";

/** No script runs and nothing is loaded: styles stand in the page, and nothing else is needed. */
const reportPolicy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** What the page has beyond the site's style. */
const own = `
.frame { display: block; max-width: 62rem; margin: 0 auto; padding: 0 1.2rem 3rem; }
.report figure { margin: 1.6rem 0; break-inside: avoid; }
.report figure svg { width: 100%; height: auto; max-width: 46rem; }
.report figcaption { color: var(--soft); font-size: 0.9rem; max-width: 46rem; }
.report table { border-collapse: collapse; font-size: 0.86rem; font-variant-numeric: tabular-nums; }
.report th, .report td { padding: 0.3rem 0.45rem; border-bottom: 1px solid var(--rule); text-align: right; vertical-align: top; }
.report th:first-child, .report td:first-child, .report .words td, .report .words th { text-align: left; }
.report td { white-space: nowrap; }
.report td:nth-child(2) { white-space: normal; }
.report td:last-child, .report .words td { white-space: normal; min-width: 6rem; }
.report caption { text-align: left; font-weight: 600; padding: 0.4rem 0; caption-side: top; }
.report .scroll { overflow-x: auto; margin: 0 0 1.3rem; }
@media print {
  :root { color-scheme: light; }
  .report .scroll { overflow: visible; }
  .report table { font-size: 7pt; }
  .report td, .report td:last-child { white-space: normal; min-width: 0; }
  .report th, .report td { padding: 1.5pt 3pt; }
  .report h2 { break-after: avoid; }
  .report tr { break-inside: avoid; }
}
`;

/** The whole page, as HTML. Whatever comes from the recording is escaped. */
export function reportPage(report: RecordingReport, version: string): string {
  const title = `${report.info.name}: what it does to allocators, locks and IOTLB`;
  const style = String(assets().get("assets/site.css")).replace(/@font-face\s*\{[^}]*\}/g, "");
  let number = 0;
  const figures = (names: readonly string[]) =>
    names.flatMap((name) => {
      const figure = reportFigures[name]?.(report);
      if (figure === undefined) return [];
      number++;
      const heading = String((figure.layout["title"] as { text?: string } | undefined)?.text ?? "").replaceAll(
        "<br>",
        " ",
      );
      return [
        markup`<figure id="figure-${number}"><p><b>${heading}</b></p>${new Markup(figureSvg(figure))}<figcaption><b>Figure ${number}.</b> ${figure.caption}</figcaption></figure>`,
      ];
    });
  const sections = reportSections(report).map(
    ({ id, title: heading, paragraphs, tables, figures: names }) =>
      markup`<section id="${id}"><h2>${heading}</h2>${paragraphs.map((text) => markup`<p>${text}</p>`)}${tables.map(table)}${figures(names)}</section>`,
  );
  return markup`<!doctype html>
<html lang="en">
${pageHead({
  title,
  policy: reportPolicy,
  version,
  own: markup`<style>${new Markup(style)}${new Markup(own)}</style>`,
})}
<body>
<div class="frame"><main id="main"><article class="report">
<h1>${title}</h1>
${lines(sections)}
</article></main></div>
<footer><p>Made by iommu-lab ${version} (trace report). Nothing on this page is loaded from elsewhere.</p></footer>
</body>
</html>
`.html;
}

function table({ caption, header, rows }: SectionTable): Markup {
  const words = header.length === 2;
  const head = words
    ? none
    : markup`<thead><tr>${header.map((cell) => markup`<th scope="col">${cell}</th>`)}</tr></thead>`;
  const body = rows.map(
    (row) =>
      markup`<tr>${row.map((cell, i) => (i === 0 ? markup`<th scope="row">${cell}</th>` : markup`<td>${cell}</td>`))}</tr>`,
  );
  return markup`<div class="scroll"><table${words ? markup` class="words"` : none}><caption>${caption}</caption>${head}<tbody>${body}</tbody></table></div>`;
}
