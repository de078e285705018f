import { readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { basename, join } from "node:path";
import type { Command } from "commander";
import { readBounded, sameFile } from "../files/index.js";
import { projectRoot } from "../lab/index.js";
import type { CellProgress, Drawing, Notebook, ReproducedNotebook } from "../site/index.js";
import { type ComputedLedger, codeHash, computeLedger, lockFolder, PointStore, writeWhole } from "../sweep/index.js";
import { ledgerJson, ledgerText } from "./claims.js";
import { UserError } from "./errors.js";
import { git } from "./git.js";
import { interruptible } from "./interrupt.js";
import { MemoryWatch, type PeakMemory } from "./memory.js";
import { withJobs } from "./options.js";
import { Progress } from "./progress.js";
import { siteOfResults } from "./site.js";

interface ReproduceFlags {
  full?: boolean;
  only?: string;
  jobs?: number;
  check?: boolean;
  out: string;
  pictures?: boolean;
  notebooks?: string;
  points?: string;
}

/** `iommu-lab reproduce`: every notebook and every claim, anew. */
export function reproduceCommand(program: Command): void {
  withJobs(program.command("reproduce"), "notebooks, or worker threads, at a time (default: 2)")
    .description(
      "execute every notebook (without Python) and every experiment into results/, make the site, and print the claims ledger",
    )
    .option(
      "--full",
      "the ledger's experiments at full fidelity, as for a paper (hours); notebooks run as they are written",
    )
    .option("--only <names>", "only these notebooks, by number or name, separated by commas; leaves the ledger out")
    .option(
      "--check",
      "compare with the stored notebooks, and the numbers in their prose with the outputs; fail where one differs",
    )
    .option("--out <folder>", "where the results go", "results")
    .option("--notebooks <folder>", "where the notebooks are (default: the project's)")
    .option(
      "--points <folder>",
      "keep the points that are computed here, and take them from here (default: none are taken)",
    )
    .option("--pictures", "draw the static pictures of plots, too (needs Chromium)")
    .addHelpText(
      "after",
      "\nAn interrupted run goes on where it was, as long as notebooks and code are the same; a finished one begins anew.",
    )
    .action(reproduce);
}

async function reproduce(flags: ReproduceFlags): Promise<void> {
  const { jobs = 2 } = flags;
  const notebooks = flags.notebooks ?? join(projectRoot, "notebooks");
  const files = chosen(notebooks, flags.only);
  const folder = join(flags.out, "notebooks");
  if (sameFile(notebooks, folder))
    throw new UserError(`--out: the notebooks in ${notebooks} would be written over; name another folder.`);
  const unlock = lockFolder(flags.out);
  let drawing: Promise<Drawing> | undefined;
  const site = await import("../site/index.js");
  const started = performance.now();
  const memory = new MemoryWatch();
  // A name of our own: a folder "points" there may be anybody's.
  const points = flags.points ?? join(flags.out, ".reproduce-points");
  const ended = "Interrupted; what was finished is kept, and the same command goes on from there.";
  await interruptible(ended, async (signal) => {
    const results = await site.reproduceNotebooks(files, {
      folder,
      jobs,
      points,
      signal,
      onProgress: tellCell,
      onNotebook: ({ file, seconds, resumed }) =>
        say(`${basename(file)}: ${resumed ? "done before the interruption" : `done in ${seconds.toFixed(1)} s`}`),
      ...(flags.pictures ? { drawing: () => (drawing ??= site.startDrawing()) } : {}),
    });
    let computed: ComputedLedger | undefined;
    if (flags.only === undefined) {
      const progress = new Progress();
      computed = await computeLedger({
        jobs,
        signal,
        onProgress: progress.tell,
        store: new PointStore(points),
        ...(flags.full ? { fidelity: "full" as const } : {}),
      }).finally(() => progress.end());
      writeWhole(join(flags.out, "ledger.json"), ledgerJson(computed));
    }
    const seconds = (performance.now() - started) / 1000;
    const peak = await memory.stop();
    writeWhole(
      join(flags.out, "manifest.json"),
      `${JSON.stringify(manifest(results, computed, seconds, peak), null, 2)}\n`,
    );
    const drifts = results.flatMap(({ file, stored, notebook }) =>
      site.compareNotebooks(basename(file), stored, notebook),
    );
    // A notebook that a number comes from, but that was not run, counts as it is stored.
    const byName = new Map([
      ...storedNotebooks(site, notebooks),
      ...results.map(({ file, notebook }) => [basename(file, ".ipynb"), notebook] as const),
    ]);
    const wrong = results.flatMap(({ file, notebook }) => site.checkNumbers(basename(file), notebook, byName));
    for (const file of site.progressFiles(folder, files)) rmSync(file, { force: true });
    if (flags.points === undefined) forgetPoints(points);
    if (computed) process.stdout.write(ledgerText(computed));
    process.stdout.write(
      `${results.length} notebooks executed into ${folder} in ${seconds.toFixed(0)} s; at most ${(peak.bytes / 2 ** 30).toFixed(1)} GiB of memory in ${peak.processes} processes.\n`,
    );
    if (flags.only === undefined && flags.notebooks === undefined)
      await siteOfResults(join(flags.out, "site"), folder, () => (drawing ??= site.startDrawing()));
    if (!flags.check) return;
    if (drifts.length > 0 || wrong.length > 0) {
      const shown = drifts.slice(0, 50).map(site.driftText);
      if (drifts.length > shown.length) shown.push(`… and ${drifts.length - shown.length} more`);
      shown.push(...wrong.map(site.wrongNumberText));
      const differ = `${drifts.length === 1 ? "1 place differs" : `${drifts.length} places differ`} from the stored notebooks`;
      const prose = wrong.length === 1 ? "1 number in prose is" : `${wrong.length} numbers in prose are`;
      const say = wrong.length === 0 ? "" : `; ${prose} not what the outputs say`;
      throw new UserError(`${shown.join("\n")}\n--check: ${differ}${say}.`);
    }
    process.stdout.write("--check: every number, text and table is as stored, and the prose says the same.\n");
  }).finally(async () => {
    unlock();
    await drawing?.then((d) => d.close()).catch(() => {});
  });
}

/** The notebooks of a folder as they are stored, by name. */
function storedNotebooks(site: typeof import("../site/index.js"), folder: string): [string, Notebook][] {
  return readdirSync(folder)
    .filter((name) => name.endsWith(".ipynb"))
    .map((name) => {
      const file = join(folder, name);
      return [basename(name, ".ipynb"), site.parseNotebook(readBounded(file).toString("utf8"), file)];
    });
}

/** Removes the points that were kept for this run alone, and their folder where nothing else is in it. */
function forgetPoints(folder: string): void {
  new PointStore(folder).forget();
  try {
    rmdirSync(folder);
  } catch {
    // There is none, or there is something of somebody else's in it.
  }
}

/** The notebooks of a folder, or those of them whose names begin with, or are, what `--only` gives. */
function chosen(folder: string, only: string | undefined): string[] {
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((name) => name.endsWith(".ipynb"))
      .sort();
  } catch (error) {
    throw new UserError(`${folder}: cannot be read (${(error as Error).message}).`);
  }
  if (names.length === 0) throw new UserError(`${folder}: there are no notebooks here.`);
  if (only === undefined) return names.map((name) => join(folder, name));
  const wanted = only.split(",").map((name) => basename(name.trim(), ".ipynb"));
  const none = wanted.find((name) => name === "" || !names.some((file) => file.startsWith(name)));
  if (none !== undefined) throw new UserError(`--only: there is no notebook "${none}". There is ${names.join(", ")}.`);
  // In the order in which they are asked for, which is that of their beginning.
  const asked = new Set(wanted.flatMap((name) => names.filter((file) => file.startsWith(name))));
  return [...asked].map((name) => join(folder, name));
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

/** A line for each cell that took more than two seconds. */
function tellCell(file: string, { cell, cells, state, seconds }: CellProgress): void {
  if (state === "done" && seconds > 2) say(`${basename(file)}: cell ${cell} of ${cells}, ${seconds.toFixed(1)} s`);
}

/** What the results were made with. Timings stand here, and in no notebook. */
function manifest(
  notebooks: readonly ReproducedNotebook[],
  computed: ComputedLedger | undefined,
  seconds: number,
  peak: PeakMemory,
): object {
  const { version, dependencies } = JSON.parse(readFileSync(join(projectRoot, "package.json"), "utf8")) as {
    version: string;
    dependencies: Record<string, string>;
  };
  return {
    finished: new Date().toISOString(),
    seconds,
    "iommu-lab": version,
    commit: git("rev-parse", "HEAD"),
    changedSinceCommit: (git("status", "--porcelain") ?? "") !== "",
    codeHash: codeHash(),
    machine: {
      node: process.version,
      platform: `${platform()} ${release()}`,
      arch: arch(),
      cpu: cpus()[0]?.model ?? "unknown",
      cores: cpus().length,
      memoryBytes: totalmem(),
    },
    peakMemory: peak,
    packages: dependencies,
    notebooks: notebooks.map(({ file, hash, timings, seconds: took, resumed }) => ({
      notebook: basename(file),
      hash,
      seconds: took,
      resumed,
      cells: timings,
    })),
    experiments: (computed?.runs ?? []).map(({ config, ...run }) => ({
      ...run,
      seed: (config as { seed?: unknown }).seed ?? null,
      config,
    })),
  };
}
