import { basename, extname, join } from "node:path";
import { sameFile } from "../../files/index.js";
import { isSweepFolder, manifestOf, readWork, type Work } from "../../sweep/index.js";
import { UserError } from "../errors.js";
import { readText } from "../files.js";

/** What a sweep on this machine is told. */
export interface SweepFlags {
  out?: string;
  draws?: string;
  jobs?: number;
  fresh?: boolean;
  shard?: string;
  collect?: boolean;
  retryFailed?: boolean;
  accept?: string[];
  status?: boolean;
  keep?: boolean;
  json?: boolean;
}

/** What is to be run, and the folder that it goes into. */
export interface Asked {
  work: Work;
  folder: string;
}

/** The name of a sweep's folder, from its file's. */
function nameOf(file: string): string {
  const name = file === "-" ? "stdin" : basename(file, extname(file));
  if (!/^\w[\w.-]*$/.test(name))
    throw new UserError(`${file}: "${name}" is no name for a folder; name one with --out.`);
  return name;
}

/** `--draws`: how many of a design's draws. */
function drawsOf({ draws }: SweepFlags): number | undefined {
  if (draws !== undefined && !(/^\d{1,9}$/.test(draws) && Number(draws) > 0))
    throw new UserError(`--draws: expected a whole number above 0 (got "${draws}").`);
  return draws === undefined ? undefined : Number(draws);
}

/** Reads what was asked for. @throws UserError, ConfigError, ReadError for a file or flags that are refused */
export function askedFor(file: string, flags: SweepFlags): Asked {
  const draws = drawsOf(flags);
  if (isSweepFolder(file)) {
    if (flags.out !== undefined)
      throw new UserError(`--out: not with the folder of a sweep (${file}), which is where its results go.`);
    const { file: content, draws: before } = manifestOf(file) ?? {};
    return { folder: file, work: readWork(JSON.stringify(content), join(file, "sweep.json"), draws ?? before) };
  }
  const folder = flags.out ?? join("results", "sweeps", nameOf(file));
  for (const name of [
    "sweep.json",
    "table.arrow",
    "provenance.arrow",
    "runs.json",
    "sensitivity.json",
    "ensemble.json",
  ])
    if (sameFile(file, join(folder, name)))
      throw new UserError(`--out: ${file} would be written over; name another folder.`);
  return { folder, work: readWork(readText(file), file, draws) };
}
