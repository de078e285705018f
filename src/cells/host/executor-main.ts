/**
 * The executor process: runs cells on its main thread, and nothing else does anything here.
 *
 * The socket to the supervisor belongs to the helper thread (executor-helper.ts), which also interrupts: so output leaves and an interrupt
 * arrives while a cell keeps the main thread busy. A termination can unwind any code on this thread at any point. Therefore: no cell is
 * finished by code that stands below user code on the stack unless nothing went wrong; an interrupted cell is finished by the handler of the
 * "interrupt" message, which the helper repeats until it is acknowledged.
 *
 * What code puts out belongs to the cell (or comm message) that it was started by, however late it runs: an asynchronous context carries that
 * through timers, promises and callbacks.
 */
import { randomUUID } from "node:crypto";
import { MessageChannel, receiveMessageOnPort, Worker } from "node:worker_threads";
import { bundleOf } from "../display/bundle.js";
import { createLab, type LabHost } from "../display/lab.js";
import { createControls } from "../widgets/controls.js";
import { sizeOf } from "./backlog.js";
import { createComms } from "./comms.js";
import { createContext } from "./context.js";
import { guardEntries } from "./entries.js";
import { errorContent, installStackTraces, registerSource } from "./errors.js";
import { guardAsyncHooks, guardImmediates, guardProcess } from "./guards.js";
import { nativeSide } from "./internals.js";
import { createLoading } from "./loading.js";
import { watchMessages } from "./messages.js";
import { freshDispatcher, guardFetch, warmUp } from "./network.js";
import { offerPoints } from "./points.js";
import type { ErrorContent, FromExecutor, Origin, Outcome, ToExecutor } from "./protocol.js";
import { type Owner, trackResources } from "./resources.js";
import { notebookFile } from "./root.js";
import { createScope } from "./scope.js";
import { createShared, Word } from "./shared.js";
import { installTerminal } from "./terminal.js";

const [packageRoot, root] = process.argv.slice(2);
process.chdir(root);

const shared = createShared();
/** Bytes of output on their way to the supervisor, above which a cell that writes waits. */
const pendingLimit = 4 << 20;
/** How long a cell that nobody watches waits for timeouts of its own after its end, in ms. */
const lateMs = 1000;

const { port1: port, port2 } = new MessageChannel();
const { port1: answers, port2: answersPort } = new MessageChannel();
new Worker(new URL("./executor-helper.js", import.meta.url), {
  workerData: { port: port2, answers: answersPort, shared, fd: 3 },
  transferList: [port2, answersPort],
});

/** Posts a message of this process's own. */
const post = (message: FromExecutor) => port.postMessage(message);

/** Posts what a cell puts out; waits while too much is on its way. */
function put(message: FromExecutor): void {
  for (let now = Atomics.load(shared, Word.pending); now > pendingLimit; now = Atomics.load(shared, Word.pending))
    Atomics.wait(shared, Word.pending, now, 20);
  const size = sizeOf(message);
  Atomics.add(shared, Word.pending, size);
  try {
    port.postMessage(message);
  } catch (error) {
    // What cannot be copied to another thread has not been posted.
    Atomics.sub(shared, Word.pending, size);
    throw error;
  }
}

/** The cell that is running, until it is finished. */
interface Running {
  owner: Owner;
  outcome?: Outcome;
  /** An error of the cell that none of its code could catch; it has been shown. */
  failure?: ErrorContent;
  abort: AbortController;
  allowStdin: boolean;
  cellId: string | undefined;
  /** The number that its result goes by in `Out`. */
  count: number | undefined;
}
/** What the code that runs now belongs to; `answering`: the comm message that it answers, also while a cell waits. */
const interrupting = () => Atomics.load(shared, Word.interrupting) > 0;
const settling = () => Atomics.load(shared, Word.settling) > 0;
const native = nativeSide();
const entries = guardEntries(
  native,
  interrupting,
  settling,
  () => watchOver(),
  () => Atomics.load(shared, Word.terminations),
  (callback) => resources.soon(callback),
);
const context = createContext<Owner & { answering?: Origin }>(entries.tick);
let running: Running | undefined;
/** The latest cell, for what has no context. */
let latest: Owner = { origin: 0, cell: 0 };
let cells = 0;
/** The last message that was taken up: one that a termination has hit may come again. */
let lastTaken = 0;
/** Work for the time when no cell runs, and what the last of it that may still be under way belongs to. */
const waiting: (() => void)[] = [];
let background: Owner | undefined;

