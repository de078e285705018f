/** BibTeX files: entries, strings, and LaTeX as plain text. What comes from them is data: a file reaches nothing and costs what it weighs. */

/** An entry of a bibliography. Names of fields are in lower case; values are as they are written, without their delimiters. */
export interface BibEntry {
  /** In lower case: "article". */
  type: string;
  key: string;
  fields: Map<string, string>;
}

/** Larger files are refused; 2 MB hold some thousand works. */
const largest = 2_000_000;
const deepestBraces = 100;
/** Names of strings stand for strings of names: without a bound, forty short lines weigh more than any memory holds. */
const longestValue = 100_000;
/** After so many the rest is not looked at. */
const mostFaults = 20;

const months = "jan feb mar apr may jun jul aug sep oct nov dec".split(" ");

/** What is wrong with a text, and where. */
class BibError extends Error {}

/**
 * Reads a BibTeX file: entries in braces or parentheses; values in braces, in quotes, numbers and names of strings, joined by `#`.
 * @param fault told of what cannot be read, with its line; the entries after it are read all the same
 */
export function readBibtex(text: string, fault: (message: string) => void): BibEntry[] {
  if (text.length > largest) {
    fault(`it is larger than ${largest / 1e6} MB.`);
    return [];
  }
  const strings = new Map(months.map((name, i) => [name, String(i + 1)]));
  const reader = new Reader(text, strings);
  const entries: BibEntry[] = [];
  let faults = 0;
  while (faults < mostFaults && reader.toNextEntry()) {
    const { line } = reader;
    try {
      const entry = reader.entry();
      if (entry) entries.push(entry);
    } catch (error) {
      if (!(error instanceof BibError)) throw error;
      faults++;
      fault(`it cannot be read as BibTeX (entry at line ${line}: ${error.message}).`);
    }
  }
  return entries;
}

class Reader {
  private at = 0;
  /** The end of the line that begins at `lineStart`, once it is known. */
  private nextEnd: number | undefined;

  constructor(
    private readonly text: string,
    private readonly strings: Map<string, string>,
  ) {}

  /** The line of the entry that is read, counted from 1. */
  line = 1;
  private lineStart = 0;

  /** Goes behind the next @; text between entries is a comment, and so is a line that begins with %, although an entry may stand in it. */
  toNextEntry(): boolean {
    for (;;) {
      const found = this.text.indexOf("@", this.at);
      if (found < 0) return false;
      for (let end = this.lineEnd(); end >= 0 && end < found; end = this.lineEnd()) {
        this.line++;
        this.lineStart = end + 1;
      }
      this.at = found + 1;
      if (!/^\s*%/.test(this.text.slice(this.lineStart, Math.min(found, this.lineStart + 200)))) return true;
    }
  }

  private lineEnd(): number {
    if (this.nextEnd !== undefined && this.nextEnd >= this.lineStart) return this.nextEnd;
    const end = this.text.indexOf("\n", this.lineStart);
    this.nextEnd = end < 0 ? this.text.length : end;
    return this.nextEnd;
  }

  entry(): BibEntry | undefined {
    const type = this.word(/[A-Za-z]/, "a kind of entry").toLowerCase();
    if (type === "comment") return undefined;
    const close = this.taken("{") ? "}" : this.taken("(") ? ")" : undefined;
    if (close === undefined) throw new BibError(`expected "{" after @${type}`);
    if (type === "preamble") {
      this.value();
      return undefined;
    }
    if (type === "string") {
      const [name, value] = this.field();
      this.strings.set(name, value);
      return undefined;
    }
    const key = this.word(close === ")" ? /[^\s,{}()]/ : /[^\s,{}]/, "a key");
    const fields = new Map<string, string>();
    while (this.taken(",")) {
      this.space();
      if (this.text[this.at] === close) break;
      const [name, value] = this.field();
      fields.set(name, value);
    }
    if (!this.taken(close)) throw new BibError(`expected "," or "${close}" after a field of ${key}`);
    return { type, key, fields };
  }

  private field(): [string, string] {
    const name = this.word(/[\w.:+/-]/, "a field's name").toLowerCase();
    if (!this.taken("=")) throw new BibError(`expected "=" after ${name}`);
    return [name, this.value()];
  }

  private value(): string {
    let value = "";
    do {
      this.space();
      const c = this.text[this.at];
      if (c === "{") value += this.braced();
      else if (c === '"') value += this.quoted();
      else {
        const word = this.word(/[\w.:+/-]/, "a value");
        value += /^\d+$/.test(word) ? word : (this.strings.get(word.toLowerCase()) ?? word);
      }
      if (value.length > longestValue)
        throw new BibError(`a value of more than ${longestValue.toLocaleString("en")} characters`);
    } while (this.taken("#"));
    return value;
  }

  private braced(): string {
    const start = this.at;
    let depth = 0;
    for (; this.at < this.text.length; this.at++) {
      const c = this.text[this.at];
      if (c === "\\") this.at++;
      else if (c === "{" && ++depth > deepestBraces) throw new BibError(`braces more than ${deepestBraces} deep`);
      else if (c === "}" && --depth === 0) return this.text.slice(start + 1, this.at++);
    }
    this.at = start + 1;
    throw new BibError('a "{" that is not closed');
  }

