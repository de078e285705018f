import { vi } from "vitest";
import { main } from "../../src/cli/index.js";

/** What a command printed, and its exit code. */
export interface Printed {
  code: number;
  out: string;
  error: string;
}

/** Runs the command line in this process, which spares the start of another, and collects what it prints. */
export async function runCommand(...argv: string[]): Promise<Printed> {
  let out = "";
  let error = "";
  vi.spyOn(process.stdout, "write").mockImplementation((text) => {
    out += String(text);
    return true;
  });
  vi.spyOn(process.stderr, "write").mockImplementation((text) => {
    error += String(text);
    return true;
  });
  process.exitCode = undefined;
  try {
    const code = await main(argv);
    return { code, out, error };
  } finally {
    process.exitCode = undefined;
    vi.restoreAllMocks();
  }
}
