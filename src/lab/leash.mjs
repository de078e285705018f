// Runs a tool that ends, with all that it started, when whoever asked for it ends: by itself, by a signal, or by kill -9.
//   node leash.mjs COMMAND ARGUMENT…      with a pipe as standard input that the asker holds open, as leader of a group of processes
// Plain JavaScript without dependencies, since the very first set-up uses it before anything is installed.
import { spawn } from "node:child_process";

/** What a shell answers for a command that is not there. */
const notFound = 127;

const [command, ...args] = process.argv.slice(2);
const tool = spawn(command, args, { stdio: ["ignore", "inherit", "inherit"] });
tool.on("error", (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(error.code === "ENOENT" ? notFound : 1);
});
tool.on("exit", (code, signal) => {
  if (signal) process.stderr.write(`${command} was ended by ${signal}\n`);
  process.exit(code ?? 128);
});
// Nothing is ever written to the pipe; that it ends says that the other end is gone.
process.stdin.resume();
process.stdin.on("end", () => process.kill(-process.pid, "SIGKILL"));
process.stdin.on("error", () => process.kill(-process.pid, "SIGKILL"));
