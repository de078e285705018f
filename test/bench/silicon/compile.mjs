// silicon.c as a program of this machine.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** Compiles silicon.c into a folder of its own; undefined where there is no C compiler. @throws Error where there is one that refuses it */
export function compileSilicon() {
  if (spawnSync("cc", ["--version"]).status !== 0) return undefined;
  const folder = mkdtempSync(join(tmpdir(), "silicon-"));
  const program = join(folder, "silicon");
  const source = fileURLToPath(new URL("./silicon.c", import.meta.url));
  const { status, stderr } = spawnSync("cc", ["-O2", "-std=gnu11", source, "-o", program, "-pthread"]);
  if (status !== 0) throw new Error(`cc does not compile silicon.c: ${stderr}`);
  return { program, remove: () => rmSync(folder, { recursive: true }) };
}
