import { join } from "node:path";
import type { Command } from "commander";
import { projectRoot } from "../lab/index.js";
import { UserError } from "./errors.js";

interface SiteFlags {
  out: string;
  api: boolean;
  serve?: boolean;
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
    .option("--port <n>", "the port to serve at (default: any that is free)", "0")
    .action(site);
}

async function site(flags: SiteFlags): Promise<void> {
  const port = Number(flags.port);
  if (!(Number.isSafeInteger(port) && port >= 0 && port < 65536))
    throw new UserError(`--port: a whole number from 0 to 65535; got ${flags.port}.`);
  const { buildSite, serveSite, writeApiReference } = await import("../writeup/index.js");
  if (flags.api) {
    process.stderr.write("Writing the API reference …\n");
    await writeApiReference(join(flags.out, "api"), { home: "../index.html" });
  }
  const built = await buildSite({ root: projectRoot, out: flags.out });
  process.stdout.write(`${built.pages.length} pages in ${flags.out}; open ${join(flags.out, "index.html")}\n`);
  for (const [what, names] of Object.entries(built.unused))
    if (names.length > 0) process.stderr.write(`Not used by any page: ${what} ${names.join(", ")}\n`);
  if (!flags.serve) {
    if (built.faults.length > 0) throw new UserError(faultText(built.faults));
    return;
  }
  if (built.faults.length > 0) process.stderr.write(`${faultText(built.faults)}\n`);
  const server = await serveSite(flags.out, port);
  process.stdout.write(`${server.url}  (Ctrl-C ends it)\n`);
  await new Promise<void>((resolve) => process.once("SIGINT", resolve).once("SIGTERM", resolve));
  await server.close();
}

function faultText(faults: readonly string[]): string {
  return `${faults.join("\n")}\nThe site does not hold in ${faults.length} ${faults.length === 1 ? "place" : "places"}.`;
}
