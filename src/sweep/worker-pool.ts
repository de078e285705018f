/**
 * The worker threads of this process. Whoever has work for them makes a {@link WorkerPool}, and ends it with the call.
 *
 * A thread is kept when its pool ends: a new one loads the laboratory's code and compiles it anew while it runs, so that its first points
 * take two to three times as long. Kept threads never keep the process alive, ask to be ended when they have had nothing to do for a while
 * (serve.ts), and serve only crews of the same work and the same build of the code.
 *
 * A thread may be ended at any moment: by an interruption (the pool's signal; in a notebook the kernel, see cells/host/resources.ts), for
 * want of memory, by `process.exit` in an experiment. That ends its pool; the next one starts another thread. Therefore a thread leaves the list
 * of those without work in the very moment in which somebody ends it, and gets on it without a promise in between: an interruption in a
 * notebook may drop promises, but then all threads that the cell has given work are ended, too. (A pool library, piscina, was here before: its
 * own promises do not survive such an interruption, so it can not outlive a cell.)
 */
import { Worker } from "node:worker_threads";
import { codeHash } from "./code.js";

/** What a thread says: how its task ended, or that it has had nothing to do for a while. */
export type Answer = End | { idle: true };

type End = { result: unknown } | { error: unknown };

interface Job {
  task: unknown;
  /** What it is, for messages. */
  name: string;
  finish(end: End): void;
}

/** How a pool works. Nothing here changes a result. */
export interface WorkerPoolOptions {
  /** Threads at work at a time. */
  jobs: number;
  /** Takes threads that are there, and leaves its own to later crews. Without it all threads are new, and end with the pool. */
  keep: boolean;
  /** Goes on after a task that failed (default: the first one ends the pool). */
  goOn?: boolean;
  /** Ends the pool, and what its threads compute, with the signal's reason. */
  signal?: AbortSignal | undefined;
}

/** Threads without work, the last to have worked at the end. */
const kept: Thread[] = [];
/** As many as the last pool asked for; more are not kept. */
let mostKept = 0;

/** A thread that does one task at a time. */
class Thread extends Worker {
  private job: Job | undefined;
  private failure: { code?: string; message?: string } | undefined;
  private gone = false;

  /**
   * @param script address of the module that serves the tasks
   * @param code the build that it loads, by its hash
   * @param home where it waits while it has nothing to do
   */
  constructor(
    readonly script: string,
    readonly code: string,
    private readonly home: Thread[],
  ) {
    // Nothing of how this process was started (loaders, debugging) is for a thread.
    super(new URL(script), { execArgv: [] });
    this.on("message", (answer: Answer) => this.take(answer));
    this.on("error", (error) => {
      this.failure = error;
    });
    this.on("exit", (exitCode) => this.lose(exitCode));
    this.unref();
  }

  /** @throws DataCloneError for a task that cannot be sent; the thread then waits for another */
  begin(job: Job): void {
    try {
      this.postMessage(job.task);
    } catch (error) {
      this.home.push(this);
      throw error;
    }
    this.job = job;
    // As long as it computes, the process waits for it.
    this.ref();
  }

  /** Ends it, also in the middle of a task, which then fails. */
  override terminate(): Promise<number> {
    this.lose();
    return super.terminate();
  }

  private take(answer: Answer): void {
    const job = this.job;
    if (this.gone) return;
    if ("idle" in answer) {
      if (!job) void this.terminate();
      return;
    }
    this.job = undefined;
    this.unref();
    this.home.push(this);
    job?.finish(answer);
  }

  private lose(exitCode?: number): void {
    if (this.gone) return;
    this.gone = true;
    const place = this.home.indexOf(this);
    if (place >= 0) this.home.splice(place, 1);
    const job = this.job;
    this.job = undefined;
    job?.finish({ error: new Error(`${job.name}: the worker thread that computed it ${this.how(exitCode)}.`) });
  }

