/** The kernel as a process of its own, which Jupyter starts with a connection file. */
import { CellRunner, cellRoot, packageRoot } from "../cells/index.js";
import { Session } from "./session/session.js";
import { version } from "./version.js";
import { readConnection } from "./wire/connection.js";

/** How often to look whether the front end that started this kernel is still there, in ms. */
const parentCheckMs = 1000;

/**
 * Runs a kernel until it is asked to end, or until the process that has started it is gone.
 * @param file the connection file
 * @param options `unsigned`: accept a connection file without a key
 * @throws an error with a one-sentence message where the file or a port cannot be used
 */
export async function runKernel(file: string, options: { unsigned?: boolean } = {}): Promise<void> {
  // Before anything can be slow: an interrupt that comes while the kernel starts must not end it.
  let session: Session | undefined;
  process.on("SIGINT", () => void session?.interrupt());
  const log = (line: string) => process.stderr.write(`[iommu-lab kernel] ${line}\n`);
  process.stderr.on("error", () => {});
  process.stdout.on("error", () => {});

  const connection = readConnection(file, options);
  if (connection.key === "")
    log("messages are not signed (--unsigned): every user of this machine can run code in this kernel");
  const heap = Number(process.env["IOMMU_LAB_HEAP_MB"]);
  let ended!: () => void;
  const end = new Promise<void>((resolve) => (ended = resolve));
  const { ZmqTransport } = await import("./wire/zmq.js");
  const transport = await ZmqTransport.bind(connection, log);
  session = new Session({
    transport,
    version,
    createRunner: (listener) =>
      new CellRunner(
        {
          packageRoot,
          root: cellRoot(process.cwd()),
          ...(Number.isInteger(heap) && heap > 0 ? { heapMb: heap } : {}),
        },
        listener,
      ),
    onShutdown: () => ended(),
    dropsLate: true,
    log,
  });

  for (const signal of ["SIGTERM", "SIGHUP"] as const) process.on(signal, () => ended());
  process.on("uncaughtException", (error) => log(`an error in the kernel itself: ${error.stack}`));
  process.on("unhandledRejection", (error) =>
    log(`an error in the kernel itself: ${(error as Error)?.stack ?? error}`),
  );
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.env["JPY_PARENT_PID"] !== undefined && process.ppid !== parent) {
      log("the process that started this kernel is gone");
      ended();
    }
  }, parentCheckMs);
  await end;
  clearInterval(watch);
  session.close();
  await transport.close();
  process.exit(0);
}
