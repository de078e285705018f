/**
 * The program that a cell is checked in: the cell as one module, behind it the chain of earlier declarations, and the local modules that
 * it imports.
 *
 * The checker looks names up along the parents of a node. A cell's file gets the file of the cell before it as parent, and so on: so a name
 * is found in the cell, else in the latest cell that declared it, else among the globals.
 */
import type ts from "typescript";
import type { Chain } from "./chain.js";
import type { CellFiles } from "./files.js";
import { type CellOptions, type Places, readOptions } from "./options.js";
import type { BoundFile, TypeScript } from "./typescript.js";

/** A checked view of one cell. */
export interface View {
  program: ts.Program;
  file: BoundFile;
}

/** The compiler's long-lived part. */
export class Programs {
  readonly service: ts.LanguageService;
  private current: CellOptions;
  private cell = { path: "", text: "", version: 0 };
  /** Set while a program is made: whatever local modules import is looked up again. */
  private looking = false;
  private readonly virtual = new Map<string, string>();
  /** Modification times of local files, read once a cell. */
  private readonly times = new Map<string, string>();

  constructor(
    private readonly ts: TypeScript,
    private readonly files: CellFiles,
    private readonly places: Places,
    private readonly chain: Chain,
    /** Declaration files that belong to every program, by name. */
    globals: Readonly<Record<string, string>>,
    libraryFolder: string,
  ) {
    this.current = readOptions(ts, files, places);
    const roots = Object.keys(globals).map((name) => this.path(name));
    for (const [name, text] of Object.entries(globals)) this.virtual.set(this.path(name), text);
    const host: ts.LanguageServiceHost & { hasInvalidatedResolutions(path: string): boolean } = {
      getCompilationSettings: () => this.current.options,
      getScriptFileNames: () => [...roots, ...this.chain.links.map(({ name }) => this.path(name)), this.cell.path],
      getScriptVersion: (path) => this.version(path),
      getScriptSnapshot: (path) => {
        const text = this.read(path);
        return text === undefined ? undefined : ts.ScriptSnapshot.fromString(text);
      },
      getCurrentDirectory: () => places.root,
      getDefaultLibFileName: (options) => `${libraryFolder}/${ts.getDefaultLibFileName(options)}`,
      useCaseSensitiveFileNames: () => true,
      readFile: (path) => this.read(path),
      fileExists: (path) => this.virtual.has(path) || path === this.cell.path || files.fileExists(path),
      directoryExists: files.directoryExists,
      getDirectories: files.getDirectories,
      readDirectory: files.readDirectory,
      hasInvalidatedResolutions: (path) => this.looking && isLocalSource(path),
      ...(files.realpath ? { realpath: files.realpath } : {}),
    };
    this.service = ts.createLanguageService(host);
  }

  /** What is wrong with the reader's `tsconfig.json`, if anything is. */
  get configProblem(): string | undefined {
    return this.current.problem;
  }

  get options(): ts.CompilerOptions {
    return this.current.options;
  }

  /** Whether a path is that of the cell. */
  isCell(path: string): boolean {
    return path === this.cell.path;
  }

  /** Makes the program for a cell as the world is now. */
  view(text: string, jsx = false): View {
    this.times.clear();
    if (this.files.modified(`${this.places.root}/tsconfig.json`) !== this.current.modified)
      this.current = readOptions(this.ts, this.files, this.places);
    this.cell = { path: this.path(jsx ? "[cell].tsx" : "[cell].ts"), text, version: this.cell.version + 1 };
    this.looking = true;
    let program: ts.Program;
    try {
      program = this.service.getProgram() as ts.Program;
    } finally {
      this.looking = false;
    }
    const file = program.getSourceFile(this.cell.path) as BoundFile;
    let inner: ts.SourceFile = file;
    for (let i = this.chain.links.length - 1; i >= 0; i--) {
      const outer = program.getSourceFile(this.path(this.chain.links[i].name)) as ts.SourceFile;
      (inner as { parent: ts.Node }).parent = outer;
      inner = outer;
    }
    (inner as { parent: ts.Node | undefined }).parent = undefined;
    return { program, file };
  }

  private path(name: string): string {
    return `${this.places.root}/${name}`;
  }

  private read(path: string): string | undefined {
    if (path === this.cell.path) return this.cell.text;
    return this.virtual.get(path) ?? this.linkText(path) ?? this.files.readFile(path);
  }

  private linkText(path: string): string | undefined {
    if (!path.endsWith("].d.ts")) return undefined;
    return this.chain.links.find(({ name }) => this.path(name) === path)?.text;
  }

  private version(path: string): string {
    if (path === this.cell.path) return String(this.cell.version);
    if (!isLocalSource(path)) return "0";
    let time = this.times.get(path);
    if (time === undefined) this.times.set(path, (time = String(this.files.modified(path))));
    return time;
  }
}

/** Whether a file is the reader's own, and may change from one cell to the next. */
export function isLocalSource(path: string): boolean {
  return !path.includes("/node_modules/") && !path.endsWith(".d.ts");
}
