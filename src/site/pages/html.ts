/** HTML as trees: reading, cleaning, searching, writing. */
import type { Element, ElementContent, Nodes, Root, RootContent } from "hast";
import { fromHtml } from "hast-util-from-html";
import { defaultSchema, type Schema, sanitize } from "hast-util-sanitize";
import { toHtml } from "hast-util-to-html";
import { SKIP, visit } from "unist-util-visit";

export type { Element, ElementContent, Root };

/** Text as it stands in HTML, in content and between double quotes. Only {@link markup} needs it. */
function escaped(text: string): string {
  return text.replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]!);
}

/** HTML that is finished: whatever was put into it is escaped. */
export class Markup {
  constructor(readonly html: string) {}
  toString(): string {
    return this.html;
  }
}

/** An address as a browser reads it: without tabs and line ends, and with slashes for backslashes. */
export const browsed = (address: string): string =>
  address
    .replace(/[\t\r\n]/g, "")
    .replaceAll("\\", "/")
    .trim();

/** What may stand in a `${}` of {@link markup}. */
export type Inserted = string | number | Markup | readonly Inserted[];

/**
 * A template of HTML. Every value in it is escaped, in content and in attributes (which are written in double quotes), unless it is markup
 * itself; the values of a list follow one another. It is the only way in which the pages put values into HTML.
 * @example markup`<a title="${title}">${text}</a>`
 */
export function markup(parts: TemplateStringsArray, ...values: readonly Inserted[]): Markup {
  let html = parts[0];
  for (const [i, value] of values.entries()) html += inserted(value) + parts[i + 1];
  return new Markup(html);
}

function inserted(value: Inserted): string {
  if (value instanceof Markup) return value.html;
  return Array.isArray(value) ? value.map(inserted).join("") : escaped(String(value));
}

/** Pieces one below the other. */
export function lines(pieces: readonly Markup[]): Markup {
  return new Markup(
    pieces
      .map(({ html }) => html)
      .filter((html) => html !== "")
      .join("\n"),
  );
}

/** No markup at all. */
export const none = new Markup("");

/** An id that may stand in the pages and in the addresses of their files: Jupyter's own pattern for the ids of cells. */
export const idPattern = /^[\w-]{1,64}$/;

/** An element. */
export function element(
  tagName: string,
  properties: Element["properties"],
  ...children: (ElementContent | string)[]
): Element {
  return {
    type: "element",
    tagName,
    properties,
    children: children.map((child) => (typeof child === "string" ? { type: "text", value: child } : child)),
  };
}

interface RawNode {
  type: "raw";
  value: string;
  text?: string;
}

/**
 * Finished HTML as a node: it is written as it is.
 * @param text what it says, for searching
 */
export function raw(html: Markup, text?: string): ElementContent {
  const node: RawNode = { type: "raw", value: html.html, ...(text === undefined ? {} : { text }) };
  return node as unknown as ElementContent;
}

/** A fragment of HTML as a tree. Broken HTML becomes the tree that a browser would make of it. */
export function fragment(html: string): Root {
  return fromHtml(tooDeep(html) ? html.replace(/[<>&]/g, " ") : html, { fragment: true });
}

/** Elements inside one another: as many as this end the stack of whoever walks through them. */
const deepest = 500;

/** Whether more tags are opened than could be closed again; void elements and forgotten end tags count, so this is rather too strict. */
function tooDeep(html: string): boolean {
  let depth = 0;
  for (const [, end, name] of html.matchAll(/<(\/?)([a-z][a-z0-9-]*)/gi)) {
    if (/^(?:br|hr|img|col|wbr|input|p|li|td|th|tr)$/i.test(name)) continue;
    depth = Math.max(0, depth + (end ? -1 : 1));
    if (depth > deepest) return true;
  }
  return false;
}

/** A whole page as a tree. */
export function parsedPage(html: string): Root {
  return fromHtml(html);
}

/** A tree as HTML. */
export function written(tree: Root | Element | ElementContent[]): Markup {
  const root: Nodes = Array.isArray(tree) ? { type: "root", children: tree as RootContent[] } : tree;
  return new Markup(toHtml(root, { allowDangerousHtml: true }));
}

/** The text in a tree. Finished HTML counts with the text it was made of. */
export function textIn(node: Nodes): string {
  let text = "";
  visit(node, (inner) => {
    if (inner.type === "text") text += inner.value;
    else if ((inner.type as string) === "raw") text += (inner as unknown as RawNode).text ?? "";
    else if (inner.type === "element" && /^(?:br|p|li|tr|h[1-6])$/.test(inner.tagName)) text += " ";
    return undefined;
  });
  return text;
}

/** Calls a function for each element, outer ones first; one that returns "skip" keeps the walk out of that element. */
export function eachElement(
  tree: Nodes,
  call: (node: Element, index: number | undefined, parent: Root | Element | undefined) => "skip" | undefined,
): void {
  visit(tree, "element", (node, index, parent) =>
    call(node, index, parent as Root | Element | undefined) === "skip" ? SKIP : undefined,
  );
}

/**
 * What a text cell or an HTML output may hold: text, lists, tables, pictures, details; no scripts, forms, frames, nor handlers. Ids are
 * kept as they are written: the pages are the project's own.
 */
const schema: Schema = {
  ...defaultSchema,
  clobber: [],
  clobberPrefix: "",
  strip: ["script", "style", "template", "noscript", "iframe", "object", "embed", "textarea", "select"],
  tagNames: [
    // A picture with several sources would load them past the check of its address.
    ...defaultSchema.tagNames!.filter((name) => !["input", "picture", "source"].includes(name)),
    "abbr",
    "caption",
    "col",
    "colgroup",
  ].concat(["figcaption", "figure", "mark", "small", "u"]),
  attributes: {
    ...defaultSchema.attributes,
    a: ["href", "title"],
    code: [["className", /^language-/]],
    img: ["src", "alt", "title", "width", "height"],
    span: ["dataSlot"],
    div: ["dataSlot", "align"],
    "*": ["align", "colSpan", "id", "lang", "open", "rowSpan", "scope", "start", "title", "dir", "style"],
  },
  protocols: { href: ["http", "https", "mailto"], src: ["attachment", "data"], cite: ["http", "https"] },
};

/** Ids of what the pages' script adds to them. */
const scriptsIds = /^(?:bubble|search-field|search-results|hit-\d+)$/;

const styles = /^(?:text-align|vertical-align|white-space|font-weight|font-style|width|max-width)$/;

/** Keeps of a style what lays out text and tables; nothing that could load or cover anything. */
function safeStyle(style: string): string {
  return style
    .split(";")
    .map((rule) => rule.split(":").map((part) => part.trim()))
    .filter(([name, value]) => value !== undefined && styles.test(name) && /^[-\w.%#\s]+$/.test(value))
    .map(([name, value]) => `${name}:${value}`)
    .join(";");
}

/** A fragment as a tree without anything that could run or load. */
export function cleaned(html: string): Root {
  const tree = sanitize(fragment(html), schema) as Root;
  eachElement(tree, (node) => {
    const { id } = node.properties;
    if (id !== undefined && (!idPattern.test(String(id)) || scriptsIds.test(String(id)))) delete node.properties["id"];
    const style = node.properties["style"];
    if (style === undefined) return undefined;
    const safe = safeStyle(String(style));
    if (safe === "") delete node.properties["style"];
    else node.properties["style"] = safe;
    return undefined;
  });
  return tree;
}
