import { systemFailure } from "../files/index.js";

/** An error that is shown as its message alone, without a stack. */
export class UserError extends Error {
  override name = "UserError";
}

/** Errors of the rooms below that speak to the user: their message says what is wrong and what was expected. */
const spoken = new Set([
  "UserError",
  "ConfigError",
  "TraceError",
  "NotebookError",
  "LabError",
  "CellError",
  "ChromiumError",
  "StoreError",
  "ReadError",
  "SiteError",
]);

/** What the command line prints for an error: its message where it speaks to the user or comes from the system, otherwise with its stack. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (spoken.has(error.name)) return error.message;
  return systemFailure(error) ?? error.stack ?? error.message;
}
