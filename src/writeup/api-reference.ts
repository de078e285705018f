import { existsSync, readdirSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The reference cannot be made: the message lists what is wrong with the doc comments, a line each. */
export class ApiReferenceError extends Error {
  override name = "ApiReferenceError";
}

/** Where the reference went and what it covers. */
export interface ApiReference {
  folder: string;
  /** The rooms, by the names under which they are imported: `iommu-lab/dma`. */
  rooms: string[];
}

/** What every door must say in a doc comment. Properties speak for themselves where their name does. */
const documented = ["Function", "Class", "Interface", "TypeAlias", "Variable", "Enum"] as const;

/**
 * Writes the reference of every room's public names as static pages, from the doc comments, with TypeDoc. The pages ask nothing of any
 * other machine. TypeDoc compiles the sources, which takes some ten seconds.
 * @param folder where the pages go; made where it is missing, and emptied first
 * @param options.home where the pages' link back leads, as seen from that folder
 * @throws ApiReferenceError when a link in a comment leads nowhere or a public name has no comment.
 */
export async function writeApiReference(folder: string, options: { home?: string } = {}): Promise<ApiReference> {
  const { Application, LogLevel, Logger } = await import("typedoc");
  const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
  const rooms = readdirSync(join(root, "src"))
    .filter((room) => room !== "cli" && existsSync(join(root, "src", room, "index.ts")))
    .sort();
  const complaints: string[] = [];
  class Collector extends Logger {
    override log(message: string, level: number): void {
      if (level >= LogLevel.Warn) complaints.push(message);
    }
  }
  const app = await Application.bootstrap({
    name: "iommu-lab",
    entryPoints: rooms.map((room) => join(root, "src", room, "index.ts")),
    tsconfig: join(root, "tsconfig.json"),
    readme: join(root, "src", "README.md"),
    disableSources: true,
    disableGit: true,
    excludeInternal: true,
    excludeExternals: true,
    githubPages: false,
    hideGenerator: true,
    ...(options.home === undefined ? {} : { navigationLinks: { "The laboratory": options.home } }),
    requiredToBeDocumented: [...documented],
    validation: {
      notExported: false,
      invalidLink: true,
      invalidPath: true,
      rewrittenLink: false,
      notDocumented: true,
      unusedMergeModuleWith: true,
    },
  });
  app.logger = new Collector();
  const project = await app.convert();
  if (project) app.validate(project);
  if (!project || complaints.length > 0) {
    const list = complaints.map((complaint) => `  ${complaint.replaceAll(`${root}/`, "")}`);
    throw new ApiReferenceError(`The API reference has ${complaints.length} faults:\n${list.join("\n")}`);
  }
  await app.generateDocs(project, resolve(folder));
  if (complaints.length > 0)
    throw new ApiReferenceError(
      `The API reference could not be written to ${relative(".", folder)}:\n${complaints.join("\n")}`,
    );
  return { folder: resolve(folder), rooms: rooms.map((room) => `iommu-lab/${room}`) };
}
