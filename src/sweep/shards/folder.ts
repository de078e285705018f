import { randomBytes } from "node:crypto";
import { existsSync, linkSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { z } from "zod";
import {
  largestText,
  makeFolder,
  parseJson,
  readSmall,
  StoreError,
  writeFailure,
  writeWhole,
} from "../../files/index.js";
import { removed } from "./segments.js";
import type { Work } from "./work.js";

const ManifestSchema = z.object({
  format: z.literal(1),
  identity: z.string(),
  experiment: z.string(),
  draws: z.int().min(1).optional(),
  file: z.record(z.string(), z.unknown()),
});

/** What stands in a sweep's folder about itself: the file that was asked for, so that the folder alone is enough. */
export type Manifest = z.output<typeof ManifestSchema>;

const manifestIn = (folder: string): string => join(folder, "sweep.json");

/** Whether a path is a sweep's folder. */
export const isSweepFolder = (path: string): boolean => existsSync(manifestIn(path));

/**
 * What a folder says of itself; undefined where it is no sweep's folder, or one from before shards.
 * @throws StoreError where its file is damaged
 */
export function manifestOf(folder: string): Manifest | undefined {
  let text: string;
  try {
    text = readSmall(manifestIn(folder), largestText);
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
    throw new StoreError(`${manifestIn(folder)}: cannot be read (${(error as Error).message}).`);
  }
  try {
    return ManifestSchema.parse(parseJson(text));
  } catch {
    throw new StoreError(
      `${manifestIn(folder)}: not what this version writes; expected {"format": 1, "identity", "experiment", "file"}. Choose another folder.`,
    );
  }
}

/**
 * Takes a folder for a sweep: what is there must be of the same one. Any number of processes may do so at once.
 * @throws StoreError where it holds another sweep, or cannot be written
 */
export function takeFolder(folder: string, { identity, experiment, file, design }: Work): void {
  const draws = design === undefined ? {} : { draws: design.draws };
  const own: Manifest = { format: 1, identity, experiment: experiment.name, ...draws, file: file as Manifest["file"] };
  let there = manifestOf(folder);
  if (!there) {
    const staged = join(folder, `.sweep.${randomBytes(8).toString("hex")}.tmp`);
    makeFolder(folder);
    try {
      writeFileSync(staged, `${JSON.stringify(own, null, 1)}\n`, { flag: "wx" });
    } catch (error) {
      removed(staged);
      throw writeFailure(folder, error);
    }
    try {
      // A link is made whole or not at all, and fails where there is one, on shared folders too.
      linkSync(staged, manifestIn(folder));
    } catch (error) {
      const { code = "" } = error as NodeJS.ErrnoException;
      // Some file systems have no hard links; there, two sweeps that take one folder at the same moment are not told apart.
      if (["EPERM", "ENOSYS", "ENOTSUP", "EMLINK"].includes(code)) renameSync(staged, manifestIn(folder));
      else if (code !== "EEXIST") throw writeFailure(folder, error);
    } finally {
      removed(staged);
    }
    there = manifestOf(folder);
  }
  if (there?.identity !== identity)
    throw new StoreError(
      `${folder}: holds another sweep (${there?.experiment ?? "unknown"}, ${there?.identity ?? "no name"}); this file is ${experiment.name}, ${identity}. Choose another folder with --out.`,
    );
  // More draws of the same design.
  if ((own.draws ?? 0) > (there.draws ?? 0)) writeWhole(manifestIn(folder), `${JSON.stringify(own, null, 1)}\n`);
}
