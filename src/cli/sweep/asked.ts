import { basename, extname, join } from "node:path";
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

/** Reads what was asked for. @throws UserError, ConfigError, ReadError for a file or flags that are refused */
export function askedFor(file: string, flags: SweepFlags): Asked {
  const draws = flags.draws === undefined ? undefined : Number(flags.draws);
  if (isSweepFolder(file)) {
    if (flags.out !== undefined)
      throw new UserError(`--out: not with the folder of a sweep (${file}), which is where its results go.`);
    const { file: content, draws: before } = manifestOf(file) ?? {};
    return { folder: file, work: readWork(JSON.stringify(content), join(file, "sweep.json"), draws ?? before) };
  }
  const folder = flags.out ?? join("results", "sweeps", file === "-" ? "stdin" : basename(file, extname(file)));
  return { folder, work: readWork(readText(file), file, draws) };
}
