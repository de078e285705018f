/** The head of every page that is written: the site's, a report's, and the one that is printed. */
import { type Markup, markup, none } from "./html.js";

/** What pages differ in. */
export interface PageHead {
  title: string;
  /** What the page may load and run. */
  policy: string;
  version: string;
  description?: string;
  /** Styles and scripts. */
  own: Markup;
}

/** A page's beginning, up to its body: what browsers must know before they read on, and nothing that tells others who reads it. */
export function pageHead({ title, policy, version, description, own }: PageHead): Markup {
  return markup`<head>
<meta charset="utf-8">
<meta http-equiv="content-security-policy" content="${policy}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
${description === undefined ? none : markup`<meta name="description" content="${description}">\n`}<meta name="generator" content="iommu-lab ${version}">
<title>${title}</title>
${own}
</head>`;
}
