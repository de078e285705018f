/**
 * The supervisor: holds a language process and an executor process, hands cells from one to the other, and replaces what dies.
 *
 * It runs no user code and no compiler, so it always answers. Both processes are in process groups of their own (a front end signals whole
 * groups), and end themselves when the socket to this process closes.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { createRequire } from "node:module";
import type { Socket } from "node:net";
import { fileURLToPath } from "node:url";
import { createLab, type LabHost } from "../display/lab.js";
import { foreignCommand } from "../heart/foreign.js";
import { quickComplete, quickIsComplete } from "../heart/quick.js";
import { killGroup } from "./children.js";
import { diagnosticsError } from "./diagnostics.js";
import { frame, readFrames } from "./frames.js";
import type {
  CommMessage,
  CompiledCell,
  CompileResult,
  CompletenessResult,
  CompletionResult,
  Declarations,
  FromExecutor,
  LanguageReply,
  LanguageRequest,
  Origin,
  Outcome,
  SideModule,
  ToExecutor,
} from "./protocol.js";
import { findSnapshot } from "./snapshot.js";

/** Where outputs and questions of cells go. A returned promise means "not faster than this". */
export interface RunnerListener {
  /** Something that a cell printed, showed or sent. */
  output(
    message: Exclude<
      FromExecutor,
      { type: "ready" | "done" | "missed" | "taken" | "settled" | "acknowledged" | "idle" | "input" }
    >,
  ): void | Promise<void>;
  /** The code asks the user; answer with {@link CellRunner.input}. */
  input(question: { origin: Origin; id: number; prompt: string; password: boolean }): void;
  /** The process that runs the cells has been replaced: what it held (variables, comms) is gone. */
  replaced(): void;
  /** Something the operator of the kernel should read. */
  log(line: string): void;
}

/** A cell to run. */
export interface Cell {
  origin: Origin;
  /** The name that stands in stack traces. */
  name: string;
  code: string;
  allowStdin: boolean;
  /** The cell's name in the front end, where it gives one: the same when it runs again. */
  cellId?: string;
  /** The number by which its result is kept in `Out`; without it, it is not kept. */
  count?: number;
}

/** How a runner is set up. */
export interface RunnerOptions {
  /** This package's folder. */
  packageRoot: string;
  /** The folder that cells run in. */
  root: string;
  /** The largest heap of the executor in MB; Node's default where not given. */
  heapMb?: number;
  /** Environment variables of the processes, beside this one's. */
  env?: Readonly<Record<string, string>>;
  /** What the language process starts from; default: what the set-up has built, if it fits. */
  snapshot?: string;
}

/** The cell at hand. */
interface Current {
  cell: Cell;
  resolve(outcome: Outcome): void;
  /** The language part's request that compiles it. */
  compiling?: number;
  /** Set once it has been handed to the executor. */
  compiled?: CompiledCell;
  /** Answered already: what is still under way for it is dropped. */
  stopped: boolean;
  /** The executor has said how it ended. */
  finished?: boolean;
  /** The number of the last interrupt before it was handed to the executor. */
  after?: number;
}

/** The message of a compiler that is not there or gave up. */
class LanguageError extends Error {}
/** The language process has ended; `culprit`: because the question took too long after its interrupt. */
class LanguageEnded extends LanguageError {
  constructor(
    message: string,
    readonly culprit: boolean,
  ) {
    super(message);
  }
}

const interrupted: Outcome = {
  status: "error",
  interrupted: true,
  ename: "KeyboardInterrupt",
  evalue: "The cell was interrupted before it began.",
  traceback: ["KeyboardInterrupt: The cell was interrupted before it began."],
};

/** How long the language part may go on with a cell that was interrupted before it is replaced. */
const languagePatienceMs = 5000;
/** How long an executor may take to settle an interrupt before it is replaced. */
const executorPatienceMs = 20_000;
/** Output that is accepted before the listener has taken it. */
const backlogLimit = 8 << 20;

/** How long a front end waits for the compiler's own answer while there is another, in ms. */
const quickMs = { complete: 700, isComplete: 250 };

/** Global names and the members of the objects behind them, for completion without the compiler. */
const wellKnown: Record<string, unknown> = Object.fromEntries(
  Object.getOwnPropertyNames(globalThis).map((name) => [
    name,
    Object.getOwnPropertyDescriptor(globalThis, name)?.value,
  ]),
);
const labMembers: object = createLab({} as LabHost);

