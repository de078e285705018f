import { UserError } from "./errors.js";

/**
 * Runs work that Ctrl-C (or a SIGTERM) ends in good order: the work's signal is aborted with a sentence that says what became of it, and the
 * exit code is 130. A second Ctrl-C ends the process at once.
 * @param sentence what is said of the interruption: "Interrupted; nothing was printed."
 * @throws the sentence as a UserError where it was interrupted; else what the work throws
 */
export async function interruptible<T>(sentence: string, work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupt = new AbortController();
  const onInterrupt = () => {
    if (interrupt.signal.aborted) process.exit(130);
    interrupt.abort(new UserError(sentence));
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onInterrupt);
  try {
    return await work(interrupt.signal);
  } catch (error) {
    if (!interrupt.signal.aborted) throw error;
    process.exitCode = 130;
    throw interrupt.signal.reason;
  } finally {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onInterrupt);
  }
}
