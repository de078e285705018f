/**
 * Where a start-up snapshot begins: the compiler warms up as the snapshot is built, and goes on from there in each process.
 *
 * What notebooks import is in it as well: this package's rooms, and the packages that these are declared with. Packages are as the lock file says, which is
 * in the snapshot's name; rooms may have been built again, so each process looks whether they are still the same.
 */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { startupSnapshot } from "node:v8";
import type { TypeScript } from "../heart/typescript.js";
import { notebookRooms } from "./doors.js";
import { createLanguage, type Language, prepareCompiler } from "./language.js";

/** Cells that lead through the compiler, so that what it needs is read, bound and compiled. */
const cells = (rooms: readonly string[]): string[] => [
  "1 + 1",
  rooms.map((room, i) => `import * as room${i} from ${JSON.stringify(room)};`).join(" "),
  'import { join } from "node:path"; const place = join("a", "b"); let n = await Promise.resolve(2)',
  "interface P { x: number } class A implements P { x = 1 } function f(p: P): number { return p.x + n } f(new A())",
  "const rows = [1, 2, 3].map((v) => ({ v, s: String(v) })); console.log(rows.filter(({ v }) => v > 1)); lab.html('a')",
  "const wrong: string = 1",
];

/** What the joined program hands in. */
export interface SnapshotStart {
  packageRoot: string;
  typescript: TypeScript;
  libraryFolder: string;
  /** A folder without a `tsconfig.json`, as most have none: files are parsed for a set of options. */
  folder: string;
  /** Loads the part that answers questions, which needs modules of Node that no snapshot can hold. */
  serve(language: Language): void;
}

/** Warms the compiler up, and says how a process goes on that starts from the snapshot. */
export function start({ packageRoot, typescript, libraryFolder, folder, serve }: SnapshotStart): void {
  const compiler = prepareCompiler(typescript, libraryFolder);
  const language = createLanguage(packageRoot, folder, compiler);
  for (const code of cells(notebookRooms(packageRoot))) {
    const result = language.compile(code);
    if (result.ok) language.commit(result.cell.declarations);
  }
  // Not completion: it makes a collator, which no snapshot can hold.
  language.inspect("console.log", 9);
  process.chdir(packageRoot);
  const { texts } = compiler.library;
  const rooms = join(packageRoot, "dist", "/");
  const stamps = new Map([...texts.keys()].filter((path) => path.startsWith(rooms)).map((path) => [path, stamp(path)]));
  startupSnapshot.setDeserializeMainFunction(() => {
    for (const [path, before] of stamps)
      if (stamp(path) !== before && textOf(path) !== contents(texts.get(path))) compiler.library.forget(path);
    const [root] = process.argv.slice(-1);
    serve(createLanguage(packageRoot, root, compiler));
  });
}

/** Differs where a file was written again. */
function stamp(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.mtimeMs} ${found.size}` : "none";
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return undefined;
  }
}

const contents = (text: { getText(start: number, end: number): string; getLength(): number } | undefined) =>
  text?.getText(0, text.getLength());
