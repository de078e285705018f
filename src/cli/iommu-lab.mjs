#!/usr/bin/env node
// The command's entry: it runs the built command line, and says what to do where nothing is built yet.
import { existsSync } from "node:fs";

const main = new URL("../../dist/cli/index.js", import.meta.url);
if (!existsSync(main)) {
  process.stderr.write("iommu-lab is not built yet. Run `npm run setup` in the project's folder first.\n");
  process.exit(1);
}
// Nobody reads any more (`| head`), or what is written to is full: that is said, or nothing, but never by a stack.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error) => {
    if (error.code !== "EPIPE" && stream === process.stdout)
      process.stderr.write(`The output cannot be written: ${error.message}.\n`);
    process.exit(error.code === "EPIPE" ? 0 : 1);
  });
const args = process.argv.slice(2);
if (args[0] === "kernel" && args[1] === "run" && args.length === 3 && !args[2].startsWith("-")) {
  // What Jupyter starts: without the other commands' libraries it listens half a second earlier.
  const { runKernel } = await import(new URL("../../dist/jupyter/index.js", import.meta.url).href);
  await runKernel(args[2]).catch((error) => {
    process.stderr.write(`${error?.name === "UserError" ? error.message : (error?.stack ?? error)}\n`);
    process.exit(1);
  });
} else {
  if (!(args[0] === "kernel" && args[1] === "run"))
    process.on("uncaughtException", (error) => {
      // In words of its own: where too many files are open, nothing more can be loaded.
      const hint = error?.code === "EMFILE" ? " (too many files are open: raise the limit with `ulimit -n`)" : "";
      const ofSystem = typeof error?.code === "string" && typeof error.syscall === "string";
      process.stderr.write(`${ofSystem ? `${error.message}${hint}.` : (error?.stack ?? error)}\n`);
      process.exit(1);
    });
  const { main: run } = await import(main.href);
  process.exitCode = await run(args);
}
