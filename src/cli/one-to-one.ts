import { type Command, Option } from "commander";
import {
  exploreOneToOne,
  oneToOnePropertyNames,
  oneToOneVariant,
  oneToOneVariants,
  rangesFor,
} from "../experiments/index.js";
import { formatTrace } from "../explore/index.js";
import { UserError } from "./errors.js";

interface Flags {
  variant: string;
  cpus: string;
  pairs: string;
  pages: string;
  levels: string;
  trace: boolean;
  json: boolean;
}

/** `iommu-lab one-to-one explore`: every interleaving of a few CPUs that map and unmap the same pages 1:1. */
export function oneToOneCommand(program: Command): void {
  const names = oneToOneVariants.map(({ name, about }) => `  ${name}: ${about}`).join("\n");
  program
    .command("one-to-one")
    .description("dynamic 1:1: IOVA = physical address, entries stored by compare-exchange")
    .command("explore")
    .description(
      "check in every reachable state that it is safe without a lock, and print the shortest way to break what is not",
    )
    .addOption(new Option("--variant <name>", "way to do it, see below").default("live-count"))
    .option("--cpus <n>", "CPUs that map and unmap, 1 to 3", "2")
    .option("--pairs <n>", "maps, each with its unmap, a CPU, 1 to 3", "2")
    .option("--pages <n>", "pages under one table, 1 or 2", "2")
    .option("--levels <n>", "levels of tables, 2 or 3", "2")
    .option("--trace", "print each shortest counterexample step by step", false)
    .option("--json", "print the result as JSON", false)
    .addHelpText("after", `\nVariants:\n${names}`)
    .action((flags: Flags) => {
      const found = explored(flags);
      if (flags.json) {
        const violations = found.violations.map(({ property, trace }) => ({
          property,
          steps: trace.length - 1,
          trace: trace.map(({ action, description }) => ({ action, state: description })),
        }));
        process.stdout.write(`${JSON.stringify({ ...found, violations, variant: flags.variant }, null, 2)}\n`);
        return;
      }
      process.stdout.write(
        `${found.states.toLocaleString("en")} states, ${found.transitions.toLocaleString("en")} transitions, ${found.complete ? "all that can be reached" : "NOT all that can be reached"}\n\n`,
      );
      for (const name of oneToOnePropertyNames) {
        const violation = found.violations.find(({ property }) => property === name);
        process.stdout.write(
          `${violation ? "FAILS" : "holds"}  ${name}${violation ? ` (${violation.trace.length - 1} steps)` : ""}\n`,
        );
        if (violation && flags.trace) process.stdout.write(`\n${formatTrace(violation.trace)}\n\n`);
      }
    });
}

function explored({ variant, cpus, pairs, pages, levels }: Flags): ReturnType<typeof exploreOneToOne> {
  try {
    const found = oneToOneVariant(variant);
    if (pages !== "1" && pages !== "2") throw new Error(`pages is ${pages}; it must be 1 or 2.`);
    return exploreOneToOne({
      variant: found,
      cpus: Number(cpus),
      pairs: Number(pairs),
      levels: Number(levels),
      ranges: rangesFor(found, Number(pages)),
    });
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}
