import { join } from "node:path";
import type { Command } from "commander";
import { checkFolder } from "../files/index.js";
import { projectRoot } from "../lab/index.js";
import type { Drawing } from "../site/index.js";
import { printable, UserError } from "./errors.js";
import { Progress } from "./progress.js";

interface SiteFlags {
  out: string;
  api: boolean;
  serve?: boolean;
  pdf?: boolean;
  port: string;
}

/** `iommu-lab site`: the notebooks as pages that anyone can read. */
export function siteCommand(program: Command): void {
  program
    .command("site")
    .description("make a web site of the executed notebooks, and check that every link and reference in it resolves")
    .option("-o, --out <folder>", "where the site goes", join("results", "site"))
    .option("--no-api", "leave out the reference of the code's public names (it takes half a minute)")
    .option("--serve", "serve it on this machine until Ctrl-C")
    .option("--pdf", "also print each page, and all of them together, as PDF (needs Chromium)")
    .option("--port <n>", "the port to serve at (default: any that is free)", "0")
    .action(site);
}

async function site(flags: SiteFlags): Promise<void> {
  const port = Number(flags.port);
  if (!(Number.isSafeInteger(port) && port >= 0 && port < 65536))
    throw new UserError(`--port: a whole number from 0 to 65535; got ${flags.port}.`);
  checkFolder(flags.out);
  const { buildSite, serveSite, startDrawing, writeApiReference } = await import("../site/index.js");
  let progress: Progress | undefined;
  const tell: Progress["tell"] = (...told) => (progress ??= new Progress(process.stderr, "pages")).tell(...told);
  let drawing: Promise<Drawing> | undefined;
  const built = await buildSite({
    root: projectRoot,
    out: flags.out,
    pdf: flags.pdf ?? false,
    ...(flags.api
      ? {
          writeApi: async (folder: string) => {
            process.stderr.write("Writing the API reference …\n");
            const { faults } = await writeApiReference(folder, { home: "../index.html" });
            for (const fault of faults) process.stderr.write(`API reference: ${fault}\n`);
          },
        }
      : {}),
    drawing: () => (drawing ??= startDrawing()),
    onPage: (done, total, url) => tell(done, total, url),
    onPdf: (done, total, url) => tell(done, total, `${url} as PDF`),
  }).finally(async () => {
    progress?.end();
    await drawing?.then((started) => started.close()).catch(() => {});
  });
  process.stdout.write(`${built.pages.length} pages in ${flags.out}; open ${join(flags.out, "index.html")}\n`);
  for (const [what, names] of Object.entries(built.unused))
    if (names.length > 0) process.stderr.write(`Used by no page: ${what} ${names.join(", ")}\n`);
  for (const note of built.unfinished) process.stderr.write(`${printable(note)}\n`);
  if (built.faults.length > 0 && !flags.serve) throw new UserError(siteFaults(built.faults));
  if (built.faults.length > 0) process.stderr.write(`${siteFaults(built.faults)}\n`);
  if (!flags.serve) return;
  const server = await serveSite(flags.out, port).catch((error: NodeJS.ErrnoException) => {
    throw new UserError(
      error.code === "EADDRINUSE"
        ? `--port: ${port} is in use; choose another.`
        : `It cannot be served (${error.message}).`,
    );
  });
  process.stdout.write(`${server.url}  (Ctrl-C ends it)\n`);
  await new Promise<void>((resolve) => process.once("SIGINT", () => resolve()).once("SIGTERM", () => resolve()));
  await server.close();
}

/**
 * The site of freshly executed notebooks, at the end of a reproduction. What does not hold in it is said, and nothing is lost for it.
 * @param out where it goes
 * @param executed the folder of the executed notebooks
 * @param drawing draws the pictures of plots that are not as they were stored
 */
export async function siteOfResults(out: string, executed: string, drawing: () => Promise<Drawing>): Promise<void> {
  const { buildSite } = await import("../site/index.js");
  const { pages, faults } = await buildSite({ root: projectRoot, out, executed, drawing });
  if (faults.length > 0) process.stderr.write(`${siteFaults(faults)}\n`);
  process.stdout.write(`${pages.length} pages in ${out}; open ${join(out, "index.html")}\n`);
}

/** A fault quotes what it is about, which may be long. */
const longestFault = 1000;

/** What the check of a site found, a line each. */
export function siteFaults(faults: readonly string[]): string {
  return `${faults.map((fault) => printable(fault.slice(0, longestFault))).join("\n")}\nThe site does not hold in ${faults.length} ${faults.length === 1 ? "place" : "places"}.`;
}
