/** The works that the notebooks cite, from a BibTeX file. */
import { Cite } from "@citation-js/core";
import "@citation-js/plugin-bibtex";
import "@citation-js/plugin-csl";
import { cleaned, eachElement, element, type Markup, none, type Root, textIn, written } from "./html.js";

/** Works by key. */
export interface Bibliography {
  keys: string[];
  /** A work as it stands in a list of references, as HTML. */
  html(key: string): Markup;
  /** The same as text. */
  text(key: string): string;
}

const keyForm = /^[a-z0-9][a-z0-9-]*$/;

/**
 * Reads a BibTeX file. References are set in the style of the American Psychological Association, in the order of their authors.
 * @param text the file's content
 * @param fault told of what is wrong with it, one sentence each
 */
export function readBibliography(text: string, fault: (message: string) => void): Bibliography {
  const entries = [...text.matchAll(/^\s*@(\w+)\s*\{\s*([^,\s]+)\s*,/gm)].filter(
    ([, type]) => !/^(?:comment|string|preamble)$/i.test(type),
  );
  const written = entries.map(([, , key]) => key);
  for (const [i, key] of written.entries()) {
    if (!keyForm.test(key)) fault(`the key "${key}" has other characters than lower-case letters, digits and hyphens.`);
    if (written.indexOf(key) < i) fault(`the key "${key}" is used twice.`);
  }
  const formatted = new Map<string, Markup>();
  try {
    if (written.length > 0) {
      const list = new Cite(text).format("bibliography", { format: "html", template: "apa", asEntryArray: true });
      for (const [key, html] of list as [string, string][]) if (keyForm.test(key)) formatted.set(key, linked(html));
    }
  } catch (error) {
    fault(`it cannot be read as BibTeX (${(error as Error).message.split("\n")[0]}).`);
  }
  return {
    keys: [...formatted.keys()],
    html: (key) => formatted.get(key) ?? none,
    text: (key) => textIn(cleaned(formatted.get(key)?.html ?? "")).trim(),
  };
}

/** The content of an entry, its addresses made links. */
function linked(html: string): Markup {
  const tree = cleaned(html);
  const entry = tree.children.find((child) => child.type === "element");
  const content: Root = { type: "root", children: entry?.type === "element" ? entry.children : tree.children };
  content.children = content.children.flatMap((child): Root["children"] => {
    if (child.type !== "text") return [child];
    return child.value
      .split(/(https?:\/\/[^\s<>"]*[^\s<>".,;)])/)
      .map((part, i) => (i % 2 === 1 ? element("a", { href: part }, part) : { type: "text" as const, value: part }));
  });
  eachElement(content, (node) => {
    delete node.properties["className"];
    return undefined;
  });
  return written(content);
}
