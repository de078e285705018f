/**
 * The program that a cell is checked in: the cell as one module, behind it the chain of earlier declarations, and the local modules that
 * it imports.
 *
 * The checker looks names up along the parents of a node. A cell's file gets the file of the cell before it as parent, and so on: so a name
 * is found in the cell, else in the latest cell that declared it, else among the globals.
 */
import type ts from "typescript";
import { type Chain, type Link, slotName } from "./chain.js";
import type { CellFiles } from "./files.js";
import { isLibraryFile, type Library } from "./library.js";
import { type CellOptions, type Places, readOptions } from "./options.js";
import { shortenSpines } from "./spines.js";
import type { BoundFile, ProgramInternals, TypeScript } from "./typescript.js";

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
  /** Set while a program is made: what local modules import and was not found is looked up again. */
  private looking = false;
  /** Local modules with imports that were not found. */
  private readonly incomplete = new Set<string>();
  /** Texts of files, by path, as of a version. */
  private readonly snapshots = new Map<string, { version: string; snapshot: ts.IScriptSnapshot }>();
  /** Places for the links of the chain, used or not. */
  private slots = 32;
  private readonly virtual = new Map<string, string>();
  /** The links of the chain, by path, as of the latest view. */
  private links = new Map<string, Link>();
  /** What module names were found to mean, and what package descriptions say: kept while nothing is imported. */
  private resolutions: ts.ModuleResolutionCache;
  /** Whether the latest program has local modules. */
  private hasLocals = false;
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
    private readonly library: Library,
  ) {
    this.current = readOptions(ts, files, places);
    this.resolutions = this.freshResolutions();
    const roots = Object.keys(globals).map((name) => this.path(name));
    for (const [name, text] of Object.entries(globals)) this.virtual.set(this.path(name), text);
    const host: ts.LanguageServiceHost & {
      hasInvalidatedResolutions(path: string): boolean;
      getModuleResolutionCache(): ts.ModuleResolutionCache;
    } = {
      getCompilationSettings: () => this.current.options,
      getScriptFileNames: () => {
        // Always the same names, until the chain outgrows them: a program with other names is made from scratch.
        while (this.slots < this.chain.highest) this.slots *= 2;
        const slots = Array.from({ length: this.slots }, (_, i) => this.path(slotName(i + 1)));
        return [...roots, ...slots, this.path(plainCell), this.path(jsxCell)];
      },
      getScriptVersion: (path) => this.version(path),
      getScriptSnapshot: (path) => this.snapshot(path),
      getCurrentDirectory: () => places.root,
      getDefaultLibFileName: (options) => `${libraryFolder}/${ts.getDefaultLibFileName(options)}`,
      useCaseSensitiveFileNames: () => true,
      readFile: (path) => this.read(path),
      fileExists: (path) => this.virtual.has(path) || isCellFile(path) || files.fileExists(path),
      directoryExists: files.directoryExists,
      getDirectories: files.getDirectories,
      readDirectory: files.readDirectory,
      getModuleResolutionCache: () => this.resolutions,
      resolveModuleNameLiterals: (literals, containing, redirected, options, from) =>
        literals.map((literal) => {
          const mode = ts.getModeForUsageLocation(from, literal, options);
          return ts.resolveModuleName(literal.text, containing, options, host, this.resolutions, redirected, mode);
        }),
      hasInvalidatedResolutions: (path) => this.looking && this.incomplete.has(path),
      ...(files.realpath ? { realpath: files.realpath } : {}),
    };
    this.service = ts.createLanguageService(host, library.registry);
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
    this.links = new Map(this.chain.links.map((link) => [this.path(link.name), link]));
    if (this.files.modified(`${this.places.root}/tsconfig.json`) !== this.current.modified)
      this.current = readOptions(this.ts, this.files, this.places);
    // Where something is imported, the world is looked at afresh: a package may have been installed meanwhile.
    if (this.hasLocals || imports.test(text)) this.resolutions = this.freshResolutions();
    const path = this.path(jsx ? jsxCell : plainCell);
    // The same text again (a question about a cell and then its run) needs no other program.
    if (path !== this.cell.path || text !== this.cell.text) this.cell = { path, text, version: this.cell.version + 1 };
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
    shortenSpines(this.ts, file);
    this.noteIncomplete(program);
    return { program, file };
  }

  private freshResolutions(): ts.ModuleResolutionCache {
    return this.ts.createModuleResolutionCache(this.places.root, (name) => name, this.current.options);
  }

  private noteIncomplete(program: ts.Program): void {
    this.incomplete.clear();
    this.hasLocals = false;
    for (const file of program.getSourceFiles() as readonly BoundFile[]) {
      if (!isLocalSource(file.fileName) || isCellFile(file.fileName)) continue;
      this.hasLocals = true;
      const { getResolvedModuleFromModuleSpecifier } = program as unknown as ProgramInternals;
      const found = (specifier: ts.StringLiteralLike) =>
        getResolvedModuleFromModuleSpecifier(specifier, file)?.resolvedModule !== undefined;
      if (!(file.imports ?? []).every(found)) this.incomplete.add(file.fileName);
    }
  }

  private snapshot(path: string): ts.IScriptSnapshot | undefined {
    if (isLibraryFile(path)) {
      const text = this.library.texts.get(path) ?? this.fixedText(path);
      if (text) this.library.texts.set(path, text);
      return text;
    }
    const version = this.version(path);
    const known = this.snapshots.get(path);
    if (known?.version === version) return known.snapshot;
    const text = this.read(path);
    if (text === undefined) {
      this.snapshots.delete(path);
      return undefined;
    }
    const snapshot = this.ts.ScriptSnapshot.fromString(text);
    this.snapshots.set(path, { version, snapshot });
    return snapshot;
  }

  /** A library's text. */
  private fixedText(path: string): ts.IScriptSnapshot | undefined {
    const text = this.files.readFile(path);
    return text === undefined ? undefined : this.ts.ScriptSnapshot.fromString(text);
  }

  private path(name: string): string {
    return `${this.places.root}/${name}`;
  }

  private read(path: string): string | undefined {
    if (path === this.cell.path) return this.cell.text;
    const virtual = this.virtual.get(path);
    if (virtual !== undefined) return virtual;
    if (!isCellFile(path)) return this.files.readFile(path);
    return this.link(path)?.text ?? "export {};\n";
  }

  /** The link of the chain whose file it is. */
  private link(path: string) {
    return this.links.get(path);
  }

  private version(path: string): string {
    if (path === this.cell.path) return String(this.cell.version);
    if (isCellFile(path)) return `link ${this.link(path)?.id ?? 0}`;
    if (!isLocalSource(path)) return this.library.version(path);
    let time = this.times.get(path);
    if (time === undefined) this.times.set(path, (time = String(this.files.modified(path))));
    return time;
  }
}

/** What brings a module name into a cell. */
const imports = /\b(?:import|require|export|from|module)\b|\/\/\//;
const plainCell = "[cell].ts";
const jsxCell = "[cell].tsx";
/** Whether a path is that of a cell or of a link of the chain, which are no files. */
const isCellFile = (path: string) => /\/\[cell( \d+)?\](\.d)?\.tsx?$/.test(path);

/** Whether a file is the reader's own, and may change from one cell to the next. */
export function isLocalSource(path: string): boolean {
  return !path.includes("/node_modules/") && !path.endsWith(".d.ts");
}
