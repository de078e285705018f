import type { Command } from "commander";
import { readText, writeWhole } from "./files.js";

/** `iommu-lab migrate`: rewrites the imports of notebooks that were written for older rooms. */
export function migrateCommand(program: Command): void {
  program
    .command("migrate")
    .argument(
      "<notebook...>",
      "notebooks whose imports are rewritten, in place; - for standard input, to standard output",
    )
    .description("rewrite imports from rooms that were divided or renamed (iommu-lab/workload, say) to today's")
    .option("--check", "write nothing; exit 1 where a notebook would change")
    .action(async (notebooks: string[], flags: { check?: boolean }) => {
      const { migrateNotebook } = await import("../site/index.js");
      let left = 0;
      let changed = 0;
      for (const file of notebooks) {
        const text = readText(file);
        const migrated = migrateNotebook(text, file);
        for (const sentence of migrated.left) process.stderr.write(`${file}: ${sentence}\n`);
        left += migrated.left.length;
        if (migrated.cells > 0) changed++;
        const piped = file === "-" && !flags.check;
        if (piped) process.stdout.write(migrated.text);
        else if (migrated.cells > 0 && !flags.check) writeWhole(file, migrated.text);
        (piped ? process.stderr : process.stdout).write(
          `${file}: ${migrated.cells} cells ${flags.check ? "would change" : "changed"}.\n`,
        );
      }
      if (left > 0 || (flags.check && changed > 0)) process.exitCode = 1;
    });
}
