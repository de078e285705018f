/**
 * What can be said about a cell's text without the compiler: whether its brackets, strings and comments are closed, and which names could
 * stand at a position. For front ends that do not wait while the compiler loads or is at work.
 */
import type { CompletenessResult, CompletionResult } from "./assist.js";

/** Words after which an expression begins, so that a slash begins a regular expression. */
const beforeExpression =
  /(?:^|[^\w$.])(?:return|typeof|instanceof|in|of|new|delete|void|throw|case|do|else|await|yield|extends)$/;
/** Ends that want a continuation. */
const unfinished =
  /(?:[-+*/%&|^=<?:,.~!]|=>|\s>|\b(?:else|do|try|finally|extends|implements|instanceof|typeof|new|return\s+await|await|import|export|from|const|let|var|function|class|interface|enum|namespace|type|in|of|throw|case))$/;
const finished = /(?:\+\+|--)$/;
const pairs: Record<string, string> = { ")": "(", "]": "[", "}": "{" };

/** A text's tokens, as far as brackets, strings and comments go. */
interface Tokens {
  /** Open brackets; a backtick stands for a template, and a "$" for an expression in it. */
  open: string[];
  /** The code without comments and contents of strings: what a slash or the end is judged by. */
  bare: string;
  /** What the text ends in the midst of. */
  inside?: "string" | "regular expression" | "comment" | "line comment";
  /** A bracket that nothing has opened, a string that its line has ended: what comes after it was not read. */
  wrong?: true;
}

function tokens(code: string): Tokens {
  const open: string[] = [];
  let bare = "";
  for (let i = 0; i < code.length; i++) {
    const c = code[i];
    if (open.at(-1) === "`") {
      if (c === "\\") i++;
      else if (c === "`") {
        open.pop();
        bare += "0";
      } else if (c === "$" && code[i + 1] === "{") {
        open.push("$");
        bare += "(";
        i++;
      }
      continue;
    }
    if (c === '"' || c === "'") {
      for (i++; i < code.length && code[i] !== c && code[i] !== "\n"; i++) if (code[i] === "\\") i++;
      if (i >= code.length) return { open, bare, inside: "string" };
      if (code[i] !== c) return { open, bare, wrong: true };
      bare += "0";
    } else if (c === "`") open.push("`");
    else if (c === "/" && code[i + 1] === "/") {
      i = code.indexOf("\n", i) - 1;
      if (i < 0) return { open, bare, inside: "line comment" };
    } else if (c === "/" && code[i + 1] === "*") {
      const end = code.indexOf("*/", i + 2);
      if (end < 0) return { open, bare, inside: "comment" };
      i = end + 1;
    } else if (c === "/" && startsRegExp(bare)) {
      const end = regExpEnd(code, i);
      if (end < 0)
        return code.includes("\n", i) ? { open, bare, wrong: true } : { open, bare, inside: "regular expression" };
      i = end;
      bare += "0";
    } else if ("([{".includes(c)) {
      open.push(c);
      bare += c;
    } else if (")]}".includes(c)) {
      const last = open.pop();
      if (c === "}" && last === "$") bare += ")";
      else if (last !== pairs[c]) return { open, bare, wrong: true };
      else bare += c;
    } else bare += c;
  }
  return { open, bare };
}

/**
 * Whether a text could be run as it is, as far as its tokens tell.
 * @example quickIsComplete("f(1,") // { status: "incomplete", indent: "" }
 */
export function quickIsComplete(code: string): CompletenessResult {
  const { open, bare, inside, wrong } = tokens(code);
  if (wrong || inside === "string" || inside === "regular expression") return { status: "invalid" };
  const end = bare.trimEnd();
  if (inside !== "comment" && open.length === 0 && !(unfinished.test(end) && !finished.test(end)))
    return { status: "complete" };
  const last = /[^\n]*$/.exec(code.trimEnd())?.[0] ?? "";
  const indent = /^\s*/.exec(last)?.[0] ?? "";
  return { status: "incomplete", indent: /[{([]\s*$/.test(last) ? `${indent}  ` : indent };
}

function startsRegExp(bare: string): boolean {
  const before = bare.trimEnd();
  if (before === "") return true;
  return !/[\w$)\]}]$/.test(before) || beforeExpression.test(before.slice(-20));
}

/** The last slash of a regular expression, or -1 where its line ends first. */
function regExpEnd(code: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < code.length && code[i] !== "\n"; i++) {
    const c = code[i];
    if (c === "\\") i++;
    else if (c === "[") inClass = true;
    else if (c === "]") inClass = false;
    else if (c === "/" && !inClass) return i;
  }
  return -1;
}

const keywords =
  "abstract any as async await boolean break case catch class const continue declare default delete do else enum export extends false finally for from function if implements import in infer instanceof interface keyof let namespace never new null number object of private protected public readonly return satisfies set static string super switch symbol this throw true try type typeof undefined unknown using var void while yield".split(
    " ",
  );

/**
 * Names that could stand at a position: of the session, of the language, and members of the well-known global objects. Undefined where only
 * the compiler can tell.
 * @param names what earlier cells have declared
 * @param globals the object whose properties are the global names
 */
export function quickComplete(
  code: string,
  position: number,
  names: Iterable<string>,
  globals: object,
): CompletionResult | undefined {
  const before = code.slice(0, position);
  // In a text other things are meant, such as the path of a module.
  const { open, inside } = tokens(before);
  if (inside !== undefined || open.at(-1) === "`") return undefined;
  const path = /(?:[\p{L}\p{Nl}_$][\p{L}\p{Nl}\p{Nd}_$]*\.)*[\p{L}\p{Nl}\p{Nd}_$]*$/u.exec(before)?.[0] ?? "";
  const start = position - (path.length - path.lastIndexOf(".") - 1);
  if (/[.\p{Nd})\]"'`]$/u.test(before.slice(0, position - path.length))) return undefined;
  const parts = path.split(".");
  const prefix = parts.pop() as string;
  const own = new Set(names);
  let candidates: { text: string; kind: string }[];
  if (parts.length === 0) {
    if (prefix === "") return undefined;
    candidates = [
      ...[...own].map((text) => ({ text, kind: "let" })),
      ...keywords.map((text) => ({ text, kind: "keyword" })),
      ...Object.getOwnPropertyNames(globals).map((text) => ({ text, kind: "var" })),
    ];
  } else {
    if (own.has(parts[0])) return undefined;
    let object: unknown = globals;
    for (const part of parts) {
      // Values only: no accessor is called.
      object = isObject(object) ? Object.getOwnPropertyDescriptor(object, part)?.value : undefined;
    }
    if (!isObject(object)) return undefined;
    candidates = Object.getOwnPropertyNames(object).map((text) => ({ text, kind: "property" }));
  }
  const seen = new Set<string>();
  const matches = candidates.filter(({ text }) => text.startsWith(prefix) && !seen.has(text) && seen.add(text));
  return matches.length === 0 ? undefined : { start, end: position, matches };
}

const isObject = (value: unknown): value is object =>
  (typeof value === "object" && value !== null) || typeof value === "function";
