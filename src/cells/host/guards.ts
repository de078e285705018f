/** Keeps what user code does to the process from ending the session. */

/** What a cell sees that calls `process.exit`. */
class ProcessExit extends Error {
  override name = "ProcessExit";
}

/**
 * Redirects standard output and error to the cell, and turns `process.exit` into an error.
 * @param write takes what is written
 */
export function guardProcess(write: (name: "stdout" | "stderr", text: string) => void): void {
  for (const name of ["stdout", "stderr"] as const) {
    const decoder = new TextDecoder();
    process[name].write = ((
      chunk: string | Uint8Array,
      encoding?: BufferEncoding | (() => void),
      written?: () => void,
    ): boolean => {
      const text =
        typeof chunk === "string"
          ? typeof encoding === "string" && encoding !== "utf8" && encoding !== "utf-8"
            ? Buffer.from(chunk, encoding).toString()
            : chunk
          : decoder.decode(chunk, { stream: true });
      write(name, text);
      const done = typeof encoding === "function" ? encoding : written;
      if (done) queueMicrotask(done);
      return true;
    }) as typeof process.stdout.write;
  }
  const refuse = (call: string): never => {
    throw new ProcessExit(`${call} was called in a cell. The session goes on and keeps its variables.`);
  };
  process.exit = ((code?: number | string | null) => refuse(`process.exit(${code ?? ""})`)) as typeof process.exit;
  process.abort = () => refuse("process.abort()");
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => {});
  process.on("SIGHUP", () => {});
}
