// Turns data/traces/*.trace.json into the typed module generated.ts, so that the core reads no files.
// Plain JavaScript without dependencies: it runs before anything is compiled. decodeTrace (trace-codec.ts) checks the content.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const folder = join(here, "..", "..", "data", "traces");
const files = existsSync(folder) ? readdirSync(folder).filter((file) => file.endsWith(".trace.json")) : [];
const entries = files
  .sort()
  .map(
    (file) =>
      `  ${JSON.stringify(file.replace(/\.trace\.json$/, ""))}: ${JSON.stringify(readFileSync(join(folder, file), "utf8"))},`,
  );
const text = [
  "// Generated from data/traces by generate.mjs; change those files instead.",
  "export const recorded: Record<string, string> = {",
  ...entries,
  "};",
  "",
].join("\n");
const target = join(here, "generated.ts");
writeFileSync(`${target}.tmp`, text);
renameSync(`${target}.tmp`, target);
