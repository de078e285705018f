/** What programs for a terminal use to ask: `prompt`, `confirm`, `alert`, and standard input (and with it `readline`). */
import { Readable } from "node:stream";

/** How a question reaches the user. */
export interface TerminalHost {
  /** Asks for a line, on behalf of the running cell. @throws where nobody can be asked */
  ask(question: string): Promise<string>;
  /** The same while everything else waits. `what` names the function for the error's text. */
  askNow(question: string, what: string): string;
  /** Whether a cell is running; between cells nobody is asked. */
  busy(): boolean;
  /** A timer that no interrupt ends. */
  later(callback: () => void, ms: number): void;
}

/** What the terminal must hear of. */
export interface Terminal {
  /** Text on standard output. */
  written(text: string): void;
  /** A cell has begun: what an earlier one has asked is forgotten. */
  beginCell(): void;
}

/** How long a program has to write its question after it has begun to read, in ms. */
const questionMs = 20;

/** Gives this process a terminal that consists of the front end's questions. */
export function installTerminal(host: TerminalHost): Terminal {
  /** The end of what was written, without its line end: a program's question, as a terminal shows it before the cursor. */
  let unfinished = "";
  const define = (name: string, value: unknown) =>
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
  const textOr = (value: unknown, otherwise: string) => (value === undefined ? otherwise : String(value));

  define("prompt", function prompt(message?: unknown, initial?: unknown): string | null {
    const shown = initial === undefined ? "" : ` [${String(initial)}]`;
    const answer = host.askNow(`${textOr(message, "Prompt")}${shown} `, "prompt");
    return answer === "" && initial !== undefined ? String(initial) : answer;
  });
  define("confirm", function confirm(message?: unknown): boolean {
    return /^\s*y(es)?\s*$/i.test(host.askNow(`${textOr(message, "Confirm")} [y/N] `, "confirm"));
  });
  define("alert", function alert(message?: unknown): void {
    host.askNow(`${textOr(message, "Alert")} [Enter] `, "alert");
  });

  let cell = 0;
  let stdin: Readable | undefined;
  /** Standard input is being read and has nothing: since which cell, and whether its question is on the way to the front end. */
  let wanted: { since: number } | undefined;
  let asking = false;

  function askSoon(): void {
    host.later(() => {
      if (!wanted || asking || !host.busy() || !stdin || isPaused(stdin)) return;
      // What an earlier cell has left reading asks again only when a question has been written.
      if (wanted.since !== cell && unfinished === "") return;
      asking = true;
      const asked = cell;
      const stream = stdin;
      const question = unfinished;
      unfinished = "";
      host.ask(question).then(
        (line) => {
          if (asked !== cell) return;
          wanted = undefined;
          asking = false;
          stream.push(`${line}\n`);
        },
        (error: Error) => stream.destroy(error),
      );
    }, questionMs);
  }
  Object.defineProperty(process, "stdin", {
    configurable: true,
    enumerable: true,
    get() {
      if (stdin && !stdin.destroyed) return stdin;
      wanted = undefined;
      asking = false;
      stdin = new Readable({
        read() {
          wanted ??= { since: cell };
          askSoon();
        },
      });
      const self = stdin;
      // Someone begins to read what an earlier cell has left reading.
      const again = () => {
        if (wanted) wanted = { since: cell };
        askSoon();
      };
      self.on("resume", again);
      self.on("newListener", (event) => {
        if (event === "readable" || event === "data") again();
      });
      return Object.assign(self, {
        fd: 0,
        isTTY: false,
        setRawMode: () => self,
        ref: () => self,
        unref: () => self,
      });
    },
  });

  return {
    written(text) {
      const at = text.lastIndexOf("\n");
      unfinished = (at < 0 ? unfinished + text : text.slice(at + 1)).slice(-500);
      if (wanted && unfinished !== "") askSoon();
    },
    beginCell() {
      cell++;
      asking = false;
      unfinished = "";
    },
  };
}

const isPaused = (stream: Readable) => stream.readableFlowing === false && stream.listenerCount("readable") === 0;
