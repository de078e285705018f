/**
 * What the supervisor, the language part and the executor say to each other. Plain data: it crosses process boundaries as v8-serialised
 * frames (frames.ts) and thread boundaries as structured clones.
 */
import type { MimeBundle } from "../display/mime.js";

/** Which request an output belongs to: the session gives each execution and each comm message a number. */
export type Origin = number;

/** A source position in a cell, zero-based, in UTF-16 units. */
export interface Position {
  line: number;
  character: number;
}

/** A message of the type checker about a cell. */
export interface CellDiagnostic {
  code: number;
  message: string;
  start: Position;
  end: Position;
  /** Set when it is about another file, relative to the root. */
  file?: string;
}

/** A local module that a cell imports, compiled. */
export interface SideModule {
  path: string;
  code: string;
}

/** A cell, compiled. */
export interface CompiledCell {
  /** The body of a function of (exports, require); undefined when the cell has nothing to run. */
  code: string | undefined;
  isAsync: boolean;
  /** The export that holds the value of the last expression. */
  lastExpression: string | undefined;
  /** Source maps from `code` back to the cell, last transformation first. */
  maps: string[];
  /** Declarations that later cells see, if this one succeeds. */
  declarations: string;
  sideModules: SideModule[];
}

export type CompileResult = { ok: true; cell: CompiledCell } | { ok: false; diagnostics: CellDiagnostic[] };

export interface CompletionResult {
  /** UTF-16 offsets of the text that a match replaces. */
  start: number;
  end: number;
  matches: { text: string; kind: string }[];
}

export type CompletenessResult =
  | { status: "complete" | "invalid" | "unknown" }
  | { status: "incomplete"; indent: string };

/** Requests to the language part; each is answered by a `LanguageReply` with the same id. */
export type LanguageRequest = { id: number } & (
  | { type: "compile"; declarations: string; code: string }
  | { type: "complete"; declarations: string; code: string; position: number }
  | { type: "inspect"; declarations: string; code: string; position: number }
  | { type: "isComplete"; code: string }
  | { type: "restrict"; before: string; after: string; assigned: string[] }
  | { type: "forget" }
);

export type LanguageReply =
  | { type: "ready" }
  | { type: "reply"; id: number; value: unknown }
  | { type: "failed"; id: number; message: string };

/** An error as a front end shows it. */
export interface ErrorContent {
  ename: string;
  evalue: string;
  traceback: string[];
}

/** How a cell ended: with the bundle of its result, or with an error. */
export type Outcome =
  | { status: "ok"; result?: MimeBundle }
  | ({ status: "error"; interrupted?: boolean } & ErrorContent);

/** A comm message, in either direction. */
export interface CommMessage {
  kind: "open" | "msg" | "close";
  commId: string;
  targetName?: string;
  data: unknown;
  metadata?: Record<string, unknown>;
  buffers?: Uint8Array[];
}

/** Supervisor to executor. Messages with a `seq` are acknowledged when the main thread takes them up. */
export type ToExecutor =
  | {
      type: "execute";
      seq: number;
      origin: Origin;
      /** The name that stands in stack traces: `cell [3]`. */
      name: string;
      cell: CompiledCell;
      allowStdin: boolean;
      /** The cell's name in the front end, where it gives one. */
      cellId?: string;
    }
  | { type: "comm"; seq: number; origin: Origin; message: CommMessage }
  | { type: "input"; id: number; value: string | null; error?: string }
  | { type: "interrupt"; interrupt: number };

/** Executor to supervisor. */
export type FromExecutor =
  | { type: "ready" }
  | { type: "stream"; origin: Origin; name: "stdout" | "stderr"; text: string }
  | {
      type: "display";
      origin: Origin;
      data: MimeBundle;
      metadata: Record<string, unknown>;
      displayId?: string;
      update?: boolean;
    }
  | { type: "clear"; origin: Origin; wait: boolean }
  | { type: "uncaught"; origin: Origin; error: ErrorContent }
  | { type: "comm"; origin: Origin; message: CommMessage }
  | { type: "input"; origin: Origin; id: number; prompt: string; password: boolean }
  | { type: "done"; origin: Origin; outcome: Outcome; assigned: string[] }
  | { type: "commDone"; origin: Origin }
  | { type: "taken"; seq: number }
  | { type: "settled"; interrupt: number }
  | { type: "acknowledged"; interrupt: number };
