/** The search over all pages: an index that the page loads as a script when somebody searches. */
import MiniSearch from "minisearch";
import type { DrawnPage } from "./model.js";

/** How texts are indexed and found; the page's script uses the same. */
const options = { fields: ["title", "text", "page"], storeFields: ["title", "page", "url", "text"] };

/** The index of all sections as a script. */
export function searchScript(pages: readonly DrawnPage[]): string {
  const index = new MiniSearch(options);
  let id = 0;
  for (const { page, sections } of pages) {
    for (const { title, anchor, text } of sections) {
      if (text === "" && title === page.title) continue;
      const url = anchor === "" || title === page.title ? page.url : `${page.url}#${anchor}`;
      index.add({ id: id++, title, page: page.title, url, text: text.slice(0, 4000) });
    }
  }
  return `iommuLab.search(${JSON.stringify(options)}, ${JSON.stringify(JSON.stringify(index))});\n`;
}
