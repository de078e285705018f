/** What is known while the pages are drawn: the whole site, and one page of it. */
import { createHash } from "node:crypto";
import { extname, posix } from "node:path";
import GithubSlugger from "github-slugger";
import type { Bibliography } from "./bibliography.js";
import type { Highlighter } from "./code.js";
import type { Term } from "./glossary.js";
import { withCards } from "./home.js";
import { browsed, type Element, element, type Root } from "./html.js";
import type { MarkdownHost } from "./markdown.js";
import { type Fault, type Files, type Page, relativeUrl } from "./model.js";
import type { NotShown, ProjectFiles } from "./project-files.js";
import { pageOfFile } from "./sources.js";
import { cleanedSvg } from "./svg.js";

/** The site while it is made. */
export interface Site {
  project: ProjectFiles;
  /** Pages by the file they are made of. Links to further files add theirs. */
  pages: Map<string, Page>;
  files: Files;
  faults: Fault[];
  bibliography: Bibliography;
  glossary: Map<string, Term>;
  highlighter: Highlighter;
  /** What some page has used. */
  used: { terms: Set<string>; citations: Set<string> };
}

/** Pictures that may lie inside a text or a cell, by media type: how their files end, and how their bytes begin. */
const pictureTypes = new Map([
  ["image/png", { extension: "png", begin: /^\x89PNG\r\n/ }],
  ["image/jpeg", { extension: "jpg", begin: /^\xff\xd8\xff/ }],
  ["image/gif", { extension: "gif", begin: /^GIF8/ }],
  ["image/webp", { extension: "webp", begin: /^RIFF.{4}WEBP/s }],
]);

/** A page while it is drawn: where its links lead, what it cites, which words it explains. */
export class PageContext implements MarkdownHost {
  readonly slugger = new GithubSlugger();
  readonly terms = new Set<string>();
  readonly citations = new Set<string>();
  /** Pictures that came inside the cells, by name. */
  attachments: Record<string, Record<string, string>> = {};

  constructor(
    readonly site: Site,
    readonly page: Page,
  ) {}

  get highlighter(): Highlighter {
    return this.site.highlighter;
  }

  fault(message: string): void {
    this.site.faults.push({ page: this.page.file, message });
  }

  /** What would give something away: it is told, and nothing of the site is written. */
  refuse(message: string): void {
    this.site.faults.push({ page: this.page.file, message, refused: true });
  }

  /** Puts a file into the site. Two different ones cannot have the same address. */
  put(url: string, content: string | Uint8Array): void {
    const there = this.site.files.get(url);
    if (there !== undefined && !Buffer.from(there).equals(Buffer.from(content)))
      this.refuse(`it would be written to ${url}, where something else of the site lies.`);
    else this.site.files.set(url, content);
  }

  /** An address inside the site, as this page writes it. */
  url(target: string): string {
    return relativeUrl(this.page.url, target);
  }

  shape(tree: Root): void {
    if (this.page.kind === "home") withCards(tree);
  }

  link(node: Element, text: string): void {
    const href = browsed(String(node.properties["href"]));
    node.properties["href"] = href;
    if (/^(?:https?:|mailto:)/.test(href)) return;
    if (href.startsWith("/") || /^[a-z][a-z+.-]*:/i.test(href)) {
      this.fault(`the link "${text}" leads to ${href}; expected a web address or a path beside this file.`);
      unlink(node);
      return;
    }
    const [path, ...rest] = href.split("#");
    const hash = decoded(rest.join("#"));
    const file =
      path === "" ? this.page.file : posix.normalize(posix.join(posix.dirname(this.page.file), decoded(path)));
    if (file === "data/references.bib" && hash !== "") this.cite(node, hash, text);
    else if (file === "notebooks/glossary.md" && hash !== "") this.term(node, hash, text);
    else this.toFile(node, file, hash, text);
  }

  private cite(node: Element, key: string, text: string): void {
    if (!this.site.bibliography.keys.includes(key)) {
      this.fault(`the citation "${text}" has the key ${key}, which data/references.bib does not know.`);
      unlink(node);
      return;
    }
    this.citations.add(key);
    this.site.used.citations.add(key);
    Object.assign(node.properties, { href: `#ref-${key}`, className: ["citation"] });
  }

  private term(node: Element, anchor: string, text: string): void {
    const term = this.site.glossary.get(anchor.toLowerCase());
    if (term === undefined) {
      this.fault(`the word "${text}" leads to glossary.md#${anchor}, and the glossary has no such entry.`);
      unlink(node);
      return;
    }
    this.terms.add(term.anchor);
    if (this.page.kind !== "glossary") this.site.used.terms.add(term.anchor);
    Object.assign(node.properties, {
      href: this.url(`glossary.html#${term.anchor}`),
      className: ["term"],
      ariaDescribedBy: [`term-${term.anchor}`],
    });
  }

  private toFile(node: Element, file: string, hash: string, text: string): void {
    const target = this.pageFor(file);
    if ("why" in target) {
      const message = `the link "${text}" leads to ${file}, which ${target.why}.`;
      if (target.refused) this.refuse(message);
      else this.fault(message);
      unlink(node);
      return;
    }
    node.properties["href"] = this.url(hash === "" ? target.url : `${target.url}#${this.anchor(target, hash, text)}`);
  }

