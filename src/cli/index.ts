/**
 * The command line: `iommu-lab lab | execute | kernel | run | experiments | sweep | iova | mce | one-to-one | trace | claims | perturb | reproduce | site | migrate`.
 *
 * Each command is a file of src/cli that registers itself on the program: it reads its arguments, calls one thing of a room below, and
 * prints. No command computes anything. Exit codes: 0 done; 1 it failed, or a value was refused (one sentence on stderr says why); 2 there is
 * no such command or option, or an argument is missing; 130 interrupted.
 */
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { claimsCommand } from "./claims.js";
import { errorText } from "./errors.js";
import { executeCommand } from "./execute.js";
import { iovaCommand } from "./iova/index.js";
import { kernelCommand } from "./kernel.js";
import { labCommand } from "./lab.js";
import { mceCommand } from "./mce.js";
import { migrateCommand } from "./migrate.js";
import { oneToOneCommand } from "./one-to-one.js";
import { perturbCommand } from "./perturb.js";
import { reproduceCommand } from "./reproduce.js";
import { runCommand } from "./run.js";
import { siteCommand } from "./site.js";
import { sweepCommand } from "./sweep/index.js";
import { traceCommand } from "./trace/index.js";

export { UserError } from "./errors.js";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** Commands, in the order of the help text. */
const commands: ((program: Command) => void)[] = [
  labCommand,
  executeCommand,
  kernelCommand,
  runCommand,
  iovaCommand,
  traceCommand,
  mceCommand,
  oneToOneCommand,
  sweepCommand,
  claimsCommand,
  perturbCommand,
  reproduceCommand,
  siteCommand,
  migrateCommand,
];

/**
 * Runs the command line.
 * @param argv the arguments after the program's name
 * @returns the exit code
 */
export async function main(argv: string[]): Promise<number> {
  const program = new Command("iommu-lab")
    .description("A laboratory for DMA-mapping performance: a Jupyter kernel, notebooks and simulations.")
    .version(version)
    .exitOverride()
    .showHelpAfterError("(run with --help for what is accepted)");
  for (const register of commands) register(program);
  try {
    await program.parseAsync(argv, { from: "user" });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${errorText(error)}\n`);
    return process.exitCode === undefined ? 1 : Number(process.exitCode);
  }
}
