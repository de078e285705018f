import { appendFileSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The reference cannot be made: the message says why. */
export class ApiReferenceError extends Error {
  override name = "ApiReferenceError";
}

/** Where the reference went and what it covers. */
export interface ApiReference {
  folder: string;
  /** The rooms, by the names under which they are imported: `iommu-lab/dma`. */
  rooms: string[];
  /** What is wrong with the doc comments, a line each: a public name without one, a link that leads nowhere. */
  faults: string[];
}

/** What every door must say in a doc comment. Properties speak for themselves where their name does. */
const documented = ["Function", "Class", "Interface", "TypeAlias", "Variable", "Enum"] as const;

/**
 * Writes the reference of every room's public names as static pages, from the doc comments, with TypeDoc. The pages ask nothing of any
 * other machine. TypeDoc compiles the sources, which takes some ten seconds.
 * @param folder where the pages go; made where it is missing, and emptied first
 * @param options.home where the pages' link back leads, as seen from that folder
 * @throws ApiReferenceError when the sources cannot be compiled.
 */
export async function writeApiReference(folder: string, options: { home?: string } = {}): Promise<ApiReference> {
  const { Application, Comment, LogLevel, Logger } = await import("typedoc");
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
    highlightLanguages: ["bash", "json", "mermaid", "typescript"],
    disableSources: true,
    disableGit: true,
    excludeInternal: true,
    excludeExternals: true,
    githubPages: false,
    hideGenerator: true,
    // A room is one link beside the page, and has its own index: a tree that opens would be links within the buttons that open them.
    navigationLeaves: rooms,
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
  // The header of a door is the room's own description; TypeDoc takes it for the comment of its first export.
  for (const room of project?.children ?? []) {
    if (rooms.includes(room.name))
      room.comment = new Comment([{ kind: "text", text: header(join(root, "src", room.name, "index.ts")) }]);
  }
  if (project) app.validate(project);
  if (!project) throw new ApiReferenceError(`The API reference cannot be made:\n${complaints.join("\n")}`);
  await app.generateDocs(project, resolve(folder));
  finishPages(resolve(folder), options.home);
  return {
    folder: resolve(folder),
    rooms: rooms.map((room) => `iommu-lab/${room}`),
    faults: complaints.map((complaint) => complaint.replaceAll(`${root}/`, "")),
  };
}

/** The comment at the head of a file, as text. */
function header(file: string): string {
  const [, comment] = readFileSync(file, "utf8").match(/^\/\*\*(.*?)\*\//s) ?? [];
  if (comment === undefined)
    throw new ApiReferenceError(`${file}: expected a comment at its head that describes the room.`);
  return comment
    .replace(/^ *\* ?/gm, "")
    .replace(/\{@link ([^}]*)\}/g, "`$1`")
    .trim();
}

/** What TypeDoc's own theme leaves out of every page: landmarks with names, headings that can be pressed without holding a link. */
const repairs: readonly (readonly [RegExp, string])[] = [
  [/<div class="col-content">/, '<div class="col-content" role="main">'],
  [/<div class="page-menu">/, '<div class="page-menu" role="navigation" aria-label="This page">'],
  [/<nav id="tsd-sidebar-links"/, '<nav id="tsd-sidebar-links" aria-label="Elsewhere"'],
  [/<nav class="tsd-navigation"/, '<nav class="tsd-navigation" aria-label="Rooms"'],
];
const headings = /<summary\b[^>]*>.*?<\/summary>/gs;
const permalink = /<a\b[^>]*class="tsd-anchor-icon"[^>]*>.*?<\/a>/gs;

const heading = /<h([1-6])\b/g;

/** Headings that skip a level say the level below the one before, whatever size their tag gives them. */
function inOrder(html: string): string {
  let last = 0;
  return html.replace(heading, (tag, level: string) => {
    const own = Math.min(Number(level), last + 1);
    last = own;
    return own === Number(level) ? tag : `${tag} aria-level="${own}"`;
  });
}

/** Links in running text that do not hang on their colour. */
const underlined = `
.tsd-typography a, .tsd-signature a, .tsd-hierarchy a, .tsd-parameter-list a, .tsd-panel p a, .tsd-panel li a, .tsd-returns-title a,
.tsd-description a { text-decoration: underline; }
`;

/** Repairs every page; the link home, which TypeDoc writes as it is into every page, gets a step more in a folder further down. */
function finishPages(folder: string, home: string | undefined): void {
  appendFileSync(join(folder, "assets", "style.css"), underlined);
  for (const page of readdirSync(folder, { recursive: true }) as string[]) {
    if (!page.endsWith(".html")) continue;
    const file = join(folder, page);
    let html = readFileSync(file, "utf8").replace(headings, (heading) => heading.replace(permalink, ""));
    for (const [from, to] of repairs) html = html.replace(from, to);
    html = inOrder(html);
    const up = "../".repeat(page.split(/[/\\]/).length - 1);
    const link = `<a href="${home}" class="tsd-nav-link">`;
    if (home !== undefined && up !== "") html = html.replace(link, link.replace(home, `${up}${home}`));
    writeFileSync(file, html);
  }
}
