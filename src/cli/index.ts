/**
 * The command line: `iommu-lab lab | execute | kernel | run | experiments | sweep | iova | mce | one-to-one | trace | claims | perturb | reproduce | site | migrate`.
 *
 * Each command is a file of src/cli that registers itself on the program: it reads its arguments, calls one thing of a room below, and
 * prints. No command computes anything. Exit codes: 0 done; 1 it failed, or a value was refused (one sentence on stderr says why); 2 there is
 * no such command or option, or an argument is missing; 130 interrupted.
 */
import { createRequire } from "node:module";
import { Command, CommanderError } from "commander";
import { errorText } from "./errors.js";

export { UserError } from "./errors.js";

const { version } = createRequire(import.meta.url)("../../package.json") as { version: string };

/** What adds a command, or several, to the program. */
type Register = (program: Command) => void;

/**
 * Commands by their names, in the order of the help text. Only the one that is asked for is loaded: most of them need few of the others' libraries,
 * and to load them all takes half a second.
 */
const commands: readonly (readonly [names: readonly string[], load: () => Promise<Register>])[] = [
  [["lab"], async () => (await import("./lab.js")).labCommand],
  [["execute"], async () => (await import("./execute.js")).executeCommand],
  [["kernel"], async () => (await import("./kernel.js")).kernelCommand],
  [["experiments", "run"], async () => (await import("./run.js")).runCommand],
  [["iova"], async () => (await import("./iova/index.js")).iovaCommand],
  [["trace"], async () => (await import("./trace/index.js")).traceCommand],
  [["mce"], async () => (await import("./mce.js")).mceCommand],
  [["one-to-one"], async () => (await import("./one-to-one.js")).oneToOneCommand],
  [["sweep"], async () => (await import("./sweep/index.js")).sweepCommand],
  [["claims"], async () => (await import("./claims.js")).claimsCommand],
  [["perturb"], async () => (await import("./perturb.js")).perturbCommand],
  [["reproduce"], async () => (await import("./reproduce.js")).reproduceCommand],
  [["site"], async () => (await import("./site.js")).siteCommand],
  [["migrate"], async () => (await import("./migrate.js")).migrateCommand],
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
  const asked = commands.find(([names]) => names.includes(argv[0] ?? ""));
  for (const [, load] of asked ? [asked] : commands) (await load())(program);
  try {
    await program.parseAsync(argv, { from: "user" });
    return process.exitCode === undefined ? 0 : Number(process.exitCode);
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    process.stderr.write(`${errorText(error)}\n`);
    return process.exitCode === undefined ? 1 : Number(process.exitCode);
  }
}
