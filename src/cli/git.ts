import { execFileSync } from "node:child_process";
import { projectRoot } from "../lab/index.js";

/** What git says of the project's folder; null where there is no git, or no checkout. */
export function git(...args: string[]): string | null {
  try {
    return execFileSync("git", args, {
      cwd: projectRoot,
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    }).trim();
  } catch {
    return null;
  }
}