/** An answer, or after a while another where there is one. */
async function sooner<T>(answer: Promise<T>, ms: number, otherwise: () => T | undefined): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<T | undefined>((resolve) => {
    timer = setTimeout(() => resolve(otherwise()), ms);
  });
  answer.catch(() => {});
  try {
    return (await Promise.race([answer.catch(() => otherwise()), late])) ?? (await answer);
  } finally {
    clearTimeout(timer);
  }
}

/** TypeScript cells: compiled by one process, run by another. */
export class CellRunner {
  private language: Language;
  private executor: Executor;
  /** Declarations of the cells so far, for a language part that starts afresh. */
  private declarations: Declarations[] = [];
  /** Names that hold a value. */
  private names = new Set<string>();
  private sideModules: SideModule[] = [];
  private current: Current | undefined;
  private sequence = 0;
  private interrupts = 0;
  private settling: Promise<void> | undefined;
  private settled: (() => void) | undefined;
  private closed = false;
  private failedStarts = 0;
  /** What the language process starts from; undefined where that has failed, or there is none. */
  private snapshot: string | undefined;

  constructor(
    private readonly options: RunnerOptions,
    private readonly listener: RunnerListener,
  ) {
    this.executor = this.startExecutor();
    this.snapshot = options.snapshot ?? findSnapshot(options.packageRoot);
    this.language = this.startLanguage();
  }

  /** Resolves when cells can run without waiting for anything to load. */
  async ready(): Promise<void> {
    await Promise.all([this.language.ready, this.executor.ready]);
  }

  /** Runs a cell; the outcome never rejects. One at a time. */
  async execute(cell: Cell): Promise<Outcome> {
    if (this.current) throw new Error("a cell is running already");
    const { promise, resolve } = withResolvers<Outcome>();
    const current: Current = { cell, resolve, stopped: false };
    this.current = current;
    void this.run(current);
    const outcome = await promise;
    if (this.current === current) this.current = undefined;
    return outcome;
  }

  private async run(current: Current): Promise<void> {
    const { cell, resolve } = current;
    try {
      await this.settling;
      if (current.stopped) return;
      const question = { type: "compile", code: cell.code } as const;
      const result = (await this.askLanguage(question, (id) => {
        current.compiling = id;
      })) as CompileResult;
      // The converter emits a local module once: keep it, even for a cell that was interrupted meanwhile.
      if (result.ok) this.sideModules.push(...result.cell.sideModules);
      if (current.stopped) return;
      if (!result.ok) {
        const foreign = foreignCommand(cell.code);
        resolve(
          foreign === undefined
            ? diagnosticsError(cell, result.diagnostics)
            : { status: "error", ename: "NotTypeScript", evalue: foreign, traceback: [`NotTypeScript: ${foreign}`] },
        );
        return;
      }
      const compiled = { ...result.cell, sideModules: this.sideModules.splice(0) };
      if (compiled.code === undefined && compiled.sideModules.length === 0) {
        void this.commit(compiled.declarations);
        resolve({ status: "ok" });
        return;
      }
      let executor: Executor;
      do {
        executor = this.executor;
        await executor.ready;
      } while (executor !== this.executor);
      if (current.stopped) {
        this.sideModules.unshift(...compiled.sideModules);
        return;
      }
      current.compiled = compiled;
      current.after = this.interrupts;
      executor.send({
        type: "execute",
        seq: ++this.sequence,
        origin: cell.origin,
        name: cell.name,
        cell: compiled,
        allowStdin: cell.allowStdin,
        ...(cell.cellId === undefined ? {} : { cellId: cell.cellId }),
        ...(cell.count === undefined ? {} : { count: cell.count }),
      });
    } catch (error) {
      if (!current.stopped)
        resolve({
          status: "error",
          ename: "CompilerError",
          evalue: (error as Error).message.split("\n")[0],
          traceback: (error as Error).message.split("\n"),
        });
    }
  }

  /**
   * Asks the language part; once more where it ends meanwhile, which need not be this question's fault.
   * @param asked told the number that the question goes by
   */
  private async askLanguage(question: Question, asked?: (id: number) => void): Promise<unknown> {
    const { language } = this;
    try {
      return await language.ask(question, asked);
    } catch (error) {
      if (this.closed || !(error instanceof LanguageEnded) || error.culprit || this.language === language) throw error;
      return this.language.ask(question, asked);
    }
  }

  /** Takes up the end of the running cell. */
  private finish(origin: Origin, outcome: Outcome, assigned: string[]): void {
    const current = this.current;
    if (!current || current.cell.origin !== origin || current.finished) return;
    current.finished = true;
    for (const name of assigned) this.names.add(name);
    // What a cell had assigned before it stopped stays usable. The language part takes requests in order, so nobody waits for it.
    if (current.compiled)
      void this.commit(current.compiled.declarations, outcome.status === "ok" ? undefined : assigned);
    current.resolve(outcome);
  }

