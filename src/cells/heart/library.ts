/** The declarations of libraries, read and parsed once for every session of a compiler that is given them. */
import type ts from "typescript";
import type { TypeScript } from "./typescript.js";

/** What sessions share: nothing of it depends on the folder that cells are in. */
export interface Library {
  /** Parsed files. Those of libraries are parsed once, whatever a session's options are. */
  registry: ts.DocumentRegistry;
  /** Texts of libraries' files, by path. */
  texts: Map<string, ts.IScriptSnapshot>;
  /** Names what a library's file holds, until it is forgotten. */
  version(path: string): string;
  /** Has a file read again when it is next needed. Only before the first cell of a session: while one runs, libraries stay as they are. */
  forget(path: string): void;
}

/** Whether a path is that of a library's file: one that does not change while a kernel runs. */
export const isLibraryFile = (path: string): boolean =>
  (path.includes("/node_modules/") || path.endsWith(".d.ts")) && !/\/\[[^/]*\](\.d)?\.tsx?$/.test(path);

/** An empty library; the first cell of the first session fills it. */
export function createLibrary(ts: TypeScript): Library {
  const registry = ts.createDocumentRegistry(true);
  const parsed = new Map<string, ts.SourceFile>();
  const texts = new Map<string, ts.IScriptSnapshot>();
  const forgotten = new Map<string, number>();
  const { acquireDocumentWithKey, updateDocumentWithKey, releaseDocumentWithKey } = registry;
  const once =
    (take: ts.DocumentRegistry["acquireDocumentWithKey"]): ts.DocumentRegistry["acquireDocumentWithKey"] =>
    (name, path, ...rest) => {
      if (!isLibraryFile(path)) return take(name, path, ...rest);
      let file = parsed.get(path);
      if (!file) parsed.set(path, (file = acquireDocumentWithKey(name, path, ...rest)));
      return file;
    };
  registry.acquireDocumentWithKey = once(acquireDocumentWithKey);
  registry.updateDocumentWithKey = once(updateDocumentWithKey);
  registry.releaseDocumentWithKey = ((path: ts.Path, ...rest: [ts.DocumentRegistryBucketKey, ts.ScriptKind]) => {
    if (!isLibraryFile(path)) releaseDocumentWithKey(path, ...rest);
  }) as ts.DocumentRegistry["releaseDocumentWithKey"];
  return {
    registry,
    texts,
    version: (path) => String(forgotten.get(path) ?? 0),
    forget(path) {
      texts.delete(path);
      parsed.delete(path);
      forgotten.set(path, (forgotten.get(path) ?? 0) + 1);
    },
  };
}
