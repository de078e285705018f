/**
 * The executor process: runs cells on its main thread, and nothing else does anything here.
 *
 * The socket to the supervisor belongs to the helper thread (executor-helper.ts), which also interrupts: so output leaves and an interrupt
 * arrives while a cell keeps the main thread busy. A termination can unwind any code on this thread at any point. Therefore: no cell is
 * finished by code that stands below user code on the stack unless nothing went wrong; an interrupted cell is finished by the handler of the
 * "interrupt" message, which the helper repeats until it is acknowledged.
 */
import { randomUUID } from "node:crypto";
import { MessageChannel, Worker } from "node:worker_threads";
import { bundleOf } from "../display/bundle.js";
import { createLab, type LabHost } from "../display/lab.js";
import { createControls } from "../widgets/controls.js";
import { createComms } from "./comms.js";
import { errorContent, installStackTraces, registerSource } from "./errors.js";
import { guardProcess } from "./guards.js";
import type { FromExecutor, Origin, Outcome, ToExecutor } from "./protocol.js";
import { trackResources } from "./resources.js";
import { notebookFile } from "./root.js";
import { createScope } from "./scope.js";

const [packageRoot, root] = process.argv.slice(2);
process.chdir(root);

/** Bytes of output on their way to the supervisor; above the limit, a writing cell waits. */
const pending = new Int32Array(new SharedArrayBuffer(4));
const pendingLimit = 4 << 20;

const { port1: port, port2 } = new MessageChannel();
new Worker(new URL("./executor-helper.js", import.meta.url), {
  workerData: { port: port2, pending, fd: 3 },
  transferList: [port2],
});

const post = (message: FromExecutor) => port.postMessage(message);

/** The cell that is running, until it is finished. */
interface Running {
  origin: Origin;
  outcome?: Outcome;
  abort: AbortController;
  allowStdin: boolean;
  cellId: string | undefined;
}
let running: Running | undefined;
/** The cell (or comm message) that output belongs to. */
let origin: Origin = 0;
/** The comm message that is being taken up: what is sent meanwhile is its answer, also while a cell waits. */
let answering: Origin | undefined;
/** Work for the time when no cell runs, and whether the last of it may still be under way. */
const waiting: (() => void)[] = [];
let inBackground = false;

const originNow = (): Origin => resources.timerOrigin() ?? origin;

function write(name: "stdout" | "stderr", text: string): void {
  if (text === "") return;
  const bytes = text.length;
  while (Atomics.load(pending, 0) > pendingLimit) Atomics.wait(pending, 0, Atomics.load(pending, 0), 20);
  Atomics.add(pending, 0, bytes);
  post({ type: "stream", origin: originNow(), name, text });
}

const resources = trackResources(() => origin);
guardProcess(write);
installStackTraces();

const inputs = new Map<number, { resolve: (text: string) => void; reject: (error: Error) => void }>();
let inputCount = 0;
const comms = createComms((message) => post({ type: "comm", origin: answering ?? originNow(), message }));
const signal = () => running?.abort.signal ?? new AbortController().signal;
const display: LabHost["display"] = (data, { displayId, update, metadata = {} }) => {
  while (Atomics.load(pending, 0) > pendingLimit) Atomics.wait(pending, 0, Atomics.load(pending, 0), 20);
  post({ type: "display", origin: originNow(), data, metadata, displayId, update });
};
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
  clear: (wait) => post({ type: "clear", origin: originNow(), wait }),
  prompt: (question, password) => {
    if (running && !running.allowStdin)
      return Promise.reject(
        new Error("lab.prompt: this notebook is executed without anyone to ask (the front end does not allow input)."),
      );
    const id = ++inputCount;
    post({ type: "input", origin: originNow(), id, prompt: question, password });
    return new Promise((resolve, reject) => inputs.set(id, { resolve, reject }));
  },
  comm: comms.api,
  controls: controls.show,
  signal,
  newId: () => randomUUID(),
});
Object.defineProperty(globalThis, "lab", { value: lab, configurable: true, writable: true, enumerable: false });

const scope = createScope(packageRoot, root, notebookFile(root));

/** Reports an error that no cell's code can catch: under the cell that it happened in, as far as its stack tells. */
function uncaught(error: unknown): void {
  const content = errorContent(error);
  post({ type: "uncaught", origin: content.origin ?? originNow(), error: content });
}
process.on("uncaughtException", uncaught);
process.on("unhandledRejection", uncaught);

/** Runs work as soon as no cell runs; its timers are its own, so that an interrupt can end them. */
function whenIdle(work: () => void): () => void {
  const from = answering ?? originNow();
  let wanted = true;
  const begin = () => {
    if (!wanted) return;
    if (running) {
      waiting.push(begin);
      return;
    }
    origin = from;
    if (!inBackground) resources.beginCell();
    inBackground = true;
    work();
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
  running = undefined;
  for (const begin of waiting.splice(0)) resources.soon(begin);
  post({ type: "done", origin: cell.origin, outcome, assigned: scope.endCell() });
}

const failed = (error: unknown): Outcome => {
  const { ename, evalue, traceback } = errorContent(error);
  return { status: "error", ename, evalue, traceback };
};

function execute(message: Extract<ToExecutor, { type: "execute" }>): void {
  const cell: Running = {
    origin: message.origin,
    abort: new AbortController(),
    allowStdin: message.allowStdin,
    cellId: message.cellId,
  };
  running = cell;
  origin = message.origin;
  inBackground = false;
  resources.beginCell();
  controls.beginCell(message.cellId);
  scope.addSideModules(message.cell.sideModules);
  registerSource(message.name, message.cell.map, message.origin);
  for (const { path, map } of message.cell.sideModules) if (map !== undefined) registerSource(path, map);
  const run = scope.beginCell(message.name, message.cell);

  /** Rejections that happened in the cell surface before its reply: they are reported once the microtasks are done. */
  const finishSoon = (outcome: Outcome) => {
    cell.outcome = outcome;
    resources.soon(() => finish(cell, outcome));
  };
  const show = (value: unknown) => {
    bundleOf(value).then(
      (result) => finishSoon(result ? { status: "ok", result } : { status: "ok" }),
      (error: unknown) => finishSoon(failed(error)),
    );
  };
  try {
    for (const hint of message.cell.hints) write("stderr", `${hint}\n`);
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

function interrupt(n: number): void {
  const cell = running;
  // A termination runs no `finally`.
  answering = undefined;
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
  resources.clear(cell !== undefined || inBackground);
  inputs.clear();
  post({ type: "acknowledged", interrupt: n });
  // User code that listens runs last: if it does not return, the interrupt has already been answered.
  controls.interrupted();
  cell?.abort.abort();
}

port.on("message", (message: ToExecutor | { type: "nudge" }) => {
  switch (message.type) {
    case "execute":
      post({ type: "taken", seq: message.seq });
      execute(message);
      return;
    case "comm":
      post({ type: "taken", seq: message.seq });
      origin = running ? origin : message.origin;
      answering = message.origin;
      try {
        comms.receive(message.message);
      } catch (error) {
        uncaught(error);
      } finally {
        answering = undefined;
        post({ type: "commDone", origin: message.origin });
      }
      return;
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
    case "nudge":
      return;
  }
});
post({ type: "ready" });
