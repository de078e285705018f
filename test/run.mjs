// What `npm test` runs: lint, what nothing uses, the floor plan, types, then every test project, with the ten slowest tests at the end, and the
// drift check: every stored notebook executed anew and compared, number by number, with what it holds.
// `npm test -- unit` (or lint, types, conformance, drift, browser) runs a part; further words go to vitest.
// `npm test -- --quick [REV]` runs what the changes since a revision (default: where this branch left main) need: test/support/affected.mjs.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { affected } from "./support/affected.mjs";

const node = process.execPath;
const bin = (path) => `node_modules/${path}`;
const vitest = (project, ...more) => [
  node,
  [
    bin("vitest/vitest.mjs"),
    "run",
    "--project",
    project,
    "--passWithNoTests",
    "--reporter=default",
    "--reporter=./test/support/slowest-reporter.mjs",
    ...more,
  ],
];
/** Points of experiments that the parts of this run share: computed in it, and gone with it. */
const points = mkdtempSync(join(tmpdir(), "iommu-lab-points-"));
process.on("exit", () => rmSync(points, { recursive: true, force: true }));
/** The longest first, so that no core waits at the end for one that began late. */
const longest = ["03", "07", "06", "02", "08", "09", "10"];
const turn = (name) => (longest.indexOf(name.slice(0, 2)) + longest.length + 1) % (longest.length + 1);
const notebooks = readdirSync("notebooks")
  .filter((name) => name.endsWith(".ipynb"))
  .sort((a, b) => turn(a) - turn(b));
const results = join(points, "reproduced");
/** Where the tests' reporter writes the names of those that failed. */
const failures = join(points, "failures.txt");

const lint = ["lint", [node, [bin("@biomejs/biome/bin/biome"), "check", "."]]];
const floors = [
  "floors",
  [node, [bin("dependency-cruiser/bin/dependency-cruise.mjs"), "--config", ".dependency-cruiser.cjs", "src"]],
];
const types = ["types", [node, [bin("typescript/bin/tsc"), "-p", "tsconfig.test.json", "--noEmit"]]];
const knip = [bin("knip/bin/knip.js"), "--config", "test/support/knip.config.js"];
/** What looks at the sources and runs nothing: one core each, so that two of them run at a time. */
const looks = [
  types,
  lint,
  // What nothing uses: once as if there were no tests, once with them.
  ["unused", [node, [...knip, "--production"]]],
  ["unused-tests", [node, knip]],
  floors,
];
const steps = [
  ...looks,
  ["unit", vitest("unit")],
  ["conformance", vitest("conformance")],
  // Before the browser, whose notebooks then take the points from here.
  [
    "drift",
    [
      node,
      // Each by its name: without the ledger and the site, which tests of their own make.
      [
        "src/cli/iommu-lab.mjs",
        "reproduce",
        "--check",
        "--only",
        notebooks.join(),
        "--points",
        points,
        "--out",
        results,
      ],
    ],
  ],
  ["browser", vitest("browser")],
];

/** What a step is told: unit tests load what `pretest` has built, and look at stores of their own; the browser's take this run's points. */
const settings = { unit: { IOMMU_LAB_TEST_BUILT: "1" }, browser: { IOMMU_LAB_TEST_POINTS: points } };

/**
 * Many unit tests wait for a kernel, a killed command or a clock: with three of them at a time two cores have work all the time.
 * (The browser's stay two: each of them is a browser's processes, a server and kernels.)
 */
const workers = (name, extra) =>
  name === "unit" && !extra.some((word) => word.startsWith("--maxWorkers")) ? ["--maxWorkers=3"] : [];

/** What a part may have beside it: the conformance tests wait for Python most of the time. */
const beside = { unit: "conformance" };

/** Runs a step; what it prints appears as it comes, or when it has ended where another runs beside it. @returns whether it passed */
async function step([name, [command, args]], extra, quiet) {
  if (!quiet) console.log(`\n== ${name}`);
  const started = performance.now();
  const printed = [];
  const child = spawn(command, [...args, ...workers(name, extra), ...extra], {
    stdio: quiet ? ["ignore", "pipe", "pipe"] : "inherit",
    env: { ...process.env, IOMMU_LAB_TEST_FAILURES: failures, ...settings[name] },
  });
  for (const stream of quiet ? [child.stdout, child.stderr] : []) stream.on("data", (piece) => printed.push(piece));
  const status = await new Promise((resolve) => {
    child.on("error", (error) => {
      printed.push(`${error.message}\n`);
      resolve(1);
    });
    child.on("close", resolve);
  });
  if (quiet) process.stdout.write(`\n== ${name}\n${Buffer.concat(printed.map((piece) => Buffer.from(piece)))}`);
  console.log(
    `== ${name}: ${status === 0 ? "passed" : "FAILED"} in ${((performance.now() - started) / 1000).toFixed(1)} s`,
  );
  return status === 0;
}

async function run(list, extra) {
  const failed = [];
  const [first, rest] = [list.filter((one) => looks.includes(one)), list.filter((one) => !looks.includes(one))];
  const waiting = [...first];
  await Promise.all(
    [0, 1].map(async () => {
      for (let one = waiting.shift(); one !== undefined; one = waiting.shift())
        if (!(await step(one, extra, first.length > 1))) failed.push(one[0]);
    }),
  );
  while (rest.length > 0) {
    const one = rest.shift();
    const other = rest.findIndex(([name]) => name === beside[one[0]]);
    const both = [[one, false], ...(other < 0 ? [] : rest.splice(other, 1).map((found) => [found, true]))];
    await Promise.all(
      both.map(async ([each, quiet]) => {
        if (!(await step(each, extra, quiet))) failed.push(each[0]);
      }),
    );
  }
  if (failed.length === 0) return;
  if (existsSync(failures)) console.error(`\nFailed:\n${readFileSync(failures, "utf8")}`);
  console.error(`\nnpm test: failed: ${failed.join(", ")}`);
  process.exit(1);
}

const [only, ...extra] = process.argv.slice(2);
const known = steps.map(([name]) => name);
if (only === "--quick") {
  const { since, sources, tests, left } = affected(extra[0]);
  console.log(`Changed since ${since}: ${sources.length} files; ${tests.length} test files need them.`);
  const written = sources.filter((file) => /\.(ts|mts|mjs|cjs|json)$/.test(file));
  await run(
    [
      ...(written.length > 0
        ? [["lint", [node, [...lint[1][1].slice(0, 2), "--no-errors-on-unmatched", ...written]]]]
        : []),
      floors,
      types,
      ...(tests.length > 0 ? [["unit", vitest("unit", ...tests)]] : []),
    ],
    [],
  );
  if (left.length > 0)
    console.log(`\nLeft out for the time that they take, and run by \`npm test\`: ${left.join(", ")}.`);
} else if (only !== undefined && !known.includes(only)) {
  console.error(`npm test: there is no part "${only}"; the parts are ${known.join(", ")}, and --quick.`);
  process.exit(2);
} else
  await run(
    steps.filter(([name]) => only === undefined || name === only),
    extra,
  );