/** The cells that were interrupted: what their code waits for never comes. */
const over = new Set<number>();
/** A question, to be asked later as well, whether the cell of the code that runs now is one of them. */
const watchOver = () => {
  const cell = context.get()?.cell;
  return () => cell !== undefined && over.has(cell);
};

const ownerNow = (): Owner => context.get() ?? latest;
const originNow = (): Origin => ownerNow().origin;

const hooks = guardAsyncHooks(native);
const mendImmediates = guardImmediates();
const loading = createLoading(shared);
const resources = trackResources(context, ownerNow, interrupting, watchOver);
const messages = watchMessages([port, answers], context, ownerNow, interrupting, resources.soon);
guardProcess((name, text) => {
  if (text === "") return;
  put({ type: "stream", origin: originNow(), name, text });
  if (name === "stdout") terminal.written(text);
});
installStackTraces();

const inputs = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>();
let inputCount = 0;
/** @throws where nobody can be asked */
const mayAsk = (what: string): void => {
  if (running && !running.allowStdin)
    throw new Error(`${what}: this notebook is executed without anyone to ask (the front end does not allow input).`);
};
const ask = async (question: string, password: boolean, what = "lab.prompt"): Promise<string> => {
  mayAsk(what);
  const id = ++inputCount;
  put({ type: "input", origin: originNow(), id, prompt: question, password });
  return new Promise((resolve, reject) => inputs.set(id, { resolve, reject }));
};
const terminal = installTerminal({
  ask: (question) => context.run(running?.owner ?? latest, () => ask(question, false, "process.stdin")),
  busy: () => running !== undefined,
  later: resources.later,
  askNow(question, what) {
    mayAsk(what);
    const id = ++inputCount;
    Atomics.store(shared, Word.asking, 1);
    put({ type: "input", origin: originNow(), id, prompt: question, password: false, sync: true });
    while (Atomics.load(shared, Word.asking) === 1) Atomics.wait(shared, Word.asking, 1, 1000);
    for (;;) {
      const answer = (receiveMessageOnPort(answers) as { message: Extract<ToExecutor, { type: "input" }> } | undefined)
        ?.message;
      if (answer && answer.id !== id) continue;
      if (answer?.value === undefined || answer.value === null)
        throw new Error(answer?.error ?? `${what}: the question was not answered.`);
      return answer.value;
    }
  },
});

const comms = createComms((message) => put({ type: "comm", origin: context.get()?.answering ?? originNow(), message }));
const signal = () => running?.abort.signal ?? new AbortController().signal;
const display: LabHost["display"] = (data, { displayId, update, metadata = {} }) =>
  put({ type: "display", origin: originNow(), data, metadata, displayId, update });
const controls = createControls({
  comms: comms.api,
  display,
  newId: () => randomUUID(),
  signal,
  busy: () => running !== undefined,
  whenIdle,
  cellId: () => running?.cellId,
  explain: (error) => {
    const { ename, evalue, traceback } = errorContent(error);
    return traceback.length > 0 ? traceback.join("\n") : `${ename}: ${evalue}`;
  },
});
const lab = createLab({
  display,
  clear: (wait) => put({ type: "clear", origin: originNow(), wait }),
  prompt: (question, password) => ask(question, password),
  comm: comms.api,
  controls: controls.show,
  signal,
  forgetPoints: offerPoints(packageRoot),
  newId: () => randomUUID(),
});
const define = (name: string, value: unknown) =>
  Object.defineProperty(globalThis, name, { value, configurable: true, writable: true, enumerable: false });
define("lab", lab);
/** The results of the latest cells, by the cells' numbers: `Out` of a cell. */
const results: Record<number, unknown> = {};
const resultLimit = 100;
define("Out", results);
define("_", undefined);
function keepResult(count: number, value: unknown): void {
  results[count] = value;
  const counts = Object.keys(results);
  if (counts.length > resultLimit) delete results[Number(counts[0])];
  (globalThis as Record<string, unknown>)["_"] = value;
}

const scope = createScope(packageRoot, root, notebookFile(root), loading);

