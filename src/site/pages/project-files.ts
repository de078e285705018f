/** The project's files, as far as a site may show them: by where they really lie, and by kind. */
import { existsSync, readdirSync, statSync } from "node:fs";
import { join, posix } from "node:path";
import { ReadError, readRegular, realPlace } from "../../files/index.js";

/** Why a file is not shown. */
export interface NotShown {
  /** Follows "which": "does not exist". */
  why: string;
  /** True where to show it would give something away: the build stops. False where the link is merely wrong. */
  refused: boolean;
}

/** Folders whose files may be shown, and the files beside them that everybody may read anyway. */
const shownPlaces = /^(?:src|data|test|notebooks)(?:\/|$)|^(?:[A-Z]+(?:\.md|\.cff)?|package\.json)$/;
/** Names of files and folders that become part of addresses: no hidden ones, and nothing that means something in an address. */
const shownName = /^[\p{L}\p{N}_][\p{L}\p{N} _.+,()-]*$/u;
const neverShown = new Set(["node_modules", "coverage", "results", "dist"]);
/** What is shown as a text. */
const textKinds =
  /(?:\.(?:md|ipynb|bib|cff|txt|csv|ts|mts|cts|js|mjs|cjs|json|jsonl|py|c|h|sh|css|in|lock|grit)|(?:^|\/)[A-Z]+)$/;
const pictureKinds = /\.(?:png|jpe?g|svg|gif|webp)$/i;

/** Texts longer than this get no page. */
const longestText = 400_000;
/** Notebooks and pictures larger than this are refused: a page of them could not be looked at. */
const largestFile = 64 * 2 ** 20;

/** What a file is asked for as. */
export type FileUse = "notebook" | "text" | "picture";

/** Where a file really lies in the project, as {@link realPlace} says; or why nobody can get there. */
function placeOf(root: string, file: string): string | undefined | NotShown {
  try {
    return realPlace(root, file);
  } catch (error) {
    return { why: `cannot be reached (${(error as NodeJS.ErrnoException).code ?? "unknown"})`, refused: true };
  }
}

/** The files of one project's folder. */
export class ProjectFiles {
  constructor(readonly root: string) {}

  /** Whether something of this name is there, shown or not. */
  exists(file: string): boolean {
    return existsSync(join(this.root, file));
  }

  /** The text of a file that the site is made of; empty where there is none. What may not be shown is told, and counts as none. */
  text(file: string, refuse: (message: string) => void): string {
    if (!this.exists(file)) return "";
    const bytes = this.read(file, "notebook");
    if (bytes instanceof Uint8Array) return bytes.toString("utf8");
    refuse(`it ${bytes.why}.`);
    return "";
  }

  /** A file's bytes; or why it is not shown. */
  read(file: string, use: FileUse): Buffer | NotShown {
    const place = this.place(file);
    if (typeof place !== "string") return place;
    const kinds = use === "picture" ? pictureKinds : textKinds;
    if (!kinds.test(file) || !kinds.test(place))
      return use === "picture"
        ? { why: "is no PNG, JPEG, SVG, GIF or WebP", refused: false }
        : { why: "is of a kind that is not shown", refused: true };
    try {
      const path = join(this.root, place);
      const { size } = statSync(path);
      if (use === "text" && size > longestText)
        return { why: `is too large for a page (${Math.round(size / 1000)} kB)`, refused: false };
      return readRegular(path, file, use === "text" ? longestText : largestFile);
    } catch (error) {
      if (!(error instanceof ReadError)) throw error;
      return { why: `cannot be shown (${error.message.slice(file.length + 2).replace(/\.$/, "")})`, refused: true };
    }
  }

  /** Where a file really lies in the project, links followed; or why it is not shown. */
  place(file: string): string | NotShown {
    if (!isShown(file)) return { why: "is not a file of the project", refused: true };
    const place = placeOf(this.root, file);
    if (typeof place === "object") return place;
    if (place === undefined || !isShown(place))
      return { why: "leads by a symbolic link to what is not a file of the project", refused: true };
    return existsSync(join(this.root, place)) ? place : { why: "does not exist", refused: false };
  }

  isFolder(file: string): boolean {
    return statSync(join(this.root, file), { throwIfNoEntry: false })?.isDirectory() ?? false;
  }

  /** The notebooks of a folder in the order of their names. One whose name cannot be part of an address is told, and left out. */
  notebooksIn(folder: string, refuse: (file: string, message: string) => void): string[] {
    if (!this.exists(folder)) return [];
    const names = readdirSync(join(this.root, folder)).filter((name) => name.endsWith(".ipynb"));
    return names.sort().flatMap((name) => {
      if (shownName.test(name)) return [posix.join(folder, name)];
      refuse(posix.join(folder, name), "its name has other characters than letters, digits, spaces and _ . + , ( ) -.");
      return [];
    });
  }
}

function isShown(file: string): boolean {
  if (!shownPlaces.test(file)) return false;
  return file.split("/").every((part) => part === "" || (shownName.test(part) && !neverShown.has(part)));
}
