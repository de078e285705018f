/** Markdown to clean HTML trees: what JupyterLab and code hosts show alike, with formulas and highlighted code. */
import { createRequire } from "node:module";
import type GithubSlugger from "github-slugger";
import katex from "katex";
import MarkdownIt from "markdown-it";
import type { Highlighter } from "./code.js";
import { cleaned, type Element, eachElement, escaped, type Root, raw, textIn } from "./html.js";
import type { Heading } from "./model.js";
import { wrapTables } from "./tables.js";

/** What becomes of the links, pictures and formulas in a text. */
export interface MarkdownHost {
  highlighter: Highlighter;
  /** Where a link leads, and what it looks like; called with the link's element, which may be changed. */
  link(node: Element, text: string): void;
  /** Where a picture lies; called with its element. */
  image(node: Element): void;
  /** Told of what does not hold. */
  fault(message: string): void;
  /** May change the whole text before its tables get their boxes. */
  shape(tree: Root): void;
  /** Gives headings their anchors: one for a page, so that no two are the same. */
  slugger: GithubSlugger;
}

interface Env {
  slots: string[];
  host: MarkdownHost;
}

const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });
// A CommonJS module whose default export loaders see differently; `require` sees it as it is.
const plugin = createRequire(import.meta.url)("@vscode/markdown-it-katex") as { default(md: unknown): void };
plugin.default(markdown);

/** Keeps finished HTML out of the cleaning: an empty element stands for it until then. */
function slot(env: Env, html: string, text: string, tag: "span" | "div"): string {
  env.slots.push(html);
  return `<${tag} data-slot="${env.slots.length - 1}">${escaped(text)}</${tag}>`;
}

function formula(tex: string, displayMode: boolean, env: Env): string {
  try {
    const html = katex.renderToString(tex, { displayMode, throwOnError: true, strict: "ignore" });
    const number = /\\tag\*?\{([^}]*)\}/.exec(tex)?.[1].trim();
    if (!displayMode) return slot(env, html, tex, "span");
    const id = number === undefined ? "" : ` id="eq-${escaped(number)}"`;
    return slot(env, `<div class="equation"${id} tabindex="0">${html}</div>`, tex, "div");
  } catch (error) {
    env.host.fault(`the formula "${tex.trim()}" cannot be typeset (${(error as Error).message.split("\n")[0]}).`);
    return slot(env, `<code>${escaped(tex)}</code>`, tex, displayMode ? "div" : "span");
  }
}

const rules = markdown.renderer.rules;
rules["math_inline"] = (tokens, i, _, env) => formula(tokens[i].content, false, env as unknown as Env);
rules["math_inline_block"] = rules["math_block"] = (tokens, i, _, env) =>
  formula(tokens[i].content, true, env as unknown as Env);
rules["fence"] = rules["code_block"] = (tokens, i, _, env) => {
  const { content, info } = tokens[i];
  const language = info.trim().split(/\s+/)[0] ?? "";
  const html = (env as unknown as Env).host.highlighter.html(content.replace(/\n$/, ""), language);
  return slot(env as unknown as Env, `<div class="listing">${html}</div>`, content, "div");
};

/** A text as a tree, and its headings. */
export interface MarkdownText {
  tree: Root;
  headings: Heading[];
}

/**
 * Renders a text. HTML in it is cleaned: no scripts, no handlers, no frames.
 * @param text Markdown
 * @param host what becomes of links, pictures and formulas
 */
export function renderMarkdown(text: string, host: MarkdownHost): MarkdownText {
  const env: Env = { slots: [], host };
  const tree = cleaned(markdown.render(text, env as never));
  const headings: Heading[] = [];
  eachElement(tree, (node) => {
    if (/^h[1-6]$/.test(node.tagName)) {
      const words = textIn(node).trim();
      const anchor = host.slugger.slug(words);
      node.properties["id"] = anchor;
      headings.push({ level: Number(node.tagName[1]), text: words, anchor });
    } else if (node.tagName === "a" && node.properties["href"] !== undefined) host.link(node, textIn(node));
    else if (node.tagName === "img") host.image(node);
    else if (node.tagName === "details") node.properties["className"] = ["fold"];
    return undefined;
  });
  host.shape(tree);
  wrapTables(tree, "Table");
  return { tree: filled(tree, env.slots), headings };
}

/** Puts the finished HTML into its places. The text that it was made of stays with it. */
function filled(tree: Root, slots: readonly string[]): Root {
  eachElement(tree, (node, index, parent) => {
    const number = node.properties["dataSlot"];
    if (number === undefined || parent === undefined || index === undefined) return undefined;
    const html = slots[Number(number)];
    if (html === undefined) return undefined;
    parent.children[index] = raw(html, textIn(node));
    return "skip";
  });
  return tree;
}
