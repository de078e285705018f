// `npm run bench:engine [subject …]`: one file a subject beside this one, each with a `run()` that prints its table.
import { readdirSync } from "node:fs";

const here = new URL("./", import.meta.url);
const subjects = readdirSync(here)
  .filter((file) => file.endsWith(".mjs") && file !== "bench.mjs")
  .map((file) => file.slice(0, -".mjs".length))
  .sort();
const wanted = process.argv.slice(2);
const unknown = wanted.find((subject) => !subjects.includes(subject));
if (unknown !== undefined) {
  console.error(`bench:engine: there is no subject "${unknown}"; there is ${subjects.join(", ")}.`);
  process.exit(2);
}
for (const subject of wanted.length > 0 ? wanted : subjects) {
  const { run } = await import(new URL(`${subject}.mjs`, here).href);
  await run();
}