  private quoted(): string {
    const start = this.at;
    let depth = 0;
    for (this.at++; this.at < this.text.length; this.at++) {
      const c = this.text[this.at];
      if (c === "\\") this.at++;
      else if (c === "{") depth++;
      else if (c === "}") depth--;
      else if (c === '"' && depth <= 0) return this.text.slice(start + 1, this.at++);
    }
    this.at = start + 1;
    throw new BibError("a quotation mark that is not closed");
  }

  private word(letters: RegExp, what: string): string {
    this.space();
    const start = this.at;
    while (this.at < this.text.length && letters.test(this.text[this.at])) this.at++;
    if (this.at === start) throw new BibError(`expected ${what}`);
    return this.text.slice(start, this.at);
  }

  private taken(c: string): boolean {
    this.space();
    if (this.text[this.at] !== c) return false;
    this.at++;
    return true;
  }

  private space(): void {
    while (this.at < this.text.length && /\s/.test(this.text[this.at])) this.at++;
  }
}

/** Accents of LaTeX as the marks of Unicode that follow a letter. */
const accents: ReadonlyMap<string, string> = new Map([
  ["`", "\u0300"],
  ["'", "\u0301"],
  ["^", "\u0302"],
  ["~", "\u0303"],
  ["=", "\u0304"],
  ["u", "\u0306"],
  [".", "\u0307"],
  ['"', "\u0308"],
  ["r", "\u030a"],
  ["H", "\u030b"],
  ["v", "\u030c"],
  ["c", "\u0327"],
  ["k", "\u0328"],
]);
const greek = "alpha α beta β gamma γ delta δ epsilon ε lambda λ mu μ pi π rho ρ sigma σ tau τ phi φ omega ω";
const letters =
  "ss ß o ø O Ø l ł L Ł ae æ AE Æ oe œ OE Œ aa å AA Å i ı j ȷ times × leq ≤ geq ≥ ldots … dots … textendash – textemdash —";
const symbols: ReadonlyMap<string, string> = new Map(
  Array.from(`${greek} ${letters}`.matchAll(/(\S+) (\S+)/g), ([, name, letter]) => [name, letter]),
);

/** LaTeX as plain text: accents, dashes, quotation marks, Greek letters; other commands leave what they are applied to. */
export function plainLatex(text: string): string {
  return text
    .replace(/\\(["'`^~=.])\s*(?:\{\s*\\?([A-Za-z])\s*\}|\\?([A-Za-z]))/g, accented)
    .replace(/\\([uvHckr])(?:\s*\{\s*\\?([A-Za-z])\s*\}|\s+([A-Za-z]))/g, accented)
    .replace(/\\([A-Za-z]+)\s*(?:\{\})?/g, (_, name: string) => symbols.get(name) ?? "")
    .replace(/\\([&%_#${} ])/g, (_, c: string) => escapes.get(c) ?? c)
    .replace(/\\./g, "")
    .replace(/[{}$]/g, "")
    .replace(/---/g, "—")
    .replace(/--/g, "–")
    .replace(/``|''/g, (marks) => (marks === "``" ? "“" : "”"))
    .replace(/'/g, "’")
    .replace(/[\s~]+/g, " ")
    .replace(/[\ue000-\ue002]/g, (c) => "{}$"[c.charCodeAt(0) - 0xe000])
    .trim();
}

/** Braces and dollars that are meant stand aside while the others go. */
const escapes: ReadonlyMap<string, string> = new Map([
  ["{", "\ue000"],
  ["}", "\ue001"],
  ["$", "\ue002"],
]);

function accented(_: string, accent: string, inBraces: string | undefined, bare: string | undefined): string {
  return `${inBraces ?? bare}${accents.get(accent)}`.normalize("NFC");
}

/** A person, or a body that writes under one name. */
export interface BibName {
  family: string;
  given: string;
}

/** The names of an author field; "others" says that there are more. */
export function namesIn(field: string): { names: BibName[]; others: boolean } {
  const parts = outsideBraces(field, /\sand\s/g)
    .map((part) => part.trim())
    .filter((part) => part !== "");
  const others = parts.at(-1) === "others";
  return { names: (others ? parts.slice(0, -1) : parts).map(nameIn), others };
}

function nameIn(text: string): BibName {
  if (/^\{.*\}$/s.test(text) && outsideBraces(text, /\s/g).length === 1) return { family: plainLatex(text), given: "" };
  const [family, ...rest] = outsideBraces(text, /,/g);
  // "von Last, Jr, First" and "von Last, First".
  if (rest.length > 0) return { family: plainLatex(family), given: plainLatex(rest.at(-1)!) };
  const words = outsideBraces(text, /\s+/g);
  const von = words.findIndex((word, i) => i > 0 && i < words.length - 1 && /^[a-z]/.test(word));
  const cut = von < 0 ? words.length - 1 : von;
  return { family: plainLatex(words.slice(cut).join(" ")), given: plainLatex(words.slice(0, cut).join(" ")) };
}

/** A text cut at each match of a pattern that stands outside of braces. */
function outsideBraces(text: string, pattern: RegExp): string[] {
  const depth = new Int32Array(text.length + 1);
  for (let i = 0, d = 0; i < text.length; i++) {
    if (text[i] === "{") d++;
    else if (text[i] === "}") d--;
    depth[i + 1] = d;
  }
  const parts: string[] = [];
  let from = 0;
  for (const match of text.matchAll(pattern)) {
    if (depth[match.index] !== 0) continue;
    parts.push(text.slice(from, match.index));
    from = match.index + match[0].length;
  }
  return [...parts, text.slice(from)];
}
