/** Tables on pages of every width. */
import { type Element, eachElement, element, type Root, textIn } from "./html.js";

/** A table whose cells hold so many characters on average is read like text, not looked up like numbers. */
const wordy = 28;

/** A cell with so many characters gets room to be read. */
const long = 40;

const inside = (node: Element, tagName: RegExp): Element[] => {
  const found: Element[] = [];
  eachElement(node, (inner) => {
    if (inner !== node && tagName.test(inner.tagName)) found.push(inner);
    return undefined;
  });
  return found;
};

/**
 * Puts tables into boxes of their own that scroll when the page is narrower. A table of sentences or pictures is laid out row by row on a phone, each
 * cell after its column's name.
 * @param name what the box is called for those who cannot see it
 */
export function wrapTables(tree: Root, name: string): void {
  eachElement(tree, (node, index, parent) => {
    if (node.tagName !== "table" || parent === undefined || index === undefined) return undefined;
    nameColumns(node);
    parent.children[index] = element(
      "div",
      { className: ["table"], tabIndex: 0, role: "group", ariaLabel: name },
      node,
    );
    return "skip";
  });
}

function nameColumns(table: Element): void {
  const cells = inside(table, /^td$/);
  const letters = cells.reduce((sum, cell) => sum + textIn(cell).length, 0);
  for (const cell of cells) if (textIn(cell).length > long) cell.properties["className"] = ["long"];
  const pictures = inside(table, /^img$/).length > 0;
  if (cells.length === 0 || (letters / cells.length < wordy && !pictures)) return;
  const names = inside(table, /^th$/).map((head) => textIn(head).trim());
  table.properties["className"] = ["wordy"];
  // Laid out as blocks, browsers forget that these are tables; the roles say it again.
  table.properties["role"] = "table";
  for (const part of inside(table, /^(?:thead|tbody)$/)) part.properties["role"] = "rowgroup";
  for (const head of inside(table, /^th$/)) head.properties["role"] = "columnheader";
  for (const row of inside(table, /^tr$/)) {
    row.properties["role"] = "row";
    for (const [i, cell] of inside(row, /^td$/).entries()) {
      cell.properties["role"] = "cell";
      if (names[i]) cell.properties["dataLabel"] = names[i];
      if (textIn(cell).trim() === "" && inside(cell, /^img$/).length === 0) cell.properties["className"] = ["empty"];
    }
  }
}
