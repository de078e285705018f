import { type Command, Option } from "commander";
import { exploreSystem } from "../experiments/index.js";
import { formatTrace } from "../explore/index.js";
import { machineCheckProperties, rules, type SystemConfig, simpleSystem } from "../kvm/index.js";
import { UserError } from "./errors.js";

interface ExploreFlags {
  rule: string;
  hostCr4: "constant" | "refreshed";
  startWith: "on" | "off" | "any";
  cpus: string;
  vcpus: string;
  machineChecks: string;
  migrations: boolean;
  hostChanges: boolean;
  modeSwitches: boolean;
  broadcast: boolean;
  trace: boolean;
  json: boolean;
}

/** `iommu-lab mce explore`: every reachable state of a small system of CPUs, guests and machine checks. */
export function mceCommand(program: Command): void {
  const names = rules.map(({ name, title }) => `${name} (${title})`).join(", ");
  program
    .command("mce")
    .description("machine checks while a guest runs")
    .command("explore")
    .description(
      "check the promises about CR4.MCE in every reachable state, and print the shortest way to break each that fails",
    )
    .addOption(new Option("--rule <name>", `rule for the guest's hardware CR4: ${names}`).default("before"))
    .addOption(
      new Option("--host-cr4 <policy>", "the VMCS's host CR4 is refreshed at each entry, or constant since creation")
        .choices(["refreshed", "constant"])
        .default("refreshed"),
    )
    .addOption(
      new Option("--start-with <value>", "CR4.MCE of the CPUs at the start: on, off, or any (every combination)")
        .choices(["on", "off", "any"])
        .default("on"),
    )
    .option("--cpus <n>", "physical CPUs, 1 to 4", "1")
    .option("--vcpus <n>", "guests of one vCPU each, 1 to 3", "1")
    .option("--machine-checks <n>", "machine checks in all, 0 to 3", "1")
    .option("--migrations", "guests may move between CPUs", false)
    .option("--host-changes", "the host may change its CR4.MCE", false)
    .option("--mode-switches", "guests may switch between real and protected mode", false)
    .option("--broadcast", "a machine check reaches every CPU at once", false)
    .option("--trace", "print each shortest counterexample step by step", false)
    .option("--json", "print the result as JSON", false)
    .action((flags: ExploreFlags) => {
      const { trace, json, cpus, vcpus, machineChecks, ...rest } = flags;
      const system: SystemConfig = {
        ...simpleSystem,
        ...rest,
        cpus: Number(cpus),
        vcpus: Number(vcpus),
        machineChecks: Number(machineChecks),
      };
      let told = 0;
      const started = performance.now();
      const found = explored(system, (expanded, known) => {
        if (process.stderr.isTTY && performance.now() - started > 2000) {
          process.stderr.write(`\r${expanded.toLocaleString("en")} of ${known.toLocaleString("en")} known states …`);
          told++;
        }
      });
      if (told > 0) process.stderr.write("\r\u001b[K");
      if (json) {
        const violations = found.violations.map(({ property, trace: steps }) => ({
          property,
          steps: steps.length - 1,
          trace: steps.map(({ action, description }) => ({ action, state: description })),
        }));
        process.stdout.write(`${JSON.stringify({ ...found, violations, system }, null, 2)}\n`);
        return;
      }
      process.stdout.write(
        `${found.states.toLocaleString("en")} states, ${found.transitions.toLocaleString("en")} transitions, ${found.complete ? "all that can be reached" : "NOT all that can be reached"}\n\n`,
      );
      for (const { name } of machineCheckProperties(system)) {
        const violation = found.violations.find(({ property }) => property === name);
        process.stdout.write(
          `${violation ? "FAILS" : "holds"}  ${name}${violation ? ` (${violation.trace.length - 1} steps)` : ""}\n`,
        );
        if (violation && trace) process.stdout.write(`\n${formatTrace(violation.trace)}\n\n`);
      }
    });
}

function explored(
  system: SystemConfig,
  onProgress: (expanded: number, known: number) => void,
): ReturnType<typeof exploreSystem> {
  try {
    return exploreSystem(system, (expanded, known) => {
      onProgress(expanded, known);
      return undefined;
    });
  } catch (error) {
    throw new UserError((error as Error).message);
  }
}
