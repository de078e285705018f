/** The cells of this session, for `history_request`. Kept in memory only. */

/** A cell and, once it has run, its result as text. */
interface Entry {
  line: number;
  code: string;
  output: string | null;
}

/** An entry as the protocol shows it: session, line, code (with output where asked for). */
export type HistoryRow = [number, number, string | [string, string | null]];

/** This process has one session; earlier ones are not kept. */
const sessionNumber = 1;
/** Entries that are kept. */
const limit = 10_000;

/** The history of a session. */
export class History {
  private entries: Entry[] = [];

  /** Adds a cell; the function returned sets its result. */
  add(line: number, code: string): (output: string) => void {
    const entry: Entry = { line, code, output: null };
    this.entries.push(entry);
    if (this.entries.length > limit) this.entries.splice(0, this.entries.length - limit);
    return (output) => {
      entry.output = output;
    };
  }

  /** Answers a history request; what is not understood gives no rows. */
  rows(request: Record<string, unknown>): HistoryRow[] {
    const number = (key: string, otherwise: number) =>
      Number.isInteger(request[key]) ? (request[key] as number) : otherwise;
    const rows = (entries: Entry[]) =>
      entries.map(
        ({ line, code, output }): HistoryRow => [
          sessionNumber,
          line,
          request["output"] === true ? [code, output] : code,
        ],
      );
    const last = (entries: Entry[], n: number) => (n > 0 ? entries.slice(-n) : []);
    switch (request["hist_access_type"]) {
      case "tail":
        return rows(last(this.entries, number("n", 10)));
      case "range": {
        const session = number("session", 0);
        // 0 is the current session, a negative number one before it.
        if (session !== 0 && session !== sessionNumber) return [];
        const start = number("start", 1);
        const stop = number("stop", Number.MAX_SAFE_INTEGER);
        return rows(this.entries.filter(({ line }) => line >= start && line < stop));
      }
      case "search": {
        const pattern = typeof request["pattern"] === "string" ? request["pattern"] : "*";
        let found = this.entries.filter(({ code }) => glob(pattern, code));
        if (request["unique"] === true) {
          const seen = new Set<string>();
          found = found
            .reverse()
            .filter(({ code }) => !seen.has(code) && seen.add(code))
            .reverse();
        }
        return rows(last(found, number("n", Number.MAX_SAFE_INTEGER)));
      }
      default:
        return [];
    }
  }
}

/**
 * Whether a text matches a pattern of `*` and `?`. Linear in the text for each star, so that no pattern from outside can hang the kernel.
 */
export function glob(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let star = -1;
  let mark = 0;
  while (t < text.length) {
    if (p < pattern.length && pattern[p] === "*") {
      star = p++;
      mark = t;
    } else if (p < pattern.length && (pattern[p] === "?" || pattern[p] === text[t])) {
      p++;
      t++;
    } else if (star >= 0) {
      p = star + 1;
      t = ++mark;
    } else return false;
  }
  while (pattern[p] === "*") p++;
  return p === pattern.length;
}
