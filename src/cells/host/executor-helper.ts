/**
 * The executor's helper thread: owns the socket to the supervisor and interrupts the main thread.
 *
 * - Output of the main thread arrives as messages and leaves over the socket even while the main thread is in an endless loop. Text is
 *   gathered for 15 ms; a shared counter of bytes not yet sent makes a cell that floods wait.
 * - End of file on the socket means that the supervisor died: this process kills itself, whatever the main thread does.
 * - An interrupt is a message to the main thread; if that is not acknowledged in 25 ms, the main thread is busy and is terminated through the
 *   inspector, which unwinds whatever JavaScript runs there and leaves every object as it is. Message and termination are repeated until the
 *   message is acknowledged and no termination is outstanding. Only then are new cells handed on.
 */
import { Session } from "node:inspector";
import { Socket } from "node:net";
import { type MessagePort, workerData } from "node:worker_threads";
import { interruptChildren } from "./children.js";
import { frame, readFrames } from "./frames.js";
import type { FromExecutor, ToExecutor } from "./protocol.js";

const { port, pending, fd } = workerData as { port: MessagePort; pending: Int32Array; fd: number };
const socket = new Socket({ fd, readable: true, writable: true });
const die = () => process.kill(process.pid, "SIGKILL");
socket.on("end", die);
socket.on("error", die);
socket.on("close", die);

const send = (message: FromExecutor, written?: () => void) => socket.write(frame(message), written);

/** Text gathered since the last write: one kind of stream of one cell at a time. */
let text: { origin: number; name: "stdout" | "stderr"; parts: string[]; size: number } | undefined;
let flushTimer: NodeJS.Timeout | undefined;

function flush(): void {
  clearTimeout(flushTimer);
  flushTimer = undefined;
  if (!text) return;
  const { origin, name, parts, size } = text;
  text = undefined;
  send({ type: "stream", origin, name, text: parts.join("") }, () => {
    Atomics.sub(pending, 0, size);
    Atomics.notify(pending, 0);
  });
}

const inspector = new Session();
inspector.connectToMainThread();

let interrupting: number | undefined;
let acknowledged = 0;
let terminations = 0;
let taken = 0;
/** Messages that the main thread has not taken up yet, and those that wait for an interrupt to settle. */
let unacknowledged: ToExecutor[] = [];
let held: ToExecutor[] = [];
const sleep = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
let wake: (() => void) | undefined;

async function interruptMain(n: number): Promise<void> {
  interrupting = n;
  const started = performance.now();
  let askedChildren = 0;
  /** Time for the main thread to take up the message; it grows, or each termination could hit the handler that acknowledges. */
  let patience = 25;
  while (acknowledged < n || terminations > 0) {
    port.postMessage(acknowledged < n ? { type: "interrupt", interrupt: n } : { type: "nudge" });
    const deadline = performance.now() + patience;
    while (performance.now() < deadline && (acknowledged < n || terminations > 0)) {
      await Promise.race([sleep(deadline - performance.now()), new Promise<void>((resolve) => (wake = resolve))]);
    }
    patience = Math.min(1000, patience * 1.5);
    if (acknowledged < n && terminations === 0) {
      terminations++;
      inspector.post("Runtime.terminateExecution", () => {
        terminations--;
        wake?.();
      });
    }
    // Native code that waits for a child process (execSync) does not see a termination: the children are interrupted too.
    const waited = performance.now() - started;
    if (acknowledged < n && waited > 1000 * (askedChildren + 1)) interruptChildren(++askedChildren > 3);
  }
  flush();
  interrupting = undefined;
  send({ type: "settled", interrupt: n });
  const again = [...unacknowledged, ...held];
  unacknowledged = [];
  held = [];
  for (const message of again) forward(message);
}

function forward(message: ToExecutor): void {
  if (message.type === "interrupt") {
    if (interrupting === undefined) void interruptMain(message.interrupt);
    else held.push(message);
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
    case "stream":
      if (text && (text.origin !== message.origin || text.name !== message.name)) flush();
      text ??= { origin: message.origin, name: message.name, parts: [], size: 0 };
      text.parts.push(message.text);
      text.size += message.text.length;
      if (text.size > 1 << 16) flush();
      else flushTimer ??= setTimeout(flush, 15);
      return;
    default:
      flush();
      send(message);
  }
});
readFrames(socket, forward);
