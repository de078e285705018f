import type { Command } from "commander";
import { ensurePythonEnvironment } from "../lab/index.js";

/** `iommu-lab lab`: sets up JupyterLab and opens it. */
export function labCommand(program: Command): void {
  program
    .command("lab")
    .description("set up JupyterLab in the project's .venv and open the notebooks in it")
    .option("--check", "set everything up and say what is there, without starting JupyterLab")
    .option("--verbose", "show every line of the installer and of JupyterLab")
    .action(async (options: { check?: boolean; verbose?: boolean }) => {
      const environment = await ensurePythonEnvironment({
        report: (line) => process.stderr.write(`${line}\n`),
        verbose: options.verbose ?? false,
      });
      process.stdout.write(`Python environment: ${environment.folder} (Python ${environment.version})\n`);
    });
}
