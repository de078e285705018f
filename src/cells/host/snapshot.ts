/**
 * A start-up snapshot of the language process: TypeScript loaded, and its libraries read, parsed and bound. Built at set-up, one for all kernels; where
 * there is none that fits, the process starts cold.
 */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { snapshotProgram } from "./snapshot-bundle.js";

const folderOf = (packageRoot: string) => join(packageRoot, "node_modules", ".iommu-lab");

/** The file that a snapshot for this Node, these packages and this compiled room has, whether it is there or not. */
function fileOf(packageRoot: string): string {
  const hash = createHash("sha256");
  hash.update([process.version, process.platform, process.arch, packageRoot].join("\n"));
  hash.update(readFileSync(join(packageRoot, "package-lock.json")));
  const room = join(packageRoot, "dist", "cells");
  for (const part of ["display", "heart", "host", "widgets"])
    for (const name of readdirSync(join(room, part)).sort())
      if (/\.(js|d\.ts)$/.test(name)) hash.update(`${part}/${name}\n`).update(readFileSync(join(room, part, name)));
  return join(folderOf(packageRoot), `language-${process.version}-${hash.digest("hex").slice(0, 16)}.blob`);
}

/**
 * The snapshot to start from, if there is one that fits.
 * @param packageRoot this package's folder
 */
export function findSnapshot(packageRoot: string): string | undefined {
  try {
    const file = fileOf(packageRoot);
    return existsSync(file) ? file : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Builds the snapshot where it is missing, and removes those for this Node that do not fit any more. Takes some seconds.
 * @param packageRoot this package's folder
 * @returns the snapshot's file
 * @throws an error that says why there is none; everything works without, and starts slower
 */
export function buildSnapshot(packageRoot: string): string {
  const file = fileOf(packageRoot);
  if (existsSync(file)) return file;
  const folder = folderOf(packageRoot);
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder))
    if (name.startsWith(`language-${process.version}-`)) rmSync(join(folder, name), { force: true });
  const blob = join(folder, `snapshot-${process.pid}.blob`);
  try {
    writeSnapshot(packageRoot, blob);
    renameSync(blob, file);
    return file;
  } finally {
    rmSync(blob, { force: true });
  }
}

/**
 * Builds the snapshot, whether there is one or not, and writes it to a file of the caller's.
 * @param packageRoot this package's folder
 * @param blob the file; beside it lies for a while the program that it is built from
 * @throws an error that says why there is none
 */
export function writeSnapshot(packageRoot: string, blob: string): void {
  const program = `${blob}.cjs`;
  try {
    writeFileSync(program, snapshotProgram(packageRoot, dirname(blob)));
    const { status, stderr, error } = spawnSync(
      process.execPath,
      ["--snapshot-blob", blob, "--build-snapshot", program],
      { cwd: packageRoot, encoding: "utf8", env: { ...process.env, NODE_OPTIONS: "" }, timeout: 300_000 },
    );
    if (status !== 0) throw error ?? new Error(stderr.trim().split("\n").slice(0, 3).join(" "));
  } finally {
    rmSync(program, { force: true });
  }
}
