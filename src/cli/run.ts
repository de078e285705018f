import type { Command } from "commander";
import {
  type AnyExperiment,
  canonicalJson,
  configHash,
  experimentByName,
  experiments,
  fieldsOf,
  type Row,
  type Run,
  stretchesOf,
  withSettings,
} from "../experiments/index.js";
import { JsonError, parseJson } from "../files/index.js";
import { loadTrace } from "../recorder/index.js";
import { busiestDevice, traceNames, warningsOf, withheld } from "../recordings/index.js";
import { runOnWorkers, userPoints } from "../sweep/index.js";
import { UserError } from "./errors.js";
import { checkPlaces, readText, writeWhole } from "./files.js";
import { interruptible } from "./interrupt.js";
import { jobsOf, withFresh, withJobs } from "./options.js";
import { Progress } from "./progress.js";

interface RunFlags {
  config?: string;
  set?: string[];
  fidelity?: string;
  seed?: string;
  json?: boolean;
  csv?: boolean;
  fresh?: boolean;
  jobs?: number;
  out?: string;
  help?: boolean;
}

/** `iommu-lab run EXPERIMENT` and `iommu-lab experiments`. */
export function runCommand(program: Command): void {
  program
    .command("experiments")
    .description("list the experiments, with the question that each answers")
    .action(() => {
      process.stdout.write(listText());
    });
  const command = withFresh(withJobs(program.command("run")))
    .description("run an experiment: its table, and what it says about the claims")
    .argument("[experiment]", "its name; `iommu-lab experiments` lists them")
    .option("--config <file>", "read the configuration from a JSON file (- for standard input)")
    .option(
      "--set <field=value>",
      "set a field (again for more): cores=1,2,4 or link.generation=3",
      (one: string, all?: string[]) => [...(all ?? []), one],
    )
    .option("--fidelity <quick|full>", "quick: seconds, for exploring; full: what a paper would use")
    .option("--seed <n>", "seed of the random streams")
    .option("--json", "print configuration, rows and claims as JSON")
    .option("--csv", "print the rows as CSV")
    .option("--out <file>", "write to a file instead of the terminal; it appears when it is complete")
    .helpOption(false)
    .option("-h, --help", "show this, and with an experiment its fields")
    .action(async (name: string | undefined, flags: RunFlags) => {
      if (flags.help) {
        process.stdout.write(command.helpInformation() + (name ? `\n${fieldsText(experimentByName(name))}` : ""));
      } else if (name === undefined) command.error(`Which experiment?\n${listText()}`);
      else await run(experimentByName(name), flags);
    });
}

async function run(experiment: AnyExperiment, flags: RunFlags): Promise<void> {
  if (flags.json && flags.csv) throw new UserError("Choose one of --json and --csv.");
  const input = configInput(experiment, flags);
  const recording = typeof input["trace"] === "string" ? input["trace"] : undefined;
  checkPlaces({ reads: [flags.config, recording], writes: { "--out": flags.out } });
  const config = experiment.parse(await withRecording(experiment, input));
  const progress = new Progress();
  const ended = `Interrupted${flags.out ? `; ${flags.out} was not written` : ""}.`;
  const result = await interruptible(ended, (signal) =>
    runOnWorkers(experiment, config, {
      onProgress: progress.tell,
      signal,
      remembered: userPoints(flags) ?? false,
      ...jobsOf(flags),
    }),
  ).finally(() => progress.end());
  const text = flags.json
    ? jsonText(experiment, result)
    : flags.csv
      ? `${result.table.toCSV().trimEnd()}\n`
      : reportText(experiment, result);
  if (flags.out === undefined) process.stdout.write(text);
  else writeWhole(flags.out, text);
}

/** The configuration's input: the file, then --fidelity and --seed, then every --set. */
function configInput(experiment: AnyExperiment, flags: RunFlags): Record<string, unknown> {
  let input: unknown = {};
  if (flags.config !== undefined) {
    try {
      input = parseJson(readText(flags.config));
    } catch (error) {
      if (!(error instanceof JsonError)) throw error;
      throw new UserError(`${flags.config}: this is not JSON, or none that is taken (${(error as Error).message}).`);
    }
    if (typeof input !== "object" || input === null || Array.isArray(input))
      throw new UserError(`${flags.config}: a configuration is a JSON object, as {"seed": 2}.`);
  }
  const settings = [...(flags.set ?? [])];
  if (flags.seed !== undefined) settings.unshift(`seed=${flags.seed}`);
  if (flags.fidelity !== undefined) settings.unshift(`fidelity=${flags.fidelity}`);
  return withSettings(experiment.schema(), input as object, settings);
}

