/** The declarations of libraries, read and parsed once for every session of a compiler that is given them. */
import type ts from "typescript";
import type { TypeScript } from "./typescript.js";

/** What sessions share: nothing of it depends on the folder that cells are in. */
export interface Library {
  /** Parsed files, by path. */
  registry: ts.DocumentRegistry;
  /** Texts of files that do not change, by path. */
  texts: Map<string, ts.IScriptSnapshot>;
}

/** An empty library; the first cell of the first session fills it. */
export function createLibrary(ts: TypeScript): Library {
  return { registry: ts.createDocumentRegistry(true), texts: new Map() };
}
