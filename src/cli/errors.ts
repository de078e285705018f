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

/**
 * A text as a terminal may show it. What comes from a file may hold commands for the terminal (its title, the clipboard); line ends and
 * colours stay, all else that is no letter is shown as a dot.
 */
export function printable(text: string): string {
  return text.replace(control, (found) => (colour.test(found) ? found : "·"));
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const control = /\u001b\[[\d;]*m|[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g;
// biome-ignore lint/suspicious/noControlCharactersInRegex: a colour begins with one
const colour = /^\u001b\[/;

/** What the command line prints for an error: its message where it speaks to the user or comes from the system, otherwise with its stack. */
export function errorText(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (spoken.has(error.name)) return printable(error.message);
  return systemFailure(error) ?? error.stack ?? error.message;
}