/** Reports an error that no cell's code can catch, under the cell that it belongs to; while that runs, it fails. */
function uncaught(error: unknown, by: Owner | undefined): void {
  const { origin: thrownIn, ...content } = errorContent(error);
  const origin = by?.origin ?? thrownIn ?? latest.origin;
  put({ type: "uncaught", origin, error: content });
  if (running?.owner.origin === origin) running.failure ??= content;
}
/**
 * Whether what was "thrown" is V8's own mark of a termination: it gets here where the termination has hit Node's hook of a promise that the native
 * side makes. Nothing but its type may be asked for; it ends the process.
 */
const isTermination = (error: unknown): boolean => {
  const type: string = typeof error;
  return type === "undefined" && error !== undefined;
};
process.on("uncaughtException", (error) => {
  if (isTermination(error)) return;
  if (!mendImmediates(error)) uncaught(error, context.thrownBy(error) ?? context.get());
});
process.on("unhandledRejection", (error, promise) => uncaught(error, context.of(promise)));

/** Runs work as soon as no cell runs; its timers are its own, so that an interrupt can end them. */
function whenIdle(work: () => void): () => void {
  const origin = context.get()?.answering ?? originNow();
  let wanted = true;
  const begin = () => {
    if (!wanted) return;
    if (running) {
      waiting.push(begin);
      return;
    }
    background ??= { origin, cell: ++cells };
    context.run({ origin, cell: background.cell }, work);
  };
  if (running) waiting.push(begin);
  else resources.soon(begin);
  return () => {
    wanted = false;
  };
}

/** Finishes a cell, once. */
function finish(cell: Running, outcome: Outcome): void {
  if (running !== cell) return;
  const { failure } = cell;
  const final: Outcome = outcome.status === "ok" && failure ? { status: "error", shown: true, ...failure } : outcome;
  post({
    type: "done",
    origin: cell.owner.origin,
    outcome: final,
    assigned: scope.endCell(final.status === "error" && final.interrupted === true),
  });
  running = undefined;
  for (const begin of waiting.splice(0)) resources.soon(begin);
}

const failed = (error: unknown): Outcome => {
  const { ename, evalue, traceback } = errorContent(error);
  return { status: "error", ename, evalue, traceback };
};

function execute(message: Extract<ToExecutor, { type: "execute" }>, cell: Running): void {
  latest = cell.owner;
  background = undefined;
  entries.beginCell();
  /** Rejections that happened in the cell surface before its reply: they are reported once the microtasks are done. */
  const finishSoon = (outcome: Outcome) => {
    cell.outcome = outcome;
    const until = performance.now() + lateMs;
    const look = () => {
      // Where nobody watches, what a timer does after the reply would be stored nowhere.
      const wait = outcome.status === "ok" && !cell.allowStdin && !cell.failure;
      if (wait && running === cell && resources.dueBefore(cell.owner.cell, until)) resources.later(look, 5);
      else finish(cell, outcome);
    };
    resources.soon(look);
  };
  const show = (value: unknown) => {
    if (cell.count !== undefined && value !== undefined) keepResult(cell.count, value);
    bundleOf(value).then(
      (result) => finishSoon(result ? { status: "ok", result } : { status: "ok" }),
      (error: unknown) => finishSoon(failed(error)),
    );
  };
  try {
    warmUp(message.cell.code, loading);
    terminal.beginCell();
    controls.beginCell(message.cellId);
    scope.addSideModules(message.cell.sideModules);
    registerSource(message.name, message.cell.map, message.origin);
    for (const { path, map } of message.cell.sideModules) if (map !== undefined) registerSource(path, map);
    const run = scope.beginCell(message.name, message.cell);
    for (const hint of message.cell.hints)
      put({ type: "stream", origin: originNow(), name: "stderr", text: `${hint}\n` });
    const ended = run();
    if (ended instanceof Promise)
      ended.then(
        ({ value }) => {
          try {
            show(value);
          } catch (error) {
            finishSoon(failed(error));
          }
        },
        (error: unknown) => finishSoon(failed(error)),
      );
    else show(ended.value);
  } catch (error) {
    finishSoon(failed(error));
  }
}

let acknowledged = 0;
let terminations = 0;
/** The cells that the latest interrupt has ended something of. */
let stopped: readonly number[] = [];
/** The cell whose timers the interrupt under way ends; kept outside of the handler, which a termination may hit. */
let stopping: number | undefined;

