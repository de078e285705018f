/** A site in a folder. */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
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

/**
 * Builds the site into a folder: pages, pictures, plots, scripts, fonts, and PDFs if they are wanted. Files of an earlier build that are no
 * longer made are removed; all others (the API reference in `api/`) stay. The site is written even where the check finds faults, so that
 * they can be looked at.
 * @throws SiteError for a folder with other things in it, NotebookError for a notebook that cannot be read, ChromiumError where PDFs are
 * wanted and no browser can be started
 */
export async function buildSite(options: SiteOptions): Promise<BuiltSite> {
  const { out, onPdf, writeApi, ...sources } = options;
  const list = join(out, listFile);
  const others = existsSync(out) ? readdirSync(out).filter((name) => name !== "api") : [];
  if (others.length > 0 && !existsSync(list)) {
    throw new SiteError(
      `${out}: expected an empty folder or an earlier site; it holds ${others.slice(0, 3).join(", ")}. Name another with --out.`,
    );
  }
  await writeApi?.(join(out, "api"));
  const before = existsSync(list) ? readFileSync(list, "utf8").split("\n").filter(Boolean) : [];
  const built = await makeSite({ ...sources, exists: (url) => url.startsWith("api/") && existsSync(join(out, url)) });
  const made = [...built.files.keys()];
  if (options.pdf) made.push(wholePdf, ...built.pages.map(pdfOf).filter((url) => url !== undefined));
  // The list comes first: whatever is interrupted, the next build knows what is its own.
  mkdirSync(out, { recursive: true });
  writeFileSync(list, `${[...new Set([...before, ...made])].sort().join("\n")}\n`);
  for (const [url, content] of built.files) {
    mkdirSync(dirname(join(out, url)), { recursive: true });
    writeFileSync(join(out, url), content);
  }
  for (const url of before) if (!made.includes(url) && !url.includes("..")) rmSync(join(out, url), { force: true });
  writeFileSync(list, `${made.sort().join("\n")}\n`);
  if (options.pdf) await writePdfs(out, built.files, built.pages, onPdf);
  return built;
}
