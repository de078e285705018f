/** The works that the notebooks cite, from a BibTeX file, set in the style of the American Psychological Association (7th edition). */
import { type BibEntry, type BibName, namesIn, plainLatex, readBibtex } from "./bibtex.js";
import { fragment, type Inserted, type Markup, markup, none, textIn } from "./html.js";

/** Works by key. */
export interface Bibliography {
  /** In the order of a list of references: by authors, then by date, then by title. */
  keys: string[];
  /** A work as it stands in a list of references, as HTML. */
  html(key: string): Markup;
  /** The same as text. */
  text(key: string): string;
}

const keyForm = /^[a-z0-9][a-z0-9-]{0,63}$/;

/**
 * Reads a BibTeX file.
 * @param text the file's content
 * @param fault told of what is wrong with it, one sentence each; a key of another form than expected is left out
 */
export function readBibliography(text: string, fault: (message: string) => void): Bibliography {
  const works = new Map<string, Work>();
  for (const entry of readBibtex(text, fault)) {
    if (!keyForm.test(entry.key))
      fault(`the key "${entry.key}" has other characters than lower-case letters, digits and hyphens.`);
    else if (works.has(entry.key)) fault(`the key "${entry.key}" is used twice.`);
    else works.set(entry.key, workOf(entry));
  }
  const sorted = [...works].sort(([, a], [, b]) => compareWorks(a, b));
  const letters = sameYearLetters(sorted.map(([, work]) => work));
  const formatted = new Map(sorted.map(([key, work]) => [key, reference(work, letters.get(work) ?? "")]));
  return {
    keys: [...formatted.keys()],
    html: (key) => formatted.get(key) ?? none,
    text: (key) => textIn(fragment(formatted.get(key)?.html ?? "")).trim(),
  };
}

/** A work as its reference is made of. */
interface Work {
  entry: BibEntry;
  authors: string;
  year: string;
  /** What it is sorted by: authors, year, month, title. */
  order: [authors: string, year: string, month: number, title: string];
}

function workOf(entry: BibEntry): Work {
  const names = namesIn(entry.fields.get("author") ?? entry.fields.get("editor") ?? "");
  const year = plainLatex(entry.fields.get("year") ?? "").slice(0, 20);
  const title = plainLatex(entry.fields.get("title") ?? "");
  const sortable = names.names.map(({ family, given }) => `${family} ${initials(given)}`).join("  ");
  return {
    entry,
    authors: authorList(names),
    year,
    order: [plain(sortable || title), year, Number(entry.fields.get("month")) || 0, plain(title)],
  };
}

/** Letters, digits and single spaces: how titles and names are put in order. */
function plain(text: string): string {
  return text
    .normalize("NFD")
    .toLowerCase()
    .replace(/[^\p{L}\p{N} ]/gu, "")
    .trim();
}

function compareWorks(a: Work, b: Work): number {
  for (const [i, left] of a.order.entries()) {
    const right = b.order[i];
    if (left !== right) return left < right ? -1 : 1;
  }
  return 0;
}

/** Works of the same authors and year get letters: 2015a, 2015b. */
function sameYearLetters(sorted: readonly Work[]): Map<Work, string> {
  const groups = new Map<string, Work[]>();
  for (const work of sorted) {
    const group = `${work.authors}\n${work.year}`;
    if (work.authors !== "") groups.set(group, [...(groups.get(group) ?? []), work]);
  }
  const letters = new Map<Work, string>();
  for (const group of groups.values())
    if (group.length > 1) for (const [i, work] of group.entries()) letters.set(work, letterOf(i));
  return letters;
}

/** a … z, aa, ab … */
function letterOf(i: number): string {
  const letter = String.fromCharCode(97 + (i % 26));
  return i < 26 ? letter : letterOf(Math.floor(i / 26) - 1) + letter;
}

/** Initials of given names: "M. Frans" gives "M. F.", "Jean-Paul" gives "J.-P.". */
function initials(given: string): string {
  const one = (name: string): string =>
    name
      .split("-")
      .flatMap((part) => (part === "" ? [] : [`${[...part][0]}.`]))
      .join("-");
  return given
    .split(/\s+/)
    .filter((name) => name !== "")
    .map(one)
    .join(" ");
}

/** "Doe, J., & Roe, R."; of more than twenty the first nineteen and the last. */
function authorList({ names, others }: { names: BibName[]; others: boolean }): string {
  const written = names.map(({ family, given }) => (given === "" ? family : `${family}, ${initials(given)}`));
  if (others) return `${written.join(", ")}, et al.`;
  if (written.length > 20) return `${written.slice(0, 19).join(", ")}, … ${written.at(-1)}`;
  return written.length < 2 ? (written[0] ?? "") : `${written.slice(0, -1).join(", ")}, & ${written.at(-1)}`;
}

/** Kinds of entries that are part of something, which then stands in italics. */
const containers: ReadonlyMap<string, string> = new Map([
  ["article", "journal"],
  ["inproceedings", "booktitle"],
  ["conference", "booktitle"],
  ["incollection", "booktitle"],
  ["inbook", "booktitle"],
]);

function reference({ entry: { type, fields }, authors, year }: Work, letter: string): Markup {
  const field = (name: string): string => plainLatex(fields.get(name) ?? "");
  const title = field("title");
  const date = year === "" ? "n.d." : `${year}${letter}`;
  const container = field(containers.get(type) ?? "");
  const titled: Markup = container === "" ? markup`<i>${title}</i>` : markup`${linked(title)}`;
  const head = authors === "" ? markup`${titled} (${date}).` : markup`${ended(authors)} (${date}). ${titled}.`;
  const place = container === "" ? publisher(field) : within(container, field);
  const address = webAddress(fields);
  return markup`${head}${place.html === "" ? "" : " "}${place}${address === undefined ? "" : markup` <a href="${address}">${address}</a>`}`;
}

/** "Journal, 9(3), 1–20." */
function within(container: string, field: (name: string) => string): Markup {
  const [volume, number, pages] = ["volume", "number", "pages"].map(field);
  const issue = number === "" ? "" : `(${number})`;
  const parts: Inserted = [
    volume === "" ? "" : markup`, <i>${volume}</i>${issue}`,
    pages === "" ? "" : `, ${pages.replace(/-+/g, "–")}`,
  ];
  return markup`<i>${container}</i>${parts}.`;
}

function publisher(field: (name: string) => string): Markup {
  const names = ["howpublished", "publisher", "organization", "institution", "school"].map(field);
  const name = names.find((found) => found !== "") ?? "";
  return name === "" ? none : markup`${linked(ended(name))}`;
}

const ended = (text: string): string => (text.endsWith(".") ? text : `${text}.`);

/** Web addresses in a text as links. */
function linked(text: string): Inserted {
  const parts = text.split(/(https?:\/\/[^\s<>"]*[^\s<>".,;)])/);
  return parts.map((part, i) => (i % 2 === 1 ? markup`<a href="${part}">${part}</a>` : part));
}

/** Where the work can be read: its DOI, else its address. */
function webAddress(fields: ReadonlyMap<string, string>): string | undefined {
  const doi = (fields.get("doi") ?? "").trim().replace(/^(?:https?:\/\/(?:dx\.)?doi\.org\/|doi:)/i, "");
  if (/^10\.\S+$/.test(doi)) return `https://doi.org/${doi}`;
  const url = (fields.get("url") ?? "").trim().replaceAll("\\", "");
  return /^https?:\/\/\S+$/.test(url) ? url : undefined;
}
