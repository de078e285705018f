import { existsSync, statSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import type { Command } from "commander";
import { sameFile } from "../files/index.js";
import type { CellProgress, Drawing, NotebookRun } from "../site/index.js";
import { UserError } from "./errors.js";
import { checkPlaces, readText, writeWhole } from "./files.js";
import { interruptible } from "./interrupt.js";

interface ExecuteFlags {
  out?: string;
  allowErrors?: boolean;
  timeout?: number;
  pictures: boolean;
  manifest?: string;
  fresh?: boolean;
}

/** `iommu-lab execute`: runs notebooks without Jupyter and without Python. */
export function executeCommand(program: Command): void {
  program
    .command("execute")
    .argument(
      "<notebook...>",
      "notebooks to run, each in a kernel of its own; - for standard input, to standard output",
    )
    .description("run notebooks from top to bottom and store their outputs, with a static picture of each plot")
    .option("-o, --out <file-or-folder>", "write the executed notebook here instead of in place; a folder for several")
    .option("--allow-errors", "go on after a cell that fails, and store its error")
    .option("--timeout <seconds>", "interrupt a cell after this many seconds, and stop", Number)
    .option("--no-pictures", "leave out the static pictures of plots (needs no Chromium)")
    .option(
      "--manifest <file>",
      "where to write how long each cell took (default: NAME.timing.json beside --out, else in results/)",
    )
    .option("--fresh", "compute every point anew, also those that were computed before")
    .addHelpText(
      "after",
      "\nA notebook is written only when its run has ended well: after an error or Ctrl-C it is as it was.",
    )
    .action(executeAll);
}

async function executeAll(notebooks: string[], flags: ExecuteFlags): Promise<void> {
  if (flags.timeout !== undefined && !(flags.timeout > 0)) {
    throw new UserError("--timeout: expected a number of seconds above 0.");
  }
  const targets = notebooks.map((file) => targetOf(file, flags.out, notebooks.length));
  const twice = targets.find((target, i) =>
    targets.slice(0, i).some((other) => other === target || sameFile(other, target)),
  );
  if (twice)
    throw new UserError(`--out: two notebooks would be written to ${twice === "-" ? "standard output" : twice}.`);
  // In place is what is meant; over another notebook that is read here it is not.
  for (const [i, target] of targets.entries())
    checkPlaces({
      reads: notebooks.filter((_, other) => other !== i),
      writes: { "--out": target === "-" ? undefined : target, "--manifest": manifestOf(target, flags) },
    });
  if (flags.manifest !== undefined) checkPlaces({ reads: notebooks, writes: { "--manifest": flags.manifest } });
  const site = await import("../site/index.js");
  // Everything is read before anything runs: a notebook that cannot be read does not cost the others' time.
  const read = notebooks.map((file) => site.parseNotebook(readText(file), file, { exact: true }));
  let drawing: Promise<Drawing | undefined> | undefined;
  await interruptible("Interrupted; the notebook is as it was.", async (signal) => {
    for (const [i, file] of notebooks.entries()) {
      const run = await site
        .runNotebook(read[i], {
          name: file,
          folder: dirname(resolve(file)),
          signal,
          onProgress: showProgress(file),
          ...(flags.allowErrors ? { allowErrors: true } : {}),
          ...(flags.fresh ? { points: "off" } : {}),
          ...(flags.timeout === undefined ? {} : { timeoutSeconds: flags.timeout }),
          ...(flags.pictures ? { drawing: () => (drawing ??= drawingOrNone(site.startDrawing)) } : {}),
        })
        .finally(endLine);
      const text = site.notebookText(run.notebook);
      if (targets[i] === "-") process.stdout.write(text);
      else writeWhole(targets[i], text);
      writeManifest(file, manifestOf(targets[i], flags), run);
      process.stderr.write(
        `${targets[i] === "-" ? "standard output" : targets[i]}: ${run.timings.length} cells in ${run.seconds.toFixed(1)} s, ${run.pictures} pictures\n`,
      );
    }
  }).finally(() => drawing?.then((d) => d?.close()).catch(() => {}));
}

/** A notebook that has run is not lost for want of a browser, which is an optional package: it is written without pictures, and that is said. */
async function drawingOrNone(start: () => Promise<Drawing>): Promise<Drawing | undefined> {
  const { ChromiumError } = await import("../site/index.js");
  try {
    return await start();
  } catch (error) {
    if (!(error instanceof ChromiumError)) throw error;
    endLine();
    process.stderr.write(`Written without static pictures of its plots: ${error.message}\n`);
    return undefined;
  }
}

/** Where the executed notebook goes. */
function targetOf(file: string, out: string | undefined, count: number): string {
  if (out === undefined) return file;
  if (extname(out) === ".ipynb" && !(existsSync(out) && statSync(out).isDirectory())) {
    if (count > 1) throw new UserError(`--out: expected a folder for ${count} notebooks (got ${out}).`);
    return out;
  }
  return join(out, file === "-" ? "stdin.ipynb" : basename(file));
}

/** Where the times of its cells go; undefined where the notebook goes to standard output. */
function manifestOf(target: string, flags: ExecuteFlags): string | undefined {
  if (flags.manifest !== undefined || target === "-") return flags.manifest;
  return join(flags.out === undefined ? "results" : dirname(target), `${basename(target, ".ipynb")}.timing.json`);
}

function writeManifest(notebook: string, file: string | undefined, run: NotebookRun): void {
  if (file === undefined) return;
  const { timings, seconds, pictures } = run;
  const host = { node: process.version, platform: process.platform, arch: process.arch };
  writeWhole(file, `${JSON.stringify({ notebook, host, seconds, pictures, cells: timings }, null, 1)}\n`);
}

const terminal = process.stderr.isTTY === true;
let lineOpen = false;
let ticker: NodeJS.Timeout | undefined;

/** Progress on a terminal: one line that moves. Elsewhere: a line for each cell that took more than two seconds. */
function showProgress(file: string): (progress: CellProgress) => void {
  return ({ cell, cells, state, seconds }) => {
    clearInterval(ticker);
    if (!terminal) {
      if (state === "done" && seconds > 2)
        process.stderr.write(`${file}: cell ${cell} of ${cells}: ${seconds.toFixed(1)} s\n`);
      return;
    }
    const began = performance.now() - seconds * 1000;
    const draw = () => {
      const elapsed = ((performance.now() - began) / 1000).toFixed(1);
      process.stderr.write(
        `\r\u001b[K${basename(file)}: cell ${cell} of ${cells} ${state === "running" ? "…" : state} ${elapsed} s`,
      );
    };
    lineOpen = true;
    draw();
    if (state === "running") {
      ticker = setInterval(draw, 500);
      ticker.unref();
    }
  };
}

function endLine(): void {
  clearInterval(ticker);
  if (lineOpen) process.stderr.write("\r\u001b[K");
  lineOpen = false;
}
