/** The words that the notebooks explain. */
import GithubSlugger from "github-slugger";
import MarkdownIt from "markdown-it";
import { fragment, textIn } from "./html.js";

/** A word and what it means. */
export interface Term {
  title: string;
  anchor: string;
  /** Its first paragraph, as text. */
  text: string;
}

const markdown = new MarkdownIt();

/**
 * Reads a glossary: a heading of the second level for each term, and below it what the term means.
 * @param fault told of what is wrong with it, one sentence each
 */
export function readGlossary(text: string, fault: (message: string) => void): Map<string, Term> {
  const terms = new Map<string, Term>();
  const slugger = new GithubSlugger();
  const parts = text.split(/^##\s+(.+?)\s*#*\s*$/m);
  for (let i = 1; i < parts.length; i += 2) {
    const title = textIn(fragment(markdown.renderInline(parts[i])));
    const first = parts[i + 1].trim().split(/\n\s*\n/)[0];
    const meaning = textIn(fragment(markdown.render(first))).trim();
    const anchor = slugger.slug(title);
    if (meaning === "" || first.startsWith("#")) fault(`the term "${title}" has no text.`);
    if ([...terms.values()].some((term) => term.title.toLowerCase() === title.toLowerCase()))
      fault(`the term "${title}" has two entries.`);
    terms.set(anchor, { title, anchor, text: meaning });
  }
  return terms;
}
