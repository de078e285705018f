// `npm run bench:silicon -- [--seconds N] [--repeats N] [--out FILE]`: compiles silicon.c with the system's C compiler, runs it, and writes what it
// measured: to data/observations/silicon-NAME.json it is a recorded machine of the experiment `silicon`. Without a compiler there is nothing to
// measure with: it says so, and that is no failure.
import { spawnSync } from "node:child_process";
import { writeFileSync } from "node:fs";
import { compileSilicon } from "./compile.mjs";

const words = process.argv.slice(2);
const at = words.indexOf("--out");
const [out] = at < 0 ? [] : words.splice(at, 2).slice(1);
if (at >= 0 && out === undefined) {
  console.error("bench:silicon: --out takes the name of a file, as in --out data/observations/silicon-mine.json.");
  process.exit(2);
}

const silicon = compileSilicon();
if (silicon === undefined) {
  console.log("bench:silicon: skipped: there is no C compiler (cc) on this machine.");
  process.exit(0);
}
const run = spawnSync(silicon.program, words, { stdio: ["ignore", "pipe", "inherit"], maxBuffer: 1 << 26 });
silicon.remove();
if (run.status !== 0) process.exit(run.status ?? 1);
const text = run.stdout.toString();
const { machine, tookSeconds, runs } = JSON.parse(text);
const disturbed = runs.filter(({ quiet }) => quiet < 5).length;
console.error(
  `bench:silicon: ${machine.model}, ${machine.cores} cores, ${runs.length} runs in ${tookSeconds.toFixed(0)} s` +
    (disturbed > 0 ? `; in ${disturbed} of them others had the cores nearly all the time: these are not judged.` : "."),
);
if (out === undefined) process.stdout.write(text);
else writeFileSync(out, text);