  /** Makes a cell's declarations known to the cells after it. */
  private async commit(declarations: Declarations, assigned?: string[]): Promise<void> {
    // A new executor has new ones.
    const { declarations: all } = this;
    try {
      const request = { type: "commit" as const, declarations, ...(assigned ? { assigned } : {}) };
      all.push((await this.askLanguage(request)) as Declarations);
    } catch (error) {
      this.listener.log(`declarations of a cell were lost: ${(error as Error).message}`);
    }
  }

  /**
   * Interrupts the running cell; with none running, whatever a timer or a comm message keeps the executor busy with.
   * @returns when cells can run again
   */
  interrupt(): Promise<void> {
    if (this.settling) return this.settling;
    const current = this.current;
    if (!this.executor.wasReady && !current) return Promise.resolve();
    if (current && !current.compiled) {
      // Still being compiled: nothing of it has run, and nothing will.
      current.stopped = true;
      current.resolve(interrupted);
      if (current.compiling !== undefined) this.language.expectWithin(current.compiling, languagePatienceMs);
      return Promise.resolve();
    }
    const { promise, resolve } = withResolvers<void>();
    const executor = this.executor;
    const timer = setTimeout(() => {
      if (this.executor === executor) executor.kill();
    }, executorPatienceMs);
    this.settled = () => {
      clearTimeout(timer);
      this.settling = undefined;
      this.settled = undefined;
      resolve();
    };
    this.settling = promise;
    executor.send({ type: "interrupt", interrupt: ++this.interrupts });
    return promise;
  }

  /** Answers a question; `null` (with a reason) where nobody did. */
  input(id: number, value: string | null, error?: string): void {
    this.executor.send({ type: "input", id, value, ...(error === undefined ? {} : { error }) });
  }

  /** Hands a comm message to the user's code. */
  comm(origin: Origin, message: CommMessage): void {
    this.executor.send({ type: "comm", seq: ++this.sequence, origin, message });
  }

  /** What could stand at a position: at once also while the compiler loads or is at work, then as far as the text tells. */
  async complete(code: string, position: number): Promise<CompletionResult> {
    const exact = this.askLanguage({ type: "complete", code, position }) as Promise<CompletionResult>;
    const quick = () => quickComplete(code, position, this.names, { ...wellKnown, lab: labMembers });
    return sooner(exact, quickMs.complete, quick);
  }

  /** What stands at a position: signature and documentation. */
  async inspect(code: string, position: number): Promise<string | undefined> {
    return (await this.askLanguage({ type: "inspect", code, position })) as string | undefined;
  }

  /** Whether code could be run as it is: at once also while the compiler loads or is at work, then as far as brackets and strings tell. */
  async isComplete(code: string): Promise<CompletenessResult> {
    const exact = this.askLanguage({ type: "isComplete", code }) as Promise<CompletenessResult>;
    return sooner(exact, quickMs.isComplete, () => quickIsComplete(code));
  }

  /** Ends both processes. */
  close(): void {
    this.closed = true;
    this.language.stop();
    this.executor.stop();
    this.current?.resolve(interrupted);
  }

  private startLanguage(): Language {
    const language: Language = new Language(this.options, this.snapshot, (line) => {
      this.listener.log(line);
      if (this.closed || this.language !== language) return;
      // A snapshot that cannot be used.
      if (!language.wasReady) this.snapshot = undefined;
      this.language = this.startLanguage();
      // A fresh compiler emits every local module again; the executor takes the new ones.
      this.sideModules = [];
      void this.language.ask({ type: "restore", all: this.declarations }).catch(() => {});
    });
    return language;
  }

  private startExecutor(): Executor {
    const executor: Executor = new Executor(
      this.options,
      (message, size) => this.take(executor, message, size),
      (how) => this.executorEnded(executor, how),
      (name, text) => this.listener.output({ type: "stream", origin: this.current?.cell.origin ?? 0, name, text }),
    );
    return executor;
  }

  private take(executor: Executor, message: FromExecutor, size: number): void {
    if (executor !== this.executor) return;
    switch (message.type) {
      case "ready":
        executor.becomeReady();
        return;
      case "done":
        this.finish(message.origin, message.outcome, message.assigned);
        return;
      case "settled":
        this.missed((current) => current.after !== undefined && current.after < message.interrupt);
        this.settled?.();
        return;
      case "missed":
        this.missed((current) => current.cell.origin === message.origin);
        return;
      case "taken":
      case "acknowledged":
      case "idle":
        return;
      case "input":
        this.listener.input(message);
        return;
      default:
        try {
          executor.throttle(this.listener.output(message), size);
        } catch (error) {
          this.listener.log(`an output could not be delivered: ${(error as Error).message}`);
        }
    }
  }

