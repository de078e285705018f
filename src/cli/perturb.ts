import type { Command } from "commander";
import { dataValues, Facts, isNamed } from "../facts/index.js";
import { type Effect, type Influence, perturb, userPoints } from "../sweep/index.js";
import { UserError } from "./errors.js";
import { interruptible } from "./interrupt.js";
import { jobsOf, withFresh, withJobs } from "./options.js";
import { Progress } from "./progress.js";

interface PerturbFlags {
  percent: string;
  only?: string;
  jobs?: number;
  fresh?: boolean;
  json?: boolean;
}

const explanation = `
What each figure turns out to be:
  moves         a published value moves its claim's margin (the distance between simulated and published), or a parameter moves a simulated
                value out of its 95 % interval; the strongest effect up and down is shown
  echo          only the value that is held against this very figure follows it: the figure gives itself back, and shows nothing
  no influence  it is read, and nothing leaves its interval
  not used      nothing that answers a claim reads it: it is there for context, or for another experiment
  fixed         it cannot be moved: a text, a choice, a zero, or a value that the model takes only as it is
A parameter that must be whole, or a power of two, takes the nearest such value instead. What is assumed about the workload (data/workload) is
not moved here: merged-nodes and lock-sensitivity sweep it over its whole range.
The command fails if a published value that a claim is held against does not move that claim's margin.`;

/** `iommu-lab perturb`: what depends on each number of data/published and data/hardware. */
export function perturbCommand(program: Command): void {
  withFresh(withJobs(program.command("perturb")))
    .description(
      "move every published record and every parameter of a host up and down by 10 %, and list which claims and values depend on it",
    )
    .option("--percent <p>", "by how much, in percent of the figure: above 0, below 100", "10")
    .option(
      "--only <ids>",
      "only these figures, by name or its beginning, separated by commas: PE1,P_HSW_,sandy-bridge-ep.l3",
    )
    .option("--json", "print everything as JSON")
    .addHelpText("after", explanation)
    .action(async (flags: PerturbFlags) => {
      const percent = Number(flags.percent);
      if (!(percent > 0 && percent < 100))
        throw new UserError(`--percent: a number above 0 and below 100; got ${flags.percent}.`);
      const only = flags.only?.split(",").map((id) => id.trim());
      const none = only?.find((name) => !dataValues(Facts.published()).some(({ id }) => isNamed(id, name)));
      if (none !== undefined)
        throw new UserError(`--only: no number of data/ is named "${none}" or begins so; examples: PE1, H9, hsw.mps.`);
      const progress = new Progress(process.stderr, "figures");
      const found = await interruptible("Interrupted; nothing was printed.", (signal) =>
        perturb({
          share: percent / 100,
          ...(only === undefined ? {} : { only }),
          ...jobsOf(flags),
          store: userPoints(flags),
          onProgress: progress.tell,
          signal,
        }),
      ).finally(() => progress.end());
      process.stdout.write(flags.json ? `${JSON.stringify({ percent, figures: found }, null, 1)}\n` : tableText(found));
      const idle = withoutMargin(found);
      if (idle.length > 0)
        throw new UserError(
          `These published values do not move the margin of the claim that is held against them: ${idle.map(({ id }) => id).join(", ")}.`,
        );
    });
}

/** Published values with a claim or a table row of their own whose margin they do not move. */
export function withoutMargin(found: readonly Influence[]): Influence[] {
  return found.filter(
    ({ kind, compared, outcome }) => kind === "published" && compared && outcome !== "moves" && outcome !== "fixed",
  );
}

const short = (value: number): string => Number(value.toPrecision(3)).toString();
const percentOf = (factor: number): string => `${factor > 1 ? "+" : "−"}${short(Math.abs(100 * (factor - 1)))} %`;

function effectText({ on, factor, kind, before, low, high, after, unit }: Effect): string {
  const what =
    kind === "margin"
      ? `margin ${short(100 * before)} % → ${short(100 * after)} %`
      : `${short(before)} (${short(low)} to ${short(high)}) → ${short(after)} ${unit}`.trim();
  return `${percentOf(factor)}: ${on}: ${what}`;
}

const order = ["moves", "echo", "no influence", "not used", "fixed"] as const;

/** The result for a terminal: a line or two a figure, by what became of it; then the counts. */
export function tableText(found: readonly Influence[]): string {
  const width = Math.max(...found.map(({ id }) => id.length));
  const lines: string[] = [];
  for (const outcome of order) {
    const here = found.filter((influence) => influence.outcome === outcome);
    if (here.length === 0) continue;
    lines.push(`${outcome} (${here.length})`);
    for (const { id, values, unit, why, effects, readBy } of here) {
      const value = values.length === 1 ? `${short(values[0])} ${unit}`.trim() : `${values.length} values`;
      const texts =
        effects.length > 0
          ? effects.map(effectText)
          : [why ?? (readBy.length > 0 ? `read by ${readBy.join(", ")}` : "")];
      for (const [i, text] of texts.entries()) {
        const head =
          i === 0 ? `  ${id.padEnd(width)}  ${(values.length === 0 ? "" : value).padEnd(24)}` : " ".repeat(width + 28);
        lines.push(`${head}  ${text}`.trimEnd());
      }
    }
    lines.push("");
  }
  const counts = order.map((outcome) => `${found.filter((one) => one.outcome === outcome).length} ${outcome}`);
  lines.push(`${found.length} figures: ${counts.join(", ")}.`);
  return `${lines.join("\n")}\n`;
}
