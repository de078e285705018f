/** The first page: the README, its table of notebooks as cards. */
import { type Element, eachElement, element, type Root, textIn } from "./html.js";

const cellsOf = (row: Element): Element[] =>
  row.children.filter((child): child is Element => child.type === "element" && /^t[dh]$/.test(child.tagName));

function linkIn(node: Element): string | undefined {
  let href: string | undefined;
  eachElement(node, (inner) => {
    if (inner.tagName === "a") href ??= String(inner.properties["href"]);
    return undefined;
  });
  return href;
}

/** A table that leads to a page in each row (number, title, words) becomes a list of cards; any other stays a table. */
export function withCards(tree: Root): Root {
  eachElement(tree, (node, index, parent) => {
    if (node.tagName !== "table" || parent === undefined || index === undefined) return undefined;
    const rows: Element[] = [];
    eachElement(node, (inner) => {
      if (inner.tagName === "tr" && cellsOf(inner).every((cell) => cell.tagName === "td")) rows.push(inner);
      return undefined;
    });
    const cards = rows.map((row) => card(cellsOf(row)));
    if (cards.length === 0 || cards.some((made) => made === undefined)) return "skip";
    parent.children[index] = element("ol", { className: ["cards"], role: "list" }, ...(cards as Element[]));
    return "skip";
  });
  return tree;
}

function card(cells: Element[]): Element | undefined {
  const href = cells.map(linkIn).find((found) => found !== undefined);
  if (href === undefined || !/^[\w-]+\.html$/.test(href) || cells.length !== 3) return undefined;
  const [number, title, words] = cells.map((cell) => textIn(cell).trim());
  return element(
    "li",
    {},
    element(
      "a",
      { href },
      element("span", { className: ["number"] }, number),
      element("b", {}, title),
      element("span", { className: ["words"] }, words),
    ),
  );
}
