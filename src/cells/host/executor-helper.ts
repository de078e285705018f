/**
 * The executor's helper thread: owns the socket to the supervisor and interrupts the main thread.
 *
 * - Output of the main thread arrives as messages and leaves over the socket even while the main thread is in an endless loop. Text is
 *   gathered for 15 ms; a shared counter of bytes not yet sent makes a cell that floods wait.
 * - End of file on the socket means that the supervisor died: this process and those that it has started are killed, whatever the main thread does.
 * - An interrupt is a message to the main thread; if that is not acknowledged soon, the main thread is busy and is terminated through the
 *   inspector, which unwinds whatever JavaScript runs there and leaves every object as it is. Message and termination are repeated until the
 *   message is acknowledged and no termination is outstanding. Only then are new cells handed on.
 * - A module that is being loaded is waited for: torn, it would be left half-evaluated in Node's caches (loading.ts).
 */
import { readFileSync } from "node:fs";
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";
import { sizeOf } from "./backlog.js";
import { interruptChildren, killGroup } from "./children.js";
import { frame, readFrames } from "./frames.js";
import type { FromExecutor, ToExecutor } from "./protocol.js";
import { Word } from "./shared.js";

/** How long a module may go on loading after an interrupt, in ms of processor time and of time, before it is torn all the same. */
const loadPatienceCpuMs = 2000;
const loadPatienceMs = 10_000;

/** How long the main thread has for an interrupt's message before it is terminated, and for what comes after that message. */
const firstPatienceMs = 25;
/** The same in processor time: what has had so much without coming by is busy. */
const firstPatienceCpuMs = 8;
const afterwardsMs = 500;
/** The same where one after the other has been terminated: then a queue of loops is left, such as the requests to a server. */
const queueMs = 12;
/** How long more of them may be on their way. */
const lateMs = 40;
/** When an interrupt is taken for settled although something keeps coming that must be terminated. */
const settleMs = 8000;

const { port, answers, shared, fd } = workerData as {
  port: MessagePort;
  answers: MessagePort;
  shared: Int32Array;
  fd: number;
};
const socket = new Socket({ fd, readable: true, writable: true });
const die = () => killGroup(process.pid);
socket.on("end", die);
socket.on("error", die);
socket.on("close", die);

const send = (message: FromExecutor, written?: () => void) => socket.write(frame(message), written);
const release = (size: number) => {
  if (size === 0) return;
  Atomics.sub(shared, Word.pending, size);
  Atomics.notify(shared, Word.pending);
};

/** Text gathered since the last write: one kind of stream of one cell at a time. */
let text: { origin: number; name: "stdout" | "stderr"; parts: string[]; length: number; size: number } | undefined;
let flushTimer: NodeJS.Timeout | undefined;

function flush(): void {
  clearTimeout(flushTimer);
  flushTimer = undefined;
  if (!text) return;
  const { origin, name, parts, size } = text;
  text = undefined;
  send({ type: "stream", origin, name, text: parts.join("") }, () => release(size));
}

const inspector = new Session();
inspector.connectToMainThread();

let interrupting: number | undefined;
let acknowledged = 0;
/** The last turn that the main thread has taken after an interrupt. */
let idle = 0;
let terminations = 0;
let taken = 0;
/** The synchronous question that the main thread waits with. */
let asked: number | undefined;
/** Messages that the main thread has not taken up yet, and those that wait for an interrupt to settle. */
let unacknowledged: ToExecutor[] = [];
let held: ToExecutor[] = [];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let wake: (() => void) | undefined;
const wakeOrSleep = (ms: number) => Promise.race([sleep(ms), new Promise<void>((resolve) => (wake = resolve))]);

/** Processor time of the main thread in ms, or undefined where the system does not tell. */
function mainThreadMs(): number | undefined {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
  } catch {
    return undefined;
  }
}

/** Processor time of the whole process in ms. */
const processMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

