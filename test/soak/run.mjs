// npm run soak -- NAME [--count N] [--seed S]: long random tests, each a file of this folder that says what it is about. What they find is
// mended in src/ and kept by a short version of the same in npm test.
import { readdirSync } from "node:fs";
import { parseArgs } from "node:util";

const names = readdirSync(import.meta.dirname)
  .filter((file) => /^[a-z-]+\.mjs$/.test(file) && !["run.mjs", "random.mjs"].includes(file))
  .map((file) => file.replace(".mjs", ""));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { count: { type: "string" }, seed: { type: "string" } },
});
const [name] = positionals;
if (positionals.length !== 1 || !names.includes(name)) {
  console.error(`npm run soak -- NAME [--count N] [--seed S]; the names are ${names.join(", ")}.`);
  process.exit(2);
}
const number = (flag, fallback) => {
  const value = values[flag] === undefined ? fallback : Number(values[flag]);
  if (Number.isSafeInteger(value) && value >= 1) return value;
  console.error(`--${flag}: a whole number, 1 or more; got ${values[flag]}.`);
  process.exit(2);
};
const { soak, defaultCount } = await import(`./${name}.mjs`);
const count = number("count", defaultCount);
const seed = number("seed", 1);
console.log(`soak ${name}: ${count} from seed ${seed}`);
const started = performance.now();
const { report, faults } = await soak({ count, seed, say: (line) => console.log(line) });
console.log(report);
console.log(`${Math.round((performance.now() - started) / 1000)} s`);
for (const fault of faults.slice(0, 50)) console.error(`FAULT ${fault}`);
if (faults.length > 0) {
  console.error(
    `${faults.length} faults. To see one again: npm run soak -- ${name} --count N --seed SEED, with the seed that it names.`,
  );
  process.exit(1);
}
