import type { Command } from "commander";

/** `iommu-lab kernel …`: run, install, list, uninstall, doctor. */
export function kernelCommand(program: Command): void {
  const group = program.command("kernel").description("the Jupyter kernel: run it, install it into a Jupyter");
  group
    .command("run")
    .description("run the kernel for a connection file; this is what Jupyter calls")
    .argument("<connection-file>", "the file in which Jupyter says where to listen")
    .action(async (file: string) => {
      const { runKernel } = await import("../kernel/index.js");
      await runKernel(file);
    });
}
