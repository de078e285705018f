// A program that goes on while the code under it is built anew: it says what its threads compute before, and after.
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const [built] = process.argv.slice(2);
const room = (name) => import(pathToFileURL(join(built, name, "index.js")).href);
const { cr4ReadCost } = await room("experiments");
const { runOnWorkers } = await room("sweep");
let threads = 0;
process.on("worker", () => threads++);
const tell = async () => {
  const { rows } = await runOnWorkers(cr4ReadCost, {}, { jobs: 1 });
  console.log(threads, rows[0].edited ?? "as it was");
};
await tell();
await tell();
const worker = join(built, "sweep", "worker.js");
writeFileSync(
  worker,
  readFileSync(worker, "utf8").replace(
    ".simulate(point, { ...basis, facts })",
    ".simulate(point, { ...basis, facts }).map((row) => ({ ...row, edited: 'edited' }))",
  ),
);
await tell();
await tell();
// A room that computes nothing.
appendFileSync(join(built, "cli", "index.js"), "\n");
await tell();
