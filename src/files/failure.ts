/** A result that could not be kept, or a folder that is in use: one sentence that says which file, and what to do. */
export class StoreError extends Error {
  override name = "StoreError";
}

const reasons: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free some space and run it again, what was finished is kept",
  EDQUOT: "the disk quota is used up; free some space and run it again, what was finished is kept",
  EFBIG: "the file would be larger than is allowed here",
  EROFS: "the disk is read-only",
  EACCES: "this user may not write there",
  EPERM: "this user may not write there",
  ENOTDIR: "a part of the path is a file, not a folder",
  EEXIST: "a file is in the way of a folder",
  EISDIR: "a folder is in the way of a file",
  ELOOP: "its symbolic links lead in a circle",
  ENAMETOOLONG: "its name is too long",
  EMFILE: "too many files are open (raise the limit with `ulimit -n`)",
  ENFILE: "too many files are open on this machine",
  ENOENT: "no file or folder can be made at this place",
  EIO: "the disk reports an error",
  EPIPE: "its reader has gone",
};

/** The sentence for a failed write. */
export function writeFailure(file: string, error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { code = "", message } = error as NodeJS.ErrnoException;
  return new StoreError(`${file}: cannot be written: ${Object.hasOwn(reasons, code) ? reasons[code] : message}.`);
}

/** Where it is not known whether something was to be written. */
const whatever: Readonly<Record<string, string>> = {
  EACCES: "this user may not do that there",
  EPERM: "this user may not do that there",
  ENOENT: "there is no such file or folder",
};

/** What an error of the system (no space, no right, too many open files) says to a user; undefined for any other error. */
export function systemFailure(error: unknown): string | undefined {
  const { code, syscall, path, message } = error as NodeJS.ErrnoException;
  if (typeof code !== "string" || typeof syscall !== "string" || !/^E[A-Z0-9]+$/.test(code)) return undefined;
  const why = Object.hasOwn(whatever, code) ? whatever[code] : undefined;
  return `${path ?? syscall}: ${why ?? (Object.hasOwn(reasons, code) ? reasons[code] : message)}.`;
}
