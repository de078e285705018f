/** Markdown to clean HTML trees: what JupyterLab and code hosts show alike, with formulas and highlighted code. */
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import type GithubSlugger from "github-slugger";
import katex from "katex";
import MarkdownIt from "markdown-it";
import type { Highlighter } from "./code.js";
import { cleaned, type Element, eachElement, idPattern, Markup, markup, none, type Root, raw, textIn } from "./html.js";
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
  slots: Markup[];
  /** Begins the slots' names: nothing in the text can stand for one. */
  key: string;
  host: MarkdownHost;
}

const markdown = new MarkdownIt({ html: true, linkify: false, typographer: false });
// A CommonJS module whose default export loaders see differently; `require` sees it as it is.
const plugin = createRequire(import.meta.url)("@vscode/markdown-it-katex") as { default(md: unknown): void };
plugin.default(markdown);

/** Keeps finished HTML out of the cleaning: an empty element stands for it until then. */
function slot(env: Env, html: Markup, text: string, tag: "span" | "div"): string {
  env.slots.push(html);
  const name = `${env.key}${env.slots.length - 1}`;
  const place =
    tag === "div" ? markup`<div data-slot="${name}">${text}</div>` : markup`<span data-slot="${name}">${text}</span>`;
  return place.html;
}

function formula(tex: string, displayMode: boolean, env: Env): string {
  try {
    // KaTeX escapes what it is given, and takes no commands that make links or load anything.
    const options = { displayMode, throwOnError: true, strict: "ignore", trust: false, maxSize: 50 } as const;
    const html = new Markup(katex.renderToString(tex, options));
    const number = /\\tag\*?\{([^}]{0,100})\}/.exec(tex)?.[1].trim();
    if (!displayMode) return slot(env, html, tex, "span");
    const named = number !== undefined && idPattern.test(number);
    if (number !== undefined && !named)
      env.host.fault(
        `the equation's number "${number}" has other characters than letters, digits, hyphens and underlines.`,
      );
    const id = named ? markup` id="eq-${number}"` : none;
    return slot(env, markup`<div class="equation"${id} tabindex="0">${html}</div>`, tex, "div");
  } catch (error) {
    env.host.fault(`the formula "${tex.trim()}" cannot be typeset (${(error as Error).message.split("\n")[0]}).`);
    return slot(env, markup`<code>${tex}</code>`, tex, displayMode ? "div" : "span");
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
  return slot(env as unknown as Env, markup`<div class="listing">${html}</div>`, content, "div");
};

/** Longer texts are cut: nobody reads them on one page, and to lay them out would take all memory. */
const longestText = 500_000;

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
  if (text.length > longestText)
    host.fault(`a text of ${text.length} characters is cut after ${longestText}; divide it.`);
  const env: Env = { slots: [], key: `${randomUUID()}-`, host };
  const tree = cleaned(markdown.render(text.slice(0, longestText), env as never));
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
  return { tree: filled(tree, env), headings };
}

/** Puts the finished HTML into its places. The text that it was made of stays with it. */
function filled(tree: Root, { slots, key }: Env): Root {
  eachElement(tree, (node, index, parent) => {
    const name = node.properties["dataSlot"];
    if (name === undefined || parent === undefined || index === undefined) return undefined;
    delete node.properties["dataSlot"];
    const html = String(name).startsWith(key) ? slots[Number(String(name).slice(key.length))] : undefined;
    if (html === undefined) return undefined;
    parent.children[index] = raw(html, textIn(node));
    return "skip";
  });
  return tree;
}
