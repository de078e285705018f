// Turns the folders of data/ that hold facts, designs and margins into the typed module generated.ts, so that the core reads no files.
// Plain JavaScript without dependencies: it runs before anything is compiled. The zod schemas beside it check the result in a test.
import { existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const data = join(here, "..", "..", "data");

function readFolder(folder) {
  const out = {};
  if (!existsSync(join(data, folder))) return out;
  for (const name of readdirSync(join(data, folder))
    .filter((file) => file.endsWith(".json"))
    .sort()) {
    try {
      out[name.replace(/\.json$/, "")] = JSON.parse(readFileSync(join(data, folder, name), "utf8"));
    } catch (error) {
      console.error(`data/${folder}/${name}: ${error.message}; expected a JSON file.`);
      process.exit(1);
    }
  }
  return out;
}

const text = [
  "// Generated from data/ by generate.mjs; change those files instead.",
  `export const published: unknown = ${JSON.stringify(readFolder("published"), null, 1)};`,
  `export const observations: unknown = ${JSON.stringify(readFolder("observations"), null, 1)};`,
  `export const hardware: unknown = ${JSON.stringify(readFolder("hardware"), null, 1)};`,
  `export const workload: unknown = ${JSON.stringify(readFolder("workload"), null, 1)};`,
  `export const designs: unknown = ${JSON.stringify(readFolder("designs"), null, 1)};`,
  `export const judging: unknown = ${JSON.stringify(readFolder("judging"), null, 1)};`,
  // Numbers by the thousand: on one line.
  `export const ensembles: unknown = ${JSON.stringify(readFolder("ensembles"))};`,
  `export const predictions: unknown = ${JSON.stringify(readFolder("predictions"))};`,
  "",
].join("\n");
const target = join(here, "generated.ts");
writeFileSync(`${target}.tmp`, text);
renameSync(`${target}.tmp`, target);
