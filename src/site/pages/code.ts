/** Code as HTML: highlighted, in colours that the style sheet sets for light and dark. */
import { createCssVariablesTheme, createHighlighterCore } from "@shikijs/core";
import { createJavaScriptRegexEngine } from "@shikijs/engine-javascript";
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

/** A line's length, and its milliseconds: so many that a busy machine colours it like any other. */
const bounds = { tokenizeMaxLineLength: 2000, tokenizeTimeLimit: 10_000 };

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
      import("@shikijs/langs/typescript"),
      import("@shikijs/langs/javascript"),
      import("@shikijs/langs/json"),
      import("@shikijs/langs/bash"),
      import("@shikijs/langs/python"),
      import("@shikijs/langs/c"),
      import("@shikijs/langs/diff"),
    ],
  });
  return {
    html(code, language, options = {}) {
      const name = language.toLowerCase();
      const lang = Object.hasOwn(languages, name) ? languages[name] : undefined;
      const lines =
        lang === undefined || code.length > longest
          ? code.split("\n").map((line) => [{ content: line, color: "" }])
          : core.codeToTokensBase(code, { lang, theme: "house", ...bounds });
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
