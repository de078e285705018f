/** What the parts of the site tell each other. */
import type { Notebook } from "../notebook.js";
import type { Markup } from "./html.js";

/** What a page is made of. */
export type PageKind = "home" | "notebook" | "text" | "glossary" | "references" | "source";

/** A page of the site before it is drawn. */
export interface Page {
  kind: PageKind;
  /** The file that it is made of, as a path inside the project with slashes. */
  file: string;
  /** Its address inside the site. */
  url: string;
  title: string;
  /** What the page is part of, in the navigation. */
  part: "notebooks" | "exercises" | "solutions" | "reference" | "files";
  notebook?: Notebook;
  /** The text of a page that is made of a text. */
  text?: string;
  figures: FigureNumber[];
  /** The numbers of its equations, as their `\tag` says. */
  equations: string[];
}

/** A figure of a page, numbered in order of appearance. */
export interface FigureNumber {
  number: number;
  /** Its cell's id, and which of the cell's outputs it is. */
  cell: string;
  output: number;
  /** Its anchor on the page. */
  anchor: string;
}

/** Something on a page that does not hold: one sentence. */
export interface Fault {
  page: string;
  message: string;
  /** True where the site would give something away that is not its own: then nothing of it is written. */
  refused?: boolean;
}

/** A page that is drawn, and what belongs to it. */
export interface DrawnPage {
  page: Page;
  /** The main part as HTML. */
  main: Markup;
  contents: Heading[];
  /** First sentences, for search machines and previews. */
  description: string;
  /** Text by section, for the search. */
  sections: Section[];
}

/** A heading in a page's table of contents. */
export interface Heading {
  level: number;
  text: string;
  anchor: string;
}

/** A stretch of text under a heading. */
export interface Section {
  title: string;
  anchor: string;
  text: string;
}

/** Files of the site by their address: text or bytes. */
export type Files = Map<string, string | Uint8Array>;

/** Where to go from a page to an address inside the site. */
export function relativeUrl(from: string, to: string): string {
  const [path, ...rest] = to.split("#");
  const hash = rest.length > 0 ? `#${rest.join("#")}` : "";
  if (path === from || path === "") return hash === "" ? path.split("/").at(-1)! : hash;
  const here = from.split("/").slice(0, -1);
  const there = path.split("/");
  let shared = 0;
  while (shared < here.length && here[shared] === there[shared]) shared++;
  return `${"../".repeat(here.length - shared)}${there.slice(shared).join("/")}${hash}`;
}