/** Mends what a termination has left half-done. */
function afterTermination(): void {
  const now = Atomics.load(shared, Word.terminations);
  if (now === terminations) return;
  loading.afterTermination();
  freshDispatcher();
  hooks.clear();
  terminations = now;
}

function interrupt(n: number): void {
  if (n <= acknowledged) {
    post({ type: "acknowledged", interrupt: n });
    return;
  }
  const cell = running;
  entries.beginInterrupt();
  stopping ??= cell?.owner.cell ?? background?.cell;
  afterTermination();
  loading.interrupted();
  if (cell) {
    finish(
      cell,
      cell.outcome ?? {
        status: "error",
        interrupted: true,
        ename: "KeyboardInterrupt",
        evalue: "The cell was interrupted; every variable is kept.",
        traceback: ["KeyboardInterrupt: The cell was interrupted; every variable is kept."],
      },
    );
  }
  if (stopping !== undefined) over.add(stopping);
  background = undefined;
  stopped = resources.clear(stopping);
  messages.clear(stopped);
  context.drop(({ cell }) => stopped.includes(cell));
  inputs.clear();
  Atomics.store(shared, Word.asking, 0);
  stopping = undefined;
  Atomics.store(shared, Word.interrupting, 0);
  entries.clear();
  acknowledged = n;
  post({ type: "acknowledged", interrupt: n });
  // User code that listens runs last: if it does not return, the interrupt has already been answered.
  controls.interrupted();
  cell?.abort.abort();
}

/** How often the helper has asked whether all is quiet. */
let looking = 0;
/** Answers the latest such question when what was held back has begun, and a whole turn has gone by. */
function lookAround(question: number, turn: number): void {
  resources.soon(() => {
    if (question !== looking) return;
    if (entries.waiting()) lookAround(question, turn);
    else resources.soon(() => post({ type: "idle", turn }));
  });
}

port.on("message", (message: ToExecutor | { type: "idle"; turn: number }) => {
  // A termination leaves the context of the cell that it has hit.
  context.reset();
  switch (message.type) {
    case "execute": {
      if (message.seq <= lastTaken) return;
      const cell: Running = {
        owner: { origin: message.origin, cell: ++cells },
        abort: new AbortController(),
        allowStdin: message.allowStdin,
        cellId: message.cellId,
        count: message.count,
      };
      // From here on the interrupt's handler finishes the cell, should a termination come.
      running = cell;
      lastTaken = message.seq;
      post({ type: "taken", seq: message.seq });
      context.run(cell.owner, () => execute(message, cell));
      return;
    }
    case "comm": {
      if (message.seq <= lastTaken) return;
      lastTaken = message.seq;
      post({ type: "taken", seq: message.seq });
      const idle = () => background?.cell ?? (over.has(latest.cell) ? ++cells : latest.cell);
      const owner = running?.owner ?? { origin: message.origin, cell: idle() };
      context.run({ ...owner, answering: message.origin }, () => {
        try {
          comms.receive(message.message);
        } catch (error) {
          uncaught(error, context.get());
        } finally {
          post({ type: "commDone", origin: message.origin });
        }
      });
      return;
    }
    case "input": {
      const waiting = inputs.get(message.id);
      inputs.delete(message.id);
      if (message.value === null) waiting?.reject(new Error(message.error ?? "The question was not answered."));
      else waiting?.resolve(message.value);
      return;
    }
    case "interrupt":
      interrupt(message.interrupt);
      return;
    case "idle":
      // What came after the interrupt's handler has let go, or was terminated as well.
      if (Atomics.load(shared, Word.terminations) !== terminations) {
        afterTermination();
        messages.clear(resources.clear(undefined));
        // What the stopped cell goes on with loops as well: no tick of its begins any more until all is quiet.
        context.drop(({ cell }) => stopped.includes(cell), settling);
        entries.clear();
      }
      // In the same turn of the event loop there may be more to come, such as further requests to a server.
      looking++;
      lookAround(looking, message.turn);
      return;
  }
});
post({ type: "ready" });
resources.later(() => warmUp(undefined, loading), 300);
entries.install();
guardFetch(loading, interrupting, watchOver, resources.later);