  /** The page made of a file; or why there is none. */
  private pageFor(file: string): Page | NotShown {
    const known = this.site.pages.get(file) ?? this.site.pages.get(posix.join(file, "README.md"));
    if (known) return known;
    const page = pageOfFile(this.site.project, file.replace(/\/$/, ""));
    if (!("why" in page)) this.site.pages.set(page.file, page);
    return page;
  }

  /** The anchor on a page for what a link names behind its `#`, checked as far as it has a number. */
  private anchor(target: Page, hash: string, text: string): string {
    if (hash.startsWith("cell-id=")) return this.cellAnchor(target, hash.slice("cell-id=".length), text);
    if (hash.startsWith("eq-")) {
      const number = hash.slice("eq-".length);
      const told = /equations?\s*\(?(\d+\w*)/i.exec(text)?.[1];
      if (!target.equations.includes(number))
        this.fault(`"${text}" leads to equation ${number} of ${target.file}, which has no \\tag{${number}}.`);
      else if (told !== undefined && told !== number)
        this.fault(`"${text}" leads to equation ${number}; expected the same number in the text.`);
      return hash;
    }
    // JupyterLab writes a heading's anchor as it stands, code hosts in lower case without punctuation.
    return /^L\d+$/.test(hash) ? hash : new GithubSlugger().slug(hash);
  }

  private cellAnchor(target: Page, cell: string, text: string): string {
    const figures = target.figures.filter((figure) => figure.cell === cell);
    const exists = target.notebook?.cells.some(({ id }) => id === cell) ?? false;
    if (!exists) this.fault(`"${text}" leads to the cell "${cell}" of ${target.file}, which has no such cell.`);
    else if (figures.length === 0 && cell.startsWith("fig-"))
      this.fault(`"${text}" leads to the cell "${cell}" of ${target.file}, which shows no figure.`);
    const told = /fig(?:ures?|\.)?\s*(\d+)/i.exec(text)?.[1];
    const wanted = figures.find(({ number }) => String(number) === told);
    if (told !== undefined && figures.length > 0 && !wanted) {
      const numbers = figures.map(({ number }) => number).join(" and ");
      this.fault(`"${text}" leads to figure ${numbers} (cell "${cell}"); expected that number in the text.`);
    }
    return (wanted ?? figures[0])?.anchor ?? `cell-${cell}`;
  }

  image(node: Element): void {
    const source = browsed(String(node.properties["src"] ?? ""));
    if (String(node.properties["alt"] ?? "").trim() === "")
      this.fault(`the picture ${source.slice(0, 80)} has no text for readers who cannot see it.`);
    node.properties["loading"] = "lazy";
    if (source.startsWith("attachment:")) {
      this.attachment(node, decoded(source.slice("attachment:".length)));
      return;
    }
    if (/^data:image\/(?:png|jpeg|svg\+xml|gif|webp)[;,]/.test(source)) return;
    node.properties["src"] = "";
    const file = posix.normalize(posix.join(posix.dirname(this.page.file), decoded(source)));
    if (/^[a-z][a-z+.-]*:|^\//i.test(source) || file.startsWith("..")) {
      this.refuse(`the picture ${source} lies elsewhere; expected a path beside this file.`);
      return;
    }
    const bytes = this.site.project.read(file, "picture");
    if ("why" in bytes) {
      const message = `the picture ${source} ${bytes.why}.`;
      if (bytes.refused) this.refuse(message);
      else this.fault(message);
      return;
    }
    const content = extname(file).toLowerCase() === ".svg" ? cleanedSvg(bytes.toString("utf8")) : bytes;
    if (content === undefined) {
      this.fault(`the picture ${source} is no SVG, although its name says so.`);
      return;
    }
    const url = `files/${file}`;
    this.put(url, content);
    node.properties["src"] = this.url(url);
  }

  private attachment(node: Element, name: string): void {
    node.properties["src"] = "";
    const attached = Object.hasOwn(this.attachments, name) ? this.attachments[name] : {};
    const [type, content] = Object.entries(attached ?? {})[0] ?? [];
    const form = pictureTypes.get(type ?? "");
    const bytes = typeof content === "string" ? Buffer.from(content, "base64") : Buffer.alloc(0);
    if (form === undefined || !form.begin.test(bytes.subarray(0, 16).toString("latin1"))) {
      this.fault(`the picture attachment:${name} is not attached to its cell as a PNG, JPEG, GIF or WebP.`);
      return;
    }
    // Named by what it is, not by what the notebook calls it.
    const hash = createHash("sha256").update(bytes).digest("hex").slice(0, 16);
    const url = `figures/${this.page.url.replace(/\.html$/, "")}/attached-${hash}.${form.extension}`;
    this.put(url, bytes);
    node.properties["src"] = this.url(url);
  }
}

/** A link that leads nowhere becomes plain text, so that the page itself stays whole. */
function unlink(node: Element): void {
  const children = node.children;
  Object.assign(node, element("span", {}), { children });
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