  private how(exitCode: number | undefined): string {
    if (exitCode === undefined) return "was ended";
    if (this.failure?.code === "ERR_WORKER_OUT_OF_MEMORY") return "ran out of memory";
    return this.failure ? `failed (${this.failure.message})` : `ended itself (exit code ${exitCode})`;
  }
}

/** Ends the longest idle threads beyond what is kept. */
function trim(): void {
  while (kept.length > mostKept) void kept[0].terminate();
}

/** Threads that do the tasks of one call: all of them, or none after the first that fails (but see `goOn`). */
export class WorkerPool<Task, Result> {
  private readonly waiting: Job[] = [];
  private readonly busy = new Set<Thread>();
  private readonly idle: Thread[];
  private readonly code: string;
  private ended: { reason: unknown } | undefined;
  private readonly endings: Promise<number>[] = [];
  private readonly interrupted = () => this.stop(this.options.signal?.reason);

  /** @param script address of the module that serves the tasks, see `serve` */
  constructor(
    private readonly script: string,
    private readonly options: WorkerPoolOptions,
  ) {
    const { jobs, keep, signal } = options;
    this.idle = keep ? kept : [];
    this.code = keep ? codeHash() : "";
    if (keep) {
      mostKept = jobs;
      for (const thread of kept.filter((thread) => !this.suits(thread))) void thread.terminate();
      trim();
    }
    if (signal?.aborted) this.interrupted();
    else signal?.addEventListener("abort", this.interrupted, { once: true });
  }

  /**
   * Has a task done, after those that were asked for before it.
   * @param name what it is, for messages
   * @throws what the first failing task of the pool threw (with `goOn`, the task itself), as far as it can be sent between threads; Error where a thread ended in the middle
   * of a task, saying how; the reason of an interruption
   */
  run(task: Task, name: string): Promise<Result> {
    return new Promise((resolve, reject) => {
      const finish = (end: End): void => {
        if ("error" in end && !this.options.goOn) this.stop(end.error);
        if (this.ended) reject(this.ended.reason);
        else if ("error" in end) reject(end.error);
        else resolve(end.result as Result);
      };
      this.waiting.push({ task, name, finish });
      if (this.ended) this.dropWaiting();
      else this.next();
    });
  }

  /** Ends the pool; what it has not done fails. Resolves when none of its threads computes any more. */
  async end(): Promise<void> {
    this.options.signal?.removeEventListener("abort", this.interrupted);
    this.stop(new Error("The pool has ended."));
    if (!this.options.keep) for (const thread of [...this.idle]) this.endings.push(thread.terminate());
    await Promise.all(this.endings);
  }

  private next(): void {
    while (!this.ended && this.waiting.length > 0 && this.busy.size < this.options.jobs) {
      const { task, name, finish } = this.waiting.shift() as Job;
      let thread: Thread | undefined;
      const over = (end: End): void => {
        if (thread) this.busy.delete(thread);
        finish(end);
        this.next();
        if (this.options.keep) trim();
      };
      try {
        thread = this.takeIdle() ?? new Thread(this.script, this.code, this.idle);
        this.busy.add(thread);
        thread.begin({ task, name, finish: over });
      } catch (error) {
        // The task cannot be sent to a thread, or the system has no more threads.
        over({ error });
      }
    }
  }

  private suits({ script, code }: Thread): boolean {
    return script === this.script && code === this.code;
  }

  /** The thread that worked last, of those that suit: two crews at once may be of different builds. */
  private takeIdle(): Thread | undefined {
    const place = this.idle.findLastIndex((thread) => this.suits(thread));
    return place < 0 ? undefined : this.idle.splice(place, 1)[0];
  }

  private stop(reason: unknown): void {
    if (this.ended) return;
    this.ended = { reason };
    for (const thread of this.busy) this.endings.push(thread.terminate());
    this.dropWaiting();
  }

  private dropWaiting(): void {
    for (const { finish } of this.waiting.splice(0)) finish({ error: undefined });
  }
}