/** A field `trace` that names a file: its stretches stand in the configuration in its place, so that a worker needs no file. */
async function withRecording(
  experiment: AnyExperiment,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const { trace: file, replications } = input;
  const takesTrace = fieldsOf(experiment.schema()).some(({ path }) => path === "trace");
  if (!takesTrace || typeof file !== "string" || traceNames().includes(file)) return input;
  const trace = await loadTrace(file);
  const why = withheld(trace.account);
  if (why !== undefined) throw new UserError(`${file}: ${why}.`);
  for (const warning of warningsOf(trace.account, trace.devices.length)) process.stderr.write(`${file}: ${warning}\n`);
  const count = typeof replications === "number" ? replications : 3;
  const { loads } = stretchesOf(trace, busiestDevice(trace), { operations: 4000, before: 20_000, count, cores: 28 });
  if (loads.length === 0) throw new UserError(`${file}: holds no request.`);
  return { ...input, trace: { name: trace.about.name, loads } };
}

/** A configuration as it is shown: a recording by its name. */
function shown(config: unknown): unknown {
  const { trace } = config as { trace?: { name?: string } };
  return trace?.name === undefined ? config : { ...(config as object), trace: trace.name };
}

function listText(): string {
  const width = Math.max(...experiments().map(({ name }) => name.length));
  return experiments()
    .map(({ name, question }) => `${name.padEnd(width)}  ${question}\n`)
    .join("");
}

/** The fields of an experiment, as its help shows them. */
function fieldsText(experiment: AnyExperiment): string {
  const lines = fieldsOf(experiment.schema()).map(({ path, accepts, fallback, description }) => {
    const text = `${path}  (${accepts}${fallback === undefined ? "" : `; default ${fallback}`})`;
    return `  ${text}\n${description === "" ? "" : `      ${description}\n`}`;
  });
  return `${experiment.name}: ${experiment.title}\n${experiment.question}\n\nFields, for --set and --config:\n${lines.join("")}`;
}

function jsonText(experiment: AnyExperiment, { config, rows, claims }: Run<unknown>): string {
  const { name, columns } = experiment;
  return `${JSON.stringify({ experiment: name, configHash: configHash(name, config), config: shown(config), columns, rows, claims }, null, 2)}\n`;
}

function reportText(experiment: AnyExperiment, { config, rows, claims }: Run<unknown>): string {
  const parts = [`${experiment.title}\n${canonicalJson(shown(config))}\n\n`, tableText(experiment, rows)];
  for (const claim of claims) {
    const { simulated } = claim;
    const value = simulated
      ? `  simulated ${short(simulated.mean)} (${short(simulated.low)} … ${short(simulated.high)}) ${simulated.unit}`
      : "";
    const published = claim.published
      ? `  published ${[...new Set([claim.published.low, claim.published.high])].map(short).join(" … ")} ${claim.published.unit}`
      : "";
    parts.push(
      `\n${claim.id} ${claim.answer ?? claim.verdict}: "${claim.quote}" (${claim.source})\n  ${claim.explanation}\n`,
    );
    if (value + published !== "") parts.push(`${value}${published}\n`);
  }
  return parts.join("");
}

function tableText(experiment: AnyExperiment, rows: readonly Row[]): string {
  const names = Object.keys(experiment.columns);
  const units = names.map((name) => experiment.columns[name].unit);
  const header = units.some((unit) => unit !== "") ? [names, units] : [names];
  const body = rows.map((row) =>
    names.map((name) => {
      const value = row[name];
      return typeof value === "number" ? short(value) : String(value ?? "");
    }),
  );
  const lines = [...header, ...body];
  const widths = names.map((_, column) => Math.max(...lines.map((line) => line[column].length)));
  const numeric = names.map((name) => rows.every((row) => typeof row[name] !== "string"));
  const show = (line: string[]) =>
    line
      .map((cell, column) => (numeric[column] ? cell.padStart(widths[column]) : cell.padEnd(widths[column])))
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "─".repeat(width)).join("  ");
  return `${[...header.map(show), rule, ...body.map(show)].join("\n")}\n`;
}

/** A number for a reader: four significant digits, whole numbers whole. */
function short(value: number): string {
  if (Number.isInteger(value) || !Number.isFinite(value)) return String(value);
  return String(Number(value.toPrecision(4)));
}
