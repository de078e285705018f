/**
 * What the supervisor, the language part and the executor say to each other. Plain data: it crosses process boundaries as v8-serialised
 * frames (frames.ts) and thread boundaries as structured clones.
 */

import type { Declarations } from "../heart/chain.js";
import type { CompiledCell } from "../heart/language.js";
import type { MimeBundle } from "../heart/mime.js";

export type { Declarations } from "../heart/chain.js";
export type { CellDiagnostic } from "../heart/findings.js";
export type { CompiledCell, CompileResult, CompletenessResult, CompletionResult } from "../heart/language.js";
export type { SideModule } from "../heart/modules.js";

/** Which request an output belongs to: the session gives each execution and each comm message a number. */
export type Origin = number;

/** Requests to the language part; each is answered by a `LanguageReply` with the same id. */
export type LanguageRequest = { id: number } & (
  | { type: "compile"; code: string }
  | { type: "complete"; code: string; position: number }
  | { type: "inspect"; code: string; position: number }
  | { type: "isComplete"; code: string }
  /** Takes up what a cell has declared; only the names that were assigned, where it stopped half-way. */
  | { type: "commit"; declarations: Declarations; assigned?: string[] }
  /** Forgets every name, and takes up these. */
  | { type: "restore"; all: Declarations[] }
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
  | ({
      status: "error";
      interrupted?: boolean;
      /** Set when the error has been put out already. */
      shown?: boolean;
    } & ErrorContent);

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
      /** The number that its result is kept by; without it, it is not kept. */
      count?: number;
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
  | {
      type: "input";
      origin: Origin;
      id: number;
      prompt: string;
      password: boolean;
      /** The main thread waits for the answer, and takes up nothing else. */
      sync?: boolean;
    }
  | { type: "done"; origin: Origin; outcome: Outcome; assigned: string[] }
  /** An interrupt has hit a cell before any of it ran. */
  | { type: "missed"; origin: Origin }
  | { type: "commDone"; origin: Origin }
  | { type: "taken"; seq: number }
  | { type: "settled"; interrupt: number }
  | { type: "acknowledged"; interrupt: number }
  /** The main thread takes up messages again. */
  | { type: "idle"; turn: number };
