/** The files that a compiler reads, as the host gives them: Node's file system, or a page's own. Paths are absolute, with slashes. */
export interface CellFiles {
  readFile(path: string): string | undefined;
  fileExists(path: string): boolean;
  directoryExists(path: string): boolean;
  getDirectories(path: string): string[];
  readDirectory(
    path: string,
    extensions?: readonly string[],
    exclude?: readonly string[],
    include?: readonly string[],
    depth?: number,
  ): string[];
  realpath?(path: string): string;
  /** Changes whenever the file does; 0 where there is none. */
  modified(path: string): number;
}
