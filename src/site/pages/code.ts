/** Code as HTML: highlighted, in colours that the style sheet sets for light and dark. */
import { createCssVariablesTheme, createHighlighterCore } from "shiki/core";
import { createJavaScriptRegexEngine } from "shiki/engine/javascript";
import { type Markup, markup } from "./html.js";

const languages: Readonly<Record<string, string>> = {
  ts: "typescript",
  typescript: "typescript",
  js: "javascript",
  mjs: "javascript",
  cjs: "javascript",
  javascript: "javascript",
  json: "json",
  ipynb: "json",
  sh: "bash",
  bash: "bash",
  shell: "bash",
  py: "python",
  python: "python",
  c: "c",
  diff: "diff",
};

/** Longer code stays plain: to colour it would take longer than anyone reads it. */
const longest = 120_000;

/** Highlights code. */
export interface Highlighter {
  /**
   * Code as a `<pre>`.
   * @param language a language's name or a file's extension; one that is not known leaves the code plain
   * @param options.lines give every line an anchor, `L1` and so on
   */
  html(code: string, language: string, options?: { lines?: boolean }): Markup;
}

let started: Promise<Highlighter> | undefined;

/** The highlighter; loading its grammars takes some hundred milliseconds, once. */
export function startHighlighter(): Promise<Highlighter> {
  started ??= load();
  return started;
}

async function load(): Promise<Highlighter> {
  const theme = createCssVariablesTheme({ name: "house", variablePrefix: "--code-", fontStyle: true });
  const core = await createHighlighterCore({
    engine: createJavaScriptRegexEngine(),
    themes: [theme],
    langs: [
      import("shiki/langs/typescript.mjs"),
      import("shiki/langs/javascript.mjs"),
      import("shiki/langs/json.mjs"),
      import("shiki/langs/bash.mjs"),
      import("shiki/langs/python.mjs"),
      import("shiki/langs/c.mjs"),
      import("shiki/langs/diff.mjs"),
    ],
  });
  return {
    html(code, language, options = {}) {
      const name = language.toLowerCase();
      const lang = Object.hasOwn(languages, name) ? languages[name] : undefined;
      const lines =
        lang === undefined || code.length > longest
          ? code.split("\n").map((line) => [{ content: line, color: "" }])
          : core.codeToTokensBase(code, { lang, theme: "house", tokenizeMaxLineLength: 2000 });
      const text = lines.map((line, i) => {
        const tokens = line.map((token) => coloured(token.content, token.color));
        const end = i < lines.length - 1 ? "\n" : "";
        return options.lines
          ? markup`<span id="L${i + 1}" class="line">${tokens}</span>${end}`
          : markup`${tokens}${end}`;
      });
      return markup`<pre tabindex="0"><code>${text}</code></pre>`;
    },
  };
}

/** A token; one in the colour of all text needs no element. */
function coloured(text: string, color: string | undefined): Markup {
  const name = /--code-token-([\w-]+)/.exec(color ?? "")?.[1];
  return name === undefined || text.trim() === "" ? markup`${text}` : markup`<span class="k-${name}">${text}</span>`;
}
