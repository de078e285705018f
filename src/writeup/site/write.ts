/** A site in a folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { type BuiltSite, makeSite, type SiteSources } from "./build.js";

/** A folder cannot be used for a site: one sentence that says why. */
export class SiteError extends Error {
  override name = "SiteError";
}

/** How a site is built into a folder. */
export interface SiteOptions extends Omit<SiteSources, "exists"> {
  /** Where the site goes; made if it is not there. */
  out: string;
}

/** Names the files of a site in its folder, so that the next build removes what it no longer makes, and nothing else. */
const listFile = ".iommu-lab-site";

/**
 * Builds the site into a folder: pages, pictures, plots, scripts, fonts. Files of an earlier build that are no longer made are removed;
 * all others (the API reference in `api/`) stay. The site is written even where the check finds faults, so that they can be looked at.
 * @throws SiteError for a folder with other things in it, NotebookError for a notebook that cannot be read
 */
export async function buildSite(options: SiteOptions): Promise<BuiltSite> {
  const { out, ...sources } = options;
  const list = join(out, listFile);
  const others = existsSync(out) ? readdirSync(out).filter((name) => name !== "api" && name !== "pdf") : [];
  if (others.length > 0 && !existsSync(list))
    throw new SiteError(
      `${out}: expected an empty folder or an earlier site; it holds ${others.slice(0, 3).join(", ")}.`,
    );
  const built = await makeSite({ ...sources, exists: (url) => existsSync(join(out, url)) && !built_(list, url) });
  const before = existsSync(list) ? readFileSync(list, "utf8").split("\n").filter(Boolean) : [];
  for (const url of before) if (!built.files.has(url) && !url.includes("..")) rmSync(join(out, url), { force: true });
  for (const [url, content] of built.files) {
    mkdirSync(dirname(join(out, url)), { recursive: true });
    writeFileSync(join(out, url), content);
  }
  writeFileSync(list, `${[...built.files.keys()].sort().join("\n")}\n`);
  return built;
}

/** Whether a file is of an earlier build: it may be gone after this one. */
function built_(list: string, url: string): boolean {
  return existsSync(list) && readFileSync(list, "utf8").split("\n").includes(url);
}
