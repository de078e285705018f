import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Command } from "commander";
import { printable, UserError } from "./errors.js";
import {
  activePrefix,
  type InstallPlace,
  kernelFolders,
  kernelsFolder,
  kernelsIn,
  userDataFolder,
} from "./jupyter-paths.js";
import { diagnose } from "./kernel-doctor.js";

interface PlaceFlags {
  user?: boolean;
  prefix?: string;
  sysPrefix?: boolean;
}

/** `iommu-lab kernel …`: run, install, list, uninstall, doctor. */
export function kernelCommand(program: Command): void {
  const group = program.command("kernel").description("the Jupyter kernel: run it, install it into a Jupyter");
  group
    .command("run")
    .description("run the kernel for a connection file; this is what Jupyter calls")
    .argument("<connection-file>", "the file in which Jupyter says where to listen")
    .option("--unsigned", "accept a connection file without a key: then every user of this machine can run code in it")
    .action(async (file: string, flags: { unsigned?: boolean }) => {
      const { runKernel } = await import("../jupyter/index.js");
      await runKernel(file, flags.unsigned === true ? { unsigned: true } : {});
    });

  const withPlace = (command: Command) =>
    command
      .option("--user", "for this user, in every Jupyter of theirs (the default)")
      .option("--prefix <dir>", "into DIR/share/jupyter/kernels: a virtual environment's folder, say")
      .option("--sys-prefix", "into the Python environment that is active (VIRTUAL_ENV or CONDA_PREFIX)");
  withPlace(group.command("install").description("install the kernel into a Jupyter that is already there")).action(
    async (flags: PlaceFlags) => {
      const { writeKernelSpec } = await import("../lab/index.js");
      const kernels = kernelsFolder(placeOf(flags));
      let folder: string;
      try {
        folder = writeKernelSpec(kernels);
      } catch (error) {
        throw new UserError(`${(error as Error).message} Choose another place with --prefix.`);
      }
      process.stdout.write(
        `Installed in ${folder}. It is called "TypeScript (iommu-lab)" in Jupyter's list of kernels.\n`,
      );
    },
  );
  withPlace(group.command("uninstall").description("remove the kernel from a Jupyter")).action(
    async (flags: PlaceFlags) => {
      const { kernelName } = await import("../lab/index.js");
      const folder = join(kernelsFolder(placeOf(flags)), kernelName);
      if (!existsSync(join(folder, "kernel.json")))
        throw new UserError(`${folder}: there is no such kernel to remove.`);
      rmSync(folder, { recursive: true });
      process.stdout.write(`Removed ${folder}.\n`);
    },
  );
  group
    .command("list")
    .description("list the kernels in the folders where Jupyter looks")
    .action(async () => {
      const { projectRoot } = await import("../lab/index.js");
      const found = kernelFolders(projectRoot).flatMap(kernelsIn);
      for (const { name, folder, displayName, problem } of found) {
        const columns = [name, displayName, folder, ...(problem === undefined ? [] : [`(${problem})`])];
        process.stdout.write(`${columns.map(printable).join("\t")}\n`);
      }
      if (!found.some(({ ours }) => ours)) {
        process.stdout.write("This kernel is not installed in any of them; `iommu-lab kernel install` does it.\n");
      }
    });
  group
    .command("doctor")
    .description("say what is missing for the kernel, the notebooks and their pictures, and how to get it")
    .action(async () => {
      const findings = await diagnose();
      for (const { well, text } of findings) process.stdout.write(`${well ? "ok     " : "missing"} ${text}\n`);
      if (findings.some(({ well, needed }) => !well && needed)) process.exitCode = 1;
    });
}

/** Where the flags say to install. */
function placeOf(flags: PlaceFlags): InstallPlace {
  const given = [
    flags.user && "--user",
    flags.prefix !== undefined && "--prefix",
    flags.sysPrefix && "--sys-prefix",
  ].filter(Boolean);
  if (given.length > 1) throw new UserError(`${given.join(" and ")}: expected one of them at most.`);
  if (flags.prefix !== undefined) {
    if (flags.prefix.trim() === "") throw new UserError("--prefix: expected a folder.");
    return { kind: "prefix", prefix: flags.prefix };
  }
  if (!flags.sysPrefix) return { kind: "user" };
  const prefix = activePrefix();
  if (prefix === undefined) {
    throw new UserError(
      `--sys-prefix: no Python environment is active. Activate one, name its folder with --prefix, or use --user (${userDataFolder()}).`,
    );
  }
  return { kind: "prefix", prefix };
}
