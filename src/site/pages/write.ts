/** A site in a folder. */
import { existsSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { readBounded, realPlace, writeWhole } from "../../files/index.js";
import { type BuiltSite, makeSite, type SiteSources } from "./build.js";
import { pdfOf, wholePdf, writePdfs } from "./pdf.js";

/** A folder cannot be used for a site: one sentence that says why. */
export class SiteError extends Error {
  override name = "SiteError";
}

/** How a site is built into a folder. */
export interface SiteOptions extends Omit<SiteSources, "exists"> {
  /** Where the site goes; made if it is not there. */
  out: string;
  /** Writes the API reference into a folder; called once the site's folder is known to be fit. */
  writeApi?: (folder: string) => Promise<unknown>;
  /** Told of each PDF that is made. */
  onPdf?: (done: number, total: number, url: string) => void;
}

/** Names the files of a site in its folder, so that the next build removes what it no longer makes, and nothing else. */
const listFile = ".iommu-lab-site";
/** What a build leaves that was killed while it wrote its list for the first time. */
const unfinishedList = /^\.\.iommu-lab-site\.[0-9a-f]+\.tmp$/;

/**
 * Builds the site into a folder: pages, pictures, plots, scripts, fonts, and PDFs if they are wanted. Files of an earlier build that are no
 * longer made are removed; all others (the API reference in `api/`) stay. The site is written even where the check finds faults, so that
 * they can be looked at; but not where something in it would give away what is not its own.
 * @throws SiteError for a folder with other things in it, and for what is refused, NotebookError for a notebook that cannot be read, ChromiumError where PDFs are
 * wanted and no browser can be started
 */
export async function buildSite(options: SiteOptions): Promise<BuiltSite> {
  const { out, onPdf, writeApi, ...sources } = options;
  const list = join(out, listFile);
  const found = existsSync(out) ? readdirSync(out) : [];
  const others = found.filter((name) => name !== "api" && !unfinishedList.test(name));
  if (others.length > 0 && !existsSync(list)) {
    throw new SiteError(
      `${out}: expected an empty folder or an earlier site; it holds ${others.slice(0, 3).join(", ")}. Name another with --out.`,
    );
  }
  const exists = (url: string): boolean =>
    (writeApi !== undefined && url === "api/index.html") || (url.startsWith("api/") && existsSync(join(out, url)));
  const built = await makeSite({ ...sources, exists });
  const made = [...built.files.keys()];
  if (options.pdf) made.push(wholePdf, ...built.pages.map(pdfOf).filter((url) => url !== undefined));
  refuseBefore(out, [...made, listFile, "api"], built.refused);
  for (const name of found) if (unfinishedList.test(name)) rmSync(join(out, name), { force: true });
  await writeApi?.(join(out, "api"));
  const before = existsSync(list) ? readBounded(list).toString("utf8").split("\n").filter(Boolean) : [];
  // The list comes first: whatever is interrupted, the next build knows what is its own.
  writeWhole(list, `${[...new Set([...before, ...made])].sort().join("\n")}\n`);
  for (const [url, content] of built.files) writeWhole(join(out, url), content, false);
  for (const url of before) if (!made.includes(url) && isInside(out, url)) rmSync(join(out, url), { force: true });
  writeWhole(list, `${made.sort().join("\n")}\n`);
  if (options.pdf) await writePdfs(out, built.files, built.pages, onPdf);
  return built;
}

/**
 * Before anything is written: whatever is refused, and every place that is not the folder's own.
 * @throws SiteError with a line for each
 */
function refuseBefore(out: string, urls: readonly string[], refused: readonly string[]): void {
  const outside = urls.filter((url) => !isInside(out, url)).map((url) => `${url}: lies outside ${out}.`);
  const all = [...refused, ...outside];
  if (all.length === 0) return;
  const [shown, more] = [all.slice(0, mostShown), all.length - mostShown];
  throw new SiteError(
    `${shown.join("\n")}\n${more > 0 ? `… and ${more} more\n` : ""}Nothing was written: the site would hold what is not its own.`,
  );
}

const mostShown = 50;

/** Whether an address of the site is written where it says, inside the folder: no way up, and no symbolic link out of it. */
function isInside(out: string, url: string): boolean {
  try {
    return url !== "" && realPlace(out, url) === url;
  } catch {
    // A circle of links, a file where a folder should be, too long a name.
    return false;
  }
}
