import { lstatSync, readlinkSync, realpathSync, statSync } from "node:fs";
import { dirname, isAbsolute, join, relative, resolve, sep } from "node:path";

/** A chain of symbolic links longer than this is a circle. */
const longestChain = 40;

/**
 * Where a path below a folder really leads, as a path inside that folder with slashes; undefined where it leaves the folder, by `..`, by an
 * absolute path or by a symbolic link on the way. What is not there yet lies where its nearest folder that exists does.
 * @example realPlace("/project", "notebooks/../data/x.csv") // "data/x.csv"
 * @example realPlace("/project", "../secret") // undefined
 */
export function realPlace(folder: string, path: string): string | undefined {
  if (path.includes("\0")) return undefined;
  const place = relative(realTarget(resolve(folder)), realTarget(resolve(folder, path)));
  if (place === ".." || place.startsWith(`..${sep}`) || isAbsolute(place)) return undefined;
  return place.split(sep).join("/");
}

/** The real path of what a path names, links followed; also where the last parts of it do not exist. */
export function realTarget(path: string, links = 0): string {
  try {
    return realpathSync(path);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" || dirname(path) === path) throw error;
  }
  const parent = realTarget(dirname(path), links);
  const place = join(parent, relative(dirname(path), path));
  const link = lstatSync(place, { throwIfNoEntry: false });
  // A link to what does not exist (yet) still says where that would be.
  if (!link?.isSymbolicLink()) return place;
  if (links >= longestChain) throw Object.assign(new Error(`${path}: too many symbolic links`), { code: "ELOOP" });
  return realTarget(resolve(parent, readlinkSync(place)), links + 1);
}

/**
 * Whether two paths name one file, be it by another spelling, a symbolic or a hard link; also where there is none yet. Devices and pipes are
 * never one: a terminal may be read and written.
 * @example sameFile("a.txt", "./b/../a.txt") // true
 */
export function sameFile(a: string, b: string): boolean {
  try {
    const [one, two] = [a, b].map((path) => statSync(path, { throwIfNoEntry: false, bigint: true }));
    if (one && two) return (one.isFile() || one.isDirectory()) && one.dev === two.dev && one.ino === two.ino;
    return !one && !two && realTarget(resolve(a)) === realTarget(resolve(b));
  } catch {
    // What cannot be looked at is said by whoever opens it.
    return false;
  }
}
