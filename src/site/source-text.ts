/** Where the sources of a notebook's cells stand in the text of its file, so that one can be exchanged and the rest stays byte for byte. */

/** A stretch of a text: from `from` up to `to`. */
export interface Stretch {
  from: number;
  to: number;
}

const blank = /[\s]*/y;
const plain = /[^\s,\]}]+/y;

/**
 * The stretches of the cells' sources, in order; undefined where a cell has none.
 * @param text valid JSON
 */
export function sourcesIn(text: string): (Stretch | undefined)[] {
  const found: (Stretch | undefined)[] = [];
  const cells = membersOf(text, skipBlank(text, 0)).get("cells");
  if (!cells) return [];
  for (const cell of itemsOf(text, cells.from)) found.push(membersOf(text, cell.from).get("source"));
  return found;
}

/**
 * A source's JSON with other lines, in the form of the one that it stands for: its indentation, one text or a list, and the spelling of the
 * lines that stay.
 */
export function rewritten(json: string, lines: readonly string[]): string {
  if (!json.startsWith("[")) return JSON.stringify(lines.join(""));
  const items = itemsOf(json, 0).map(({ from, to }) => json.slice(from, to));
  if (items.length === 0) return JSON.stringify(lines);
  const spelled = new Map(items.map((item) => [JSON.parse(item) as string, item]));
  const before = json.slice(1, skipBlank(json, 1));
  const after = /\s*(?=\]$)/.exec(json)?.[0] ?? "";
  return `[${before}${lines.map((line) => spelled.get(line) ?? JSON.stringify(line)).join(`,${before === "" ? " " : before}`)}${after}]`;
}

function skipBlank(text: string, at: number): number {
  blank.lastIndex = at;
  blank.test(text);
  return blank.lastIndex;
}

/** The members of the object that begins at a place, by name; of two of one name the last, as JSON.parse takes it. None where it is no object. */
function membersOf(text: string, from: number): Map<string, Stretch> {
  const members = new Map<string, Stretch>();
  if (text[from] !== "{") return members;
  for (let at = skipBlank(text, from + 1); text[at] !== "}"; ) {
    const nameEnd = endOf(text, at);
    const name = JSON.parse(text.slice(at, nameEnd)) as string;
    const value = skipBlank(text, skipBlank(text, nameEnd) + 1);
    const to = endOf(text, value);
    members.set(name, { from: value, to });
    at = skipBlank(text, to);
    if (text[at] === ",") at = skipBlank(text, at + 1);
  }
  return members;
}

/** The items of the list that begins at a place; none where it is no list. */
function itemsOf(text: string, from: number): Stretch[] {
  const items: Stretch[] = [];
  if (text[from] !== "[") return items;
  for (let at = skipBlank(text, from + 1); text[at] !== "]"; ) {
    const to = endOf(text, at);
    items.push({ from: at, to });
    at = skipBlank(text, to);
    if (text[at] === ",") at = skipBlank(text, at + 1);
  }
  return items;
}

/** The end of the value that begins at a place. */
function endOf(text: string, from: number): number {
  if (text[from] === '"') return endOfString(text, from);
  if (text[from] !== "{" && text[from] !== "[") {
    plain.lastIndex = from;
    plain.test(text);
    return plain.lastIndex;
  }
  let depth = 0;
  for (let at = from; at < text.length; ) {
    const c = text[at];
    if (c === '"') {
      at = endOfString(text, at);
      continue;
    }
    at++;
    if (c === "{" || c === "[") depth++;
    else if ((c === "}" || c === "]") && --depth === 0) return at;
  }
  return text.length;
}

function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at >= 0; at = text.indexOf('"', at + 1)) {
    let slashes = 0;
    while (text[at - 1 - slashes] === "\\") slashes++;
    if (slashes % 2 === 0) return at + 1;
  }
  return text.length;
}
