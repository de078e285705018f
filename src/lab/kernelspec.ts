import { readdirSync } from "node:fs";
import { join } from "node:path";
import { keepFile, keepText } from "./files.js";
import { projectRoot } from "./root.js";

/** The name under which Jupyter, and a notebook's metadata, know the kernel. */
export const kernelName = "iommu-lab";

/** What a Jupyter front end reads to start the kernel (kernel.json). */
export interface KernelSpec {
  argv: string[];
  display_name: string;
  language: string;
  interrupt_mode: "signal" | "message";
  metadata: Record<string, unknown>;
}

/** The specification of this project's kernel, with the absolute paths of this Node and this folder. */
export function kernelSpec(): KernelSpec {
  return {
    argv: [process.execPath, join(projectRoot, "src", "cli", "iommu-lab.mjs"), "kernel", "run", "{connection_file}"],
    display_name: "TypeScript (iommu-lab)",
    language: "typescript",
    interrupt_mode: "message",
    metadata: { debugger: false },
  };
}

/**
 * Writes the kernel's specification with its icons.
 * @param kernelsFolder a Jupyter's folder of kernels: PREFIX/share/jupyter/kernels, or the user's
 * @returns the folder that was written
 * @throws the system's error when the folder cannot be written to
 */
export function writeKernelSpec(kernelsFolder: string): string {
  const folder = join(kernelsFolder, kernelName);
  keepText(join(folder, "kernel.json"), `${JSON.stringify(kernelSpec(), null, 2)}\n`);
  const icons = join(projectRoot, "src", "lab", "kernelspec");
  for (const name of readdirSync(icons)) keepFile(join(icons, name), join(folder, name));
  return folder;
}
