import { parentPort } from "node:worker_threads";
import type { Answer } from "./worker-pool.js";

/**
 * How long a thread waits for its next task before it asks to be ended. Long enough for a reader who looks at a figure and runs the next cell;
 * short enough that nobody holds a thread's memory (about 100 MB) over a pause.
 */
const idleMs = 60_000;

/** Makes this module a thread's work: each task that arrives is done and answered, and the thread asks to be ended after `idle` ms without one. */
export function serve<Task, Result>(work: (task: Task) => Result | Promise<Result>, idle: number = idleMs): void {
  const port = parentPort;
  if (!port) throw new Error("serve: this is no worker thread.");
  const answer = (message: Answer) => port.postMessage(message);
  // The clock runs here: in a notebook, a timer of the other side would end with the cell in which it was set.
  let timer: NodeJS.Timeout | undefined;
  port.on("message", async (task: Task) => {
    clearTimeout(timer);
    try {
      answer({ result: await work(task) });
    } catch (error) {
      // An error that cannot be sent (it holds a function, say) goes as its text.
      try {
        answer({ error });
      } catch {
        answer({ error: new Error(String((error as Error)?.message ?? error)) });
      }
    }
    timer = setTimeout(() => answer({ idle: true }), idle);
  });
}