  /** Answers a cell that an interrupt has hit without a word from the executor. */
  private missed(which: (current: Current) => boolean): void {
    const { current } = this;
    if (!current || current.finished || !which(current)) return;
    current.finished = true;
    current.resolve(interrupted);
  }

  /** The executor is gone: start afresh, and say what was lost. */
  private executorEnded(executor: Executor, how: string): void {
    if (this.closed || executor !== this.executor) return;
    const names = [...this.names];
    if (executor.wasReady) this.failedStarts = 0;
    else if (++this.failedStarts >= 3) {
      const evalue = `The process that runs the cells cannot start: ${how}`;
      this.listener.log(evalue);
      if (this.current) this.current.stopped = true;
      this.current?.resolve({ status: "error", ename: "ExecutorDied", evalue, traceback: [evalue] });
      this.failedStarts = 0;
    }
    this.executor = this.startExecutor();
    this.listener.replaced();
    this.declarations = [];
    this.names = new Set();
    this.sideModules = [];
    void this.language.ask({ type: "forget" }).catch(() => {});
    void this.language.ask({ type: "restore", all: [] }).catch(() => {});
    this.settled?.();
    const lost =
      names.length === 0
        ? "No variables were lost."
        : `All variables are lost: ${names.slice(0, 20).join(", ")}${names.length > 20 ? ` and ${names.length - 20} more` : ""}. Run their cells again.`;
    const evalue = `${how} A new one has been started. ${lost}`;
    this.listener.log(`executor ended: ${how}`);
    const error = { ename: "ExecutorDied", evalue, traceback: [`ExecutorDied: ${evalue}`] };
    const current = this.current;
    if (current?.compiled) current.resolve({ status: "error", ...error });
    else void this.listener.output({ type: "uncaught", origin: current?.cell.origin ?? 0, error });
  }
}

function withResolvers<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}

/** The compiled entry of a part; tests run the sources, and start the compiled parts all the same. */
const entry = (packageRoot: string, name: string) => `${packageRoot}/dist/cells/host/${name}.js`;

/** @param args Node's own, with the program */
function startPart(options: RunnerOptions, args: string[]): { process: ChildProcess; socket: Socket } {
  const child = spawn(process.execPath, [...args, options.packageRoot, options.root], {
    detached: true,
    stdio: ["ignore", "pipe", "pipe", "pipe"],
    env: { ...process.env, ...options.env, NODE_OPTIONS: "" },
  });
  return { process: child, socket: child.stdio[3] as Socket };
}

/** A request without its id. */
type Question = LanguageRequest extends infer R ? (R extends LanguageRequest ? Omit<R, "id"> : never) : never;

/** The language process. */
class Language {
  readonly ready: Promise<void>;
  private readonly part: { process: ChildProcess; socket: Socket };
  private readonly waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
  private count = 0;
  private stopped = false;
  /** Questions that must be answered soon, and the timers that end the process otherwise. */
  private readonly overdue = new Map<number, NodeJS.Timeout>();
  private culprit: number | undefined;

  wasReady = false;

  constructor(options: RunnerOptions, snapshot: string | undefined, ended: (line: string) => void) {
    const { promise, resolve, reject } = withResolvers<void>();
    this.ready = promise;
    promise.catch(() => {});
    this.part = startPart(
      options,
      snapshot === undefined ? [entry(options.packageRoot, "language-main")] : ["--snapshot-blob", snapshot],
    );
    let stderr = "";
    this.part.process.stdout?.resume();
    this.part.process.stderr?.on("data", (chunk: Buffer) => (stderr = (stderr + chunk.toString()).slice(-4000)));
    this.part.socket.on("error", () => {});
    readFrames(this.part.socket, (reply: LanguageReply) => {
      this.wasReady = true;
      if (reply.type === "ready") return resolve();
      const waiting = this.waiting.get(reply.id);
      this.waiting.delete(reply.id);
      clearTimeout(this.overdue.get(reply.id));
      this.overdue.delete(reply.id);
      if (reply.type === "reply") waiting?.resolve(reply.value);
      else waiting?.reject(new LanguageError(reply.message));
    });
    this.part.process.on("error", (error) => (stderr += error.message));
    this.part.process.on("close", (code, signal) => {
      for (const timer of this.overdue.values()) clearTimeout(timer);
      const why = `The TypeScript language process ended (${signal ?? `exit code ${code}`}).${stderr ? `\n${stderr}` : ""}`;
      reject(new LanguageError(why));
      if (!this.stopped) ended(why);
      for (const [id, { reject }] of this.waiting) reject(new LanguageEnded(why, id === this.culprit));
      this.waiting.clear();
    });
  }