async function interruptMain(n: number): Promise<void> {
  interrupting = n;
  Atomics.store(shared, Word.settling, n);
  Atomics.store(shared, Word.interrupting, n);
  const started = performance.now();
  const startedCpu = processMs();
  let askedChildren = 0;
  /** Repeats a message until it is answered and no termination is outstanding; terminates whatever keeps the main thread from it. */
  const insist = async (
    firstMs: number,
    firstCpuMs: number,
    answered: () => boolean,
    message: () => unknown,
  ): Promise<void> => {
    /**
     * Time for the main thread to take up the message, and the processor time that is enough for it. Both grow, or on a
     * busy machine each termination could hit the handler that acknowledges.
     */
    let patience = firstMs;
    let enough = firstCpuMs;
    let repeated = false;
    while (!answered() || terminations > 0) {
      port.postMessage(message());
      const posted = performance.now();
      const postedCpu = mainThreadMs();
      /** Whether the main thread has had its chance. */
      const passed = () => {
        const waited = performance.now() - posted;
        if (waited >= patience) return true;
        if (postedCpu === undefined || waited < 4) return false;
        return (mainThreadMs() ?? postedCpu) - postedCpu >= enough;
      };
      const loads = () =>
        Atomics.load(shared, Word.loading) > 0 &&
        processMs() - startedCpu < loadPatienceCpuMs &&
        performance.now() - started < loadPatienceMs;
      while ((!answered() || terminations > 0) && (loads() || !passed())) {
        await wakeOrSleep(loads() ? 10 : 4);
        askChildren();
      }
      patience = repeated ? Math.min(1000, patience * 1.5) : 2 * firstPatienceMs;
      enough = repeated ? Math.min(40, enough * 1.05) : 8.4;
      repeated = true;
      if (!answered() && terminations === 0) {
        terminations++;
        Atomics.add(shared, Word.terminations, 1);
        inspector.post("Runtime.terminateExecution", () => {
          terminations--;
          wake?.();
        });
      }
    }
  };
  /** Native code that waits for a child process (execSync) does not see a termination: the children are interrupted too. */
  const askChildren = () => {
    const waited = performance.now() - started;
    if (acknowledged < n && waited > 1000 * (askedChildren + 1)) interruptChildren(++askedChildren > 3);
  };
  await insist(
    firstPatienceMs,
    firstPatienceCpuMs,
    () => acknowledged >= n,
    () => (acknowledged < n ? { type: "interrupt", interrupt: n } : { type: "idle", turn: idle }),
  );
  // What the cell had queued, and what listens to its signal, comes after the handler: it has a while. Settled is the interrupt when the main
  // thread comes by without having been terminated again.
  const killed = () => Atomics.load(shared, Word.terminations);
  for (let before = -1, round = 0; before !== killed() && performance.now() - started < settleMs; round++) {
    // Where loops have come one after the other, those on their way are let in, to be ended with the others (entries.ts).
    if (round > 0) await sleep(lateMs);
    const first = round === 0 ? afterwardsMs : round < 4 ? 50 : queueMs;
    before = killed();
    const turn = idle + 1;
    await insist(
      first,
      Infinity,
      () => idle >= turn,
      () => ({ type: "idle", turn }),
    );
  }
  flush();
  interrupting = undefined;
  Atomics.store(shared, Word.settling, 0);
  asked = undefined;
  // A cell that a termination has hit before any of it ran counts as interrupted, as the one that runs does.
  for (const message of unacknowledged)
    if (message.type === "execute") send({ type: "missed", origin: message.origin });
  const again = [...unacknowledged.filter(({ type }) => type !== "execute"), ...held];
  unacknowledged = [];
  held = [];
  send({ type: "settled", interrupt: n });
  for (const message of again) forward(message);
}

function forward(message: ToExecutor): void {
  if (message.type === "interrupt") {
    if (interrupting === undefined) void interruptMain(message.interrupt);
    else held.push(message);
    return;
  }
  if (message.type === "input" && message.id === asked) {
    // The main thread waits with its message loop closed.
    asked = undefined;
    answers.postMessage(message);
    Atomics.compareExchange(shared, Word.asking, 1, 2);
    Atomics.notify(shared, Word.asking);
    return;
  }
  if (interrupting !== undefined) {
    held.push(message);
    return;
  }
  if ("seq" in message) unacknowledged.push(message);
  port.postMessage(message);
}

port.on("message", (message: FromExecutor) => {
  switch (message.type) {
    case "taken":
      taken = Math.max(taken, message.seq);
      unacknowledged = unacknowledged.filter((m) => "seq" in m && m.seq > taken);
      return;
    case "acknowledged":
      acknowledged = Math.max(acknowledged, message.interrupt);
      wake?.();
      return;
    case "idle":
      idle = Math.max(idle, message.turn);
      wake?.();
      return;
    case "stream":
      if (text && (text.origin !== message.origin || text.name !== message.name)) flush();
      text ??= { origin: message.origin, name: message.name, parts: [], length: 0, size: 0 };
      text.parts.push(message.text);
      text.length += message.text.length;
      text.size += sizeOf(message);
      if (text.length > 1 << 16) flush();
      else flushTimer ??= setTimeout(flush, 15);
      return;
    case "input":
      if (message.sync) asked = message.id;
      break;
  }
  flush();
  const size = sizeOf(message);
  send(message, () => release(size));
});
readFrames(socket, forward);
