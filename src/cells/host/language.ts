/** The compiler of cells on Node: stock TypeScript over the file system. */
import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { CellFiles } from "../heart/files.js";
import { createLanguage as createHeart, type Language } from "../heart/language.js";
import { createLibrary, type Library } from "../heart/library.js";
import type { TypeScript } from "../heart/typescript.js";
import { packageDoors } from "./doors.js";
import { newerLibraries } from "./standard.js";

export type { Language } from "../heart/language.js";

/** What does not depend on the folder that cells are in. */
export interface Compiler {
  ts: TypeScript;
  /** The folder of TypeScript's own declarations. */
  libraryFolder: string;
  library: Library;
  /** Globals of Node that its declarations leave to a browser's. */
  globals: string;
}

/** What goes with a compiler that has just been loaded. */
export function prepareCompiler(ts: TypeScript, libraryFolder: string): Compiler {
  return { ts, libraryFolder, library: createLibrary(ts), globals: browserGlobals(libraryFolder) };
}

/**
 * Creates the language part. Takes about a second with its first cell, where the compiler has not read and bound its libraries before.
 * @param packageRoot this package's folder, where `iommu-lab/…` is found
 * @param root the folder that cells are in; becomes the working directory
 * @param compiler shared with other sessions
 */
export function createLanguage(packageRoot: string, root: string, compiler: Compiler): Language {
  process.chdir(root);
  const { ts, libraryFolder, library, globals } = compiler;
  const { paths, doors } = packageDoors(packageRoot);
  return createHeart({
    ts,
    files: nodeFiles(ts),
    places: {
      root,
      // The `lab` global's declaration, beside Node's.
      types: ["node", join(packageRoot, "dist", "cells", "display", "global")],
      typeRoots: [join(packageRoot, "node_modules", "@types")],
      libraries: newerLibraries(),
      // In the package's own folder its rooms would be found without, but not offered as the name of one is being written.
      paths,
    },
    libraryFolder,
    globals: { "[globals].d.ts": globals },
    doors,
    library,
  });
}

function nodeFiles(ts: TypeScript): CellFiles {
  const { sys } = ts;
  return {
    readFile: (path) => sys.readFile(path),
    fileExists: (path) => sys.fileExists(path),
    directoryExists: (path) => sys.directoryExists(path),
    getDirectories: (path) => sys.getDirectories(path),
    readDirectory: (path, extensions, exclude, include, depth) =>
      sys.readDirectory(path, extensions, exclude, include, depth),
    realpath: (path) => sys.realpath?.(path) ?? path,
    modified(path) {
      try {
        return statSync(path).mtimeMs;
      } catch {
        return 0;
      }
    },
  };
}

/** Globals of Node that its declarations leave to a browser's: taken from there, without the rest of a browser. */
function browserGlobals(libraryFolder: string): string {
  const text = readFileSync(join(libraryFolder, "lib.dom.d.ts"), "utf8");
  const block = (head: string): string => {
    const start = text.indexOf(`\n${head} {\n`);
    if (start < 0) return "";
    return text.slice(start, text.indexOf("\n}\n", start) + 3);
  };
  return [block("declare namespace WebAssembly"), "type BufferSource = ArrayBufferView | ArrayBuffer;"].join("\n");
}
