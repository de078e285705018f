/** Where this user's points are kept from one program to the next. */
import { homedir } from "node:os";
import { isAbsolute, join, resolve } from "node:path";
import { rebuilt } from "./code.js";
import { PointStore } from "./store.js";

/** What a store of a user's may take. */
const mostBytes = 512 << 20;

/** The stores that this process has opened: to name the code, and what records hold, is done once. */
const opened = new Map<string, PointStore>();

/**
 * The folder of this user's points: IOMMU_LAB_POINTS, or a folder of the user's cache; undefined where IOMMU_LAB_POINTS is "off".
 * @example pointsFolder({ XDG_CACHE_HOME: "/home/me/.cache" }) // "/home/me/.cache/iommu-lab/points"
 */
export function pointsFolder(
  env: Readonly<Record<string, string | undefined>> = process.env,
  platform: string = process.platform,
  home: string = homedir(),
): string | undefined {
  const chosen = env["IOMMU_LAB_POINTS"];
  if (chosen === "off") return undefined;
  if (chosen) return resolve(chosen);
  const cache = env["XDG_CACHE_HOME"];
  if (cache && isAbsolute(cache)) return join(cache, "iommu-lab", "points");
  const caches =
    platform === "darwin"
      ? join(home, "Library", "Caches")
      : platform === "win32" && env["LOCALAPPDATA"]
        ? env["LOCALAPPDATA"]
        : join(home, ".cache");
  return join(caches, "iommu-lab", "points");
}

/**
 * This user's points: what every run takes and keeps, in notebooks and on the command line.
 * Nothing where the code was built again under this process: then nobody can say which code a point would be of.
 * @param options `fresh`: computes each point anew, and keeps it
 */
export function userPoints(options: { fresh?: boolean | undefined } = {}): PointStore | undefined {
  const folder = pointsFolder();
  if (folder === undefined || rebuilt()) return undefined;
  const { fresh = false } = options;
  const name = `${folder}\n${fresh}`;
  const store = opened.get(name) ?? new PointStore(folder, { mostBytes, fresh });
  opened.set(name, store);
  return store;
}
