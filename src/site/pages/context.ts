/** What is known while the pages are drawn: the whole site, and one page of it. */
import { existsSync, readFileSync } from "node:fs";
import { extname, join, posix } from "node:path";
import GithubSlugger from "github-slugger";
import type { Bibliography } from "./bibliography.js";
import type { Highlighter } from "./code.js";
import type { Term } from "./glossary.js";
import { withCards } from "./home.js";
import { type Element, element, type Root } from "./html.js";
import type { MarkdownHost } from "./markdown.js";
import { type Fault, type Files, type Page, relativeUrl } from "./model.js";
import { pageOfFile } from "./sources.js";

/** The site while it is made. */
export interface Site {
  /** The project's folder. */
  root: string;
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

const imageTypes = /^\.(?:png|jpe?g|svg|gif|webp)$/i;

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

  /** An address inside the site, as this page writes it. */
  url(target: string): string {
    return relativeUrl(this.page.url, target);
  }

  shape(tree: Root): void {
    if (this.page.kind === "home") withCards(tree);
  }

  link(node: Element, text: string): void {
    const href = String(node.properties["href"]);
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
    if (typeof target === "string") {
      this.fault(`the link "${text}" leads to ${file}, which ${target}.`);
      unlink(node);
      return;
    }
    node.properties["href"] = this.url(hash === "" ? target.url : `${target.url}#${this.anchor(target, hash, text)}`);
  }

  /** The page made of a file; or why there is none. */
  private pageFor(file: string): Page | string {
    const known = this.site.pages.get(file) ?? this.site.pages.get(posix.join(file, "README.md"));
    if (known) return known;
    if (file.startsWith("..")) return "is not a file of the project";
    const page = pageOfFile(this.site.root, file.replace(/\/$/, ""));
    if (typeof page !== "string" && page.url !== "") this.site.pages.set(page.file, page);
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
    const source = String(node.properties["src"] ?? "");
    if (String(node.properties["alt"] ?? "").trim() === "")
      this.fault(`the picture ${source.slice(0, 80)} has no text for readers who cannot see it.`);
    node.properties["loading"] = "lazy";
    if (source.startsWith("attachment:")) {
      this.attachment(node, decoded(source.slice("attachment:".length)));
      return;
    }
    if (/^data:image\/(?:png|jpeg|svg\+xml|gif|webp)[;,]/.test(source)) return;
    const file = posix.normalize(posix.join(posix.dirname(this.page.file), decoded(source)));
    const path = join(this.site.root, file);
    if (/^[a-z][a-z+.-]*:|^\//i.test(source) || file.startsWith("..")) {
      this.fault(`the picture ${source} lies elsewhere; expected a path beside this file.`);
      node.properties["src"] = "";
    } else if (!existsSync(path) || !imageTypes.test(extname(file))) {
      this.fault(`the picture ${source} does not exist, or is no PNG, JPEG, SVG, GIF or WebP.`);
      node.properties["src"] = "";
    } else {
      const url = `files/${file}`;
      this.site.files.set(url, readFileSync(path));
      node.properties["src"] = this.url(url);
    }
  }

  private attachment(node: Element, name: string): void {
    const [type, content] = Object.entries(this.attachments[name] ?? {})[0] ?? [];
    if (type === undefined || content === undefined || !type.startsWith("image/")) {
      this.fault(`the picture attachment:${name} is not attached to its cell.`);
      node.properties["src"] = "";
      return;
    }
    const url = `figures/${this.page.url.replace(/\.html$/, "")}/${name.replace(/[^\w.-]/g, "-")}`;
    this.site.files.set(url, Buffer.from(content, "base64"));
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
