import { existsSync } from "node:fs";
import { join } from "node:path";
import { type Command, InvalidArgumentError } from "commander";
import { checkLab, ensurePythonEnvironment, prepareLab, startJupyterLab } from "../lab/index.js";

function portNumber(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65535) {
    throw new InvalidArgumentError("A port is a whole number from 1 to 65535.");
  }
  return port;
}

interface LabOptions {
  browser: boolean;
  port?: number;
  check?: boolean;
  verbose?: boolean;
}

const say = (line: string) => void process.stderr.write(`${line}\n`);

/** `iommu-lab lab`: sets up JupyterLab and opens it. */
export function labCommand(program: Command): void {
  program
    .command("lab")
    .description("set up JupyterLab in the project's .venv and open the notebooks in it")
    .option("--no-browser", "print the address without opening a browser")
    .option(
      "--port <number>",
      "listen on this port of this machine (default: the first free one from 8888)",
      portNumber,
    )
    .option("--check", "set everything up and say what is there, without starting JupyterLab")
    .option("--verbose", "show every line of the installer and of JupyterLab")
    .action(run);
}

async function run(options: LabOptions): Promise<void> {
  const verbose = options.verbose ?? false;
  const environment = await ensurePythonEnvironment({ report: say, verbose });
  const parts = prepareLab(environment);
  if (options.check) {
    for (const [name, value] of await checkLab(environment, parts)) {
      process.stdout.write(`${`${name}:`.padEnd(14)}${value}\n`);
    }
    return;
  }
  say("Starting JupyterLab …");
  const lab = await startJupyterLab(environment, {
    browser: options.browser,
    verbose,
    report: say,
    ...(options.port === undefined ? {} : { port: options.port }),
  });
  process.stdout.write(`\n  ${lab.url}\n\n`);
  say("The lab is open at this address, on this machine only. Ctrl-C here ends it.");
  let asked = false;
  const end = () => {
    if (!asked) say("Ending JupyterLab and its kernels …");
    asked = true;
    void lab.stop();
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, end);
  const code = await lab.ended;
  if (!asked && code !== 0) {
    const where = lab.log !== undefined && existsSync(lab.log) ? `; its log is ${join(lab.log)}` : "";
    say(`JupyterLab ended unexpectedly (exit code ${code})${where}.`);
    process.exitCode = 1;
  }
}