  ask(request: Question, asked?: (id: number) => void): Promise<unknown> {
    const id = ++this.count;
    asked?.(id);
    const { promise, resolve, reject } = withResolvers<unknown>();
    this.waiting.set(id, { resolve, reject });
    this.part.socket.write(frame({ ...request, id }));
    return promise;
  }

  /** Ends the process if a question is not answered after a while: a type that takes for ever to check. Later questions get their own time. */
  expectWithin(id: number, ms: number): void {
    if (!this.waiting.has(id) || this.overdue.has(id)) return;
    const end = () => {
      this.culprit = id;
      this.part.process.kill("SIGKILL");
    };
    this.overdue.set(id, setTimeout(end, ms));
  }

  stop(): void {
    this.stopped = true;
    this.part.socket.destroy();
    this.part.process.kill("SIGKILL");
  }
}

/** The executor process. */
class Executor {
  readonly ready: Promise<void>;
  readonly process: ChildProcess;
  /** Resolves when cells can run, or when the process has ended without becoming ready. */
  private readonly settleReady: () => void;
  wasReady = false;
  private readonly socket: Socket;
  private backlog = 0;
  private stopped = false;

  constructor(
    options: RunnerOptions,
    take: (message: FromExecutor, size: number) => void,
    ended: (how: string) => void,
    raw: (name: "stdout" | "stderr", text: string) => void,
  ) {
    const { promise, resolve } = withResolvers<void>();
    this.ready = promise;
    this.settleReady = resolve;
    const part = startPart(options, [
      // Terminating unwinds Node's own frames, which its check of async ids would take for corruption.
      "--no-force-async-hooks-checks",
      "--disable-warning=ExperimentalWarning",
      ...(options.heapMb === undefined ? [] : [`--max-old-space-size=${options.heapMb}`]),
      entry(options.packageRoot, "executor-main"),
    ]);
    this.process = part.process;
    this.socket = part.socket;
    this.socket.on("error", () => {});
    readFrames(this.socket, take);
    let stderr = "";
    // Only what bypasses Node's streams arrives here: native code, child processes with inherited output, V8's last words.
    part.process.stdout?.on("data", (chunk: Buffer) => raw("stdout", chunk.toString()));
    part.process.stderr?.on("data", (chunk: Buffer) => {
      stderr = (stderr + chunk.toString()).slice(-4000);
      if (!/FATAL ERROR|<--- Last few GCs|----- Native stack/.test(stderr)) raw("stderr", chunk.toString());
    });
    part.process.on("error", (error) => (stderr += error.message));
    // What user code has started in the executor's group ends with it.
    part.process.on("exit", () => this.kill());
    part.process.on("close", (code, signal) => {
      if (this.stopped) return;
      this.settleReady();
      const memory = /heap out of memory|Reached heap limit|allocation failed/i.test(stderr);
      ended(
        memory
          ? "The process that runs the cells ran out of memory."
          : `The process that runs the cells ended (${signal ?? `exit code ${code}`}).`,
      );
    });
  }

  becomeReady(): void {
    this.wasReady = true;
    this.settleReady();
  }

  send(message: ToExecutor): void {
    if (this.socket.writable) this.socket.write(frame(message));
  }

  /** Stops reading while too much output waits to be delivered; the cell that writes then waits as well. */
  throttle(delivered: void | Promise<void>, size: number): void {
    if (!(delivered instanceof Promise)) return;
    this.backlog += size;
    if (this.backlog > backlogLimit) this.socket.pause();
    const done = () => {
      this.backlog -= size;
      if (this.backlog <= backlogLimit / 4) this.socket.resume();
    };
    delivered.then(done, done);
  }

  /** Kills the process and those that it has started. */
  kill(): void {
    if (this.process.pid !== undefined) killGroup(this.process.pid);
  }

  stop(): void {
    this.stopped = true;
    this.socket.destroy();
    this.kill();
  }
}

/** The package's folder: two levels above this room, in sources and compiled code alike. */
export const packageRoot: string = fileURLToPath(new URL("../../../", import.meta.url)).replace(/[\\/]$/, "");

/** The version of TypeScript that cells are written in. */
export function typescriptVersion(): string {
  const require = createRequire(`${packageRoot}/package.json`);
  return (require("typescript/package.json") as { version: string }).version;
}
